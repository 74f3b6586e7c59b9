"""The parts of a scheme, typed: groups, size, allocation, figure, requirement.

Each is a plain frozen value with its rates as exact fractions; `scheme.Scheme` builds them
from its document. Edges are kept as written: `at_least` and `at_most` include their number,
`above` and `below` do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from survey.exact import fraction, percent_text

EDGES = ("at_least", "above", "at_most", "below")


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
