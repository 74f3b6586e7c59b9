"""An instrument from an XLSForm, and back: the part of that standard that a paper could also ask.

Rows of the sheets survey, choices and settings enter; they are rewritten as the sheets of our
own template and read by `authoring`, so both roads pass the same checks and faults come back
with the XLSForm's own sheet, row and column. What an XLSForm can say and a survey of opinion
must not do (a preset answer, a repeat, a calculation, a position) is a fault and never dropped
in silence; what only concerns another program's screen (appearance, pictures) is a note.
Columns that begin with `survey_` are ours; other programs pass over them.

Source: XLSForm specification (xlsform.org), sheets survey, choices, settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from survey.errors import Fault, FaultsError
from survey.scheme.authoring import instrument_from_sheets
from survey.scheme.authoring_template import ABOUT, ABOUT_KEYS, COLUMNS, ITEMS, OPTION_COLUMNS, OPTIONS, Rows
from survey.scheme.instrument import Instrument
from survey.scheme.scales import load_scales
from survey.scheme.xlsform_relevant import read_relevant

SURVEY, CHOICES, SETTINGS = "survey", "choices", "settings"
TYPES = {
    "select_one": "one",
    "select one": "one",
    "select one from": "one",
    "select_multiple": "several",
    "select all that apply from": "several",
    "select_multiple from": "several",
    "text": "text",
    "string": "text",
    "begin_group": "begin",
    "begin group": "begin",
    "end_group": "end",
    "end group": "end",
    "note": "note",
}
IGNORED_TYPES = frozenset({"start", "end", "today", "deviceid", "username", "audit"})
"""What a device would add by itself; we keep nothing of the sort, and say so."""
REFUSED_COLUMNS = {
    "default": "不能预先替人选好答案",
    "calculation": "不支持计算",
    "choice_filter": "不支持按前面的回答筛选选项",
    "constraint": "不支持限制条件，选项和字数已经限制了回答",
    "bind:constraint": "不支持限制条件，选项和字数已经限制了回答",
    "repeat_count": "不支持重复的题组",
}
GROUPS = {
    "parent": ("家长", "社会卷"),
    "teacher": ("教师", "校长教师卷"),
    "principal": ("校长", "校长教师卷"),
    "student": ("学生", "学生卷"),
    "public": ("社会", "社会卷"),
}
ITEM_ID = re.compile(r"[A-Z]{2}\d{2}", re.ASCII)
CHINESE = ("", "zh", "chinese", "中文", "zh-hans", "cn")
ENGLISH = ("en", "english")
TEXT_SCALE = "text200"

_OTHER = re.compile(r"\s+or[ _](specify[ _])?other\s*$")
_LANGUAGE = re.compile(r"(?P<base>[^:]+)::?\s*(?P<name>.*?)(\s*\((?P<tag>[\w-]+)\))?\s*$")


@dataclass
class _Table:
    """A sheet by its header: each row's cells by column, with the row's number."""

    name: str
    rows: list[tuple[int, dict[str, str]]]
    columns: dict[str, str]
    """Column as read to column as written."""


@dataclass
class _Form:
    """What was read so far, and where each row of the template came from."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    item_rows: dict[int, int] = field(default_factory=dict)
    option_rows: dict[int, int] = field(default_factory=dict)

    def fault(
        self, problem: str, remedy: str, sheet: str, row: int | None = None, column: str | None = None
    ) -> None:
        self.faults.append(Fault("authoring.xlsform", problem, remedy, sheet=sheet, row=row, column=column))


def is_xlsform(sheets: Mapping[str, Rows]) -> bool:
    """Whether a workbook's sheets are those of an XLSForm."""
    return SURVEY in sheets


def instrument_from_xlsform(
    sheets: Mapping[str, Rows], *, group: str = "", name: str = ""
) -> tuple[Instrument, tuple[str, ...]]:
    """The instrument of an XLSForm, and notes about what was passed over or renamed.

    Args:
        sheets: name to rows of cells; row 1 is the first.
        group: the respondent group, where the form's settings name none.
        name: of the file; a form without title and id is called after it, as others do.

    Raises:
        FaultsError: every fault at once, with sheet, row and column of the XLSForm.
    """
    form = _Form()
    survey = _table(SURVEY, sheets.get(SURVEY, ()))
    choices = _choices(_table(CHOICES, sheets.get(CHOICES, ())), form)
    about = _about(_table(SETTINGS, sheets.get(SETTINGS, ())), survey, group, name, form)
    items, options = _items(survey, choices, form)
    try:
        instrument = instrument_from_sheets({ABOUT: about, ITEMS: items, OPTIONS: options})
    except FaultsError as error:
        form.faults += [_placed(fault, form) for fault in error.faults]
        instrument = None
    if form.faults or instrument is None:
        raise FaultsError("XLSForm问卷", tuple(form.faults))
    return instrument, tuple(form.notes)


def csv_sheets(rows: Rows) -> dict[str, Rows]:
    """The sheets of an XLSForm kept in one CSV file: a sheet's name stands alone before its rows.

    Row numbers stay those of the file, so the rows of other sheets are left blank.

    >>> csv_sheets([["survey", "", ""], ["", "type", "name"], ["", "text", "a"]])
    {'survey': [['type', 'name'], ['text', 'a']]}
    """
    sheets: dict[str, list[Sequence[object]]] = {}
    current = ""
    for row in rows:
        first = str(row[0] or "").strip() if row else ""
        if first in (SURVEY, CHOICES, SETTINGS):
            current = first
            sheets[current] = []
        elif current:
            sheets[current].append(list(row[1:]))
    return dict(sheets)


def _table(name: str, rows: Rows) -> _Table:
    header = [_cell(cell) for cell in rows[0]] if rows else []
    columns = {_column(text): text for text in header if text}
    read = []
    for number, row in enumerate(rows[1:], start=2):
        cells = {_column(text): _cell(row[at]) for at, text in enumerate(header) if text and at < len(row)}
        if any(cells.values()):
            read.append((number, cells))
    return _Table(name, read, columns)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _column(text: str) -> str:
    """A header as we know it: `label`, `label.en`, `list_name`, …

    >>> [_column(text) for text in ("label::English (en)", "label", "list name", "bind:relevant", "hint::中文")]
    ['label.en', 'label', 'list_name', 'relevant', 'hint']
    >>> _column("label::English"), _column("label:french")
    ('label.en', 'label.french')
    """
    text = text.strip()
    if text.lower() in ("bind:relevant", "bind::relevant"):
        return "relevant"
    match = _LANGUAGE.fullmatch(text)
    if match and match["base"].strip().lower() in ("label", "hint", "media", "constraint_message"):
        base = match["base"].strip().lower()
        lang = (match["tag"] or match["name"]).lower()
        return base if lang in CHINESE else f"{base}.en" if lang in ENGLISH else f"{base}.{lang}"
    return text.lower().replace("list name", "list_name")


def _said(cells: Mapping[str, str], base: str) -> tuple[str, str]:
    """Chinese and English of a text; a form in one language says it in that."""
    other = next((value for key, value in cells.items() if key.startswith(f"{base}.") and value), "")
    zh, en = cells.get(base, ""), cells.get(f"{base}.en", "")
    return zh or en or other, en or zh or other


def _choices(table: _Table, form: _Form) -> dict[str, list[tuple[int, dict[str, str]]]]:
    lists: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for row, cells in table.rows:
        name = cells.get("list_name", "")
        if not name or not cells.get("name"):
            if any(cells.get(key) for key in ("list_name", "name", "label")):
                missing = "list_name" if not name else "name"
                form.fault(f"“{missing}”是空的", "填上这一格，或删掉这一行", CHOICES, row, missing)
            continue
        lists.setdefault(name, []).append((row, cells))
    return lists


def _about(table: _Table, survey: _Table, group: str, name: str, form: _Form) -> list[list[object]]:
    given = table.rows[0][1] if table.rows else {}
    row = table.rows[0][0] if table.rows else None
    title = given.get("form_title") or given.get("form_id") or given.get("id_string") or name
    if not title:
        form.fault("没有写问卷的标题", "在settings表的form_title里写上", SETTINGS, row, "form_title")
    elif not given.get("form_title"):
        form.notes.append(f"没有写form_title，问卷标题定为“{title[:40]}”")
    audience = given.get("survey_group") or group
    if audience not in GROUPS:
        form.fault(
            f"没有写给谁填，或“{audience[:20]}”不认识",
            f"加一列survey_group，写{'、'.join(GROUPS)}之一（命令行也可以用--group）",
            SETTINGS,
            row,
            "survey_group",
        )
    words = GROUPS.get(audience, GROUPS["public"])
    intro = next((_said(cells, "label") for _, cells in survey.rows if _is_intro(cells)), (title, title))
    identity = re.sub(r"[^a-z0-9_]+", "_", (given.get("form_id") or given.get("id_string") or name or "form").lower())
    n_items = sum(_type(cells.get("type", ""))[0] in ("one", "several", "text") for _, cells in survey.rows)
    values = {
        "id": identity if identity[:1].isalpha() else f"form_{identity}",
        "version": _version(given.get("version", "")),
        "status": given.get("survey_status") or "草稿",
        "respondent_group": words[0],
        "official_form": given.get("survey_official_form") or words[1],
        "layout": given.get("survey_layout") or "普通",
        # About nine seconds a question, as the shipped drafts take.
        "minutes": given.get("survey_minutes") or max(1, min(10, -(-n_items * 9 // 60))),
        "title.zh": title or "问卷",
        "title.en": given.get("survey_title_en") or title or "问卷",
        "intro.zh": intro[0] or "问卷",
        "intro.en": intro[1] or "问卷",
    }
    return [[label, values[key]] for label, key in ABOUT_KEYS.items()]


def _version(text: str) -> str:
    """A version of three numbers; XLSForms often carry a date, such as 2026112401.

    >>> _version("1.2.0"), _version("2026112401"), _version("")
    ('1.2.0', '2026112401.0.0', '0.1.0')
    """
    numbers = re.findall(r"\d+", text)[:3]
    return ".".join([*numbers, "0", "0"][:3]) if numbers else "0.1.0"


def _is_intro(cells: Mapping[str, str]) -> bool:
    return _type(cells.get("type", ""))[0] == "note" and cells.get("name") == "intro"


def _type(text: str) -> tuple[str, str]:
    """Our kind of an XLSForm type, and the name of its list.

    >>> _type("select_one yes_no"), _type("select all that apply from list"), _type("geopoint")
    (('one', 'yes_no'), ('several', 'list'), ('', ''))
    """
    words = " ".join(text.split())
    for name, kind in TYPES.items():
        if words == name or words.startswith(f"{name} "):
            rest = words[len(name) :].strip()
            if kind in ("one", "several"):
                return kind, rest.removeprefix("from ").strip()
            if not rest:
                return kind, ""
    return "", ""


def _items(
    survey: _Table, choices: Mapping[str, list[tuple[int, dict[str, str]]]], form: _Form
) -> tuple[list[list[object]], list[list[object]]]:
    """Rows of the template's 题目 and 选项."""
    items: list[list[object]] = [list(COLUMNS)]
    options: list[list[object]] = [list(OPTION_COLUMNS)]
    if not survey.rows:
        form.fault("survey表是空的", "一行写一道题", SURVEY)
    ids = _ids(survey, form)
    names = {cells.get("name", ""): ids[row] for row, cells in survey.rows if row in ids}
    section, depth = ("问卷", "Questions"), 0
    for row, cells in survey.rows:
        kind, listed = _type(_OTHER.sub("", cells.get("type", "")))
        if _OTHER.search(cells.get("type", "")):
            form.fault("不支持“其他，请写明”", "加一个“其他”选项，另设一道文字题", SURVEY, row, "type")
        if kind == "begin":
            depth += 1
            section = _said(cells, "label")
            section = section if section[0] else (cells.get("name") or "问卷", cells.get("name") or "Questions")
            if depth > 1:
                form.fault("题组里又有题组", "只用一层题组", SURVEY, row, "type")
            if cells.get("relevant"):
                form.fault("显示条件写在题组上", "把条件写在组里的每道题上", SURVEY, row, "relevant")
        elif kind == "end":
            section, depth = ("问卷", "Questions"), max(depth - 1, 0)
        elif kind == "note" or cells.get("type", "").strip() in IGNORED_TYPES:
            if not _is_intro(cells):
                form.notes.append(f"survey表第{row}行“{cells['type']}”没有用：它不是一道题")
        elif not cells.get("type") and not cells.get("name"):
            form.notes.append(f"survey表第{row}行没有类型也没有名字，当作注释")
        elif not kind:
            form.fault(
                f"不支持“{cells.get('type', '')[:30]}”这种题" if cells.get("type") else "没有写题的类型",
                "改成select_one、select_multiple或text",
                SURVEY,
                row,
                "type",
            )
        else:
            _refuse_columns(survey, row, cells, form)
            form.item_rows[len(items) + 1] = row
            items.append(_item(kind, listed, row, cells, section, ids[row], names, choices, form))
            if listed and listed not in load_scales():
                options += _option_rows(ids[row], choices.get(listed, ()), len(options), form)
    return items, options


def _ids(survey: _Table, form: _Form) -> dict[int, str]:
    """Row to item id: the form's own names where they are ids of ours, else numbers in order."""
    asked = [
        (row, cells.get("name", ""))
        for row, cells in survey.rows
        if _type(_OTHER.sub("", cells.get("type", "")))[0] in ("one", "several", "text")
    ]
    if not any(ITEM_ID.fullmatch(name) for _, name in asked):
        ids = {row: f"Q{chr(65 + at // 99)}{at % 99 + 1:02d}" for at, (row, _) in enumerate(asked)}
        form.notes += [f"“{name}”的题号定为{ids[row]}" for row, name in asked]
        return ids
    for row, name in asked:
        if not ITEM_ID.fullmatch(name):
            form.fault(f"题号“{name[:20]}”不合规", "写成两个大写字母加两位数字，如 PA01", SURVEY, row, "name")
    return dict(asked)


def _refuse_columns(survey: _Table, row: int, cells: Mapping[str, str], form: _Form) -> None:
    for name, why in REFUSED_COLUMNS.items():
        if cells.get(name):
            form.fault(why, "清空这一格", SURVEY, row, survey.columns[name])


def _item(
    kind: str,
    listed: str,
    row: int,
    cells: Mapping[str, str],
    section: tuple[str, str],
    item: str,
    names: Mapping[str, str],
    choices: Mapping[str, list[tuple[int, dict[str, str]]]],
    form: _Form,
) -> list[object]:
    (zh, en), (hint_zh, hint_en) = _said(cells, "label"), _said(cells, "hint")
    shared = listed in load_scales()
    if not zh:
        form.fault("没有写题目", "填上label", SURVEY, row, "label")
    if kind != "text" and not shared and listed not in choices:
        form.fault(f"choices表里没有“{listed[:30]}”", "加上这组选项，或改正名字", SURVEY, row, "type")
    condition = ""
    if relevant := cells.get("relevant", ""):
        read = read_relevant(relevant, names)
        condition = read or ""
        if read is None:
            form.fault(
                f"读不懂显示条件“{relevant[:40]}”",
                "写成 ${题} = '值' 或 selected(${题}, '值')，用and或or连接，只能依据问卷里的题",
                SURVEY,
                row,
                "relevant",
            )
    is_satisfaction = shared and listed.startswith("sat")
    role = "文字" if kind == "text" else "满意度" if is_satisfaction else "事实"
    values: dict[str, object] = {
        "section": section[0],
        "section.en": section[1],
        "id": item,
        "role": cells.get("survey_role") or role,
        "text.zh": zh or "（空）",
        "text.en": en or "（空）",
        "hint.zh": hint_zh,
        "hint.en": hint_en,
        "scale": listed if shared else (cells.get("survey_scale") or TEXT_SCALE) if kind == "text" else "",
        "several": "是" if kind == "several" else "",
        "dimension": cells.get("survey_dimension", ""),
        "areas": cells.get("survey_areas", ""),
        "object": cells.get("survey_object") or "学校",
        "required": "是" if _is_yes(cells.get("required", "")) else "",
        "core": "是" if _is_yes(cells.get("survey_core", "")) else "",
        "show_if": condition,
        "skip_if_known": cells.get("survey_skip_if_known", ""),
        "off": "是" if _is_yes(cells.get("survey_off", "")) else "",
    }
    return [values[key] for key in COLUMNS.values()]


def _option_rows(
    item: str, listed: Sequence[tuple[int, dict[str, str]]], before: int, form: _Form
) -> Iterator[list[object]]:
    for at, (row, cells) in enumerate(listed, 1):
        zh, en = _said(cells, "label")
        form.option_rows[before + at] = row
        none = "是" if _is_yes(cells.get("survey_none", "")) else ""
        yield [item, cells.get("name", ""), zh, en, none, cells.get("survey_key", "")]


def _is_yes(text: str) -> bool:
    return text.strip().lower() in ("yes", "true", "true()", "1", "是")


def _placed(fault: Fault, form: _Form) -> Fault:
    """A fault of the template put back beside the row of the XLSForm it came from."""
    if fault.sheet == ITEMS and fault.row in form.item_rows:
        return replace(fault, sheet=SURVEY, row=form.item_rows[fault.row], column=FROM_TEMPLATE.get(fault.column or ""))
    if fault.sheet == OPTIONS and fault.row in form.option_rows:
        return replace(fault, sheet=CHOICES, row=form.option_rows[fault.row], column=FROM_TEMPLATE.get(fault.column or ""))
    if fault.sheet == ABOUT:
        return replace(fault, sheet=SETTINGS, row=None, column=None)
    return replace(fault, sheet=SURVEY, row=None, column=None)


FROM_TEMPLATE = {
    "题号": "name",
    "题目": "label",
    "提示": "hint",
    "类型": "survey_role",
    "问的是": "survey_object",
    "维度": "survey_dimension",
    "内容领域": "survey_areas",
    "选项组": "type",
    "显示条件": "relevant",
    "必答": "required",
    "值": "name",
    "选项": "label",
}
