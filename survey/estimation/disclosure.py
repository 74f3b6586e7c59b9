"""Small cells withheld, extremes of few coded, with whatever would give either away.

What enters is rows of one published table; what leaves is the same rows with the small ones
emptied. A row of fewer answers than the plan's smallest count is hidden. If exactly one row of a
table is hidden and the total is shown, the next smallest is hidden too, because total and the
others would give the first away (METHOD step 18); and so on while the hidden rows together hold
fewer answers than may be shown, since total less the others is then a rate of so few (TRUST section
16; Hundepool et al., Statistical Disclosure Control, 2012, section 4.2). The linear-programming audit
of published tables is a check of tests, not a step here.

A share of few near 0 or 1 is coded (`cases.few_answers`), and its row loses interval, error and all that
would tell which. So is the share of don't-knows; from fewer than forty answers no count says which silence
was kept by how many. How many gave an opinion is the base of every share and stays: with the answers it
bounds all silences together, and tells none of them. The figure itself, what stands beside it and the certified table are exact, as the
certificate says them: only rows of tables are coded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from survey.cases.few_answers import CODED_TEXT, FEW_ANSWERS, code_of
from survey.exact import fraction

KEPT = ("key", "name", "group", "share", "eligible", "issued", "used", "response_rate")
"""What may stand in a withheld row: what is asked of whom and how many came back, never what they said."""

WITHHELD_TEXT = "不显示"
FEWEST_HIDDEN = 5
"""Answers that hidden rows hold together in any case: each of them could then be 0 or 5 (TRUST section 16)."""


def withhold(
    rows: Sequence[dict[str, Any]], smallest: int, *, complement: bool = True
) -> list[dict[str, Any]]:
    """The rows of a table, the small ones and one more if need be without their results.

    Args:
        rows: each with `n_valid`, the answers its figure rests on; None where there are none.
        smallest: the least number of answers that may be shown.
        complement: whether the rows add up to a published total.

    >>> rows = [{"key": "a", "n": 9, "n_valid": 9, "shown": "1.0000"},
    ...         {"key": "b", "n": 12, "n_valid": 12, "shown": "0.5"}, {"key": "c", "n": 50, "n_valid": 50, "shown": "0.8"}]
    >>> [row.get("shown") for row in withhold(rows, 10)]
    ['不显示', '不显示', '0.8']
    """
    hidden = {at for at, row in enumerate(rows) if (row.get("n_valid") or 0) < smallest}
    shown = [at for at in range(len(rows)) if at not in hidden]
    while complement and shown and hidden:
        together = sum(rows[at].get("n_valid") or 0 for at in hidden)
        if len(hidden) > 1 and (together >= max(smallest, FEWEST_HIDDEN) or not together):
            break
        least = min(shown, key=lambda at: (rows[at]["n_valid"], at))
        hidden.add(least)
        shown.remove(least)
    return [emptied(row, smallest) if at in hidden else row for at, row in enumerate(rows)]


def emptied(row: dict[str, Any], smallest: int) -> dict[str, Any]:
    """A row as it is shown when it is withheld."""
    n = row.get("n") or 0
    kept = {key: row[key] for key in KEPT if key in row}
    return {
        **kept,
        "withheld": True,
        "n": f"<{smallest}" if n < smallest else "≥" + str(smallest),
        "shown": WITHHELD_TEXT,
        "percent": WITHHELD_TEXT,
        "display": WITHHELD_TEXT,
    }


CODED_WORDS = "不足40份，95%以上写≥95%，5%以下写≤5%，不给区间"
CODED_TABLES = ("by_group", "by_stage", "by_place", "by_area", "by_school", "by_dimension", "items")
"""Every table of a results document whose rows rest on some of the answers only."""
def left_out_words(n: int) -> str:
    """What a row says that joins whole certified rows only, and so leaves out some of its answers."""
    return f"有{n}份没有算进这一行：这类人在这些学校太少，同别处的合成一行才计数"


GIVES_BACK = ("shown", "se", "interval", "conservative", "chance")
"""What would tell a coded share, each by itself."""
SILENCES = ("skipped", "refused", "dont_know_n", "off_path")
"""Why somebody gave no opinion, by count: counts by option, which few answers are never told by."""


def coded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a table as it is told: a share of few near 0 or 1 as a bound, its don't-knows alike.

    Args:
        row: with `shown` as decimal text and `n_valid`, unless it is withheld; one that was coded stays as it is.

    >>> row = coded({"name": "校长", "n": 12, "n_valid": 12, "shown": "1.0000", "percent": "100.00%", "se": "0.0000"})
    >>> row["shown"], row["percent"], row["coded"], row["se"]
    (None, '≥95%', '0.95', None)
    """
    told = dict(row)
    unsure = row.get("dont_know")
    if isinstance(unsure, Mapping) and unsure.get("shown") is not None:
        bound = code_of(fraction(unsure["shown"]), int(row.get("n") or 0)) if isinstance(row.get("n"), int) else None
        if bound is not None:
            told["dont_know"] = {"shown": None, "percent": CODED_TEXT[bound]}
    if isinstance(told.get("dont_know"), Mapping) and told["dont_know"].get("shown") is None and "conservative" in row:
        # The share with every don't-know counted as not satisfied, less the share, is what they were.
        told["conservative"] = None
    if isinstance(row.get("n_valid"), int) and row["n_valid"] < FEW_ANSWERS:
        told |= {key: None for key in SILENCES if key in row}
    if row.get("withheld") or row.get("shown") is None:
        return told
    bound = code_of(fraction(row["shown"]), int(row["n_valid"]))
    if bound is None:
        return told
    text = CODED_TEXT[bound]
    cautions = [*([left_out_words(row["left_out"])] if row.get("left_out") else ()), CODED_WORDS]
    said = {"coded": f"{float(bound):g}", "percent": text, "display": text, "cautions": cautions}
    return told | {key: None for key in GIVES_BACK if key in row} | said


def code_extremes(results: Mapping[str, Any]) -> dict[str, Any]:
    """A results document as it is told: every row of its tables coded, the figure as it is."""
    return {**results, **{key: [coded(row) for row in results[key]] for key in CODED_TABLES if results.get(key)}}
