"""The seven steps in which a person sets a wave up: every field, its label, its hint, its options.

What a step asks depends on the scheme: its groups, its unverified values, its own rule. Fields
are text, as typed; `plan_draft` reads them into a plan and puts each fault beside its field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from survey.scheme.instrument import INSTRUMENTS, load_instrument
from survey.scheme.marks import marks
from survey.scheme.plan import COUNTY_LISTS
from survey.scheme.plan_words import (
    DONT_KNOW,
    EDGE_WORDS,
    GROUP_WEIGHTS,
    MARK_WORDS,
    MODES,
    STAGE_NAMES,
)
from survey.scheme.presets import ORDER, load_scheme
from survey.scheme.scheme import Scheme
from survey.scheme.texts import Language, known_languages

STEPS = ("方案", "日期和单位", "人群和问卷", "语言和份数", "怎么选人", "怎样算", "告知、保存和封存")
OWN = "own"
"""The choice of the scheme a county has handed in itself."""


@dataclass(frozen=True)
class Field:
    """One thing that is asked: its name, and how a page draws it."""

    name: str
    label: str
    kind: str = "text"
    """text, tel, date, number, long, select, check, radio or file."""
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    blank: str = ""
    """What an empty field will be taken for."""
    most: int = 120

    @property
    def id(self) -> str:
        """The name as an HTML id."""
        return self.name.replace(".", "_")


@dataclass(frozen=True)
class Section:
    """Fields that belong together, under one heading."""

    heading: str
    fields: tuple[Field, ...] = ()
    note: str = ""
    folded: bool = False
    facts: tuple[str, ...] = field(default=())
    anchor: str = ""


def sections_of(
    step: int, scheme: Scheme, typed: Mapping[str, str], issued: Mapping[str, str]
) -> tuple[Section, ...]:
    """What a step asks.

    Args:
        step: 1 to 7.
        scheme: the one chosen, or the first preset while none is.
        issued: id to respondent group of the forms a person has handed in.
    """
    makers = (_scheme, _office, _groups, _sizes, _selection, _figure, _notices)
    return tuple(makers[step - 1](scheme, typed, issued))


def all_fields(scheme: Scheme, typed: Mapping[str, str], issued: Mapping[str, str]) -> dict[str, int]:
    """Every field's name, and every section's anchor, with its step."""
    found: dict[str, int] = {}
    for step in range(1, len(STEPS) + 1):
        for section in sections_of(step, scheme, typed, issued):
            names = (section.anchor, *(one.name for one in section.fields))
            found |= {name: step for name in names if name}
    return found


def _scheme(_: Scheme, typed: Mapping[str, str], issued: Mapping[str, str]) -> Iterator[Section]:
    choices = [(name, _scheme_words(name)) for name in ORDER]
    if typed.get("adopted_scheme"):
        choices.insert(0, (OWN, "自己交来的方案"))
    yield Section(
        "按哪个方案做",
        (Field("scheme", "方案", "radio", options=tuple(choices)),),
        note="方案定了问谁、问多少份、怎样算、要求多少。哪个都不是国家组织的认定调查。",
    )
    yield Section(
        "正式，还是演示",
        (
            Field(
                "demonstration",
                "这一次",
                "radio",
                options=(("", "正式调查"), ("1", "演示，练手用：每一页都写明“演示数据”，任何数字都不能引用")),
            ),
        ),
    )
    handed = tuple(f"已经交来问卷：{name}" for name in issued)
    yield Section(
        "用自己的方案或上级发的问卷",
        (
            Field("scheme_file", "方案文件", "file", "YAML，照自带方案的样子改；交来以后在上面选它"),
            Field("instrument_file", "问卷文件", "file", "YAML、Excel模板或XLSForm；交来以后在第3步选它"),
        ),
        folded=True,
        facts=handed,
    )


def _scheme_words(name: str) -> str:
    scheme = load_scheme(name)
    line = scheme.requirement.line
    told = "没有查到要求线" if line is None else f"要求{line.in_words()}"
    return f"{scheme.title}：{told}"


def _office(scheme: Scheme, typed: Mapping[str, str], _: Mapping[str, str]) -> Iterator[Section]:
    yield Section(
        "在哪里做，谁来做",
        (
            Field("county", "区县", hint="印在题目里，如 万安县"),
            Field("county_code", "区划代码", hint="6、9或12位数字，如 360828；开发区可用本地代码"),
            Field("office", "组织单位", hint="如 万安县人民政府教育督导室"),
            Field("telephone", "核实电话", "tel", "家长会打来问真假，要有人接"),
        ),
    )
    usual = scheme.days_open.get("usual", 7)
    yield Section(
        "日期",
        (
            Field("opens_on", "开始填写", "date"),
            Field("closes_on", "结束填写", "date", f"这个方案一般开放{usual}天，至少4天"),
            Field("results_on", "公布结果", "date", "结束以后；题目页和海报上会写"),
        ),
    )
    yield Section(
        "名称和网址",
        (
            Field("title", "标题", hint="不超过60个字", blank=default_title(scheme, typed), most=60),
            Field(
                "wave",
                "代号",
                hint="小写字母、数字、短横线；网址和文件名里用",
                blank=default_wave(typed),
                most=40,
            ),
            Field("base_url", "网址", hint="只写协议和主机，如 https://dc.example.gov.cn；印在纸条和海报上"),
        ),
    )
    yield Section(
        "统计调查的审批",
        (
            Field("approval.form_no", "表号"),
            Field("approval.approval_no", "批准文号"),
            Field("approval.valid_until", "有效期限"),
            Field("approval.made_by", "制表机关"),
            Field("approval.approved_by", "批准机关"),
        ),
        note="政府部门的统计调查要由同级统计机构审批。还没有办的先空着，发布检查会再问。",
        folded=not any(typed.get(f"approval.{name}") for name in ("form_no", "approval_no", "valid_until")),
    )


def default_title(scheme: Scheme, typed: Mapping[str, str]) -> str:
    """What a wave is called when nobody names it.

    >>> from survey.scheme.presets import load_scheme
    >>> default_title(load_scheme("self_monitoring"), {"county": "万安县", "opens_on": "2026-11-24"})
    '万安县教育满意度监测（2026年秋）'
    """
    county, opens = typed.get("county", "").strip(), typed.get("opens_on", "")
    if not county:
        return ""
    season = f"（{opens[:4]}年{'春' if opens[5:7] < '08' else '秋'}）" if len(opens) == 10 else ""
    return f"{county}{scheme.title.partition('（')[0]}{season}"


def default_wave(typed: Mapping[str, str]) -> str:
    """The name in addresses when nobody gives one.

    >>> default_wave({"county_code": "360828", "opens_on": "2026-11-24"})
    '360828-202611'
    """
    code, opens = typed.get("county_code", "").strip().lower(), typed.get("opens_on", "")
    return f"{code}-{opens[:4]}{opens[5:7]}" if code and len(opens) == 10 else ""


def _groups(scheme: Scheme, _: Mapping[str, str], issued: Mapping[str, str]) -> Iterator[Section]:
    for group in scheme.groups:
        forms = (("", "不问"), *((name, _form_words(name)) for name in forms_for(group.id, issued)))
        fields = [Field(f"ask.{group.id}", f"问{group.zh}", "check")]
        if group.id == "student":
            fields.append(
                Field("from_grade.student", "从几年级问起", "number", "1到9；三年级用三级选项的问卷")
            )
        if group.id in COUNTY_LISTS:
            fields.append(Field(f"instrument.{group.id}.all", "问卷", "select", options=forms))
        elif group.id == "student":
            fields += [
                Field(f"instrument.student.{stage}", f"{words}的问卷", "select", options=forms)
                for stage, words in STAGE_NAMES.items()
                if stage != "kindergarten"
            ]
        else:
            fields.append(Field(f"instrument.{group.id}.all", "问卷", "select", options=forms))
        fields.append(
            Field(f"form.{group.id}", "长短", "select", options=(("full", "全部题目"), ("short", "短卷")))
        )
        yield Section(group.zh, tuple(fields))


def forms_for(group: str, issued: Mapping[str, str]) -> tuple[str, ...]:
    """Our instruments and the issued ones that are meant for a group."""
    meant = {group, "public"} if group in ("deputy", "cppcc") else {group}
    own = tuple(name for name in INSTRUMENTS if load_instrument(name).respondent_group in meant)
    return (*own, *(name for name, whose in issued.items() if whose in meant))


def _form_words(name: str) -> str:
    if name not in INSTRUMENTS:
        return f"{name}（交来的问卷）"
    instrument = load_instrument(name)
    return f"{instrument.title['zh']}（{len(list(instrument.items))}题）"


def _sizes(scheme: Scheme, typed: Mapping[str, str], _: Mapping[str, str]) -> Iterator[Section]:
    if scheme.size.needs_population:
        yield Section(
            "常住人口",
            (
                Field("population.count", "常住人口", "number", "整数；方案按它定份数"),
                Field("population.year", "哪一年的", "number"),
                Field("population.source", "出处", hint="如 第七次全国人口普查公报"),
            ),
        )
    asked = [group for group in scheme.groups if group.id in COUNTY_LISTS and typed.get(f"ask.{group.id}")]
    if asked:
        hints = {"principal": "不填就按每校一人"}
        yield Section(
            "全县名单上的人数",
            tuple(
                Field(f"lists.{group.id}", f"{group.zh}", "number", hints.get(group.id, "名单上一共多少人"))
                for group in asked
            ),
        )
    if scheme.allocation.places is not None and scheme.allocation.places.shares is None:
        yield Section(
            "城区、镇区、乡村常住人口的比例",
            (
                Field("place_shares.urban", "城区"),
                Field("place_shares.town", "镇区"),
                Field("place_shares.rural", "乡村"),
            ),
            note="三个数加起来是1，如0.3、0.3、0.4，也可以写30%。都不填就按名册里的学生数。",
        )
    yield Section(
        "题目用哪些语言",
        tuple(
            Field(f"lang.{one.code}", one.autonym, "check", _language_hint(one)) for one in known_languages()
        ),
        note="每一页都可以换语言，并有标准、大、特大三种字号，不用另设。",
    )
    yield Section(
        "预计的应答，用来定发多少",
        (
            Field("sample.expected_response", "应答率", hint="0.65就是每100张纸条收回65张", blank="0.65"),
            Field("sample.expected_rate", "满意度", hint="只用来估计误差", blank="0.85"),
            Field("sample.half_width", "想要的误差", hint="可以不填；如0.03，即正负3个百分点"),
            Field("sample.rho", "同校的人有多像", hint="组内相关系数：0是互不相干，1是同校都一样；不清楚就不改", blank="0.05"),
            Field("spares", "每校每类备用纸条", "number", "0到50；由督导部门保管", blank="0"),
        ),
        folded=True,
    )


def _language_hint(language: Language) -> str:
    name = "" if language.zh == language.autonym else language.zh
    return name if language.shipped else f"{name}，要有审定的译文"


def _selection(scheme: Scheme, typed: Mapping[str, str], _: Mapping[str, str]) -> Iterator[Section]:
    for group in scheme.groups:
        if typed.get(f"ask.{group.id}"):
            yield Section(
                group.zh,
                (
                    Field(f"mode.{group.id}", "怎么找到人", "select", options=MODES),
                    Field(f"everybody.{group.id}", "问遍全体，不抽", "check", "每人一张纸条，每所学校都要发"),
                ),
            )
    yield Section(
        "抽多少所学校",
        (
            Field("sample.schools_per_stratum", "每层至少几所", "number", "至少2", blank="按份数自动"),
            Field("sample.slips_per_school", "每所学校几张", "number", blank="按份数自动"),
            Field(
                "pass_with_class_b",
                "限份数海报收来的答卷可以用来判达到",
                "check",
                "要另做200人的电话回访；不勾就只作参考",
            ),
        ),
        note="由系统按公开的种子抽，学校和班主任不能挑人。电话和纸质的答卷由督导部门录入，用同样的纸条。",
        folded=True,
    )


def _figure(scheme: Scheme, _: Mapping[str, str], __: Mapping[str, str]) -> Iterator[Section]:
    waiting = [mark for mark in marks(scheme) if mark.mark == "unverified"]
    line = scheme.requirement.line
    yield Section(
        "现在的算法",
        facts=(
            f"指标：{scheme.figure_name}",
            f"口径：{scheme.in_words()}",
            f"说不清、不了解：{dict(DONT_KNOW)[scheme.answers.dont_know]}",
            f"各类人怎么合：{_weight_words(scheme)}",
            f"要求：{'没有要求线' if line is None else line.in_words()}",
        ),
        anchor="formula",
    )
    if waiting:
        yield Section(
            "没有核实的地方，要有人确认",
            (
                *(Field(f"confirm.{mark.of}", MARK_WORDS.get(mark.of, mark.of), "check") for mark in waiting),
                Field("confirm.person", "确认人", hint="写真实姓名，会写进签署的方案"),
            ),
            note="下面的规定没有读到原文。请对照手里的文件，确认可以这样用，再打勾。",
        )
    yield Section(
        "少于几份就不显示",
        (Field("minimum_count", "最少份数", "number", "5到1000，一般是10", blank="10"),),
        folded=True,
    )
    yield Section(
        "改算法",
        (
            Field("figure.dont_know", "说不清、不了解", "select", options=(("", "不改"), *DONT_KNOW)),
            Field("figure.group_weights", "各类人怎么合", "select", options=(("", "不改"), *GROUP_WEIGHTS)),
            Field(
                "figure.edge", "要求线", "select", options=(("", "不改"), *EDGE_WORDS, ("none", "没有要求线"))
            ),
            Field("figure.threshold", "要求多少", hint="如 0.85 或 85%"),
            Field(
                "figure.in_words", "改后的口径", "long", "原样印在报告和证书里，要和改后的算法一致", most=400
            ),
            Field("figure.person", "谁决定的"),
            Field("figure.reason", "为什么", most=300),
        ),
        note="改了就成为本地采用的方案，写明谁、为什么；报告里同时列出其他算法的结果。",
        folded=True,
    )


def _weight_words(scheme: Scheme) -> str:
    weights = scheme.figure.group_weights
    return dict(GROUP_WEIGHTS)[weights] if isinstance(weights, str) else "按写定的权重"


def _notices(_: Scheme, typed: Mapping[str, str], __: Mapping[str, str]) -> Iterator[Section]:
    yield Section(
        "封存",
        (
            Field(
                "sealed",
                "填写期间",
                "radio",
                options=(
                    ("1", "封存：结束以后由两人用各自的一半钥匙打开，之前谁也看不到"),
                    ("0", "不封存：系统管理员能读到答卷"),
                ),
            ),
        ),
    )
    yield Section(
        "告知",
        (
            Field(
                "emblem_file",
                "海报和封面上的标志",
                "file",
                "PNG、JPEG或只有图形的SVG，不超过256 KB；可以没有",
            ),
            Field("break_off", "统计有多少人中途退出、停在哪一部分", "check", "只数人次，对不上任何人和答卷"),
        ),
        facts=("已经有标志",) if typed.get("emblem") else (),
        note="给家长、教师和监护人的告知由系统按方案写好，和纸条一起排印；不问姓名、电话和证件号。",
    )
    yield Section(
        "保存",
        facts=(
            "公布以后30天内可以提出异议。",
            "再过90天，答卷和钥匙一起销毁，留下记录；统计表、证书和公开的证据一直保留。",
        ),
    )
