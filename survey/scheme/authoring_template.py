"""The workbook an office writes an instrument in: its sheets, columns and words.

An instrument enters and rows of cells leave; an empty template is the sheets of an example.
`authoring` reads them back, so any instrument survives the way there and back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from survey.scheme.instrument import Instrument, Item
from survey.scheme.scales import load_scales
from survey.scheme.texts import dimension_names

ABOUT, ITEMS, OPTIONS = "问卷", "题目", "选项"
Rows = Sequence[Sequence[object]]

ABOUT_KEYS = {
    "问卷代号": "id",
    "版本": "version",
    "状态": "status",
    "给谁填": "respondent_group",
    "卷别": "official_form",
    "版式": "layout",
    "大约几分钟": "minutes",
    "标题": "title.zh",
    "标题（英文）": "title.en",
    "说明": "intro.zh",
    "说明（英文）": "intro.en",
}
WORDS: dict[str, dict[str, Any]] = {
    "status": {"草稿": "draft", "审核中": "review", "定稿": "locked", "停用": "retired"},
    "respondent_group": {
        "家长": "parent",
        "教师": "teacher",
        "校长": "principal",
        "学生": "student",
        "社会": "public",
    },
    "official_form": {"社会卷": "society", "校长教师卷": "staff", "学生卷": "student"},
    "layout": {"普通": "standard", "小学生": "child"},
    "role": {
        "满意度": "content",
        "总体评价": "overall",
        "事实": "fact",
        "有没有人教": "quality",
        "文字": "open",
        "背景": "background",
    },
    "object": {"全县": "county", "学校": "school", "本人": "self"},
    "flag": {"是": True, "": False, "否": False},
}
COLUMNS = {
    "部分": "section",
    "部分（英文）": "section.en",
    "题号": "id",
    "类型": "role",
    "题目": "text.zh",
    "题目（英文）": "text.en",
    "提示": "hint.zh",
    "提示（英文）": "hint.en",
    "选项组": "scale",
    "可选几项": "several",
    "维度": "dimension",
    "内容领域": "areas",
    "问的是": "object",
    "必答": "required",
    "简版": "core",
    "显示条件": "show_if",
    "已知就不问": "skip_if_known",
    "默认不问": "off",
}
OPTION_COLUMNS = {
    "题号": "item",
    "值": "value",
    "选项": "zh",
    "选项（英文）": "en",
    "不计入": "none",
    "代号": "key",
}


def sheets_of(instrument: Instrument) -> dict[str, list[list[object]]]:
    """An instrument as the sheets of the template.

    >>> from survey.scheme.instrument import load_instrument
    >>> sheets_of(load_instrument("parents"))["题目"][1][2]
    'PA01'
    """
    said = {kind: {value: word for word, value in words.items()} for kind, words in WORDS.items()}
    flat: dict[str, Any] = {
        "id": instrument.id,
        "version": instrument.version,
        "status": said["status"][instrument.status],
        "respondent_group": said["respondent_group"][instrument.respondent_group],
        "official_form": said["official_form"][instrument.official_form],
        "layout": said["layout"][instrument.layout],
        "minutes": instrument.minutes,
        **{
            f"{name}.{lang}": text[lang]
            for name, text in (("title", instrument.title), ("intro", instrument.intro))
            for lang in ("zh", "en")
        },
    }
    shared = load_scales()
    items: list[list[object]] = [list(COLUMNS)]
    options: list[list[object]] = [list(OPTION_COLUMNS)]
    for section in instrument.sections:
        for item in section.items:
            items.append(_item_row(item, section.title, said))
            if item.scale not in shared:
                for option in item.options:
                    key = "" if option.key == str(option.value) else option.key
                    options.append(
                        [
                            item.id,
                            option.value,
                            option.zh,
                            option.en,
                            "是" if option.kind == "none" else "",
                            key,
                        ]
                    )
    about: list[list[object]] = [[label, flat[key]] for label, key in ABOUT_KEYS.items()]
    return {ABOUT: about, ITEMS: items, OPTIONS: options}


def _item_row(item: Item, title: Mapping[str, str], said: Mapping[str, Mapping[Any, str]]) -> list[object]:
    hint = item.hint or {"zh": "", "en": ""}
    cells: dict[str, object] = {
        "section": title["zh"],
        "section.en": title["en"],
        "id": item.id,
        "role": said["role"][item.role],
        "text.zh": item.text["zh"],
        "text.en": item.text["en"],
        "hint.zh": hint["zh"],
        "hint.en": hint["en"],
        "scale": item.scale or "",
        "several": "是" if item.kind == "multiple" else "",
        "dimension": dimension_names().get(item.dimension or "", ""),
        "areas": "、".join(item.areas),
        "object": said["object"][item.object],
        "required": "是" if item.required else "",
        "core": "是" if item.core else "",
        "show_if": condition_text(item.show_if) if item.show_if else "",
        "skip_if_known": item.skip_if_known or "",
        "off": "是" if item.default_off else "",
    }
    return [cells[key] for key in COLUMNS.values()]


def condition_text(condition: Mapping[str, Any]) -> str:
    """A condition as an office writes it.

    >>> condition_text({"any": [{"item": "PA21", "in": [1]}, {"item": "PA22", "not_in": [0, 98]}]})
    'PA21=1 或 PA22≠0,98'
    """
    for key, joint in (("all", " 且 "), ("any", " 或 ")):
        if key in condition:
            return joint.join(condition_text(part) for part in condition[key])
    sign, values = ("=", condition["in"]) if "in" in condition else ("≠", condition["not_in"])
    return f"{condition['item']}{sign}{','.join(map(str, values))}"
