"""Known totals by category, checked against each other and against the cases.

Enters: a variable of the cases and what the frame knows of it. Leaves: codes and totals that a
calibration can meet. Margins that add up differently are refused before the first sweep: raking them
would swing for ever between the two sums and call one of them converged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from survey.arrays import Floats, Ints, Labels, ShapeError
from survey.errors import SurveyError


class MarginMismatchError(SurveyError):
    """Two margins do not add up to the same total."""

    code = "weighting.margin_mismatch"
    kind = "invalid"


class EmptyMarginError(SurveyError):
    """A category has a known total and no case, or cases and no known total."""

    code = "weighting.margin_empty"
    kind = "invalid"


@dataclass(frozen=True, eq=False)
class Margin:
    """One variable and its known totals, by category."""

    name: str
    categories: Labels
    totals: Mapping[Any, float]

    def coded(self, n: int) -> tuple[Ints, Floats, list[str]]:
        """(n,) codes into the totals, the totals, and their names; every category on both sides.

        Raises:
            EmptyMarginError: a category stands on one side only, or a total is negative.
        """
        if len(self.categories) != n:
            raise ShapeError(self.name, f"有{len(self.categories)}行，权数有{n}行", "各列的行数要相同")
        named = {str(key): float(value) for key, value in self.totals.items()}
        # Distinct values first: turning each of a million cases into text would be most of the work.
        values, inner = np.unique(np.asarray(self.categories), return_inverse=True)
        categories, outer = np.unique([_text(value) for value in values.tolist()], return_inverse=True)
        code = outer.reshape(-1)[inner.reshape(-1)]
        for name in categories:
            if name not in named:
                raise EmptyMarginError(
                    f"{self.name}“{name}”", "有答卷，没有控制总数", "补上这一类的控制总数", category=name
                )
        for name, value in named.items():
            if not np.isfinite(value) or value < 0:
                raise EmptyMarginError(
                    f"{self.name}“{name}”", "控制总数不是非负数", "核对控制总数", category=name
                )
            if name not in categories and value > 0:
                raise EmptyMarginError(
                    f"{self.name}“{name}”",
                    f"控制总数是{value:g}，却没有一份答卷",
                    "把它与相近的类合并后再加权",
                    category=name,
                )
        return code, np.array([named[name] for name in categories]), list(categories)


def check_margins(margins: Sequence[Margin]) -> None:
    """Nothing, when all margins add up to the same; otherwise the refusal naming two that do not.

    Args:
        margins: to be met by the same weights.

    Raises:
        MarginMismatchError: sums differing by more than rounding of their own size.

    Source: METHOD 1: raking between unequal sums never ends; R `survey::rake` does not check.
    """
    sums = [(margin.name, float(sum(margin.totals.values()))) for margin in margins]
    for name, total in sums[1:]:
        if abs(total - sums[0][1]) > 1e-9 * max(abs(total), 1.0):
            raise MarginMismatchError(
                f"{sums[0][0]}和{name}",
                f"前者合计{sums[0][1]:,.10g}，后者合计{total:,.10g}",
                "改正其中一个，或者写明按比例统一（rescale: true）再加权",
                sums=dict(sums),
            )


def rescaled(margins: Sequence[Margin], total: float) -> tuple[Margin, ...]:
    """The margins, each multiplied so as to add up to `total`; the offer made on a mismatch.

    Args:
        margins: as they stand.
        total: what each shall add up to.

    Returns:
        The margins in the same order.

    Source: proportional rescaling, METHOD 1; R has no call of its own.
    """
    return tuple(
        Margin(m.name, m.categories, {k: v * total / sum(m.totals.values()) for k, v in m.totals.items()})
        for m in margins
    )


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
