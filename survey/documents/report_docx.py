"""The report as DOCX: the same content as the PDF, under named styles that an office may replace.

What enters is what `report.report_content` made; what leaves is the bytes of a Word file. Every
paragraph carries a named style (Title, Heading 1, Heading 2, Normal, List Bullet, Caption, Table Text,
Chart) in 宋体, 黑体, 楷体 or 仿宋, so that an office's own faces set it, or its own template, without a
number touched. No red heading, number or seal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt

from survey.documents.report import ABOUT_FACTS, ABOUT_INSTRUMENT, NO_FACTS, report_title
from survey.documents.word import (
    TABLE_TEXT,
    add_chart,
    add_points,
    add_table,
    add_text,
    saved_document,
    set_up,
    writable,
)

NUMERALS = (*"一二三四五六七八九十", *(f"十{one}" for one in "一二三四五六七八九"))


def report_docx(content: Mapping[str, Any], *, at: datetime) -> bytes:
    """The report as a Word file; the same bytes for the same content and date.

    Args:
        content: from `report_content`.
        at: aware; written as the date of the file.
    """
    content = writable(content)
    document = Document()
    set_up(document, content, report_title(content), at)
    _cover(document, content)
    sections = (
        ("", "主要结果", _main_result),
        ("selection", "怎样选人", _selection),
        ("returns", "回收情况", _returns),
        ("", "满意度与算法", _formula),
        ("tables", "分组结果", _tables),
        ("facts", "具体情况", _facts),
        ("flags", "质量标记", _flags),
        ("", "局限", _limits),
        ("items", "逐题结果", _items),
        ("instrument", "问卷", _instrument),
        ("digests", "摘要", _digests),
    )
    wanted = [(name, write) for part, name, write in sections if not part or part in content["parts"]]
    for number, (name, write) in enumerate(wanted):
        heading = document.add_heading(f"{NUMERALS[number]}、{name}", level=1)
        # The result has its page to itself. Not a paragraph that holds a break: behind a full cover
        # it would make an empty page.
        heading.paragraph_format.page_break_before = number < 2 or None
        write(document, content)
    return saved_document(document, at=at)


def _cover(document: DocxDocument, content: Mapping[str, Any]) -> None:
    title = document.add_paragraph(f"{content['county']}{content['title']}", style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_before = Mm(20)
    for words, space in (
        ("报　告", 0),
        (content["state"] + ("　演示数据" if content["demonstration"] else ""), 5),
        (content["office"], 45),
        (content["made_on"], 0),
    ):
        line = document.add_paragraph(words)
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.paragraph_format.space_before = Mm(space)
    period = f"　填答日期 {content['period']}" if content["period"] else ""
    foot = document.add_paragraph(f"调查编号 {content['wave']}{period}", style="Caption")
    foot.paragraph_format.space_before = Mm(20)
    document.add_paragraph(content["must_say"], style="Caption")
    document.add_paragraph("单位（盖章）：　　　　　　　　　　日期：", style="Caption")


def _main_result(document: DocxDocument, content: Mapping[str, Any]) -> None:
    document.add_paragraph(content["name"], style="Caption")
    figure = document.add_paragraph().add_run(content["figure"])
    figure.font.size, figure.bold = Pt(40), True
    said = [f"有效答卷{content['n_valid']}份。"]
    if content["interval"]:
        lower, upper = content["interval"]
        said.append(f"因为是抽样，真实数大约在{lower}到{upper}之间（把握95%）。")
    elif content["class"].startswith("丙"):
        said.append("自愿参加，不能代表全体，不给区间，不作达到与否的判断。")
    elif content["class"].startswith("乙"):
        said.append("有的人按名额扫码填答，不是概率样本，不给区间。")
    if content["line"]:
        said.append(f"要求：{content['line']}。结论：{content['decision']}。")
    if content["evidence"]:
        said.append(f"{content['evidence']}。")
    if content["dont_know"]:
        between = f"（{content['dont_know_interval']}）" if content["dont_know_interval"] else ""
        said.append(f"回答“说不清，不了解”的占{content['dont_know']}{between}，没有算进满意率。")
    if content["tipping"]:
        said.append(f"{content['tipping']}。")
    add_text(document, "".join(said))
    add_points(document, content["cautions"])
    if content["tables"] and content["tables"][0]["chart"]:
        add_chart(document, content["tables"][0]["chart"], content["tables"][0]["alt"])


def _selection(document: DocxDocument, content: Mapping[str, Any]) -> None:
    if content["class"]:
        add_text(document, f"证据类别：{content['class']}。")
    if content["selection"]:
        add_text(
            document,
            "学校按城乡和学段分层，每层随机抽取，抽中的学校里再随机发给人。抽样种子和名册摘要公开，任何人可以重新抽一遍。",
        )
        add_table(document, ("层", "名册上的学校", "抽中的学校"), content["selection"], (96, 30, 30))


def _returns(document: DocxDocument, content: Mapping[str, Any]) -> None:
    if content["returns"]:
        add_table(document, ("项目", "数量"), content["returns"], (111, 45))
    add_text(document, "纸条不记名，不知道谁填了、谁没填，所以只有每所学校每类人员的总数。")


def _formula(document: DocxDocument, content: Mapping[str, Any]) -> None:
    add_text(document, content["formula"])
    said = [
        f"没有四舍五入的准确值是分数{content['fraction']}，"
        if len(content["fraction"]) <= 24
        else "没有四舍五入的准确值是一个分数，分子和分母写在结果证书里，",
        "先用它同要求线比较，再截取两位小数。",
        f"标准误{content['standard_error']}，有效样本量{content['n_effective']}。",
    ]
    if content["one_sided"]:
        lower, upper = content["one_sided"]
        said.append(f"单侧95%下限{lower}，单侧95%上限{upper}。")
    if content["blank"]:
        said.append(f"算进满意率的题，问到而没有填的占{content['blank']}。")
    if content["weighting"]:
        said.append(f"加权：{content['weighting']}。")
    if content["careful"]:
        said.append(f"把“说不清，不了解”都算作不满意，是{content['careful']}。")
    add_text(document, "".join(said))
    if content["ways"]:
        document.add_heading("（一）换一种算法", level=2)
        add_text(document, "同一批答卷，按别的常用算法是下面的数。")
        add_table(document, ("算法", "怎样算", "结果", "要求线"), content["ways"], (38, 74, 24, 20))
    if content["beside"]:
        add_table(document, ("对照", "结果"), content["beside"], (126, 30))


def _tables(document: DocxDocument, content: Mapping[str, Any]) -> None:
    for number, one in enumerate(content["tables"]):
        document.add_heading(f"（{NUMERALS[number]}）按{one['name']}", level=2)
        # The first chart stands beside the result.
        if one["chart"] and number:
            add_chart(document, one["chart"], one["alt"])
        add_table(
            document,
            (one["name"], "有效份数", "满意率", "95%区间", "说不清"),
            one["rows"],
            (40, 26, 24, 44, 22),
        )
        add_points(document, one["cautions"])


def _facts(document: DocxDocument, content: Mapping[str, Any]) -> None:
    if not content["facts"]:
        add_text(document, NO_FACTS)
        return
    add_text(document, ABOUT_FACTS)
    for number, one in enumerate(content["facts"]):
        document.add_heading(f"（{NUMERALS[number]}）{one['group']}", level=2)
        rows = [
            (f"{words}\n{options}" if options else words, base, shares)
            for words, options, base, shares in one["rows"]
        ]
        add_table(document, ("题目", "有效", "占比和95%区间"), rows, (92, 20, 44))


def _instrument(document: DocxDocument, content: Mapping[str, Any]) -> None:
    add_text(document, ABOUT_INSTRUMENT)
    for number, one in enumerate(content["instruments"]):
        document.add_heading(f"（{NUMERALS[number]}）{one['name']}", level=2)
        usual = f"大多数题的选项：{one['usual']}。" if one["usual"] else ""
        document.add_paragraph(f"{one['about']}{usual}", style=TABLE_TEXT)
        for section in one["sections"]:
            title = document.add_paragraph(style=TABLE_TEXT)
            title.add_run(section["title"]).bold = True
            title.paragraph_format.keep_with_next = True
            for line in section["lines"]:
                document.add_paragraph(line, style=TABLE_TEXT)


def _flags(document: DocxDocument, content: Mapping[str, Any]) -> None:
    if not content["flags"]:
        add_text(document, "没有学校组被标记。")
    else:
        add_text(document, "标记落在学校组上，不落在任何一份答卷上；被标记不等于有错。")
        add_table(
            document,
            ("规则", "学校组", "看到的", "老实填的学校碰上的机会"),
            content["flags"],
            (16, 38, 64, 38),
        )
        if content["without_flagged"]:
            add_text(document, f"把它们算进去，满意度是{content['figure']}；去掉，是{content['without_flagged']}。")
    add_text(document, "答题模式检查发现不了一个认真的代填者，只有一次性码、声明、回访和现场抽查可以。")


def _limits(document: DocxDocument, content: Mapping[str, Any]) -> None:
    add_points(document, [*content["limits"], "这份报告不是公文，也不是国家组织的认定结论。"])


def _items(document: DocxDocument, content: Mapping[str, Any]) -> None:
    add_text(document, "写作≥95%或≤5%的，份数少，不写区间。")
    for number, one in enumerate(content["items"]):
        document.add_heading(f"（{NUMERALS[number]}）{one['group']}", level=2)
        rows = [
            (f"{words}\n{options}" if options else words, *numbers)
            for words, options, *numbers in one["rows"]
        ]
        add_table(document, ("题目", "有效", "满意率", "95%区间", "说不清"), rows, (56, 14, 22, 44, 20))


def _digests(document: DocxDocument, content: Mapping[str, Any]) -> None:
    add_text(document, "下面是这份报告所依据的文件的SHA-256摘要。有一个字改动，摘要就不同。")
    add_table(document, ("文件", "摘要"), content["digests"], (26, 130), size=8)
    code = f"计划码 {content['plan_code']}　" if content["plan_code"] else ""
    known = f"{content['certificate']}\n" if content["certificate"] else ""
    document.add_paragraph(
        f"{known}{code}核实电话 {content['telephone']}\n字体：样式里写的是宋体、黑体、楷体、仿宋，可以整套换；这台电脑没有的，由Word另选",
        style="Caption",
    )
