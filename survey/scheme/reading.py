"""How a scheme reads an answer: satisfied, not satisfied or outside the base, and its points.

One set of answers gives 60.0 or 91.8 by the reading alone (RULES section 3), so nothing
here has a default: the scheme names the options that count, what a don't-know does, and the
points where the figure is a mean. The scale's own reading is only what the drafts assume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from survey.errors import SurveyError
from survey.exact import fraction
from survey.scheme.scales import ResponseOption, Scale, load_scale


class ScaleNotReadError(SurveyError):
    """The scheme does not say how answers on this scale are read."""

    code = "scheme.scale_not_read"
    kind = "invalid"

    def __init__(self, scale: str) -> None:
        super().__init__(f"选项组“{scale}”", "方案没有写它的选项怎样算", "在方案的“answers.scales”里补上")


@dataclass(frozen=True)
class ScaleReading:
    """Which options of one scale count as satisfied, and what each is worth."""

    satisfied: frozenset[str]
    points: Mapping[str, Fraction] | Literal["even"] | None


@dataclass(frozen=True)
class AnswersReading:
    """The reading of every scale a scheme knows."""

    scales: Mapping[str, ScaleReading]
    own_scales: Mapping[str, Scale]
    reversed_items: frozenset[str]
    dont_know: Literal["left_out", "not_satisfied", "middle"]
    no_answer: Literal["left_out", "not_satisfied"]

    def scale(self, scale: str) -> ScaleReading:
        """The reading of a scale.

        Raises:
            ScaleNotReadError: the scheme does not name it.
        """
        if scale not in self.scales:
            raise ScaleNotReadError(scale)
        return self.scales[scale]

    def satisfied(self, scale: Scale, value: int | str | None) -> bool | None:
        """Whether an answer counts as satisfied; None where it stays outside the base.

        Args:
            value: the stored value; None for an item that was asked and skipped.
        """
        if value is None:
            return None if self.no_answer == "left_out" else False
        option = scale.option(value)
        reading = self.scale(scale.id)
        if option.kind == "none":
            return False if self.dont_know == "not_satisfied" else None
        return option.key in reading.satisfied

    def points(self, scale: Scale, value: int | str | None, item: str | None = None) -> Fraction | None:
        """The points of an answer over the largest of its scale, in [0, 1]; None outside the base.

        `item` in the scheme's `reversed_items` takes the points in the opposite order.
        """
        if value is None:
            return None if self.no_answer == "left_out" else Fraction(0)
        table = self.points_table(scale)
        option = scale.option(value)
        scored = [table[entry.key] for entry in scale.scored if entry.key in table]
        if option.kind == "none" and option.key not in table:
            middle = (max(scored) + min(scored)) / 2
            return {"left_out": None, "not_satisfied": Fraction(0), "middle": middle / max(scored)}[
                self.dont_know
            ]
        worth = table[option.key]
        if item in self.reversed_items and option.kind != "none":
            worth = table[scale.scored[-1 - scale.scored.index(option)].key]
        return worth / max(table.values())

    def points_table(self, scale: Scale) -> Mapping[str, Fraction]:
        """The points of each option key as the scheme states them; `even` in steps from 0 to 1."""
        points = self.scale(scale.id).points
        return even_points(scale) if points is None or points == "even" else points


def even_points(scale: Scale) -> Mapping[str, Fraction]:
    """Equal steps from 0 for the worst option to 1 for the best.

    >>> {key: str(value) for key, value in even_points(load_scale("sat3")).items()}
    {'satisfied': '1', 'mostly_satisfied': '1/2', 'dissatisfied': '0'}
    """
    last = len(scale.scored) - 1
    return {option.key: Fraction(last - place, last) for place, option in enumerate(scale.scored)}


def answers_reading(section: Mapping[str, Any], formula: str) -> AnswersReading:
    """The typed reading of a scheme's `answers` section."""
    readings = {}
    for name, entry in section["scales"].items():
        points = entry.get("points")
        table = (
            {key: fraction(worth) for key, worth in points.items()} if isinstance(points, Mapping) else points
        )
        readings[name] = ScaleReading(frozenset(entry["satisfied"]), table)
    own = {name: own_scale(name, entry, readings) for name, entry in section.get("own_scales", {}).items()}
    return AnswersReading(
        scales=readings,
        own_scales=own,
        reversed_items=frozenset(section.get("reversed_items", ())),
        dont_know=section["dont_know"],
        no_answer=section["no_answer"],
    )


def own_scale(name: str, entry: Any, readings: Mapping[str, ScaleReading]) -> Scale:
    """A scheme's own scale: a list of options, best first, or numbers `from` … `to`.

    Listed options are stored as n … 1 from the best down; a `kind: none` option as 98.

    >>> [o.value for o in own_scale("x", [{"key": "a", "zh": "好", "en": "good"}, {"key": "b", "zh": "差",
    ...  "en": "bad"}, {"key": "c", "zh": "不了解", "en": "don't know", "kind": "none"}], {}).options]
    [2, 1, 98]
    """
    satisfied = readings[name].satisfied if name in readings else frozenset()
    if isinstance(entry, Mapping):
        numbers = range(entry["to"], entry["from"] - 1, -1)
        options = tuple(
            ResponseOption(n, str(n), {"zh": str(n), "en": str(n)}, str(n) in satisfied, None)
            for n in numbers
        )
        return Scale(name, options)
    value = sum(1 for option in entry if option.get("kind") != "none")
    missing = 98
    made = []
    for option in entry:
        text = {"zh": option["zh"], "en": option["en"]}
        if option.get("kind") == "none":
            made.append(ResponseOption(missing, option["key"], text, None, "none"))
            missing -= 1
        else:
            made.append(ResponseOption(value, option["key"], text, option["key"] in satisfied, None))
            value -= 1
    return Scale(name, tuple(made))


def resolve_scale(answers: AnswersReading, scale: str) -> Scale:
    """A scale by its name: the scheme's own first, then the shared ones."""
    return answers.own_scales.get(scale) or load_scale(scale)
