"""Bands that must cover every number once: steps of a sample size, grades of a figure.

Gaps and overlaps are found from the edges alone: `at_least` and `at_most` include their
number, `above` and `below` do not. A line typed as 85%以上 or 高于85% has not chosen its edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from survey.errors import SurveyError
from survey.exact import fraction
from survey.scheme.scheme_parts import EDGES

Edge = tuple[Fraction, int]
"""A cut between numbers: the number, and 0 just before it or 1 just after it."""


def bands(document: Mapping[str, Any], warning: Callable[[str, str, str], Any]) -> Iterator[Any]:
    """The warnings about steps, floors, line and grades of a scheme's document."""
    size = section(document, "sample_size")
    if "per_thousand" in size and "steps" in size:
        yield warning("scheme.steps_and_rate", "千分比和分档都写了，只能用一种", "sample_size")
    steps = size.get("steps")
    if steps and _are_bands(steps):
        for kind, where in gaps_and_overlaps(steps, lowest=Fraction(0), highest=None):
            said = "没有对应的份数" if kind == "gap" else "对应两个份数"
            yield warning(f"scheme.steps_{kind}", f"人口{where}{said}", "sample_size.steps")
    requirement = section(document, "requirement")
    line = requirement.get("line")
    if isinstance(line, str) and line != "none_found":
        yield warning("scheme.edge_unsaid", f"“{line}”没有写清含不含这个数", "requirement.line")
    grades = requirement.get("grades")
    grades = grades if isinstance(grades, list) else []
    for grade in grades:
        if not isinstance(grade, Mapping) or any(
            _is_typed(value) for key, value in grade.items() if key not in ("zh", "en")
        ):
            yield warning(
                "scheme.edge_unsaid", f"“{_name(grade)}”这一档没有写清含不含边上的数", "requirement.grades"
            )
            return
    if grades:
        for kind, where in gaps_and_overlaps(grades, lowest=Fraction(0), highest=Fraction(1)):
            said = "没有等次" if kind == "gap" else "落在两个等次里"
            yield warning("scheme.grades_overlap", f"{where}{said}", "requirement.grades")


def section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A section of a scheme that may be half written: nothing where it is no mapping yet."""
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def _are_bands(entries: Any) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, Mapping) and not any(_is_typed(entry[edge]) for edge in EDGES if edge in entry)
        for entry in entries
    )


def _is_typed(value: Any) -> bool:
    try:
        fraction(value)
    except SurveyError:
        return True
    return False


def _name(grade: Any) -> str:
    return str(grade.get("zh", "") if isinstance(grade, Mapping) else grade)[:20]


def gaps_and_overlaps(
    entries: Sequence[Mapping[str, Any]], lowest: Fraction, highest: Fraction | None
) -> tuple[tuple[str, str], ...]:
    """Where bands leave a gap or overlap, over all numbers from `lowest` to `highest`.

    Args:
        highest: included; None for no end.

    >>> gaps_and_overlaps([{"below": 10}, {"above": 10}], Fraction(0), None)
    (('gap', '10'),)
    >>> gaps_and_overlaps([{"at_most": 10}, {"at_least": 10}], Fraction(0), None)
    (('overlap', '10'),)
    """
    ordered = sorted((_start(entry, lowest), _end(entry, highest)) for entry in entries)
    found = []
    reached: Edge = (lowest, 0)
    for start, end in ordered:
        if start > reached:
            found.append(("gap", _between(reached, start)))
        elif start < reached:
            found.append(("overlap", _between(start, min(reached, end))))
        reached = max(reached, end)
    last: Edge = _end({}, highest)
    if reached < last:
        found.append(("gap", _between(reached, last)))
    return tuple(found)


def _start(entry: Mapping[str, Any], lowest: Fraction) -> Edge:
    if "at_least" in entry:
        return (fraction(entry["at_least"]), 0)
    return (fraction(entry["above"]), 1) if "above" in entry else (lowest, 0)


def _end(entry: Mapping[str, Any], highest: Fraction | None) -> Edge:
    if "below" in entry:
        return (fraction(entry["below"]), 0)
    if "at_most" in entry:
        return (fraction(entry["at_most"]), 1)
    return (highest, 1) if highest is not None else (Fraction(10**15), 1)


def _between(start: Edge, end: Edge) -> str:
    if start[0] == end[0]:
        return _shown(start[0])
    return f"{_shown(start[0])}到{_shown(end[0])}之间" if end[0] < 10**15 else f"{_shown(start[0])}以上"


def _shown(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else str(float(value))
