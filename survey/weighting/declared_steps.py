"""Weighting described in words: nonresponse, post-stratification, raking, calibration, trimming.

Enters: a design, `Columns` and a list of steps. Leaves: the design under its final weights and
the `WeightHistory` of every factor. Each step is a call of the formula that a wave of our own
uses; the reference vectors run through here too. Replicates go through every step like the full
sample. Rows that stand for nobody (nonrespondents after their adjustment) are no cases of a margin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from survey.arrays import Flags, Floats, codes
from survey.columns import Columns
from survey.sampling.declared_design import MakeReplicatesSpec
from survey.sampling.design import Adjustment, AnyDesign, CellAdjustment, Design, ReplicateDesign
from survey.weighting import replicates as makers
from survey.weighting.calibration import Calibration, calibrate, poststratify, rake
from survey.weighting.history import WeightHistory
from survey.weighting.margins import Margin, rescaled
from survey.weighting.nonresponse import (
    adjust_by_propensity,
    adjust_within_cells,
    collapse_cells,
    response_propensities,
)
from survey.weighting.step_specs import (
    NAMES,
    Calibrate,
    MarginSpec,
    Nonresponse,
    Poststratify,
    Propensity,
    Rake,
    StepError,
    Trim,
    WeightingStep,
)
from survey.weighting.trimming import trim_to_median, trim_weights

CALIBRATIONS = frozenset(("poststratify", "rake", "calibrate"))
MarginFile = Callable[[str], Mapping[str, Mapping[str, float]]]
"""From the name of a file to margin → category → total."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Weighted:
    """A design under its final weights, with the factor of every step and what was said on the way."""

    design: AnyDesign
    history: WeightHistory
    notes: tuple[str, ...] = ()


def apply_steps(
    steps: Sequence[WeightingStep],
    design: AnyDesign,
    columns: Columns,
    margin_file: MarginFile,
    *,
    source: str = "",
    progress: Progress | None = None,
) -> Weighted:
    """The design after every step, in order.

    Args:
        source: where the base weights come from, for the history.

    Raises:
        MarginMismatchError, EmptyMarginError, NotConvergedError, InfeasibleError, EmptyCellError,
        CapError: as the formulas refuse; no half-made weight leaves.
    """
    history, notes = WeightHistory.begin(design.weights, source), []
    for at, step in enumerate(steps):
        kind, spec = step.chosen
        if progress is not None:
            progress(at, len(steps), NAMES[kind])
        design, said = STEPS[kind](spec, design, columns, margin_file)
        history = history.then(NAMES[kind], design.weights, said)
        if (negative := int((design.weights < 0).sum())) > 0:
            notes.append(f"{NAMES[kind]}后有{negative}个权数小于0；写上bounds就不会出现")
    kinds = [step.chosen[0] for step in steps]
    if "trim" in kinds:
        after = kinds[len(kinds) - kinds[::-1].index("trim") :]
        if set(kinds) & CALIBRATIONS and not set(after) & CALIBRATIONS:
            notes.append("截尾以后没有再校准，权数合计不再正好等于各个边际；在截尾后面再写一次校准")
    return Weighted(design, history, tuple(notes))


def changed(
    design: AnyDesign, change: Callable[[Floats], Calibration | Floats]
) -> tuple[AnyDesign, Calibration | None]:
    """The design after a change of weights, replicates included; and the calibration, if it was one."""
    made = change(design.weights)
    weights = made.weights if isinstance(made, Calibration) else made
    if isinstance(design, ReplicateDesign):
        columns = []
        for column in design.replicate_weights.T:
            one = change(column)
            columns.append(one.weights if isinstance(one, Calibration) else one)
        design = ReplicateDesign(weights, np.column_stack(columns), design.scale, design.rscales, design.mse)
    elif isinstance(made, Calibration):
        if isinstance(design, Design):
            design = made.applied_to(design)
        else:
            design = replace(design, weights=weights, adjustments=(*design.adjustments, made.adjustment))
    elif isinstance(design, Design):
        design = design.with_weights(weights)
    else:
        design = replace(design, weights=weights)
    return design, made if isinstance(made, Calibration) else None


def on_rows(rows: Flags, step: Callable[[Floats], Calibration]) -> Callable[[Floats], Calibration]:
    """A calibration of some rows, told of all: the others keep a weight of zero."""
    if rows.all():
        return step

    def whole(weights: Floats) -> Calibration:
        made = step(weights[rows])
        after, factors = np.zeros_like(weights), np.ones_like(weights)
        after[rows], factors[rows] = made.weights, made.factors
        before = np.where(rows, weights, 0.0)
        given = made.adjustment
        adjustment: Adjustment | CellAdjustment
        if isinstance(given, CellAdjustment):
            cell = np.zeros(len(weights), dtype=np.int64)
            cell[rows] = given.cell
            adjustment = CellAdjustment(cell, before, after)
        else:
            auxiliary = np.zeros((len(weights), given.auxiliary.shape[1]))
            auxiliary[rows] = given.auxiliary
            adjustment = Adjustment(auxiliary, before, after)
        return Calibration(after, factors, adjustment, made.error, made.sweeps)

    return whole


def margin(columns: Columns, by: Sequence[str], totals: Mapping[str, float]) -> Margin:
    """The margin of some columns, crossed where there are several."""
    return Margin("×".join(by), columns.crossed(by), dict(totals))


def _margins(
    specs: Sequence[MarginSpec], file: str | None, use: Sequence[str], columns: Columns, read: MarginFile
) -> list[Margin]:
    """The margins written in a step and those of its file."""
    made = [margin(columns, one.by, one.totals) for one in specs]
    if file is not None:
        known = read(file)
        for name in use or tuple(known):
            if name not in known:
                raise StepError(f"边际“{name}”", f"文件{file}里没有", f"文件里有：{'、'.join(known)}")
            made.append(margin(columns, name.split("|"), known[name]))
    if not made:
        raise StepError("加权的一步", "没有写任何边际", "写margins，或写file指明边际的文件")
    return made


def _nonresponse(
    spec: Nonresponse, design: AnyDesign, columns: Columns, _: MarginFile
) -> tuple[AnyDesign, str]:
    answered = columns.where(spec.responded)
    if spec.propensity is not None:
        return _propensity(spec, spec.propensity, design, columns, answered)
    cells = columns.crossed(spec.cells) if spec.cells else np.zeros(len(columns), dtype=np.int64).astype(str)
    joined: dict[str, str] = {}
    if spec.collapse:
        cells, joined = collapse_cells(
            cells, answered, design.weights, spec.collapse,
            minimum=spec.minimum, largest_factor=spec.largest_factor,
        )  # fmt: skip
    fewest = min(int((answered & (cells == name)).sum()) for name in np.unique(cells))
    if 0 < fewest < spec.minimum:
        name = min(np.unique(cells), key=lambda name: int((answered & (cells == name)).sum()))
        raise StepError(
            f"无回答调整格“{name}”",
            f"只有{fewest}份回答，少于{spec.minimum}份",
            "在collapse里写明它并入哪一格，或调低minimum",
        )
    made, _made = changed(design, lambda weights: adjust_within_cells(weights, cells, answered))
    said = f"{int(answered.sum())}份回答，{len(np.unique(cells))}格"
    return made, said + (f"；合并：{'、'.join(f'{a}→{b}' for a, b in joined.items())}" if joined else "")


def _propensity(
    spec: Nonresponse, model: Propensity, design: AnyDesign, columns: Columns, answered: Flags
) -> tuple[AnyDesign, str]:
    parts = [columns[name].complete_numbers()[:, None] for name in model.numeric]
    for name in model.categorical:
        names = columns[name].complete_names()
        # The first level is the reference: with it the columns would add up to the constant.
        parts.append((names[:, None] == np.array(columns[name].levels()[1:])[None, :]).astype(float))
    if not parts:
        raise StepError("回答倾向", "没有写协变量", "写numeric或categorical")
    covariates = np.column_stack(parts)
    # One model for all: a replicate of a few units would often separate its respondents.
    chances = response_propensities(covariates, answered, design.weights)
    made, _ = changed(
        design,
        lambda weights: adjust_by_propensity(weights, chances, answered, classes=model.classes or None),
    )
    how = f"分{model.classes}档" if model.classes else "不分档"
    return made, f"{int(answered.sum())}份回答；倾向{chances.min():.3f}到{chances.max():.3f}，{how}"


def _poststratify(
    spec: Poststratify, design: AnyDesign, columns: Columns, read: MarginFile
) -> tuple[AnyDesign, str]:
    rows = design.weights != 0
    specs = (MarginSpec(by=spec.by, totals=spec.totals),) if spec.totals else ()
    use = () if spec.file is None else ("|".join(spec.by),)
    (cells,) = _margins(specs, spec.file, use, columns.take(rows), read)[:1]
    made, _ = changed(design, on_rows(rows, lambda weights: poststratify(weights, cells)))
    return made, f"{cells.name}，{len(cells.totals)}格"


def _rake(spec: Rake, design: AnyDesign, columns: Columns, read: MarginFile) -> tuple[AnyDesign, str]:
    rows = design.weights != 0
    margins = _margins(spec.margins, spec.file, spec.use, columns.take(rows), read)
    if spec.rescale is not False:
        goal = sum(margins[0].totals.values()) if spec.rescale is True else float(spec.rescale)
        margins = list(rescaled(margins, goal))

    def step(weights: Floats) -> Calibration:
        return rake(weights, margins, tolerance=spec.tolerance, max_sweeps=spec.max_sweeps)

    made, one = changed(design, on_rows(rows, step))
    assert one is not None
    names = "、".join(m.name for m in margins)
    said = f"{names}；{one.sweeps}轮收敛，边际误差{one.error:.1e}"
    return made, said + ("；边际按比例统一过" if spec.rescale is not False else "")


def _calibrate(
    spec: Calibrate, design: AnyDesign, columns: Columns, read: MarginFile
) -> tuple[AnyDesign, str]:
    rows = design.weights != 0
    inside = columns.take(rows)
    parts, totals, names = [], [], []
    if spec.population is not None:
        parts.append(np.ones(len(inside)))
        totals.append(spec.population)
        names.append("总体人数")
    for name, total in spec.totals.items():
        parts.append(inside[name].complete_numbers())
        totals.append(total)
        names.append(name)
    if spec.margins or spec.file is not None:
        for one in _margins(spec.margins, spec.file, spec.use, inside, read):
            code, known, levels = one.coded(len(inside))
            for at, level in enumerate(levels):
                parts.append((code == at).astype(float))
                totals.append(float(known[at]))
                names.append(f"{one.name}“{level}”")
    for given in spec.some_levels:
        crossed = inside.crossed(given.by)
        for level, total in given.totals.items():
            parts.append((crossed == level).astype(float))
            totals.append(total)
            names.append(f"{'×'.join(given.by)}“{level}”")
    if not parts:
        raise StepError("校准", "没有写任何总数", "写population、totals或margins")
    if len(spec.bounds) not in (0, 2):
        raise StepError("校准的bounds", f"有{len(spec.bounds)}个数", "写下界和上界两个数，例如[0.3, 3]")
    clusters = None if spec.one_factor_per is None else codes(inside[spec.one_factor_per].complete_names())[0]
    auxiliary = np.column_stack(parts)

    def step(weights: Floats) -> Calibration:
        return calibrate(
            weights, auxiliary, totals, distance=spec.distance,
            bounds=(spec.bounds[0], spec.bounds[1]) if spec.bounds else None,
            clusters=clusters, names=names, tolerance=1e-12, max_sweeps=spec.max_sweeps,
        )  # fmt: skip

    made, calibration = changed(design, on_rows(rows, step))
    assert calibration is not None
    return (
        made,
        f"{spec.distance}，{len(totals)}个总数；{calibration.sweeps}轮，误差{calibration.error:.1e}",
    )


def _trim(spec: Trim, design: AnyDesign, columns: Columns, _: MarginFile) -> tuple[AnyDesign, str]:
    if (spec.times_median is None) == (spec.upper is None and spec.lower is None):
        raise StepError("截尾", "要写upper（和lower），或者写times_median，只写一种", "例如times_median: 5")
    rows = design.weights > 0
    coded = [codes(columns.crossed(names))[0] if names else None for names in (spec.groups, spec.cells)]

    def change(weights: Floats) -> Floats:
        if spec.times_median is not None:
            groups = np.zeros(len(weights), dtype=np.int64) if coded[0] is None else coded[0]
            return trim_to_median(weights, groups, times_median=spec.times_median, cells=coded[1]).weights
        after = weights.copy()
        upper = np.inf if spec.upper is None else spec.upper
        lower = -np.inf if spec.lower is None else spec.lower
        after[rows] = trim_weights(weights[rows], upper=upper, lower=lower, strict=spec.strict).weights
        return after

    before = design.weights
    made, _made = changed(design, change)
    moved = float(np.abs(made.weights - before).sum() / 2 / before.sum())
    cut = int((made.weights < before * (1 - 1e-12)).sum())
    return made, f"截了{cut}个，移动了权数合计的{moved:.2%}"


STEPS: dict[str, Callable[[Any, AnyDesign, Columns, MarginFile], tuple[AnyDesign, str]]] = {
    "nonresponse": _nonresponse,
    "poststratify": _poststratify,
    "rake": _rake,
    "calibrate": _calibrate,
    "trim": _trim,
}


def made_replicates(spec: MakeReplicatesSpec, design: AnyDesign) -> ReplicateDesign:
    """Replicates of a design, to go through every step of the weighting.

    Raises:
        StepError: not a design of stages, or a bootstrap without a seed.
        ReplicateError: the design has no replicates of this kind.
    """
    if not isinstance(design, Design):
        raise StepError("make_replicates", "只能由stages的设计生成", "删去pps或replicates")
    if spec.kind == "bootstrap":
        if spec.seed is None:
            raise StepError("make_replicates", "自助法没有写seed", "写一个整数，别人用它能重做")
        return makers.rao_wu(design, spec.count, np.random.Generator(np.random.PCG64(spec.seed)))
    simple: dict[str, Callable[[], ReplicateDesign]] = {
        "JK1": lambda: makers.jackknife_1(design),
        "JKn": lambda: makers.jackknife_n(design),
        "BRR": lambda: makers.balanced_half_samples(design),
        "Fay": lambda: makers.balanced_half_samples(design, fay=spec.fay),
        "successive_differences": lambda: makers.successive_differences(design),
    }
    return simple[spec.kind]()
