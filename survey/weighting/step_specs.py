"""What a person can write of a weighting: the words of every step, typed.

Nothing is computed here; `declared_steps` turns these words into weights.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from survey.errors import SurveyError

NAMES = {
    "nonresponse": "无回答调整",
    "poststratify": "事后分层",
    "rake": "迭代加权",
    "calibrate": "校准",
    "trim": "截尾",
}


class StepError(SurveyError):
    """A step of the weighting that says too little or contradicts itself."""

    code = "weighting.step_spec"
    kind = "invalid"


class MarginSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """一个边际：各类的总数。"""

    by: Annotated[tuple[str, ...], Meta(min_length=1, description="变量的列；几列交叉时类名用“|”连接")]
    totals: Annotated[dict[str, float], Meta(description="类 → 总数")] = {}


class Propensity(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """回答倾向模型（logistic回归）。"""

    numeric: Annotated[tuple[str, ...], Meta(description="数值协变量的列")] = ()
    categorical: Annotated[tuple[str, ...], Meta(description="分类协变量的列")] = ()
    classes: Annotated[int, Meta(ge=0, le=100, description="按倾向分几档；0不分档，各除以自己的倾向")] = 5


class Nonresponse(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """无回答调整：回答者也代表没有回答的人。"""

    responded: Annotated[dict[str, tuple[str, ...]], Meta(description="列 → 哪些值算回答了")]
    cells: Annotated[tuple[str, ...], Meta(description="调整格的列；不写是一个大格")] = ()
    minimum: Annotated[int, Meta(ge=1, description="一格至少几份回答；不足按collapse合并")] = 1
    largest_factor: Annotated[float, Meta(gt=1, description="一格的系数最大几倍；超过按collapse合并")] = 1e9
    collapse: Annotated[
        dict[str, tuple[str, ...]], Meta(description="格 → 可并入的格，从近到远，事先写定")
    ] = {}
    propensity: Annotated[Propensity | None, Meta(description="改用回答倾向")] = None


class Poststratify(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """事后分层：每一格的权数合计等于总数。"""

    by: Annotated[tuple[str, ...], Meta(min_length=1, description="格的列")]
    totals: Annotated[dict[str, float], Meta(description="格 → 总数")] = {}
    file: Annotated[str | None, Meta(description="总数的CSV：margin、category、total三列")] = None


class Rake(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """迭代比例加权（raking）：同时满足几个边际。"""

    margins: Annotated[tuple[MarginSpec, ...], Meta(description="边际，写在这里")] = ()
    file: Annotated[str | None, Meta(description="边际的CSV：margin、category、total三列")] = None
    use: Annotated[tuple[str, ...], Meta(description="用文件里的哪几个边际；不写全用")] = ()
    rescale: Annotated[
        bool | float, Meta(description="各边际合计不同时：true按第一个统一，或写统一成的总数")
    ] = False
    max_sweeps: Annotated[int, Meta(ge=1, le=100_000, description="最多几轮")] = 2_000
    tolerance: Annotated[float, Meta(gt=0, le=1e-4, description="边际误差除以总数，小于它才算收敛")] = 1e-10


class Calibrate(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """校准（GREG、raking距离、logit），可以有上下界。"""

    distance: Annotated[Literal["linear", "raking", "logit"], Meta(description="距离")] = "linear"
    bounds: Annotated[tuple[float, ...], Meta(description="新旧权数之比的下界、上界，例如[0.3, 3]")] = ()
    population: Annotated[Annotated[float, Meta(gt=0)] | None, Meta(description="总体人数")] = None
    totals: Annotated[dict[str, float], Meta(description="数值列 → 总体合计")] = {}
    margins: Annotated[tuple[MarginSpec, ...], Meta(description="分类边际，每一类都要写")] = ()
    some_levels: Annotated[tuple[MarginSpec, ...], Meta(description="分类变量里只知道总数的几类")] = ()
    file: Annotated[str | None, Meta(description="边际的CSV")] = None
    use: Annotated[tuple[str, ...], Meta(description="用文件里的哪几个边际")] = ()
    one_factor_per: Annotated[
        str | None, Meta(description="同一单位（如学校、家庭）里用同一个系数：单位的列")
    ] = None
    max_sweeps: Annotated[int, Meta(ge=1, le=10_000, description="最多几轮")] = 200


class Trim(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """截去过大的权数，超出的部分分给别人。"""

    upper: Annotated[Annotated[float, Meta(gt=0)] | None, Meta(description="权数上限")] = None
    lower: Annotated[Annotated[float, Meta(ge=0)] | None, Meta(description="权数下限")] = None
    strict: Annotated[bool, Meta(description="反复截到没有一个超限")] = False
    times_median: Annotated[
        Annotated[float, Meta(gt=1)] | None, Meta(description="改为：组内中位数的几倍")
    ] = None
    groups: Annotated[tuple[str, ...], Meta(description="配合times_median：组的列")] = ()
    cells: Annotated[
        tuple[str, ...], Meta(description="配合times_median：在哪些列的格里保持合计；不写同组")
    ] = ()


class WeightingStep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """加权的一步，只写一种。"""

    nonresponse: Nonresponse | None = None
    poststratify: Poststratify | None = None
    rake: Rake | None = None
    calibrate: Calibrate | None = None
    trim: Trim | None = None

    @property
    def chosen(self) -> tuple[str, Any]:
        """The one kind that is written, and its content."""
        said = [(name, getattr(self, name)) for name in NAMES if getattr(self, name) is not None]
        if len(said) != 1:
            written = "、".join(name for name, _ in said) or "没有一种"
            raise StepError("weighting的一步", f"写了{written}", f"每一步只写一种：{'、'.join(NAMES)}")
        return said[0]
