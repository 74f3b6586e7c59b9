"""Every fault of a written plan at once, each beside its field, in words for a person.

Each field is read by itself, so one bad date does not hide an unknown group. What only
deserves a second look (a short window, a long host) is a warning of `lint`, not a fault.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import msgspec

from survey.errors import Fault, FaultsError, SurveyError
from survey.exact import fraction
from survey.scheme.plan import MOST_EMBLEM_SIGNS, MOST_SPARES, TYPE, Plan, SampleGoal
from survey.scheme.plan_groups import (
    SHAPE,
    everybody_faults,
    group_faults,
    issued_instruments,
    list_faults,
    short,
)
from survey.scheme.presets import ORDER, load_scheme, read_scheme
from survey.scheme.scheme import Scheme
from survey.scheme.texts import known_languages
from survey.scheme.yaml_text import read_plain

WAVE = re.compile(r"[a-z0-9][a-z0-9-]{2,39}", re.ASCII)
COUNTY_CODE = re.compile(
    r"\d{6}|\d{9}|\d{12}|(?!\d{6}-)[A-Za-z0-9](?:[A-Za-z0-9-]{0,10}[A-Za-z0-9])", re.ASCII
)
"""Six, nine or twelve digits, or a code of an office's own such as WA-KFQ; never a responsibility area's."""
NATIONAL_CLAIMS = ("国家认定", "官方满意度", "国家督导评估认定", "国家级认定", "教育部调查")
MAX_TITLE = 60
LONGEST_HOST = 38
"""Beyond this a slip's QR code needs more than version 4 (UX section 10)."""
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[::1\])(:(?P<port>[1-9]\d{0,4}))?/?",
    re.ASCII,
)

SHAPES = {
    "wave": "小写字母、数字和短横线",
    "title": "文字",
    "county": "文字",
    "county_code": '带引号的数字，如 "320704"',
    "office": "文字",
    "telephone": "文字",
    "scheme": "方案的名字",
    "groups": SHAPE,
    "population": "{count: 人数, year: 年份, source: 出处}",
    "lists": "{类别: 人数}，人数是整数",
    "opens_on": "日期，如 2026-11-24",
    "closes_on": "日期，如 2026-12-05",
    "results_on": "日期，如 2026-12-20",
    "sample": "{expected_response: 0.65, expected_rate: 0.85, rho: 0.05}",
    "sealed": "true或false",
    "minimum_count": "整数",
    "demonstration": "true或false",
    "base_url": "网址，如 https://dc.example.gov.cn",
    "approval": "{form_no: 表号, approval_no: 批准文号, valid_until: 有效期}",
    "languages": "如 [zh, en]",
    "confirmed": "{值的路径: 确认人}",
    "place_shares": "{urban: 0.3, town: 0.3, rural: 0.4}",
    "adopted_scheme": "方案的全部内容",
    "adopted_instruments": "{问卷的名字: 问卷的全部内容}",
    "emblem": "data:image/png;base64,…（命令行用 --emblem 图片）",
    "break_off": "true或false，数一数填到问卷哪一节离开",
    "spares": "整数，每一类人员在每所学校的备用纸条",
    "pass_with_class_b": "true或false",
    "everybody": "如 [parent, teacher]，问遍的类；全都问遍写 [all]",
}
EMPTY_REFUSED = ("title", "county", "office", "telephone")


def plan_from(text: str | bytes) -> tuple[Plan | None, tuple[Fault, ...]]:
    """The plan and its faults; the plan is None while a field cannot be read."""
    try:
        document = read_plain(text, "调查计划")
    except FaultsError as error:
        return None, error.faults
    if not isinstance(document, dict):
        return None, (Fault("plan.unreadable", "不是一份计划", "照示例计划的样子写"),)
    document = {key: value for key, value in document.items() if (key, value) != ("type", TYPE)}
    values, faults = _fields(document)
    faults += list(_meaning(values))
    if faults:
        return None, tuple(faults)
    return Plan(**values), ()


def _fields(document: dict[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Each field read by itself, with a fault for each that cannot be."""
    fields = {field.name: field for field in msgspec.structs.fields(Plan)}
    faults = [
        Fault("plan.unknown_field", f"有不认识的“{key}”", "删掉，或检查拼写", item=str(key))
        for key in document
        if key not in fields
    ]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in document:
            if field.required:
                faults.append(Fault("plan.missing", f"缺少“{name}”", f"写上{SHAPES[name]}", item=name))
            continue
        value = document[name]
        try:
            values[name] = _clean(msgspec.convert(value, field.type))
        except msgspec.ValidationError as error:
            place = str(error).partition(" - at `$")[2].rstrip("`")
            faults.append(
                Fault(
                    "plan.unreadable_field",
                    f"读不懂“{short(value)}”",
                    f"写成{SHAPES[name]}",
                    item=name + place,
                )
            )
    return values, faults


def _clean(value: Any) -> Any:
    """Text in NFC without spaces at its ends, once, at entry."""
    return unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else value


def _meaning(values: dict[str, Any]) -> Iterator[Fault]:
    yield from _identity(values)
    yield from _dates(values)
    yield from _address(values)
    yield from _numbers(values)
    scheme, faults = _scheme(values)
    yield from faults
    if "groups" in values:
        issued, faults = issued_instruments(values.get("adopted_instruments", {}), scheme)
        yield from faults
        yield from group_faults(values["groups"], scheme, issued)
        yield from list_faults(values.get("lists", {}), {entry.group for entry in values["groups"]})
        yield from everybody_faults(values.get("everybody", ()), values["groups"])
    if scheme and scheme.size.needs_population and values.get("population") is None:
        yield Fault(
            "plan.population_missing",
            "没有写常住人口",
            "方案按人口定份数，写上人数、年份和出处",
            item="population",
        )
    for lang in values.get("languages", ()):
        offered = [language.code for language in known_languages()]
        if lang not in offered:
            yield Fault(
                "plan.unknown_language",
                f"没有语言“{short(lang)}”",
                f"可选：{'、'.join(offered)}",
                item="languages",
            )
    if "languages" in values and "zh" not in values["languages"]:
        yield Fault("plan.no_chinese", "没有中文", "语言里要有zh", item="languages")


def _identity(values: dict[str, Any]) -> Iterator[Fault]:
    if "wave" in values and not WAVE.fullmatch(values["wave"]):
        yield Fault(
            "plan.bad_wave",
            f"调查代号“{short(values['wave'])}”不合规",
            "用3到40个小写字母、数字或短横线，如 yuntai-2026-autumn",
            item="wave",
        )
    for name in EMPTY_REFUSED:
        if name in values and not values[name]:
            yield Fault("plan.empty", f"“{name}”是空的", f"写上{SHAPES[name]}", item=name)
        elif name in values and any(
            unicodedata.category(sign) in ("Cc", "Cf", "Cs") or sign in "\ufffe\uffff" for sign in values[name]
        ):
            yield Fault("plan.control_sign", f"“{name}”里有看不见的控制字符", "删掉后重新输入", item=name)
    if "county_code" in values and not COUNTY_CODE.fullmatch(values["county_code"]):
        yield Fault(
            "plan.bad_county_code",
            f"区划代码“{short(values['county_code'])}”不合规",
            "写6、9或12位数字，或本地代码",
            item="county_code",
        )
    title = values.get("title", "")
    if len(title) > MAX_TITLE:
        yield Fault("plan.long_title", f"标题有{len(title)}个字", f"缩短到{MAX_TITLE}个字以内", item="title")
    for name in ("title", "office"):
        for claim in NATIONAL_CLAIMS:
            if claim in values.get(name, ""):
                yield Fault(
                    "plan.national_claim", f"“{claim}”会让人以为是国家组织的调查", "换一个说法", item=name
                )


def _dates(values: dict[str, Any]) -> Iterator[Fault]:
    opens, closes, results = (values.get(name) for name in ("opens_on", "closes_on", "results_on"))
    if opens and closes and closes < opens:
        yield Fault(
            "plan.dates_backwards",
            f"结束日期{closes}早于开始日期{opens}",
            "结束日期改到开始之后",
            item="closes_on",
        )
    if closes and results and results <= closes:
        yield Fault(
            "plan.results_before_close",
            f"公布日期{results}不晚于结束日期{closes}",
            "结束之后才能公布",
            item="results_on",
        )


def _address(values: dict[str, Any]) -> Iterator[Fault]:
    if "base_url" not in values:
        return
    url = values["base_url"]
    parts = ADDRESS.fullmatch(url)
    if parts is None or int(parts["port"] or 1) > 65535:
        yield Fault(
            "plan.bad_base_url",
            f"网址“{short(url)}”不合规",
            "只写协议和主机，如 https://dc.example.gov.cn",
            item="base_url",
        )
        return
    if parts["scheme"] == "http" and parts["host"] not in LOCAL_HOSTS:
        yield Fault(
            "plan.not_https", "网址不是https", "正式使用要用https；只有本机可以用http", item="base_url"
        )
    length = len(url.partition("://")[2].rstrip("/"))
    if length > LONGEST_HOST:
        yield Fault(
            "plan.host_too_long",
            f"主机名有{length}个字符，二维码会太密",
            f"换一个不超过{LONGEST_HOST}个字符的主机名",
            item="base_url",
        )


def _numbers(values: dict[str, Any]) -> Iterator[Fault]:
    if not 0 <= values.get("spares", 0) <= MOST_SPARES:
        yield Fault(
            "plan.out_of_range",
            f"备用纸条“{values['spares']}”不合适",
            f"写0到{MOST_SPARES}的整数",
            item="spares",
        )
    if len(values.get("emblem", "")) > MOST_EMBLEM_SIGNS:
        yield Fault("plan.long_emblem", "标志图太大", "换一个不超过256 KB的图片", item="emblem")
    goal: SampleGoal = values.get("sample", SampleGoal())
    for name, most in (
        ("expected_response", 1),
        ("expected_rate", 1),
        ("rho", 1),
        ("half_width", Fraction(1, 5)),
    ):
        text = getattr(goal, name)
        if text is None:
            continue
        try:
            within = (0 <= fraction(text) < 1) if name == "rho" else (0 < fraction(text) <= most)
        except SurveyError:
            within = False
        if not within:
            yield Fault(
                "plan.out_of_range",
                f"“{short(text)}”不是合适的比例",
                f"写成0到{'0.2' if most != 1 else '1'}之间的小数",
                item=f"sample.{name}",
            )
    for name, least in (("schools_per_stratum", 2), ("slips_per_school", 1)):
        number = getattr(goal, name)
        if number is not None and number < least:
            yield Fault("plan.out_of_range", f"“{number}”太小", f"至少写{least}", item=f"sample.{name}")
    if "minimum_count" in values and not 5 <= values["minimum_count"] <= 1000:
        yield Fault(
            "plan.out_of_range",
            f"最小份数{values['minimum_count']}不合适",
            "写5到1000之间的整数，一般是10",
            item="minimum_count",
        )
    population = values.get("population")
    if population is not None:
        if not 1 <= population.count <= 100_000_000:
            yield Fault(
                "plan.out_of_range",
                f"人口{population.count}不对",
                "写常住人口的整数",
                item="population.count",
            )
        if not 1990 <= population.year <= 2100:
            yield Fault(
                "plan.out_of_range",
                f"年份{population.year}不对",
                "写这个人口数是哪一年的",
                item="population.year",
            )
        if not population.source.strip():
            yield Fault(
                "plan.empty", "人口数没有出处", "写上出处，如“第七次全国人口普查”", item="population.source"
            )
    yield from _place_shares(values.get("place_shares"))


def _place_shares(shares: dict[str, str] | None) -> Iterator[Fault]:
    if shares is None:
        return
    unknown = sorted(set(shares) - {"urban", "town", "rural"})
    try:
        total = sum((fraction(share) for share in shares.values()), Fraction(0))
    except SurveyError:
        total = Fraction(-1)
    if unknown or total != 1:
        yield Fault(
            "plan.place_shares",
            "城区、镇区、乡村的比例不对",
            "城区、镇区、乡村三个数加起来正好是1（计划文件里是urban、town、rural）",
            item="place_shares",
        )


def _scheme(values: dict[str, Any]) -> tuple[Scheme | None, list[Fault]]:
    if "scheme" not in values:
        return None, []
    if values.get("adopted_scheme") is not None:
        try:
            scheme = read_scheme(values["adopted_scheme"])
        except FaultsError as error:
            return None, [
                Fault(
                    fault.code,
                    fault.problem,
                    fault.remedy,
                    item=f"adopted_scheme.{fault.item or ''}".rstrip("."),
                )
                for fault in error.faults
            ]
        if scheme.id != values["scheme"]:
            return scheme, [
                Fault(
                    "plan.scheme_mismatch",
                    f"计划写的是“{values['scheme']}”，方案里是“{scheme.id}”",
                    "改成一致",
                    item="scheme",
                )
            ]
        return scheme, []
    if values["scheme"] not in ORDER:
        return None, [
            Fault(
                "plan.unknown_scheme",
                f"没有方案“{short(values['scheme'])}”",
                f"可选：{'、'.join(ORDER)}",
                item="scheme",
            )
        ]
    return load_scheme(values["scheme"]), []
