"""The digest for leaders, on one page or two: counties side by side, what needs a look, what is mended.

Enters: a `Digest`, every number as text already. Leaves: a PDF or a Word file of the same words.
It follows the report's plainness: no red heading, no number, no seal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey.documents.charts import IntervalRow, interval_chart
from survey.documents.pdf import pages
from survey.exact import percent_text

TITLE = "教育满意度督查专报"
MOST_WARNINGS = 12
"""So many are told one by one; the rest are counted, so that two pages are enough for a prefecture."""


@dataclass(frozen=True)
class DigestLine:
    """A county with its newest certified wave."""

    county: str
    wave: str
    title: str
    closed_on: str
    figure: str
    shown: str
    lower: str | None
    upper: str | None
    threshold: str | None
    n: int
    decision: str
    reached: bool | None
    crosses: bool
    change: str
    against: str
    ledger: str
    overdue: int
    formula: str
    certificate: str

    @property
    def interval(self) -> str:
        """Both ends, or a dash."""
        return f"{percent_text(self.lower)}–{percent_text(self.upper)}" if self.lower and self.upper else "—"


@dataclass(frozen=True)
class Digest:
    """Everything the digest says."""

    made_on: str
    lines: tuple[DigestLine, ...]
    warnings: tuple[tuple[str, str, str, str], ...]
    """County, kind, what was seen, what to do; the gravest first."""
    notes: tuple[str, ...]
    demonstration: bool

    @property
    def summary(self) -> str:
        """How many counties stand where, in a sentence."""
        with_line = [line for line in self.lines if line.reached is not None]
        parts = [
            f"{verb}{count}个"
            for verb, count in (
                ("达到要求", sum(line.reached is True for line in with_line)),
                ("未达到要求", sum(line.reached is False for line in with_line)),
                ("没有要求线或不判断", len(self.lines) - len(with_line)),
            )
            if count
        ]
        crossing = sum(line.crosses for line in self.lines)
        said = f"共{len(self.lines)}个县区有已签发的结果，{'，'.join(parts)}。"
        more = f"其中{crossing}个的区间跨过要求线，不能说稳稳达到或没有达到。" if crossing else ""
        late = sum(line.overdue for line in self.lines)
        return said + more + (f"问题台账里有{late}条过了时限。" if late else "")

    @property
    def told(self) -> tuple[tuple[str, str, str, str], ...]:
        """The warnings that are told one by one."""
        return self.warnings[:MOST_WARNINGS]

    @property
    def rest(self) -> str:
        """The others, counted."""
        more = len(self.warnings) - MOST_WARNINGS
        return f"另有{more}处，见“各县”页。" if more > 0 else ""


RESULT_HEAD = ("县区", "满意度", "95%区间", "有效", "对要求", "与上次比", "与别的县比")
FOLLOW_HEAD = ("县区", "问题台账", "过时限", "调查和截止日", "证书")


def result_rows(made: Digest) -> list[list[str]]:
    """A row a county, in the order of the codes."""
    return [
        [line.county, line.figure, line.interval, str(line.n), line.decision, line.change, line.against]
        for line in made.lines
    ]


def follow_rows(made: Digest) -> list[list[str]]:
    """Ledger and certificate of each county."""
    return [
        [line.county, line.ledger, str(line.overdue), f"{line.wave}，{line.closed_on}", line.certificate]
        for line in made.lines
    ]


def digest_pdf(made: Digest, *, at: datetime) -> bytes:
    """The digest as tagged PDF; the same bytes for the same content and date."""
    return pages("digest", _data(made), title=f"{TITLE}　{made.made_on}", at=at)


def digest_docx(made: Digest, *, at: datetime) -> bytes:
    """The same words as a Word file, under named styles."""
    # Word's library costs memory that a server which only receives needs not have.
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    from survey.documents.word import add_chart, add_points, add_table, saved_document, set_up

    document = Document()
    content = {"mark": "", "demonstration": made.demonstration, "office": ""}
    set_up(document, content, f"{TITLE}　{made.made_on}", at, first_is_cover=False, on_grid=False)
    for name in ("Normal", "Heading 1", "List Bullet"):
        document.styles[name].font.size = Pt(12)
    title = document.add_paragraph(TITLE, style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.add_paragraph(f"{made.made_on}　单位（盖章）：", style="Caption")
    document.add_paragraph(made.summary)
    if chart := _chart(made.lines):
        add_chart(document, chart, "各县满意度和区间，数字见下表")
    document.add_heading("一、各县结果", level=1)
    add_table(document, RESULT_HEAD, result_rows(made), (20, 18, 30, 14, 26, 24, 24), size=9)
    document.add_heading("二、需要关注", level=1)
    add_points(document, [f"{where}　{kind}：{seen}。{todo}。" for where, kind, seen, todo in made.told])
    document.add_paragraph(made.rest if made.warnings else "没有要提醒的。")
    document.add_heading("三、整改和证书", level=1)
    add_table(document, FOLLOW_HEAD, follow_rows(made), (18, 45, 12, 41, 40), size=8.5)
    document.add_heading("四、怎样看这些数", level=1)
    add_points(document, made.notes)
    return saved_document(document, at=at)


def _data(made: Digest) -> dict[str, Any]:
    return {
        "title": TITLE,
        "made_on": made.made_on,
        "demonstration": made.demonstration,
        "summary": made.summary,
        "chart": _chart(made.lines),
        "result_head": list(RESULT_HEAD),
        "results": result_rows(made),
        "warnings": [list(one) for one in made.told],
        "rest": made.rest,
        "follow_head": list(FOLLOW_HEAD),
        "follow": follow_rows(made),
        "notes": list(made.notes),
    }


def _chart(lines: Sequence[DigestLine]) -> str:
    """Dots with intervals on one axis; the line where all counties have the same."""
    asked = {line.threshold for line in lines}
    return interval_chart(
        [IntervalRow(line.county, line.shown, line.lower, line.upper, line.n, line.figure) for line in lines],
        asked.pop() if len(asked) == 1 else None,
        title="各县的满意度：" + "，".join(f"{line.county}{line.figure}" for line in lines),
    )
