"""The folder an inspection asks for (建档): one ZIP, numbered by section, with an index and digests.

Papers enter, each with its section, name and what it is; a ZIP leaves, with the index as PDF and
CSV and `SHA256SUMS` in the form that `sha256sum -c` reads. The same papers and date give the
same bytes. Nothing is made up here: what a wave has not got is not listed.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import IO

from survey.canonical import sha256_hex
from survey.certification.packed_papers import SUMS
from survey.documents.archive import archive_to
from survey.documents.imprint import Imprint, grouped
from survey.documents.pdf import pages
from survey.documents.pieces import page_count

SECTIONS = {
    "方案和审批": "方案、指标体系、发布前检查，两人签名",
    "通知和告知": "给监护人的告知、现场要求、家长群文字",
    "问卷": "每一种问卷的纸面和它的版本摘要",
    "名册和抽样": "学校名册、抽样设计、种子、抽中的学校和份数",
    "发放和回收": "发出、交回、作废、声明未填的份数",
    "质量提示": "提示、谁作的决定、作废的学校组",
    "计数和算法": "计数表、算法、能重新算出结果的程序",
    "结果": "报告和结果表，每个数带份数、区间和口径",
    "签名和证书": "声明、签名、证书、公开核验包和核验程序",
}
"""Sections in the order of an inspection's catalogue, with what each holds."""


@dataclass(frozen=True)
class Paper:
    """One file of the pack."""

    section: str
    """One of `SECTIONS`."""
    name: str
    content: bytes
    about: str
    """What it is, in a few words."""


@dataclass(frozen=True)
class PackFacts:
    """What stands above the index."""

    title: str
    wave: str
    figure: str
    certificate: str
    """Number and the signs that are typed to check it."""


def evidence_pack(
    target: IO[bytes], papers: Sequence[Paper], facts: PackFacts, imprint: Imprint, *, at: datetime
) -> None:
    """Write the ZIP.

    Args:
        target: open for writing bytes.
        papers: in any order; within a section they keep the order in which they come.
        at: aware; the date of every entry.
    """
    root = folder_name(imprint.county, facts.wave)
    lines = _numbered(papers)
    files = {_place(number, paper): paper.content for number, paper in lines}
    index = _index_pdf(lines, facts, imprint, at)
    files = {"00_目录.pdf": index, "00_目录.csv": _index_csv(lines), **files}
    sums = "".join(f"{sha256_hex(content)}  {name}\n" for name, content in files.items())
    files[SUMS] = sums.encode()
    archive_to(target, ((f"{root}/{name}", content) for name, content in files.items()), at=at)


def folder_name(county: str, wave: str) -> str:
    """The only folder at the top of the ZIP.

    >>> folder_name("万安县", "wanan-2026")
    '万安县_wanan-2026_建档'
    """
    return f"{county}_{wave}_建档"


def _numbered(papers: Sequence[Paper]) -> list[tuple[str, Paper]]:
    """Each paper with its number, section and place in it, such as 04-02."""
    lines = []
    for section_number, section in enumerate(SECTIONS, 1):
        of_section = [paper for paper in papers if paper.section == section]
        lines += [(f"{section_number:02d}-{n:02d}", paper) for n, paper in enumerate(of_section, 1)]
    return lines


def _place(number: str, paper: Paper) -> str:
    """Where a paper lies: what is named for people bears its number, so that folder and index agree on screen.

    What programs ask for by name keeps that name.
    """
    name = paper.name if paper.name.isascii() else f"{number}_{paper.name}"
    return f"{number[:2]}_{paper.section}/{name}"


def _pages_of(paper: Paper) -> str:
    """How many sheets a printed paper has; empty for what is not set in pages."""
    return str(page_count(paper.content)) if paper.name.endswith(".pdf") else ""


def _index_csv(lines: Sequence[tuple[str, Paper]]) -> bytes:
    text = StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(["编号", "类别", "文件", "内容", "页数", "字节", "SHA-256"])
    for number, paper in lines:
        sheet.writerow([number, paper.section, _place(number, paper), paper.about, _pages_of(paper), len(paper.content), sha256_hex(paper.content)])
    return text.getvalue().encode("utf-8-sig")


def _index_pdf(
    lines: Sequence[tuple[str, Paper]], facts: PackFacts, imprint: Imprint, at: datetime
) -> bytes:
    data = {
        "county": imprint.county,
        "title": facts.title.removeprefix(imprint.county),
        "wave": facts.wave,
        "office": imprint.office,
        "figure": facts.figure,
        "certificate": facts.certificate,
        "plan_code": imprint.printed_code,
        "must_say": imprint.must_say,
        "demonstration": imprint.demonstration,
        "n_files": len(lines),
        "sections": [
            {
                "name": f"{number:02d}　{section}",
                "about": about,
                "papers": [
                    [place, paper.name, paper.about, _pages_of(paper), grouped(sha256_hex(paper.content))]
                    for place, paper in lines
                    if paper.section == section
                ],
            }
            for number, (section, about) in enumerate(SECTIONS.items(), 1)
        ],
    }
    return pages("evidence_index", data, title=f"{imprint.county}{data['title']}　建档目录", at=at)
