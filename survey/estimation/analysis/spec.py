"""What a person writes to have a file estimated: the whole format, typed.

Enters: YAML. Leaves: an `AnalysisSpec`, or every fault with its line. The descriptions beside the
keys are the format's reference, printed by `survey estimate --keys` and in FORMAT.md beside this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from survey.cases.column_expression import read_formula
from survey.errors import Fault, FaultsError, SurveyError
from survey.sampling.declared_design import DesignSpec, expanded
from survey.scheme.typed_text import read_typed, with_rows
from survey.weighting.declared_weights import WeightFactor
from survey.weighting.step_specs import WeightingStep

CODE = "analysis.spec"
Where = dict[str, tuple[str, ...]]


class Closed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a spec."""


class Join(Closed, frozen=True, kw_only=True):
    """另一个文件里的列，按共同的列接上。"""

    file: Annotated[str, Meta(description="文件名，在spec或数据文件旁边找")]
    on: Annotated[str, Meta(description="两边都有的列，例如学校代码；在那个文件里不能重复")]
    columns: Annotated[tuple[str, ...], Meta(description="要接上的列")]


class CasesSpec(Closed, frozen=True, kw_only=True):
    """数据文件怎样读。"""

    missing: Annotated[tuple[str, ...], Meta(description="在所有列里表示没有值的写法，例如NA、-1")] = ()
    encoding: Annotated[
        Literal["utf-8", "gb18030"] | None, Meta(description="文字编码；不写就先试UTF-8，再试GB18030")
    ] = None
    join: Annotated[tuple[Join, ...], Meta(description="另外的文件")] = ()
    sample: Annotated[
        Where,
        Meta(description="列 → 值：只有这些记录属于样本，其余不读（报告写明去掉几条）；分组请用domains"),
    ] = {}


class DontKnow(Closed, frozen=True, kw_only=True):
    """“不了解”怎样算。"""

    options: Annotated[tuple[str, ...], Meta(description="表示不了解、拒答的选项")]
    counts: Annotated[
        Literal["left_out", "not_satisfied", "middle"],
        Meta(description="不进分母；算不满意（或0分）；按最高分和最低分的中间算"),
    ] = "left_out"


class ItemSpec(Closed, frozen=True, kw_only=True):
    """一题（或同样处理的几题）要算什么。"""

    column: Annotated[str | None, Meta(description="这一题的列")] = None
    columns: Annotated[tuple[str, ...], Meta(description="同样处理的几题；“Q1..Q28”指一串")] = ()
    id: Annotated[str | None, Meta(description="结果表里的名字；不写就是列名")] = None
    label: Annotated[str, Meta(description="题目的文字")] = ""
    statistic: Annotated[
        Literal["proportion", "mean", "total", "ratio", "quantile", "distribution"],
        Meta(description="占比、平均、合计、比率、分位数、各选项占比"),
    ] = "proportion"
    satisfied: Annotated[tuple[str, ...], Meta(description="算满意的选项（值或标签），proportion必填")] = ()
    points: Annotated[dict[str, float], Meta(description="选项 → 分值；不写就用列里的数")] = {}
    dont_know: Annotated[DontKnow | None, Meta(description="不了解的算法")] = None
    missing: Annotated[tuple[str, ...], Meta(description="这一题里表示没有回答的值")] = ()
    silent: Annotated[
        Literal["leave_base", "leave_sample", "not_satisfied", "refuse"],
        Meta(description="没有回答的：不进分母；整条移出样本（R里先删再算）；算不满意；拒绝计算"),
    ] = "leave_base"
    answers_stand_for: Annotated[
        tuple[str, ...], Meta(description="列：每一格里答了这题的人，按权数代表格里全部的人")
    ] = ()
    denominator: Annotated[str | None, Meta(description="ratio的分母列")] = None
    probabilities: Annotated[tuple[float, ...], Meta(description="quantile要哪几个分位数")] = (
        0.25,
        0.5,
        0.75,
    )
    quantile_rule: Annotated[
        Literal["math", "hf7"], Meta(description="分位数的定义：分布函数首次达到；或R的插值")
    ] = "math"


class DomainSpec(Closed, frozen=True, kw_only=True):
    """分组：按几列的每一种组合，或按条件。"""

    by: Annotated[tuple[str, ...], Meta(description="列；每一种组合一行")] = ()
    where: Annotated[Where, Meta(description="列 → 值：满足条件的一组")] = {}
    name: Annotated[str, Meta(description="条件组的名字")] = ""
    items: Annotated[tuple[str, ...], Meta(description="只算这些题（id）；不写算全部")] = ()


class PartSpec(Closed, frozen=True, kw_only=True):
    """合成数的一部分。"""

    of: Annotated[str, Meta(description="题的id")]
    where: Annotated[Where, Meta(description="列 → 值：这一部分的人；不写是全体")] = {}
    share: Annotated[float, Meta(ge=0, le=1, description="固定的权重，各部分合计1")]


class CompositeSpec(Closed, frozen=True, kw_only=True):
    """合成的数：各部分按固定权重相加。"""

    id: Annotated[str, Meta(description="名字")]
    label: Annotated[str, Meta(description="文字")] = ""
    parts: Annotated[tuple[PartSpec, ...], Meta(min_length=1, description="各部分")]


class ComparisonSpec(Closed, frozen=True, kw_only=True):
    """分组之间的比较：差、标准误、t检验、Holm校正。"""

    item: Annotated[str, Meta(description="题的id（占比、平均或比率）")]
    by: Annotated[str, Meta(description="分组的列")]
    against: Annotated[str | None, Meta(description="都和这一组比；不写就两两相比")] = None
    adjust: Annotated[Literal["holm", "none"], Meta(description="多重比较的校正")] = "holm"


class LineSpec(Closed, frozen=True, kw_only=True):
    """要求线：不四舍五入地比较，显示时截断。"""

    of: Annotated[tuple[str, ...], Meta(min_length=1, description="哪些题或合成数（id）")]
    at_least: Annotated[str | None, Meta(description="达到这个数就算，例如0.85")] = None
    above: Annotated[str | None, Meta(description="要超过这个数才算")] = None
    groups: Annotated[bool, Meta(description="各分组也同它比较；false只比全体")] = False


class IntervalSpec(Closed, frozen=True, kw_only=True):
    """区间。"""

    method: Annotated[
        Literal["korn_graubard", "logit", "mean", "asin", "beta", "wilson", "likelihood"],
        Meta(description="占比的区间方法；平均、合计、比率总是t区间"),
    ] = "korn_graubard"
    level: Annotated[float, Meta(gt=0.5, lt=1, description="置信水平")] = 0.95
    z: Annotated[
        Annotated[float, Meta(gt=0, lt=10)] | None,
        Meta(description="改写成正态分位数，例如2.17；写了就不看level"),
    ] = None
    df: Annotated[
        Literal["design", "infinite"], Meta(description="自由度：按设计（单位数减层数），或当作无穷大")
    ] = "design"


class DisclosureSpec(Closed, frozen=True, kw_only=True):
    """防止认出个人。"""

    minimum_count: Annotated[
        int,
        Meta(
            ge=1,
            description="少于这么多份不显示，并隐去能推算出它的另一格；各选项占比要4倍的份数；写1就全部显示",
        ),
    ] = 10
    reliability: Annotated[
        Literal["nchs_flag", "nchs_hide", "off"], Meta(description="按NCHS标准标出、隐去不可靠的占比，或不看")
    ] = "nchs_flag"


class PublishedSpec(Closed, frozen=True, kw_only=True):
    """文件的每一行已是别人算好的占比：只算区间，并同公布的区间核对。"""

    rate: Annotated[str, Meta(description="占比的列，0到1")]
    n: Annotated[str, Meta(description="份数的列")]
    key: Annotated[tuple[str, ...], Meta(description="认出一行的列")]
    lower: Annotated[str | None, Meta(description="公布的下限的列")] = None
    upper: Annotated[str | None, Meta(description="公布的上限的列")] = None
    tolerance: Annotated[float, Meta(gt=0, description="相差不超过它算一致")] = 0.0005


class QualitySpec(Closed, frozen=True, kw_only=True):
    """一组同尺度题的答题质量：一条线到底、完全重复、信度。"""

    items: Annotated[tuple[str, ...], Meta(min_length=1, description="题的列；“Q1..Q28”指一串")]
    identical_over: Annotated[
        tuple[str, ...], Meta(description="哪些列都相同才算完全相同；不写就是这些题")
    ] = ()


class AnalysisSpec(Closed, frozen=True, kw_only=True):
    """整个文件。"""

    title: Annotated[str, Meta(description="报告的标题")]
    note: Annotated[str, Meta(description="来源、许可等说明，印在报告里")] = ""
    cases: CasesSpec = CasesSpec()
    derive: Annotated[dict[str, str], Meta(description="新列 → 算式，例如first(boys + girls, size)")] = {}
    design: DesignSpec = DesignSpec()
    base_weights: Annotated[
        tuple[WeightFactor, ...], Meta(description="基础权数的各因子，相乘；不写就由各阶总体单位数算")
    ] = ()
    weighting: Annotated[tuple[WeightingStep, ...], Meta(description="加权的各步，按顺序")] = ()
    items: tuple[ItemSpec, ...] = ()
    domains: tuple[DomainSpec, ...] = ()
    composites: tuple[CompositeSpec, ...] = ()
    comparisons: tuple[ComparisonSpec, ...] = ()
    lines: tuple[LineSpec, ...] = ()
    interval: IntervalSpec = IntervalSpec()
    disclosure: DisclosureSpec = DisclosureSpec()
    design_effect: Annotated[
        Literal["wr", "wor"], Meta(description="设计效应同有放回还是不放回的简单随机抽样比")
    ] = "wr"
    published: PublishedSpec | None = None
    quality: QualitySpec | None = None


def read_spec(text: str | bytes) -> AnalysisSpec:
    """The spec in a YAML or JSON text.

    Raises:
        FaultsError: with every fault, its key and its line.
    """
    spec = read_typed(text, AnalysisSpec, "计算说明（spec）", CODE)
    faults = tuple(_faults(spec))
    if faults:
        raise FaultsError("计算说明（spec）", with_rows(faults, text))
    return spec


def items_of(spec: AnalysisSpec) -> tuple[ItemSpec, ...]:
    """The items, each with one column and an id."""
    from msgspec.structs import replace

    found = []
    for item in spec.items:
        names = expanded(item.columns) if item.columns else (item.column or "",)
        for name in names:
            own = item.id if item.id and not item.columns else f"{item.id}_{name}" if item.id else name
            found.append(replace(item, column=name, columns=(), id=own))
    return tuple(found)


def _faults(spec: AnalysisSpec) -> Iterator[Fault]:
    """What the parts of a spec say of each other that cannot be."""
    if not (spec.items or spec.published or spec.quality):
        yield Fault(CODE, "没有要算的题", "写items，至少一题", item="items")
    seen: set[str] = set()
    for at, item in enumerate(spec.items, 1):
        if (item.column is None) == (not item.columns):
            yield Fault(CODE, "要写column或columns，只写一种", "写这一题的列", item=f"items[{at}]")
        yield from _item_faults(item, f"items[{at}]")
    for item in items_of(spec):
        if item.id in seen:
            yield Fault(CODE, f"有两题都叫“{item.id}”", "给它们不同的id", item="items")
        seen.add(item.id or "")
    ids = seen
    for at, one in enumerate(spec.composites, 1):
        if one.id in seen:
            yield Fault(CODE, f"“{one.id}”已经是一题的名字", "换一个id", item=f"composites[{at}].id")
        for part in one.parts:
            if part.of not in ids:
                yield _unknown(part.of, ids, f"composites[{at}].parts")
        if abs(sum(part.share for part in one.parts) - 1) > 1e-9:
            total = sum(part.share for part in one.parts)
            yield Fault(
                CODE, f"各部分的权重合计是{total:g}", "核对，合计要是1", item=f"composites[{at}].parts"
            )
    for at, group in enumerate(spec.domains, 1):
        if bool(group.by) == bool(group.where):
            yield Fault(CODE, "要写by或where，只写一种", "按列分组写by，按条件写where", item=f"domains[{at}]")
        for name in group.items:
            if name not in ids:
                yield _unknown(name, ids, f"domains[{at}].items")
    for at, pair in enumerate(spec.comparisons, 1):
        if pair.item not in ids:
            yield _unknown(pair.item, ids, f"comparisons[{at}].item")
    figures = ids | {one.id for one in spec.composites}
    for at, line in enumerate(spec.lines, 1):
        for name in line.of:
            if name not in figures:
                yield _unknown(name, figures, f"lines[{at}].of")
        if (line.at_least is None) == (line.above is None):
            yield Fault(CODE, "要写at_least或above，只写一种", "例如at_least: 0.85", item=f"lines[{at}]")
        for given in (line.at_least, line.above):
            if given is not None and not _is_rate(given):
                yield Fault(CODE, f"“{given}”不是0到1之间的小数", "例如0.85", item=f"lines[{at}]")
    for step in spec.weighting:
        try:
            _ = step.chosen
        except SurveyError as refusal:
            yield Fault(CODE, refusal.reason, refusal.remedy, item="weighting")
    for name, text in spec.derive.items():
        try:
            read_formula(name, text)
        except SurveyError as refusal:
            yield Fault(CODE, refusal.reason, refusal.remedy, item=f"derive.{name}")


def _item_faults(item: ItemSpec, place: str) -> Iterator[Fault]:
    if item.statistic == "proportion" and not item.satisfied:
        yield Fault(CODE, "没有写哪些选项算满意", "写satisfied，例如[1, 2]", item=f"{place}.satisfied")
    if item.statistic not in ("proportion", "total") and item.satisfied:
        yield Fault(
            CODE,
            f"statistic是{item.statistic}，用不着satisfied",
            "删去它，或改为proportion",
            item=f"{place}.satisfied",
        )
    if (item.statistic == "ratio") == (item.denominator is None):
        yield Fault(CODE, "ratio要写denominator，别的不写", "写分母的列", item=f"{place}.denominator")
    if item.points and item.statistic not in ("mean", "total", "quantile"):
        yield Fault(
            CODE,
            f"statistic是{item.statistic}，用不着points",
            "改为mean，或删去points",
            item=f"{place}.points",
        )
    if item.dont_know is not None and item.dont_know.counts == "middle" and item.statistic != "mean":
        yield Fault(
            CODE, "只有平均分能把不了解按中间分算", "改用left_out或not_satisfied", item=f"{place}.dont_know"
        )
    if item.silent == "not_satisfied" and item.statistic != "proportion":
        yield Fault(CODE, "只有占比能把没有回答算作不满意", "改用leave_base", item=f"{place}.silent")
    for one in item.probabilities:
        if not 0 < one < 1:
            yield Fault(CODE, f"{one:g}不在0和1之间", "例如中位数写0.5", item=f"{place}.probabilities")


def _is_rate(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1 and "e" not in text.casefold()
    except ValueError:
        return False


def _unknown(name: str, known: set[str], place: str) -> Fault:
    return Fault(CODE, f"没有叫“{name}”的题", f"已有：{'、'.join(sorted(known)[:12])}", item=place)


def columns_needed(spec: AnalysisSpec) -> set[str]:
    """Every column a spec speaks of, derived ones and those of joined files among them."""
    found: set[str] = set(spec.cases.sample)
    for join in spec.cases.join:
        found |= {join.on, *join.columns}
    for name, text in spec.derive.items():
        found |= set(read_formula(name, text).columns)
    for item in items_of(spec):
        found |= {
            item.column or "",
            *item.answers_stand_for,
            *((item.denominator,) if item.denominator else ()),
        }
    for group in spec.domains:
        found |= {*group.by, *group.where}
    for composite in spec.composites:
        for part in composite.parts:
            found |= set(part.where)
    found |= {one.by for one in spec.comparisons}
    found |= set(_of_design(spec.design)) | set(_of_weighting(spec))
    if spec.published is not None:
        one = spec.published
        found |= {one.rate, one.n, *one.key} | {name for name in (one.lower, one.upper) if name}
    if spec.quality is not None:
        found |= set(expanded(spec.quality.items)) | set(expanded(spec.quality.identical_over))
    return found


def _of_design(design: DesignSpec) -> Iterator[str]:
    for stage in design.stages:
        yield from stage.strata
        yield from (one for one in (stage.units, stage.population) if isinstance(one, str))
    if design.pps is not None:
        yield from (design.pps.probability, *design.pps.strata)
    if design.replicates is not None:
        yield from expanded(design.replicates.columns)


def _of_weighting(spec: AnalysisSpec) -> Iterator[str]:
    for factor in spec.base_weights:
        for one in (
            factor.weight,
            factor.probability,
            factor.population,
            factor.size,
            factor.total_size,
            factor.drawn,
        ):
            if isinstance(one, str):
                yield one
        yield from factor.within
    for step in spec.weighting:
        kind, part = step.chosen
        if kind == "nonresponse":
            yield from (*part.responded, *part.cells)
            if part.propensity is not None:
                yield from (*part.propensity.numeric, *part.propensity.categorical)
        elif kind == "trim":
            yield from (*part.groups, *part.cells)
        elif kind == "poststratify":
            yield from part.by
        else:
            for name in part.use:
                yield from name.split("|")
            for margin in (*part.margins, *getattr(part, "some_levels", ())):
                yield from margin.by
            if kind == "calibrate":
                yield from part.totals
                if part.one_factor_per is not None:
                    yield part.one_factor_per
