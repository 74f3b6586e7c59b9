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
from typing import Any, Literal

from survey import canonical
from survey.errors import SurveyError
from survey.exact import fraction, percent_text
from survey.scheme.reading import AnswersReading, answers_reading

EDGES = ("at_least", "above", "at_most", "below")


class UnknownGroupError(SurveyError):
    """The scheme does not ask this respondent group."""

    code = "scheme.unknown_group"
    kind = "not_found"

    def __init__(self, scheme: str, group: str) -> None:
        super().__init__(f"方案“{scheme}”", f"没有“{group}”这一类人", "从方案列出的几类人里选")


@dataclass(frozen=True)
class SchemeGroup:
    """One respondent group of a scheme."""

    id: str
    zh: str
    en: str
    instrument: str
    """The scheme's own form (its `drafts` name our instruments)."""
    frame: str
    reached_by: str
    from_grade: int | None = None
    from_age: int | None = None
    to_age: int | None = None


@dataclass(frozen=True)
class SchemeForm:
    """One form of the scheme, and which of our drafts stand in for it."""

    id: str
    zh: str
    en: str
    drafts: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A number of forms for a band of populations."""

    forms: int
    at_least: int | None = None
    above: int | None = None
    below: int | None = None
    at_most: int | None = None

    def holds(self, population: int) -> bool:
        """Whether the band contains `population`; `at_…` includes its number.

        >>> Step(300, at_most=200000).holds(200000), Step(200, below=200000).holds(200000)
        (True, False)
        """
        return (
            (self.at_least is None or population >= self.at_least)
            and (self.above is None or population > self.above)
            and (self.below is None or population < self.below)
            and (self.at_most is None or population <= self.at_most)
        )


@dataclass(frozen=True)
class Precision:
    """The precision goal of a scheme that states one."""

    half_width: Fraction
    confidence: Fraction
    expected_rate: Fraction
    design_effect: Fraction
    expected_response: Fraction
    for_each: Literal["whole", "respondent_group"]


@dataclass(frozen=True)
class SizeRule:
    """How many forms the scheme owes."""

    rule: Literal["per_thousand", "steps", "group_floors", "precision"]
    counts: Literal["issued_forms", "valid_forms"]
    census: int | None
    per_thousand: Fraction | None
    rounding: Literal["up", "nearest", "down"]
    floors: tuple[Step, ...]
    steps: tuple[Step, ...]
    group_floors: Mapping[str, int]
    precision: Precision | None

    @property
    def needs_population(self) -> bool:
        """Whether the size follows from the resident population."""
        return self.rule in ("per_thousand", "steps")


@dataclass(frozen=True)
class Share:
    """A share of the forms for some groups together."""

    groups: tuple[str, ...]
    edge: Literal["at_least", "exactly", "at_most"]
    share: Fraction


@dataclass(frozen=True)
class GradeBand:
    """Grades that are counted together; kindergarten years are k1, k2, k3."""

    zh: str
    en: str
    grades: tuple[int | str, ...]


@dataclass(frozen=True)
class Places:
    """How forms follow place kinds: `shares` None means as the resident population."""

    kinds: Mapping[str, tuple[int, ...]]
    shares: Mapping[str, Fraction] | None
    within: Fraction


@dataclass(frozen=True)
class AllocationRule:
    """How the forms are divided between groups, grade bands and places."""

    shares: tuple[Share, ...]
    about_equal: tuple[tuple[str, ...], ...]
    within: Fraction | None
    band_groups: tuple[str, ...]
    bands: tuple[GradeBand, ...]
    places: Places | None
    when_short: Literal["take_all_and_say_so", "refuse"]


@dataclass(frozen=True)
class FigureRule:
    """How answers become the figure."""

    formula: Literal["share", "points_mean", "majority_vote"]
    official_formula: str
    from_items: Literal["overall_item", "content_items", "overall_and_content"]
    item_weights: str | Mapping[str, Fraction]
    dimension_weights: str | Mapping[str, Fraction]
    group_weights: str | Mapping[str, Fraction]
    base: str
    design_weights: bool
    adjust_to: tuple[str, ...]
    shown_as: str
    decimals: int
    confidence: Fraction
    show_beside: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """The line a figure must meet: 85%以上 is at_least, 高于85% is above."""

    edge: Literal["at_least", "above"]
    threshold: str

    def reached(self, figure: Fraction) -> bool:
        """Whether the exact, unrounded figure meets the line.

        >>> Line("above", "0.85").reached(Fraction(17, 20)), Line("at_least", "0.85").reached(Fraction(17, 20))
        (False, True)
        """
        line = fraction(self.threshold)
        return figure >= line if self.edge == "at_least" else figure > line

    def in_words(self) -> str:
        """The line as a notice would put it, 达到85%以上（含85%） or 高于85%（正好85%不算）."""
        shown = percent_text(self.threshold)
        return (
            f"达到{shown}以上（含{shown}）" if self.edge == "at_least" else f"高于{shown}（正好{shown}不算）"
        )


@dataclass(frozen=True)
class Grade:
    """One grade word with its edges."""

    zh: str
    en: str
    edges: Mapping[str, Fraction]

    def holds(self, figure: Fraction) -> bool:
        """Whether the exact figure falls into this grade."""
        edges = self.edges
        return (
            ("at_least" not in edges or figure >= edges["at_least"])
            and ("above" not in edges or figure > edges["above"])
            and ("below" not in edges or figure < edges["below"])
            and ("at_most" not in edges or figure <= edges["at_most"])
        )


@dataclass(frozen=True)
class Requirement:
    """What the figure must reach."""

    line: Line | None
    applies_to: Literal["figure", "every_group"]
    veto: bool
    grades: tuple[Grade, ...]
    passes_from_grade: str | None

    def grade(self, figure: Fraction) -> Grade | None:
        """The grade the exact figure falls into, None where the scheme names none."""
        return next((grade for grade in self.grades if grade.holds(figure)), None)


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
            precision=Precision(**{k: v if k == "for_each" else fraction(v) for k, v in goal.items()})
            if goal
            else None,
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
