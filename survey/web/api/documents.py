"""What the API hands out, as closed structs; OpenAPI is generated from them.

Rates are text in [0, 1] with four decimals, cut off and never rounded; the decision about a
threshold was made on the unrounded value before it became text.
"""

from typing import Annotated

from msgspec import Meta, Struct

WaveId = Annotated[
    str, Meta(pattern="^[a-z0-9][a-z0-9-]{2,39}$", description="调查的名字", examples=["wanan-2026-autumn"])
]
Rate = Annotated[
    str,
    Meta(
        pattern=r"^-?\d+(\.\d+)?$",
        description="比例，写成文字；截断而不四舍五入，0.8843就是88.43%",
        examples=["0.8843"],
    ),
]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", description="日期", examples=["2026-11-24"])]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256，十六进制", examples=["0" * 64])]
Count = Annotated[int, Meta(ge=0, description="份数或个数", examples=[1850])]
Address = Annotated[
    str, Meta(description="网址，从/开始", examples=["/api/v1/waves/wanan-2026-autumn/figure"])
]


Cursor = Annotated[
    str | None,
    Meta(description="下一页的cursor；没有下一页时为null", examples=["OndhbmFuLTIwMjYtYXV0dW1u"]),
]


class Links(Struct, frozen=True, kw_only=True):
    """Where the rest of a wave is found."""

    self: Address
    participation: Address
    figure: Address
    certificate: Address


class Wave(Struct, frozen=True, kw_only=True):
    """One survey wave: what it is, when it runs, where it stands."""

    wave: WaveId
    title: Annotated[str, Meta(description="名称", examples=["万安县教育满意度调查（2026年秋）"])]
    county: Annotated[str, Meta(description="区县", examples=["万安县"])]
    county_code: Annotated[str, Meta(description="区划代码，六位", examples=["360828"])]
    office: Annotated[str, Meta(description="组织单位", examples=["万安县人民政府教育督导室"])]
    scheme: Annotated[str, Meta(description="依据的方案", examples=["quality_balance_2017"])]
    state: Annotated[
        str,
        Meta(
            description="draft, framed, drawn, planned, open, paused, closed, opened, estimated, certified",
            examples=["certified"],
        ),
    ]
    state_name: Annotated[str, Meta(description="状态的中文", examples=["已签发"])]
    demonstration: Annotated[bool, Meta(description="真：演示数据，答卷是模拟的，不能引用")]
    opens_on: Day
    closes_on: Day
    results_on: Day
    groups: Annotated[list[str], Meta(description="人群", examples=[["parent", "teacher", "student"]])]
    links: Links


class WavePage(Struct, frozen=True, kw_only=True):
    """One page of waves, the newest first."""

    items: list[Wave]
    next: Cursor


class Share(Struct, frozen=True, kw_only=True):
    """Participation of one group, place or stage; counts below ten are withheld before closing."""

    name: Annotated[str, Meta(description="代号", examples=["parent"])]
    label: Annotated[str, Meta(description="中文名", examples=["家长"])]
    required: Annotated[Count, Meta(description="方案需要的份数", examples=[925])]
    returned: Annotated[
        str,
        Meta(
            description="收回的份数，文字；不足10份时写“<10”，会推算出不足10份的写“不显示”，结束后写确数",
            examples=["812", "<10", "不显示"],
        ),
    ]


class Participation(Struct, frozen=True, kw_only=True):
    """How many answers have come, never what they say."""

    wave: WaveId
    state: str
    as_of: Annotated[str, Meta(description="数据截至（UTC）", examples=["2026-11-24T02:32:00+00:00"])]
    required: Annotated[Count, Meta(description="方案要求的有效份数", examples=[1850])]
    issued: Annotated[Count, Meta(description="发出的填写码", examples=[2847])]
    returned: Annotated[str, Meta(description="收回的答卷，文字；写法同下", examples=["1204"])]
    groups: list[Share]
    places: list[Share]
    areas: Annotated[list[Share], Meta(description="按督学责任区；没有划过就是空的")]
    stages: list[Share]
    schools_without_return: Annotated[Count, Meta(description="一份也没有收回的学校", examples=[2])]


class Interval(Struct, frozen=True, kw_only=True):
    """A confidence interval, its ends cut off like the figure."""

    level: Annotated[str, Meta(description="把握程度", examples=["0.95"])]
    lower: Rate
    upper: Rate


class Threshold(Struct, frozen=True, kw_only=True):
    """The line the scheme draws, and whether the unrounded figure keeps it."""

    value: Rate
    edge: Annotated[str, Meta(description="at_least：达到即可；above：必须高于", examples=["at_least"])]
    reached: Annotated[
        bool | None, Meta(description="按未截断的数比较；null表示不作判断（自愿参加，或太接近）")
    ]


class Part(Struct, frozen=True, kw_only=True):
    """One row of a breakdown; `figure` is null where fewer than ten answered, and near 0 or 1 of fewer than forty."""

    name: Annotated[str, Meta(description="代号", examples=["parent"])]
    label: Annotated[str, Meta(description="中文名", examples=["家长"])]
    n: Annotated[int | None, Meta(description="计入的答卷；不显示时为null", examples=[925])]
    figure: Rate | None
    display: Annotated[str, Meta(description="页面和纸上的写法：百分数、≥95%或≤5%（不足40份，这时figure和interval为null）、不显示", examples=["87.12%"])]
    interval: Interval | None
    withheld: Annotated[bool, Meta(description="真：不足10份，或会推算出别的不足10份的格，因此不显示")]


class AreaPage(Struct, frozen=True, kw_only=True):
    """One page of the certified rows of responsibility areas, by code and never by rate."""

    wave: WaveId
    demonstration: Annotated[bool, Meta(description="真：演示数据，不能引用")]
    certified: Annotated[bool, Meta(description="真：证书有效；假：证书已撤回")]
    items: Annotated[list[Part], Meta(description="责任区，按代码；只管一个责任区的账号只有自己的")]
    next: Cursor


class Way(Struct, frozen=True, kw_only=True):
    """The same answers by another common formula."""

    name: Annotated[str, Meta(description="代号", examples=["top_option_over_valid"])]
    label: Annotated[str, Meta(description="怎么算", examples=["只算“非常满意”"])]
    value: Annotated[str | None, Meta(description="结果，文字", examples=["0.6102"])]


class Seal(Struct, frozen=True, kw_only=True):
    """The certificate under which the figure was published."""

    number: Annotated[int, Meta(ge=0, description="证书编号", examples=[7])]
    short: Annotated[str, Meta(description="验证码，12个字符", examples=["0123456789AB"])]
    statement_digest: Digest | None
    state: Annotated[str, Meta(description="valid：有效；revoked：已撤回", examples=["valid"])]
    download: Address
    verify: Address


class Figure(Struct, frozen=True, kw_only=True):
    """The satisfaction figure of a wave with everything needed to quote it honestly."""

    wave: WaveId
    title: str
    county: str
    demonstration: Annotated[bool, Meta(description="真：演示数据，不能引用")]
    certified: Annotated[bool, Meta(description="真：两人签发，证书有效；假：还没有签发，或证书已撤回")]
    figure: Rate
    percent: Annotated[str, Meta(description="同一个数，写成百分比", examples=["88.43%"])]
    standard_error: Rate | None
    interval: Interval | None
    threshold: Threshold | None
    answers: Annotated[int | None, Meta(description="计入的答卷", examples=[1850])]
    valid: Annotated[int | None, Meta(description="其中有有效意见的", examples=[1791])]
    dont_know: Annotated[str | None, Meta(description="说不清、不了解的比例", examples=["0.0321"])]
    conservative: Annotated[str | None, Meta(description="说不清都算作不满意时的数", examples=["0.8559"])]
    cautions: Annotated[list[str], Meta(description="区间和误差的弱点；引用时一起说")]
    tipping: Annotated[str | None, Meta(description="结论在什么情况下会变，用文字说明")]
    response_rate_2: Annotated[str | None, Meta(description="应答率，AAPOR RR2", examples=["0.6498"])]
    evidence_class: Annotated[
        str | None, Meta(description="A 一次性填写码，B 名额海报，C 开放填答", examples=["A"])
    ]
    formula: Annotated[
        str, Meta(description="口径，用文字说明", examples=["满意=非常满意+比较满意；说不清不计入"])
    ]
    sentences: Annotated[list[str], Meta(description="引用时必须一起说的话")]
    groups: list[Part]
    stages: list[Part]
    places: list[Part]
    areas: Annotated[list[Part], Meta(description="按督学责任区，代码排列，不排名次；没有划过就是空的")]
    dimensions: list[Part]
    other_formulas: list[Way]
    method_version: Annotated[str | None, Meta(examples=["1"])]
    results_digest: Digest
    seal: Seal | None


class Certificate(Struct, frozen=True, kw_only=True):
    """Where a wave's newest certificate is, and how to check it."""

    wave: WaveId
    number: Annotated[int, Meta(ge=0, examples=[7])]
    short: Annotated[str, Meta(description="验证码，12个字符", examples=["0123456789AB"])]
    file_digest: Digest
    state: Annotated[str, Meta(description="valid：有效；revoked：已撤回", examples=["valid"])]
    reason: Annotated[str | None, Meta(description="撤回的原因")]
    download: Address
    verify: Address
    versions: Annotated[
        list[int], Meta(description="这次调查所有证书的编号，最后一个是现行的", examples=[[7]])
    ]


class FrameSchool(Struct, frozen=True, kw_only=True):
    """One school of the frame."""

    code: Annotated[str, Meta(description="学校标识码", examples=["2136000123"])]
    label: Annotated[str, Meta(description="校名", examples=["芙蓉镇中心小学"])]
    district: Annotated[str, Meta(description="区划代码", examples=["360828101"])]
    area: Annotated[str | None, Meta(description="督学责任区的代码", examples=["360828-02"])]
    area_label: Annotated[str | None, Meta(description="督学责任区的名称", examples=["第二督学责任区"])]
    place: Annotated[str, Meta(description="urban, town, rural", examples=["town"])]
    stage: Annotated[str, Meta(description="学段", examples=["primary"])]
    kind_code: Annotated[str, Meta(description="办学类型（GB/T 33782）", examples=["211"])]
    pupils: Count
    classes: Count
    teachers: Count


class FrameDocument(Struct, frozen=True, kw_only=True):
    """One page of the schools that a wave was drawn from, sorted by code."""

    wave: WaveId
    digest: Digest
    schools: list[FrameSchool]
    next: Cursor


class DrawnStratum(Struct, frozen=True, kw_only=True):
    """One stratum: schools in the frame and schools drawn."""

    stratum: Annotated[str, Meta(examples=["town/primary"])]
    label: Annotated[str, Meta(examples=["镇区小学"])]
    schools_in_frame: Count
    schools_drawn: Count


class DrawnDomain(Struct, frozen=True, kw_only=True):
    """One school × one respondent group, or one list of the county."""

    domain: Annotated[str, Meta(examples=["2136000123-P"])]
    group: Annotated[str, Meta(description="人群", examples=["parent"])]
    school_code: Annotated[str | None, Meta(description="全县名单没有学校", examples=["2136000123"])]
    school_name: str
    stratum: str
    eligible: Count
    slips: Count


class SampleDocument(Struct, frozen=True, kw_only=True):
    """What was drawn, with what is needed to draw it again; its domains a page at a time."""

    wave: WaveId
    seed: Annotated[str, Meta(description="公开的种子", examples=["20261122"])]
    digest: Digest
    frame_digest: Digest
    design_digest: Digest
    strata: list[DrawnStratum]
    domains: list[DrawnDomain]
    next: Cursor


class LedgerAct(Struct, frozen=True, kw_only=True):
    """One act in the life of a problem."""

    at: Annotated[str, Meta(description="时间，带时区", examples=["2026-11-24T10:32:00+08:00"])]
    who: str
    act: Annotated[str, Meta(description="做了什么", examples=["submit"])]
    state: Annotated[str, Meta(description="以后的状态", examples=["to_close"])]
    note: str
    evidence: str


class LedgerRow(Struct, frozen=True, kw_only=True):
    """One problem of the ledger with everything done about it."""

    number: Annotated[int, Meta(ge=1, examples=[12])]
    state: Annotated[
        str,
        Meta(description="to_mend, mending, to_close, closed, explained, looked_again", examples=["mending"]),
    ]
    state_name: Annotated[str, Meta(description="状态的中文", examples=["整改中"])]
    source: Annotated[str, Meta(description="item, rate, fall, fact, text", examples=["fact"])]
    source_key: str
    problem: str
    basis: str
    unit: str
    person: str
    due_on: Annotated[str | None, Meta(description="时限", examples=["2026-12-20"])]
    measures: str
    about: Annotated[
        str, Meta(description="哪所学校或督学责任区的代码；空着是全县", examples=["2136000123", "360828-02", ""])
    ]
    version: Annotated[
        int, Meta(ge=1, description="做过几步；写入时带上，别人先做了就不会覆盖", examples=[3])
    ]
    history: list[LedgerAct]


class LedgerPage(Struct, frozen=True, kw_only=True):
    """One page of the problems of a wave, by number."""

    wave: WaveId
    items: list[LedgerRow]
    next: Cursor


class NewEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A problem to be taken up."""

    source: Annotated[
        str,
        Meta(
            description="fact：现场核查事实；text：已公开的留言；item、rate、fall：来自证书",
            max_length=20,
            examples=["fact"],
        ),
    ]
    problem: Annotated[str, Meta(min_length=1, max_length=500, examples=["课桌凳不够"])]
    basis: Annotated[str, Meta(min_length=1, max_length=500, examples=["11月20日现场核查记录第3页"])]
    source_key: Annotated[str, Meta(description="来源的编号，同一个来源只登记一次", max_length=200)] = ""
    about: Annotated[str, Meta(description="哪所学校或督学责任区的代码；空着是全县", max_length=20)] = ""


class NewAct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act to be done on a problem; what it needs depends on the act."""

    act: Annotated[
        str,
        Meta(
            description="start, submit, close, accept_explanation, send_back, look_again, reopen, change",
            max_length=30,
            examples=["submit"],
        ),
    ]
    version: Annotated[int, Meta(description="看到的version；不写就用最新的", ge=1, le=1_000_000)] | None = None
    note: Annotated[str, Meta(max_length=2000)] = ""
    evidence: Annotated[str, Meta(description="佐证；申请销号要写", max_length=2000)] = ""
    unit: Annotated[str, Meta(description="责任单位", max_length=100)] | None = None
    person: Annotated[str, Meta(description="责任人", max_length=50)] | None = None
    measures: Annotated[str, Meta(description="措施", max_length=2000)] | None = None
    due_on: Annotated[str, Meta(description="时限", max_length=20, examples=["2026-12-20"])] | None = None


class FaultDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mistake in what was sent."""

    code: str
    problem: str
    remedy: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    item: str | None = None


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refusal after RFC 9457: the thing, the reason, the remedy, under a stable code."""

    type: Annotated[
        str, Meta(description="urn:survey:problem: 加代码", examples=["urn:survey:problem:api.not_opened"])
    ]
    title: Annotated[str, Meta(description="事情和原因", examples=["满意度：还没有开箱，结束以前不显示"])]
    status: Annotated[int, Meta(ge=400, le=599, examples=[409])]
    detail: str
    code: Annotated[str, Meta(description="稳定的代码，程序可以依据它判断", examples=["api.not_opened"])]
    remedy: str
    faults: list[FaultDocument] = []
    incident: str | None = None
