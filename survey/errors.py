"""How the product refuses: an exception for what must stop, a value for what a person mistyped.

A `SurveyError` names the thing, the reason and the way out, under a stable code that
scripts may rely on. A `Fault` is one mistake in something a person wrote (a sheet, a plan,
an answer); faults are collected, all at once, and travel together in a `FaultsError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One mistake in something a person wrote, with the place where it stands."""

    code: str
    problem: str
    remedy: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    item: str | None = None

    def __str__(self) -> str:
        place = "，".join(
            part
            for part in (
                f"表“{self.sheet}”" if self.sheet else "",
                f"第{self.row}行" if self.row is not None else "",
                f"“{self.column}”列" if self.column else "",
                self.item or "",
            )
            if part
        )
        return f"{place}：{self.problem}。{self.remedy}。" if place else f"{self.problem}。{self.remedy}。"

    def document(self) -> dict[str, Any]:
        """The fault as plain JSON, without the places that do not apply."""
        pairs = {
            "code": self.code,
            "problem": self.problem,
            "remedy": self.remedy,
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "item": self.item,
        }
        return {key: value for key, value in pairs.items() if value is not None}


class SurveyError(Exception):
    """A deliberate refusal: the thing, the reason, the remedy, under a stable code."""

    code = "survey.refused"
    kind = "refused"
    """One of invalid, not_found, conflict, forbidden, busy, refused; pages map it to a status."""

    def __init__(self, thing: str, reason: str, remedy: str, **details: Any) -> None:
        super().__init__(thing, reason, remedy)
        self.thing = thing
        self.reason = reason
        self.remedy = remedy
        self.details = details

    def __str__(self) -> str:
        return f"{self.thing}：{self.reason}。{self.remedy}。"

    def document(self) -> dict[str, Any]:
        """The refusal as plain JSON, for the API and for `--json`."""
        return {
            "code": self.code,
            "thing": self.thing,
            "reason": self.reason,
            "remedy": self.remedy,
            **({"details": self.details} if self.details else {}),
        }


class FaultsError(SurveyError):
    """Refused because of mistakes a person can mend; carries every one of them."""

    code = "survey.faults"
    kind = "invalid"

    def __init__(self, thing: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(thing, f"有{len(faults)}处需要改", "改好后再试一次")
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"- {fault}" for fault in self.faults)])

    def document(self) -> dict[str, Any]:
        """The refusal with its faults, as plain JSON."""
        return {**super().document(), "faults": [fault.document() for fault in self.faults]}
