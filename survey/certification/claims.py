"""What a verifier says: one claim a line, true, false or not to be proved by this file.

A `Ledger` runs one check after another and writes down what each found, so that a failure
is a line with a file and a field instead of an exception. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from survey.certification.fields import FieldRefusedError
from survey.errors import SurveyError

MARKS = {True: "✓", False: "✗", None: "–"}
Found = TypeVar("Found")


@dataclass(frozen=True)
class Claim:
    """One line: what is claimed, whether it holds, and where to look if not."""

    name: str
    ok: bool | None
    """None where this file cannot prove or disprove it."""
    detail: str
    file: str = ""
    field: str = ""

    @property
    def line(self) -> str:
        """The claim as printed."""
        place = (
            "".join((f"〔{self.file}" + (f" {self.field}" if self.field else "") + "〕",))
            if self.file
            else ""
        )
        shown = f" {place}" if self.ok is False else ""
        return f"{MARKS[self.ok]} {self.name}：{self.detail}{shown}"

    def document(self) -> dict[str, Any]:
        """The claim as plain JSON."""
        return {
            "claim": self.name,
            "ok": self.ok,
            "detail": self.detail,
            "file": self.file or None,
            "field": self.field or None,
        }


@dataclass(frozen=True)
class Verdict:
    """All claims about one file, and what they come to."""

    claims: tuple[Claim, ...]
    kind: str = "unreadable"
    """certificate, bundle, or unreadable."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Title, wave, figure and codes, as far as they could be read; believe them at exit 0."""

    @property
    def exit_code(self) -> int:
        """0 all hold, 1 something is false, 2 unreadable."""
        if self.kind == "unreadable":
            return 2
        return 1 if any(claim.ok is False for claim in self.claims) else 0

    @property
    def ok(self) -> bool:
        """True when nothing is false."""
        return self.exit_code == 0

    @property
    def first_false(self) -> Claim | None:
        """The first claim that does not hold."""
        return next((claim for claim in self.claims if claim.ok is False), None)

    @property
    def summary(self) -> str:
        """The verdict in one sentence."""
        if self.exit_code == 2:
            return "结论：读不懂这个文件。"
        if (false := self.first_false) is not None:
            place = " ".join(part for part in (false.file, false.field) if part)
            return f"结论：不成立。{place + '：' if place else ''}{false.detail}。"
        return "结论：能核对的全部成立；标“–”的，这个文件本身证明不了。"

    def lines(self) -> list[str]:
        """One line per claim, then the summary."""
        return [*(claim.line for claim in self.claims), self.summary]

    def document(self) -> dict[str, Any]:
        """The verdict as plain JSON."""
        return {
            "kind": self.kind,
            "exit_code": self.exit_code,
            "summary": self.summary,
            **self.facts,
            "claims": [claim.document() for claim in self.claims],
        }


class Ledger:
    """Runs checks and writes down claims; `within` renames files to fields of one file."""

    def __init__(self, within: str = "") -> None:
        self.within = within
        self.claims: list[Claim] = []

    def check(
        self, name: str, file: str, work: Callable[..., tuple[Found, str]], *arguments: Any
    ) -> Found | None:
        """What `work(*arguments)` returns beside its detail; None when refused or not tried.

        Args:
            name: the claim.
            file: the file to blame when the refusal names none.
            work: returns (value, detail) or raises a SurveyError.
            arguments: values of earlier checks; where one is None, this check cannot be tried.
        """
        if any(argument is None for argument in arguments):
            self.write(name, None, "前面有一项不成立，无从核对", file)
            return None
        try:
            value, detail = work(*arguments)
        except FieldRefusedError as error:
            self.write(name, False, error.reason, error.file or file, error.field)
        except SurveyError as error:
            self.write(name, False, error.reason, file)
        else:
            self.write(name, True, detail, file)
            return value
        return None

    def write(self, name: str, ok: bool | None, detail: str, file: str = "", field: str = "") -> None:
        """Add a claim."""
        if self.within and file and file != self.within:
            inner = file.replace(".json", "").replace(".note", "_note")
            file, field = self.within, f"{inner}.{field}" if field else inner
        self.claims.append(Claim(name, ok, detail, file, field))

    def write_limits(self, *, opened: bool = False) -> None:
        """What no file can prove, said every time; `opened` where the records themselves are there."""
        if not opened:
            self.write("答卷内容", None, "公开的只有承诺；是否如实录入，要由核查人逐份开封核对")
        self.write("是谁填的", None, "填写单是否到了该到的人手里，任何文件都证明不了")
