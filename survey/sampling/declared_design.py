"""A design described in words over the columns of a file: stages, PPS, replicate weights.

Enters: a `DesignSpec` (as a spec file or a reference vector says it), `Columns` and weights.
Leaves: the same `Design`, `PpsDesign` or `ReplicateDesign` that a wave of our own would have.
The reference vectors run through here too (`estimation/conformance_designs.py`), so that what a
person writes in a spec is read by code that is held against R.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from survey.arrays import Flags, Floats, RangeError, ShapeError
from survey.columns import Columns
from survey.errors import SurveyError
from survey.sampling.design import AnyDesign, Design, PpsDesign, ReplicateDesign

ReplicateKind = Literal["JK1", "JKn", "BRR", "Fay", "bootstrap", "successive_differences", "other"]
_RUN = re.compile(r"(.*?)(\d{1,6})\.\.(.*?)(\d{1,6})")


class DesignSpecError(SurveyError):
    """A description of a design that leaves out or contradicts something."""

    code = "sampling.design_spec"
    kind = "invalid"


class StageSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """一个抽样阶段。"""

    strata: Annotated[tuple[str, ...], Meta(description="层的列；写几列就是交叉")] = ()
    units: Annotated[str | None, Meta(description="这一阶抽样单位的列；最后一阶不写就是一条记录一个单位")] = (
        None
    )
    population: Annotated[
        str | float | None,
        Meta(description="这一层（或上一阶单位里）总体共有多少个单位：一列，或一个数；不写就按有放回处理"),
    ] = None


class PpsSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """一阶段不等概率、不放回的设计。"""

    probability: Annotated[str, Meta(description="入样概率的列，在(0, 1]里")]
    method: Annotated[
        Literal["brewer", "overton", "hartley_rao", "poisson", "joint"], Meta(description="方差的算法")
    ] = "brewer"
    variance: Annotated[Literal["HT", "YG"], Meta(description="Horvitz–Thompson或Sen–Yates–Grundy")] = "HT"
    joint: Annotated[str | None, Meta(description="联合入样概率方阵的CSV文件（method: joint）")] = None
    sum_p2_over_n: Annotated[float | None, Meta(description="hartley_rao：总体里π²的合计除以n，知道时写")] = (
        None
    )
    strata: Annotated[tuple[str, ...], Meta(description="层的列")] = ()


class ReplicatesSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """文件里已有的重复权数。"""

    columns: Annotated[tuple[str, ...], Meta(min_length=1, description="重复权数的列；“W1..W80”指一串列")]
    kind: Annotated[ReplicateKind, Meta(description="方法，决定总系数；other要写scale")]
    fay: Annotated[
        Annotated[float, Meta(ge=0, lt=1)] | None, Meta(description="Fay系数，kind: Fay时必填")
    ] = None
    scale: Annotated[Annotated[float, Meta(gt=0)] | None, Meta(description="总系数；写了就用它")] = None
    rscales: Annotated[tuple[float, ...], Meta(description="每一组的系数；JKn时必填")] = ()
    combined: Annotated[bool, Meta(description="重复权数是不是已经乘过权数；false时是乘数")] = True
    mse: Annotated[bool, Meta(description="以全样本的估计值为中心；false以各组的平均为中心")] = True


class MakeReplicatesSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """由设计生成重复权数，每一组都重做后面的加权。"""

    kind: Annotated[
        Literal["JK1", "JKn", "BRR", "Fay", "bootstrap", "successive_differences"], Meta(description="方法")
    ]
    fay: Annotated[float, Meta(ge=0, lt=1, description="Fay系数")] = 0.5
    count: Annotated[int, Meta(ge=2, le=10_000, description="自助法的组数")] = 500
    seed: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="自助法的种子，必填，好让别人重做")
    ] = None


class DesignSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """抽样设计。"""

    stages: Annotated[
        tuple[StageSpec, ...], Meta(description="各阶段，从第一阶写起；不写就是简单随机样本")
    ] = ()
    pps: Annotated[PpsSpec | None, Meta(description="一阶段不等概率抽样")] = None
    replicates: Annotated[ReplicatesSpec | None, Meta(description="文件带来的重复权数")] = None
    make_replicates: Annotated[MakeReplicatesSpec | None, Meta(description="由stages生成重复权数")] = None
    lonely_psu: Annotated[
        Literal["fail", "remove", "certainty", "adjust", "average"],
        Meta(description="一层只抽中一个单位时：拒绝，或按写明的办法算"),
    ] = "fail"
    adjust_domain_lonely: Annotated[bool, Meta(description="域里只碰到一个单位的层也照此办")] = False
    ultimate_cluster: Annotated[bool, Meta(description="只算第一阶的方差")] = False


Matrix = Callable[[str], Floats]
"""From the name of a file to the numbers in it."""


def declared_design(spec: DesignSpec, columns: Columns, weights: Floats, matrix: Matrix) -> AnyDesign:
    """The design that a description says, over these weights.

    Args:
        spec: the description; `make_replicates` is left to the weighting room.
        columns: the file; every row belongs to the sample.
        weights: (n,) base weights.
        matrix: reads the joint probabilities.

    Raises:
        DesignSpecError: two kinds of design at once, or a part missing.
        UnknownColumnError, RangeError, PopulationError, ShapeError: a column that does not fit.
    """
    kinds = [name for name in ("stages", "pps", "replicates") if getattr(spec, name)]
    if len(kinds) > 1:
        raise DesignSpecError("design", f"同时写了{'和'.join(kinds)}", "只留一种")
    if spec.pps is not None:
        return _pps(spec.pps, columns, weights, matrix)
    if spec.replicates is not None:
        names = expanded(spec.replicates.columns)
        table = np.column_stack([columns[name].complete_numbers() for name in names])
        return replicate_design(spec.replicates, weights, table)
    return staged_design(spec, columns, weights)


def staged_design(spec: DesignSpec, columns: Columns, weights: Floats) -> Design:
    """The design of the stages; without any, a simple random sample.

    Source: R survey 4.5 `svydesign(ids, strata, fpc, weights, nest = TRUE)`.
    """
    strata, units, population = [], [], []
    for at, stage in enumerate(spec.stages):
        if stage.units is None and at < len(spec.stages) - 1:
            raise DesignSpecError(f"design.stages[{at + 1}]", "没有写units", "除最后一阶外都要写抽样单位的列")
        strata.append(columns.crossed(stage.strata) if stage.strata else None)
        if stage.units is not None:
            units.append(columns[stage.units].complete_names())
        population.append(None if stage.population is None else per_row(stage.population, columns))
    return Design(
        weights,
        tuple(strata),
        tuple(units),
        tuple(population),
        spec.lonely_psu,
        spec.adjust_domain_lonely,
        spec.ultimate_cluster,
    )


def per_row(given: str | float, columns: Columns) -> Floats:
    """(n,) a column's numbers, or one number for all."""
    return (
        columns[given].complete_numbers() if isinstance(given, str) else np.full(len(columns), float(given))
    )


def _pps(spec: PpsSpec, columns: Columns, weights: Floats, matrix: Matrix) -> PpsDesign:
    joint = None
    if spec.method == "joint":
        if spec.joint is None:
            raise DesignSpecError(
                "design.pps", "method是joint，却没有写joint文件", "写明方阵的文件，或改用brewer"
            )
        joint = matrix(spec.joint)
    return PpsDesign(
        weights,
        columns[spec.probability].complete_numbers(),
        spec.method,
        joint,
        spec.variance,
        spec.sum_p2_over_n,
        columns.crossed(spec.strata) if spec.strata else None,
    )


def replicate_design(spec: ReplicatesSpec, weights: Floats, table: Floats) -> ReplicateDesign:
    """The design of replicate weights that came with a file.

    Args:
        table: (n, R) weights of each replicate, or factors where `combined` is false.

    Source: R survey 4.5 `svrepdesign(type, rho, scale, rscales, combined.weights, mse)`.
    """
    count = table.shape[1]
    rscales = np.array(spec.rscales) if spec.rscales else np.ones(count)
    if len(rscales) != count:
        raise ShapeError("重复权数的rscales", f"有{len(rscales)}个，重复权数有{count}组", "每一组写一个系数")
    if spec.kind == "JKn" and not spec.rscales:
        raise DesignSpecError("design.replicates", "JKn没有写rscales", "写明每一组的系数(n-1)/n")
    if (table < 0).any():
        row, column = np.argwhere(table < 0)[0]
        raise RangeError("重复权数", f"第{row + 1}条记录的第{column + 1}组小于0", "查明来源后改正")
    return ReplicateDesign(
        weights,
        table if spec.combined else table * weights[:, None],
        replicate_scale(spec, count),
        rscales,
        spec.mse,
    )


def replicate_scale(spec: ReplicatesSpec, count: int) -> float:
    """The factor on the sum of squares that a method asks for.

    Source: Wolter (2007), ch. 3–5; Judkins (1990) for Fay; Ash (2014) for successive differences;
    R survey 4.5 `svrepdesign(type = …)`.

    >>> replicate_scale(ReplicatesSpec(columns=("w",), kind="Fay", fay=0.5), 80)
    0.05
    """
    if spec.scale is not None:
        return spec.scale
    if spec.kind == "Fay":
        if spec.fay is None:
            raise DesignSpecError("design.replicates", "kind是Fay，却没有写fay", "写明Fay系数，例如0.5")
        return 1 / (count * (1 - spec.fay) ** 2)
    known = {
        "BRR": 1 / count,
        "JK1": (count - 1) / count,
        "JKn": 1.0,
        "bootstrap": 1 / count,
        "successive_differences": 4 / count,
    }
    if spec.kind not in known:
        raise DesignSpecError("design.replicates", "kind是other，却没有写scale", "写明总系数")
    return known[spec.kind]


def expanded(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names with runs written out.

    >>> expanded(("w1..w3", "z"))
    ('w1', 'w2', 'w3', 'z')
    """
    listed: list[str] = []
    for name in names:
        run = _RUN.fullmatch(name)
        if run and run[1] == run[3] and int(run[2]) <= int(run[4]) < int(run[2]) + 10_000:
            width = len(run[2]) if run[2].startswith("0") else 0
            listed += [f"{run[1]}{number:0{width}d}" for number in range(int(run[2]), int(run[4]) + 1)]
        else:
            listed.append(name)
    return tuple(listed)


def of_rows(design: AnyDesign, rows: Flags) -> AnyDesign:
    """The design as if only some rows had been drawn: what R does with rows deleted before `svydesign`.

    Units without a row are forgotten, so a spec must ask for it aloud; domains are masks instead.

    Raises:
        DesignSpecError: a design of PPS, or one whose weights meet known totals already.
    """
    if isinstance(design, ReplicateDesign):
        return ReplicateDesign(
            design.weights[rows], design.replicate_weights[rows], design.scale, design.rscales, design.mse
        )
    if isinstance(design, PpsDesign) or design.adjustments:
        raise DesignSpecError(
            "missing: leave_sample", "不等概率设计或校准过的权数不能事后去掉记录", "改用missing: leave_base"
        )
    return Design(
        design.weights[rows],
        tuple(None if one is None else one[rows] for one in design.strata),
        tuple(one[rows] for one in design.psu),
        tuple(None if one is None else one[rows] for one in design.population),
        design.lonely_psu,
        design.adjust_domain_lonely,
        design.ultimate_cluster,
    )
