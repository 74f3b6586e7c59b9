"""An instrument from the one-sheet list of questions that offices keep: 题目标题, 题型, 选项内容.

Rows of cells enter as form tools export them and offices retype them: the usual names of the
columns, options in one cell or in several, letters before them or none. They are rewritten as
the sheets of our own template and read by `authoring`, so faults come back with the sheet, row
and column of the office's own file. What would ask who somebody is, and kinds of question that
a paper could not ask, are faults and never dropped in silence.

Left out on purpose: guessing what a question without options measures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from survey.errors import Fault, FaultsError
from survey.scheme.authoring import cell_text, instrument_from_sheets
from survey.scheme.authoring_template import ABOUT, ABOUT_KEYS, COLUMNS, ITEMS, OPTION_COLUMNS, OPTIONS, Rows
from survey.scheme.instrument import Instrument
from survey.scheme.scales import load_scales
from survey.scheme.xlsform import GROUPS, TEXT_SCALE

HEADERS = {
    "title": ("题目标题", "题目", "题干", "题目内容", "问题", "标题", "题目名称"),
    "kind": ("题型", "题目类型", "类型", "问题类型"),
    "options": ("选项内容", "选项", "答案选项", "备选答案", "选项列表", "答案"),
    "required": ("必填", "是否必填", "必答", "是否必答"),
    "section": ("部分", "模块", "分类", "栏目", "所属部分"),
    "hint": ("说明", "提示", "题目说明", "备注"),
    "dimension": ("维度", "指标", "测量维度"),
    "areas": ("内容领域", "领域"),
    "number": ("序号", "题号", "编号", "号"),
}
KINDS = {
    "one": ("单选", "单选题", "单项选择", "单项选择题", "选择题", "下拉", "下拉题", "下拉框", "投票", "投票单选"),
    "several": ("多选", "多选题", "多项选择", "多项选择题", "投票多选"),
    "yes": ("判断", "判断题", "是非题"),
    "scale": ("评分", "评分题", "打分", "打分题", "量表", "量表题", "满意度", "满意度题"),
    "text": (
        *("单行输入框", "多行输入框", "单行文本", "多行文本", "文本", "文本题", "填空", "填空题"),
        *("简答", "简答题", "问答", "问答题", "开放题"),
    ),
}
REFUSED_KINDS = {
    "NPS": "0到10分的推荐分不是满意度",
    "联动": "不支持多级联动",
    "级联": "不支持多级联动",
    "矩阵": "表格题在手机上不好填",
    "排序": "不支持排序题",
    "上传": "不收文件和照片",
    "定位": "不收位置",
    "签名": "不收签名",
    "日期": "不支持日期题",
    "段落": "说明文字不是题",
}
ASKS_WHO = re.compile(r"姓名|名字|电话|手机号|身份证|微信号|学号|住址|家庭地址|银行卡|邮箱")
NO_OPINION = re.compile(r"说不清|不清楚|不了解|不知道|无法评价|不想说")
SECTION = "问卷"
SATISFACTION = "sat5"
OVERALL = ("总体评价", "D4")
"""Dimension and content area of an overall item, as in the shipped questionnaires."""
MOST_BEFORE = 5
"""Rows above the header that may hold the title of the questionnaire."""

_MARK = re.compile(r"^\s*(?:[（(]?[A-Za-z][)）.．、:：]|[（(]?\d{1,2}[)）.．、:：]|[①-⑳])\s*")
_OPTION_COLUMN = re.compile(r"(选项|答案)\s*([A-Za-z]|\d{1,2}|[一二三四五六七八九十])")
_NUMBER = re.compile(r"^\s*\d{1,3}\s*[.．、)）]\s*")


@dataclass
class _List:
    """The list of questions as found: its sheet, header and rows, and what is wrong with them."""

    sheet: str
    row: int
    """Of the header, from 1."""
    places: dict[str, int]
    columns: dict[str, str]
    """Our name of a column to the office's."""
    option_places: tuple[int, ...]
    title: str
    rows: Rows
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    item_rows: dict[int, int] = field(default_factory=dict)
    option_rows: dict[int, int] = field(default_factory=dict)
    overall: bool = False

    def fault(self, problem: str, remedy: str, row: int | None = None, column: str = "") -> None:
        named = self.columns.get(column)
        self.faults.append(Fault("authoring.list", problem, remedy, sheet=self.sheet or None, row=row, column=named))

    def cell(self, row: Sequence[object], name: str) -> str:
        return cell_text(row, self.places[name]) if name in self.places else ""


def is_office_sheet(sheets: Mapping[str, Rows]) -> bool:
    """Whether some sheet is a list of questions with a column of titles and one of kinds."""
    return any(_find(name, rows) is not None for name, rows in sheets.items())


def instrument_from_office_sheet(
    sheets: Mapping[str, Rows], *, group: str = "", name: str = ""
) -> tuple[Instrument, tuple[str, ...]]:
    """The instrument of a list of questions, and notes about what was understood.

    Args:
        sheets: name to rows of cells; the first that is a list of questions is read.
        group: the respondent group, which such a list never names.
        name: of the file; a list without a title is called after it.

    Raises:
        FaultsError: every fault at once, with sheet, row and column of the office's file.
    """
    found = next(one for one in (_find(title, rows) for title, rows in sheets.items()) if one is not None)
    passed = [title for title in sheets if title != found.sheet and any(any(row) for row in sheets[title])]
    if passed:
        found.notes.append(f"只读了“{found.sheet}”这张表；没有读：{'、'.join(passed)}")
    if group not in GROUPS:
        found.fault("没有写给谁填", f"加上 --group，写{'、'.join(GROUPS)}之一")
    items, options = _items(found)
    if len(items) == 1:
        found.fault("一道题也没有", "一行写一道题", found.row + 1, "title")
    about = _about(found, group, name, len(items) - 1)
    instrument = None
    if not found.faults:
        try:
            instrument = instrument_from_sheets({ABOUT: about, ITEMS: items, OPTIONS: options})
        except FaultsError as error:
            found.faults += [_placed(fault, found) for fault in error.faults]
    if found.faults or instrument is None:
        raise FaultsError("问卷题目表", tuple(found.faults))
    return instrument, tuple(found.notes)


def _find(sheet: str, rows: Rows) -> _List | None:
    for number, row in enumerate(rows[: MOST_BEFORE + 1], start=1):
        names = [re.sub(r"[\s*＊]|（.*）|\(.*\)", "", cell_text(row, place)) for place in range(len(row))]
        places = {
            key: next(names.index(word) for word in words if word in names)
            for key, words in HEADERS.items()
            if any(word in names for word in words)
        }
        apart = tuple(at for at, name in enumerate(names) if _OPTION_COLUMN.fullmatch(name))
        if {"title", "kind"} <= places.keys() and ("options" in places or apart):
            title = next((cell_text(above, 0) for above in rows[: number - 1] if cell_text(above, 0)), "")
            columns = {key: cell_text(row, place) for key, place in places.items()}
            columns.setdefault("options", cell_text(row, apart[0]) if apart else "")
            found = _List(sheet, number, places, columns, apart, title, rows)
            known = {*places.values(), *apart}
            for place, text in enumerate(names):
                if text and place not in known:
                    found.notes.append(f"没有用“{cell_text(row, place)}”这一列")
            return found
    return None


def _about(found: _List, group: str, name: str, n_items: int) -> list[list[object]]:
    title = found.title or name or SECTION
    who, form = GROUPS.get(group, GROUPS["public"])
    values = {
        "id": f"list_{group or 'public'}",
        "version": "0.1.0",
        "status": "草稿",
        "respondent_group": who,
        "official_form": form,
        "layout": "普通",
        # About nine seconds a question, as the shipped drafts take.
        "minutes": max(1, min(10, -(-n_items * 9 // 60))),
        "title.zh": title,
        "title.en": title,
        "intro.zh": title,
        "intro.en": title,
    }
    return [[label, values[key]] for label, key in ABOUT_KEYS.items()]


def _items(found: _List) -> tuple[list[list[object]], list[list[object]]]:
    """Rows of the template's 题目 and 选项."""
    items: list[list[object]] = [list(COLUMNS)]
    options: list[list[object]] = [list(OPTION_COLUMNS)]
    section = SECTION
    for number, row in enumerate(found.rows[found.row :], start=found.row + 1):
        title = _NUMBER.sub("", found.cell(row, "title"))
        said = found.cell(row, "kind")
        labels = _labels(found, row)
        section = found.cell(row, "section") or section
        if not title and not said and not labels:
            continue
        kind = _kind(found, number, title, said)
        if not kind:
            continue
        at = len(items) - 1
        item = f"Q{chr(65 + at // 99)}{at % 99 + 1:02d}"
        scale = _scale(found, number, kind, title, labels)
        if kind == "yes" and not labels:
            labels = ["是", "否"]
        own = [] if scale or kind == "text" else labels
        _check(found, number, kind, own, bool(scale))
        found.item_rows[len(items) + 1] = number
        known = {key: found.cell(row, key) for key in ("hint", "required", "dimension", "areas")}
        items.append(_item(item, title, kind, section, scale, _role(found, number, title, scale, known), known))
        for value, label in enumerate(own, 1):
            none = bool(NO_OPINION.search(label)) and value == len(own)
            found.option_rows[len(options) + 1] = number
            options.append([item, 98 if none else value, label, label, "是" if none else "", ""])
    return items, options


def _labels(found: _List, row: Sequence[object]) -> list[str]:
    """The options of a question, from one cell or from several, without the letters before them."""
    apart = [cell_text(row, place) for place in found.option_places]
    whole = found.cell(row, "options")
    if whole:
        joint = next((sign for sign in ("\n", "；", ";", "|", "、", "，") if sign in whole), None)
        apart += whole.split(joint) if joint else re.split(r"\s+(?=[A-Z][.．、])", whole)
    return [label for label in (_MARK.sub("", one).strip() for one in apart) if label]


def _kind(found: _List, row: int, title: str, said: str) -> str:
    """Our kind of a question; empty after a fault."""
    if not title:
        found.fault("没有写题目", "填上这一格，或删掉这一行", row, "title")
        return ""
    refused = next((why for word, why in REFUSED_KINDS.items() if word in said.upper()), "")
    if refused:
        found.fault(f"“{said[:20]}”：{refused}", "改成单选、多选或填空，或删掉这一行", row, "kind")
        return ""
    kind = next((kind for kind, words in KINDS.items() if re.sub(r"[\[\]【】（）()\s]", "", said) in words), "")
    if not kind:
        problem = f"不认识题型“{said[:20]}”" if said else "没有写题型"
        found.fault(problem, "可选：单选、多选、判断题、评分、填空", row, "kind")
        return ""
    if kind == "text" and ASKS_WHO.search(title):
        found.fault("问的是填写人是谁", "删掉这一行；问卷不记名", row, "title")
        return ""
    return kind


def _scale(found: _List, row: int, kind: str, title: str, labels: Sequence[str]) -> str:
    """The option group that reads like these labels, or that a rating without labels stands for."""
    if kind == "text":
        return TEXT_SCALE
    if kind == "several":
        return ""
    if kind == "scale" and not labels:
        if "满意" not in title:
            found.fault("评分没有写每一分是什么意思", "写上选项，每行一个；问满意不满意的题可以空着", row, "options")
            return SATISFACTION
        found.notes.append(f"第{row}行的评分定为“非常满意”到“很不满意”，加“说不清，不了解”")
        return SATISFACTION
    for scale in load_scales().values():
        words = [option.zh for option in scale.options]
        if labels and words == list(labels):
            return scale.id
    return ""


def _check(found: _List, row: int, kind: str, labels: Sequence[str], shared: bool) -> None:
    if kind == "text" or shared:
        return
    if len(labels) < 2:
        found.fault("少于两个选项", "写上选项，每行一个", row, "options")
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        found.fault(f"选项“{twice[0][:20]}”写了两次", "删掉一个", row, "options")
    if any(re.match(r"其他|其它", label) and re.search(r"[_＿（(]", label) for label in labels):
        found.fault("不支持“其他，请写明”", "写成“其他”，要写明就另设一道填空", row, "options")


def _role(found: _List, row: int, title: str, scale: str, known: Mapping[str, str]) -> str:
    """What a question counts for; a rating without dimension is kept and told, but enters no figure."""
    if scale == TEXT_SCALE:
        return "文字"
    if not scale.startswith("sat"):
        return "事实"
    if "总体" in title and not found.overall:
        found.overall = True
        found.notes.append(f"第{row}行定为“总体评价”题")
        return "总体评价"
    if known["dimension"] and known["areas"]:
        return "满意度"
    found.notes.append(f"第{row}行没有写维度和内容领域，只列出来，不进满意度")
    return "事实"


def _item(
    item: str, title: str, kind: str, section: str, scale: str, role: str, known: Mapping[str, str]
) -> list[object]:
    counts = role == "满意度"
    values: dict[str, object] = dict.fromkeys(COLUMNS.values(), "")
    values |= {
        "section": section,
        "section.en": section,
        "id": item,
        "role": role,
        "text.zh": title,
        "text.en": title,
        "hint.zh": known["hint"],
        "hint.en": known["hint"],
        "scale": scale,
        "several": "是" if kind == "several" else "",
        "dimension": OVERALL[0] if role == "总体评价" else known["dimension"] if counts else "",
        "areas": OVERALL[1] if role == "总体评价" else known["areas"] if counts else "",
        "object": "学校",
        "required": "是" if known["required"].lower() in ("是", "必填", "必答", "1", "√", "yes", "y") else "",
    }
    return [values[key] for key in COLUMNS.values()]


def _placed(fault: Fault, found: _List) -> Fault:
    """A fault of the template put back beside the row of the office's list it came from."""
    names = {"题目": "title", "类型": "kind", "选项": "options", "选项组": "options", "维度": "dimension", "提示": "hint", "必答": "required"}
    rows = {ITEMS: found.item_rows, OPTIONS: found.option_rows}.get(fault.sheet or "", {})
    column = "options" if fault.sheet == OPTIONS else names.get(fault.column or "", "")
    return replace(
        fault, sheet=found.sheet or None, row=rows.get(fault.row or 0), column=found.columns.get(column)
    )
