"""The digest for leaders: two pages for a prefecture, the same words in both files, nothing lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from survey.documents.digest import Digest, DigestLine, digest_docx, digest_pdf, result_rows

from .test_report_files import words_of

LINE = DigestLine(
    county="万安县",
    wave="wanan-2026",
    title="万安县满意度调查",
    closed_on="2026-12-05",
    figure="88.43%",
    shown="0.8843",
    lower="0.8612",
    upper="0.9041",
    threshold="0.8500",
    n=1850,
    decision="达到",
    reached=True,
    crosses=False,
    change="变化在抽样误差以内",
    against="与11个分不出高低",
    ledger="待整改3，整改中2，已销号9",
    overdue=1,
    formula="满意=非常满意+比较满意；说不清不计入",
    certificate="第31号 7KQ4-M2XH-9DTR",
)


@pytest.fixture
def digest() -> Digest:
    """A prefecture of twelve counties, one of which is under its line."""
    names = ["万安县", "吉安县", "泰和县", "遂川县", "永丰县", "峡江县", "新干县", "安福县", "永新县", "吉水县", "青原区", "吉州区"]
    lines = [
        replace(LINE, county=name, shown=f"0.{8300 + 90 * at}", figure=f"{83 + 0.9 * at:.2f}%", lower=f"0.{8100 + 90 * at}", upper=f"0.{8490 + 90 * at}")
        for at, name in enumerate(names)
    ]  # fmt: skip
    lines[0] = replace(lines[0], decision="未达到（一票否决项）", reached=False)
    warnings = [
        (name, "区间碰到要求线", "满意度85.70%，要求≥85%，区间83.70%到87.60%", "下次多抽学校，区间会窄")
        for name in names[:3]
    ]
    return Digest("2026年12月20日", tuple(lines), tuple(warnings), ("口径：满意=非常满意+比较满意。",), False)


def test_a_prefecture_of_twelve_counties_fits_two_pages(digest: Digest, at: Any, eyes: Any) -> None:
    made = digest_pdf(digest, at=at)
    told = eyes.text_of(made)

    assert len(told) == 2
    assert digest_pdf(digest, at=at) == made
    assert digest.summary == "共12个县区有已签发的结果，达到要求11个，未达到要求1个。问题台账里有12条过了时限。"


def test_both_files_say_every_number_of_the_page(digest: Digest, at: Any, eyes: Any) -> None:
    word = words_of(digest_docx(digest, at=at))
    pdf = "".join(eyes.text_of(digest_pdf(digest, at=at)))
    cells = [cell for row in result_rows(digest) for cell in row[1:4]]

    assert digest_docx(digest, at=at) == digest_docx(digest, at=at)
    assert [cell for cell in cells if cell not in word] == []
    assert [cell for cell in cells if cell not in pdf] == []


def test_many_warnings_are_counted_instead_of_told(digest: Digest) -> None:
    many = replace(digest, warnings=digest.warnings * 10)

    assert len(many.told) == 12
    assert many.rest == "另有18处，见“各县”页。"
