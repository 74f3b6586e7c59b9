"""Does this installation compute as R does: reference vectors against the engine's own functions.

Enters: a vector in the schema of the reference (design, steps, operation, expected) and a way to
the columns of its dataset. Leaves: a `VectorOutcome` that names what differs. A vector whose
operation is unknown fails; so does one that expects a field nobody computed. Reading files is the
caller's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite, isnan
from typing import Any

from survey.estimation.conformance_designs import ReadDataset, VectorError, prepared
from survey.estimation.conformance_numbers import WITHOUT_DATA
from survey.estimation.conformance_operations import WITH_DATA

ABSOLUTE, RELATIVE = 1e-9, 1e-7
INFORMATIVE = frozenset({"se_rake_r", "r_message"})
"""What R's own `rake` or an error message says; no requirement (see the reference's README)."""


@dataclass(frozen=True)
class VectorOutcome:
    """One vector, whether it passed, and otherwise what differs."""

    id: str
    topic: str
    passed: bool
    detail: str


def check_vector(vector: Mapping[str, Any], dataset: ReadDataset) -> VectorOutcome:
    """The outcome of one vector.

    Args:
        vector: parsed JSON of one vector.
        dataset: from the name of a dataset to its columns as text, empty for missing.
    """
    name, topic = str(vector.get("id", "?")), str(vector.get("topic", "?"))
    try:
        got = compute(vector, dataset)
        tolerance = vector.get("tolerance", {})
        differences = list(
            differing(vector["expected"], got, tolerance.get("rel", RELATIVE), tolerance.get("abs", ABSOLUTE))
        )
    except Exception as problem:  # noqa: BLE001 - an installation check reports every trouble as a failed vector.
        return VectorOutcome(name, topic, False, f"{type(problem).__name__}: {problem}")
    return VectorOutcome(name, topic, not differences, "；".join(differences[:4]))


def compute(vector: Mapping[str, Any], dataset: ReadDataset) -> dict[str, Any]:
    """What the engine gives for a vector, in the shape of its `expected`.

    Raises:
        VectorError: an operation that is not known.
    """
    operation = vector["operation"]
    if operation["name"] in WITHOUT_DATA:
        return WITHOUT_DATA[operation["name"]](operation)
    if operation["name"] in WITH_DATA:
        return WITH_DATA[operation["name"]](prepared(vector, dataset), operation)
    raise VectorError("运算", f"不认识“{operation['name']}”", "升级本产品，或者核对向量文件")


def differing(want: Any, got: Any, rel: float, absolute: float, where: str = "") -> Iterator[str]:
    """Places where the result is not what was expected.

    >>> list(differing({"a": 1.0, "b": None}, {"a": 1.1, "b": float("nan")}, 1e-7, 1e-9))
    ['a: 得到1.1，应为1.0']
    """
    if isinstance(want, Mapping):
        vanishing = _variance_is_zero(want) and isinstance(got, Mapping) and _variance_is_zero(got)
        for key, value in want.items():
            if key in INFORMATIVE or (vanishing and key in ("se", "cv")):
                continue
            place = f"{where}.{key}" if where else str(key)
            if not isinstance(got, Mapping) or key not in got:
                yield f"{place}: 没有算出"
            else:
                yield from differing(value, got[key], rel, absolute, place)
    elif isinstance(want, list):
        if not isinstance(got, list | tuple) or len(got) != len(want):
            yield f"{where}: 应有{len(want)}项"
            return
        for at, (one, other) in enumerate(zip(want, got, strict=True)):
            yield from differing(one, other, rel, absolute, f"{where}[{at}]")
    elif want is None:
        if got is not None and not (isinstance(got, float) and isnan(got)):
            yield f"{where}: 得到{got}，应为不可估计"
    elif isinstance(want, bool):
        if not isinstance(got, bool) or got != want:
            yield f"{where}: 得到{got}，应为{want}"
    elif want in ("Inf", "-Inf") or isinstance(want, int | float):
        number = inf if want == "Inf" else -inf if want == "-Inf" else float(want)
        if isinstance(got, bool) or not isinstance(got, int | float) or isnan(got):
            yield f"{where}: 得到{got}，应为{want}"
        elif not isfinite(number):
            if got != number:
                yield f"{where}: 得到{got}，应为{want}"
        elif not abs(got - number) <= absolute + rel * abs(number):
            yield f"{where}: 得到{got}，应为{want}"
    elif got != want:
        yield f"{where}: 得到{got}，应为{want}"


def _variance_is_zero(row: Mapping[str, Any]) -> bool:
    """Whether a standard error is rounding alone: below 1e-8 of its estimate.

    A total of the measure of size under PPS has no variance; what R and we print in its place are
    the last bits of sums of 1e13, and differ.
    """
    estimate, se = row.get("estimate"), row.get("se")
    return (
        isinstance(estimate, float | int)
        and isinstance(se, float | int)
        and 0 <= abs(se) < 1e-8 * abs(estimate)
    )


def run_vectors(vectors: Iterable[Mapping[str, Any]], dataset: ReadDataset) -> Iterator[VectorOutcome]:
    """The outcome of every vector, in order."""
    for vector in vectors:
        yield check_vector(vector, dataset)


def summary(outcomes: Iterable[VectorOutcome]) -> dict[str, tuple[int, int]]:
    """(passed, failed) by topic, in the order in which the topics came."""
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for outcome in outcomes:
        passed[outcome.topic] += outcome.passed
        failed[outcome.topic] += not outcome.passed
    return {topic: (passed[topic], failed[topic]) for topic in passed}
