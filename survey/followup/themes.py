"""What released messages are about: how many there are of each theme, small counts withheld.

Enters: counts of released messages by theme or by group. Leaves: rows that may be shown, and the
themes a ledger may take up. Whoever writes on the board chose to: counts say what was brought
forward, never how many think so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from survey.estimation.disclosure import withhold
from survey.exact import percent_text, truncate

SMALLEST = 10
"""As everywhere after closing (TRUST section 16)."""
BY_GROUP = 30
"""Messages a group needs before a text is shown together with it."""


@dataclass(frozen=True)
class ThemeRow:
    """One theme or group with its count as it may be shown."""

    name: str
    n: str
    share: str
    """Of all released messages; empty where the count is withheld."""
    told: int | None
    """The count as a number, None where it is withheld."""


def theme_rows(counts: Mapping[str, int]) -> tuple[ThemeRow, ...]:
    """Every theme, the most frequent first; a count under ten is withheld, and one more if it gave it away.

    >>> [(row.name, row.n, row.share) for row in theme_rows({"收费": 24, "其他": 4, "食宿": 12})]
    [('收费', '24', '60.00%'), ('食宿', '不显示', ''), ('其他', '<10', '')]
    """
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    rows = [{"key": name, "n": n, "n_valid": n, "shown": str(n)} for name, n in ordered if n]
    made = []
    for row in withhold(rows, SMALLEST):
        if row.get("withheld"):
            made.append(ThemeRow(row["key"], "<10" if row["n"] == "<10" else "不显示", "", None))
        else:
            share = percent_text(truncate(Fraction(row["n"], total)))
            made.append(ThemeRow(row["key"], row["shown"], share, row["n"]))
    return tuple(made)


def theme_problem(row: ThemeRow) -> str:
    """A theme as a problem for the ledger."""
    return f"已公开的留言里，“{row.name}”有{row.n}条，占{row.share}"


def groups_shown(counts: Mapping[str, int]) -> frozenset[str]:
    """Groups large enough to stand beside a text."""
    return frozenset(group for group, n in counts.items() if n >= BY_GROUP)
