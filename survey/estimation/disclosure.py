"""Small cells withheld, with whatever would give them away.

What enters is rows of one published table; what leaves is the same rows with the small ones
emptied. A row of fewer answers than the plan's smallest count is hidden. If exactly one row of a
table is hidden and the total is shown, the next smallest is hidden too, because total and the
others would give the first away (METHOD step 18); and so on while the hidden rows together hold
fewer answers than may be shown, since total less the others is then a rate of so few (TRUST section
16; Hundepool et al., Statistical Disclosure Control, 2012, section 4.2). The linear-programming audit
of published tables is a check of tests, not a step here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
