"""A scheme: who is asked, how many, how options become a figure, what it must reach.

The document, as read and checked, is the value; everything here is a typed view of it, so
that rooms further right never walk raw keys. Rates are exact fractions; the document keeps
them as the text that was written, and the digest is taken over that document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from survey import canonical
from survey.errors import SurveyError
from survey.exact import fraction
from survey.scheme.reading import AnswersReading, answers_reading
from survey.scheme.scheme_parts import (
    EDGES,
    AllocationRule,
    FigureRule,
    Grade,
    GradeBand,
    Line,
    Places,
    Precision,
    Requirement,
    SchemeForm,
    SchemeGroup,
    Share,
    SizeRule,
    Step,
)


class UnknownGroupError(SurveyError):
    """The scheme does not ask this respondent group."""

    code = "scheme.unknown_group"
    kind = "not_found"

    def __init__(self, scheme: str, group: str) -> None:
        super().__init__(f"方案“{scheme}”", f"没有“{group}”这一类人", "从方案列出的几类人里选")


@dataclass(frozen=True)
class Scheme:
    """A checked scheme; `document` holds no floats and is what the digest covers."""

    document: Mapping[str, Any]
    digest: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Scheme:
        """The scheme of a document that has passed its schema."""
        return cls(document, canonical.digest(document))

    @property
    def id(self) -> str:
        return str(self.document["scheme"])

    @property
    def version(self) -> str:
        return str(self.document["version"])

    @property
    def status(self) -> str:
        return str(self.document["status"])

    @property
    def title(self) -> str:
        return str(self.document["title"]["zh"])

    @property
    def figure_name(self) -> str:
        """What the figure is called, 社会认可度 or 公众满意率."""
        return str(self.document["figure"]["name"]["zh"])

    def must_say(self, office: str, lang: str = "zh") -> str:
        """The sentence that stands on every page and sheet: not the national survey."""
        return str(self.document["purpose"]["must_say"][lang]).replace("{office}", office)

    def in_words(self, lang: str = "zh") -> str:
        """The formula in words, printed as it stands."""
        return str(self.document["figure"]["in_words"][lang])

    def not_known(self, lang: str = "zh") -> tuple[str, ...]:
        """What was looked for and not found, for the report."""
        return tuple(entry[lang] for entry in self.document["not_known"])

    @cached_property
    def groups(self) -> tuple[SchemeGroup, ...]:
        """The respondent groups in the scheme's order."""
        keys = SchemeGroup.__dataclass_fields__
        return tuple(
            SchemeGroup(**{key: value for key, value in entry.items() if key in keys})
            for entry in self.document["respondent_groups"]
        )

    def group(self, group: str) -> SchemeGroup:
        """The respondent group named `group`.

        Raises:
            UnknownGroupError: the scheme does not ask it.
        """
        for entry in self.groups:
            if entry.id == group:
                return entry
        raise UnknownGroupError(self.id, group)

    @cached_property
    def forms(self) -> tuple[SchemeForm, ...]:
        """The scheme's forms with the drafts that stand in for them."""
        return tuple(
            SchemeForm(entry["id"], entry["zh"], entry["en"], tuple(entry["drafts"]))
            for entry in self.document["instruments"]
        )

    def drafts(self, group: str) -> tuple[str, ...]:
        """Our instruments that may be used for a group of this scheme."""
        form = self.group(group).instrument
        return next((entry.drafts for entry in self.forms if entry.id == form), ())

    @cached_property
    def size(self) -> SizeRule:
        """How many forms are owed."""
        section = self.document["sample_size"]
        goal = section.get("precision")
        return SizeRule(
            rule=section["rule"],
            counts=section["counts"],
            census=section["population"]["census"],
            per_thousand=fraction(section["per_thousand"]) if "per_thousand" in section else None,
            rounding=section.get("rounding", "up"),
            floors=tuple(Step(**step) for step in section.get("floors", ())),
            steps=tuple(Step(**step) for step in section.get("steps", ())),
            group_floors=dict(section.get("group_floors", {})),
            precision=_precision(goal) if goal else None,
        )

    @cached_property
    def allocation(self) -> AllocationRule:
        """How the forms are divided."""
        section = self.document["allocation"]
        equal, bands, places = section.get("about_equal"), section.get("grade_bands"), section.get("places")
        return AllocationRule(
            shares=tuple(_share(entry) for entry in section["shares"]),
            about_equal=tuple(map(tuple, equal["among"])) if equal else (),
            within=fraction(equal["within"]) if equal else None,
            band_groups=tuple(bands["of"]) if bands else (),
            bands=tuple(GradeBand(b["zh"], b["en"], tuple(b["grades"])) for b in bands["bands"])
            if bands
            else (),
            places=_places(places) if places else None,
            when_short=section["when_short"],
        )

    @cached_property
    def answers(self) -> AnswersReading:
        """How options are read."""
        return answers_reading(self.document["answers"], formula=self.document["figure"]["formula"])

    @cached_property
    def figure(self) -> FigureRule:
        """How answers become the figure."""
        section = self.document["figure"]
        weights = {
            key: _weights(section[key]) for key in ("item_weights", "dimension_weights", "group_weights")
        }
        plain = (
            "formula",
            "official_formula",
            "from_items",
            "base",
            "design_weights",
            "shown_as",
            "decimals",
        )
        return FigureRule(
            **{key: section[key] for key in plain},
            **weights,
            adjust_to=tuple(section["adjust_to"]),
            confidence=fraction(section["interval"]["confidence"]),
            show_beside=tuple(section["show_beside"]),
        )

    @cached_property
    def requirement(self) -> Requirement:
        """What the figure must reach."""
        section = self.document["requirement"]
        line = section["line"]
        return Requirement(
            line=None if line == "none_found" else next(Line(edge, str(at)) for edge, at in line.items()),
            applies_to=section["applies_to"],
            veto=section["veto"],
            grades=tuple(
                Grade(
                    entry["zh"], entry["en"], {edge: fraction(entry[edge]) for edge in EDGES if edge in entry}
                )
                for entry in section["grades"]
            ),
            passes_from_grade=section.get("passes_from_grade"),
        )

    @property
    def valid_share(self) -> Fraction | None:
        """The share of given-out forms that must come back valid, None where none was found."""
        share = self.document["returns"]["valid_share_at_least"]
        return None if share == "none_found" else fraction(share)

    @property
    def smallest_cell(self) -> int:
        """Below this many answers nothing is shown."""
        return int(self.document["secrecy"]["smallest_cell"])

    @property
    def days_open(self) -> Mapping[str, int]:
        """Shortest, usual and longest number of days open, where the scheme names them."""
        return dict(self.document["fieldwork"]["days_open"])


def _precision(goal: Mapping[str, Any]) -> Precision:
    rates = {key: fraction(value) for key, value in goal.items() if key != "for_each"}
    return Precision(for_each=goal["for_each"], **rates)


def _share(entry: Mapping[str, Any]) -> Share:
    edge = next(key for key in ("at_least", "exactly", "at_most") if key in entry)
    return Share(tuple(entry["groups"]), edge, fraction(entry[edge]))  # type: ignore[arg-type]


def _places(section: Mapping[str, Any]) -> Places:
    shares = section["shares"]
    return Places(
        kinds={kind: tuple(codes) for kind, codes in section["kinds"].items()},
        shares=None if shares == "resident_population" else {kind: fraction(s) for kind, s in shares.items()},
        within=fraction(section["within"]),
    )


def _weights(value: Any) -> Any:
    return value if isinstance(value, str) else {key: fraction(weight) for key, weight in value.items()}
