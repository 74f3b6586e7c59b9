"""Raking of cells, for the full sample and for every replicate at once.

Enters: sums of weights by cell, as `cases.answer_counts` keeps them, and known totals by key.
Leaves: factors. Cases of one raking class are raked alike, so sweeps run over the classes that
occur, whatever the number of cells, answers or replicates; a replicate is one more column.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from survey.arrays import Floats, Ints, Labels, ShapeError, codes, group_sums
from survey.sampling.design import Design, ReplicateDesign
from survey.weighting.calibration import NotConvergedError
from survey.weighting.margins import Margin, check_margins


def rake_replicates(
    design: Design,
    psu_factors: Floats,
    keys: Mapping[str, Labels],
    margins: Mapping[str, Mapping[object, float]],
    *,
    scale: float | None = None,
    tolerance: float = 1e-8,
    max_sweeps: int = 500,
) -> ReplicateDesign:
    """Replicates of a raked sample, each of them raked again.

    Args:
        design: of the cells, under the weights before raking.
        psu_factors: (PSUs, R) what each replicate makes of a PSU, such as `rao_wu_factors`.
        keys: by name, (cells,) labels.
        margins: by name of a key, the known total of each of its labels.
        scale: of the squared deviations; 1/R when not given.
        tolerance: largest margin error over the total at which raking ends.
        max_sweeps: after so many sweeps it is refused.

    Returns:
        (cells,) raked weights and (cells, R) raked replicate weights, centred at the full sample.

    Raises:
        MarginMismatchError, EmptyMarginError: as `calibration.rake`. NotConvergedError: a replicate
            that does not meet the margins, or holds nobody of a class. ShapeError: factors that are not
            a row for each PSU.

    Source: Rao, Wu & Yue (1992), sec. 3: every replicate repeats the whole weighting; METHOD 17;
    R survey 4.5 `calibrate(as.svrepdesign(...), calfun = "raking")`.
    """
    if psu_factors.shape[0] != design.stages[0].n_units:
        raise ShapeError(
            "重复权数的系数",
            f"有{psu_factors.shape[0]}行，抽样单位有{design.stages[0].n_units}个",
            "每个单位一行",
        )
    cells = len(design)
    known = [Margin(name, keys[name], totals) for name, totals in margins.items()]
    coded = [margin.coded(cells) for margin in known]
    check_margins(known)
    of_class, first = codes(*(code for code, _, _ in coded))
    base = design.weights[:, None] * psu_factors[design.stages[0].unit]
    columns = np.column_stack([design.weights, base])
    factors = _rake_classes(
        group_sums(columns, of_class, len(first)),
        [
            (code[first], totals, margin.name, names)
            for margin, (code, totals, names) in zip(known, coded, strict=True)
        ],
        tolerance,
        max_sweeps,
    )
    raked = columns * factors[of_class]
    replicates = psu_factors.shape[1]
    return ReplicateDesign(
        raked[:, 0], raked[:, 1:], 1 / replicates if scale is None else scale, np.ones(replicates), mse=True
    )


def _rake_classes(
    base: Floats,
    margins: list[tuple[Ints, Floats, str, list[str]]],
    tolerance: float,
    max_sweeps: int,
) -> Floats:
    """(classes, columns) raking factors of every column of weights.

    Source: Deming & Stephan (1940), the sweeps of `calibration.rake_cells`, column by column.
    """
    member = [
        (code[None, :] == np.arange(len(totals))[:, None]).astype(float) for code, totals, _, _ in margins
    ]
    grand = float(margins[0][1].sum())
    current = base.copy()
    for _ in range(max_sweeps):
        for indicator, (code, totals, _, _) in zip(member, margins, strict=True):
            sums = indicator @ current
            current *= np.divide(totals[:, None], sums, out=np.ones_like(sums), where=sums > 0)[code]
        gaps = [
            np.abs(indicator @ current - totals[:, None])
            for indicator, (_, totals, _, _) in zip(member, margins, strict=True)
        ]
        if max(float(gap.max()) for gap in gaps) <= tolerance * grand:
            return np.divide(current, base, out=np.ones_like(base), where=base > 0)
    worst = int(np.argmax([gap.max() for gap in gaps]))
    category, column = np.unravel_index(int(gaps[worst].argmax()), gaps[worst].shape)
    _, _, name, names = margins[worst]
    raise NotConvergedError(
        f"{name}“{names[int(category)]}”",
        f"第{column}组重复权数在{max_sweeps}轮内达不到控制总数"
        if column
        else f"{max_sweeps}轮内达不到控制总数",
        "合并人数少的类，或者减少边际再加权",
        replicate=int(column),
    )
