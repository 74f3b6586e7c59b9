"""Lines of a result table that would say something about single persons, emptied.

Enters: the lines of one item over one set of domains. Leaves: the same lines, those resting on too
few answers without their numbers, and with them whatever would give them away by subtraction; shares
of few near 0 or 1 as a bound. The rules are `estimation.disclosure` and `cases.few_answers`, the same
as for a wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from survey.cases.few_answers import AT_LEAST, CODED_TEXT, code_of
from survey.estimation.disclosure import WITHHELD_TEXT, withhold
from survey.exact import fraction
from survey.scheme.scheme_parts import Line

CODED_KEPT = ("n", "n_rows", "df", "dont_know", "line", "line_in_words")
"""What a coded line keeps beside its name: nothing that would tell which share the bound stands for."""
KEPT = ("id", "label", "statistic", "option", "option_label", "domain", "domain_values", "set", "kind")


def hidden_domains(counts: Sequence[int], smallest: int, *, adds_up: bool, whole: int) -> set[int]:
    """Which domains of a set must not be shown.

    Args:
        counts: valid answers of each domain.
        smallest: the least that may be shown.
        adds_up: whether the domains together are everybody, whose figure is shown.
        whole: valid answers of everybody.

    >>> hidden_domains([9, 12, 50], 10, adds_up=True, whole=71), hidden_domains([65], 10, adds_up=False, whole=71)
    ({0, 1}, {0})
    """
    rows = [{"key": str(at), "n": n, "n_valid": n} for at, n in enumerate(counts)]
    hidden = {
        at for at, row in enumerate(withhold(rows, smallest, complement=adds_up)) if row.get("withheld")
    }
    if not adds_up:
        # A group of all but a few tells of the few, once everybody's figure is known.
        hidden |= {at for at, n in enumerate(counts) if 0 < whole - n < smallest}
    return hidden


def emptied(row: dict[str, Any], smallest: int) -> dict[str, Any]:
    """The line without its numbers; of the count only on which side of the least it lies."""
    n = row.get("n") or 0
    return {
        **{key: row[key] for key in KEPT if key in row},
        "withheld": True,
        "n": None,
        "n_shown": f"<{smallest}" if n < smallest else f"≥{smallest}",
        "value": None,
        "shown": WITHHELD_TEXT,
        "percent": WITHHELD_TEXT,
        "cautions": [],
    }


def coded(row: dict[str, Any], line: Line | None = None) -> dict[str, Any]:
    """The line of a share as it is told: of few answers and near 0 or 1 as a bound, else as it is.

    Args:
        row: with `shown` as decimal text and `n`, and `percent`, which only rates have.
        line: what the share is held against; the verdict is told where the bound alone decides it.

    >>> row = coded({"id": "q", "n": 12, "value": 1.0, "shown": "1.0000", "percent": "100.00%", "lower": 0.7, "upper": 1.0})
    >>> row["percent"], row["value"], row["lower"], row["cautions"]
    ('≥95%', None, None, ['coded'])
    """
    if row.get("withheld") or not row.get("percent") or row.get("value") is None:
        return row
    bound = code_of(fraction(row["shown"]), row["n"])
    if bound is None:
        return row
    text = CODED_TEXT[bound]
    told = {key: row[key] for key in (*KEPT, *CODED_KEPT) if key in row} | {
        "coded": f"{float(bound):g}",
        "value": None,
        "lower": None,
        "upper": None,
        "shown": text,
        "percent": text,
        "cautions": ["coded"],
    }
    if line is None:
        return told
    high = bound == AT_LEAST
    decided = line.reached(bound) == high
    return told | {
        "reached": high if decided else None,
        "decision": ("达到" if high else "未达到") if decided else "不作判断",
        "evidence": None,
        "evidence_words": "份数少，不给区间",
    }
