"""What a reader could work out of published counts, by linear programming.

Enters: counts, the sums that are published with them, and which cells are hidden. Leaves: for every
hidden cell the narrowest range a careful reader can put it in; and `protect`, which hides further
cells until no range gives a small count away. Hiding one cell of a published sum hides nothing: the
others and the total say what it was. Rules of thumb miss chains of two tables; the program does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy  # its parts load themselves when first asked
from numpy.typing import ArrayLike

from survey.arrays import Flags, Floats, Ints, ShapeError, finite
from survey.errors import SurveyError


class DisclosureError(SurveyError):
    """Published sums that are not sums of their cells."""

    code = "estimation.disclosure"
    kind = "invalid"


@dataclass(frozen=True)
class Range:
    """The counts a hidden cell could have, as far as the published ones tell."""

    cell: int
    lower: float
    upper: float

    @property
    def width(self) -> float:
        return self.upper - self.lower


def table_sums(rows: int, columns: int) -> Floats:
    """The relations of a two-way table published with its margins: (sums, cells) of zeros and ones.

    Args:
        rows, columns: size of the table.

    Returns:
        (rows + columns, rows · columns), row sums first.

    Source: the definition of margins; R `sdcTable` builds the same constraints.

    >>> table_sums(2, 2).astype(int).tolist()
    [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]]
    """
    cells = np.arange(rows * columns).reshape(rows, columns)
    sums = np.zeros((rows + columns, rows * columns))
    for row in range(rows):
        sums[row, cells[row]] = 1
    for column in range(columns):
        sums[rows + column, cells[:, column]] = 1
    return sums


def audit(counts: ArrayLike, sums: Floats, hidden: Flags) -> tuple[Range, ...]:
    """The narrowest range of every hidden cell, given all shown cells and all sums.

    Args:
        counts: (cells,) true counts.
        sums: (sums, cells) which cells each published sum adds up.
        hidden: (cells,) True where the count is not shown.

    Returns:
        One `Range` for every hidden cell; a range of width zero is a disclosure.

    Raises:
        ShapeError: sums or mask of another size than the counts.
        DisclosureError: no counts of at least zero have these sums.

    Source: Fischetti & Salazar (2001), Management Science 47, p. 1008: the attacker's problem; R
    `sdcTable::attack`.

    >>> [one.width for one in audit([3, 20, 30], np.ones((1, 3)), np.array([True, False, False]))]
    [0.0]
    """
    truth = finite(counts, "计数")
    if sums.ndim != 2 or sums.shape[1] != len(truth) or len(hidden) != len(truth):
        raise ShapeError(
            "公布的合计", f"形状是{sums.shape}，计数有{len(truth)}个", "每个合计写明由哪些格相加"
        )
    return tuple(_ranges(truth, sums, hidden, np.flatnonzero(hidden)))


def _ranges(truth: Floats, sums: Floats, hidden: Flags, cells: Ints) -> Iterator[Range]:
    """The range of each of some hidden cells, one linear program for each end."""
    secret = np.flatnonzero(hidden)
    relation, known = sums[:, secret], sums[:, secret] @ truth[secret]
    touched = relation.any(axis=1)
    for cell in cells:
        goal = (secret == cell).astype(float)
        ends = []
        for sign in (1, -1):
            solved = scipy.optimize.linprog(
                sign * goal, A_eq=relation[touched], b_eq=known[touched], bounds=(0, None), method="highs"
            )
            if solved.status == 3:
                ends.append(np.inf)
            elif solved.fun is not None:
                ends.append(float(sign * solved.fun))
            else:
                raise DisclosureError(
                    f"第{int(cell) + 1}格的范围", "没有非负的计数能得出公布的合计", "核对计数有没有负数"
                )
        yield Range(int(cell), round(ends[0], 6), round(ends[1], 6))


NARROWEST = 5.0
"""Every hidden count, small or hidden for another's sake, keeps at least this much doubt (TRUST section 16)."""


def protect(counts: ArrayLike, sums: Floats, smallest: int, *, width: float | None = None) -> Flags:
    """(cells,) cells to hide so that no small count can be worked out.

    Args:
        counts: (cells,) true counts; a cell of 0 < n < smallest is hidden for its own sake, zero cells
            say nothing about anybody and are hidden only to protect others.
        sums: (sums, cells) the published sums.
        smallest: the plan's smallest count.
        width: how wide the range of a small cell must stay; `smallest` when not given.

    Returns:
        The mask; by `audit`, every small cell's range is then at least `width` wide, and that of every
        other hidden cell at least `NARROWEST`.

    Raises:
        DisclosureError: even hiding every cell leaves a small one open; then a sum must be withheld.

    Source: METHOD 18; Hundepool et al. (2012), Statistical Disclosure Control, ch. 4; R
    `sdcTable::protectTable(method = "OPT")` hides a smallest set; this one hides cell by cell.
    """
    truth = finite(counts, "计数")
    need = float(smallest if width is None else width)
    small = (truth > 0) & (truth < smallest)
    hidden = small.copy()
    while True:
        # Small cells first: what protects them often protects the others.
        order = np.flatnonzero(hidden)[np.argsort(~small[hidden], kind="stable")]
        cell = next(
            (
                one.cell
                for one in _ranges(truth, sums, hidden, order)
                if one.width < (need if small[one.cell] else min(need, NARROWEST))
            ),
            None,
        )
        if cell is None:
            return hidden
        partners = [
            other for sum_ in sums[sums[:, cell] > 0] for other in np.flatnonzero((sum_ > 0) & ~hidden)
        ] or list(np.flatnonzero(~hidden))
        if not partners:
            raise DisclosureError(
                "小格保护", "全部隐去仍能推算出小格", "把这一行或这一列的合计也隐去，或者合并类别"
            )
        # The smallest neighbour that is large enough to hide behind; ties go to the earlier cell.
        enough = [other for other in partners if truth[other] >= need]
        hidden[
            min(enough or partners, key=lambda other: (truth[other] if enough else -truth[other], other))
        ] = True
