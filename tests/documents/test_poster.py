"""Posters: one group a page, three sizes, read back by two decoders."""

from __future__ import annotations

import dataclasses

import pytest

from survey.documents import poster
from survey.documents.imprint import UnknownPaperError
from survey.documents.pieces import make_pieces
from survey.documents.poster import PosterPage, poster_pieces, posters

SIZES = {"a3": (297, 420), "a4": (210, 297), "a5": (148, 210)}
SCANNED_AT = {"a3": 60, "a4": 80, "a5": 120}
"""Dots per inch, so that a decoder meets every size at about the same number of pixels."""


@pytest.mark.parametrize("paper", SIZES)
def test_a_poster_fits_its_paper_and_both_decoders_read_its_link(paper, imprint, at, eyes) -> None:
    sheet = posters([PosterPage("parent", 4, school_name="芙蓉镇中心小学")], imprint, paper, at=at)
    [picture] = eyes.pictures(sheet, SCANNED_AT[paper] * 2)
    [text] = eyes.text_of(sheet)

    assert eyes.sizes(sheet) == [SIZES[paper]]
    assert eyes.codes_by_zxing(picture) == ["https://SURVEY.WANAN.CN/S"]
    assert eyes.code_by_opencv(picture) == "https://SURVEY.WANAN.CN/S"
    assert "survey.wanan.cn/s" in text


def test_a_poster_says_who_asks_until_when_and_whom_to_call(imprint, at, eyes) -> None:
    [text] = eyes.text_of(posters([PosterPage("teacher", 6)], imprint, at=at))

    for words in (
        "万安县教育满意度调查请老师填写",
        "用微信扫一扫",
        "输入纸条上的12位填写码",
        "大约6分钟",
        "不写姓名，学校和老师看不到您选了什么。",
        "12月5日前填写有效",
        "调查由万安县人民政府教育督导室组织。",
        "请打0796-5701234核实",
        "不是国家组织的认定调查",
        "表号：万教督调1号制表机关：万安县教育体育局批准机关：万安县统计局",
        "批准文号：万统函〔2026〕12号有效期至：2027年6月30日",
        "NYAB-H667-8WWP-4ZFV-D452-KR2C-NK",
        "演示数据",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("way", "path", "step"),
    [
        ("quota", "/o/wanan-2026/2136000123-P", "选您的身份和学校"),
        ("open", "/o/wanan-2026", "选您的身份和学校"),
    ],
)
def test_a_poster_without_slips_leads_to_its_own_address(way, path, step, imprint, at, eyes) -> None:
    sheet = posters([PosterPage("public", 4, way, path=path)], imprint, at=at)
    [picture], [text] = eyes.pictures(sheet, 160), eyes.text_of(sheet)

    assert eyes.codes_by_zxing(picture) == [f"https://SURVEY.WANAN.CN{path.upper()}"]
    assert f"survey.wanan.cn{path}" in text
    assert step in text and "填写码" not in text.replace("计划码", "")


@pytest.mark.parametrize("paper", SIZES)
@pytest.mark.parametrize("group", ["parent", "principal", "deputy", "public"])
def test_the_longest_names_still_fit_one_page(paper, group, imprint, at, eyes) -> None:
    long = dataclasses.replace(
        imprint,
        county="克孜勒苏柯尔克孜自治州阿克陶县",
        office="克孜勒苏柯尔克孜自治州阿克陶县人民政府教育督导委员会办公室",
        base_url="https://jydd.aketao.gov.cn",
    )
    page = PosterPage(group, 12, school_name="阿克陶县巴仁乡中心寄宿制九年一贯制学校东校区")

    assert len(eyes.sizes(posters([page], long, paper, at=at))) == 1


@pytest.mark.parametrize("paper", SIZES)
@pytest.mark.parametrize("group", ["parent", "deputy"])
def test_a_poster_as_full_as_a_roomy_one_may_be_would_not_be_made_smaller(
    paper, group, imprint, at, eyes, monkeypatch
) -> None:
    full = dataclasses.replace(
        imprint,
        county="克孜勒苏县",
        office="克孜勒苏县政府教育督导办公室",
        telephone="0796-57012345",
        base_url="https://jiaoyu.wanan.gov.c",
        must_say="本调查由克孜勒苏县政府教育督导办公室组织，不是国家组织的认定调查。",
    )
    page = PosterPage(group, 12, school_name="克孜勒苏县巴仁乡中心小学校区", path="/s")
    assert poster.is_roomy(page, full)
    [unmeasured] = eyes.pictures(posters([page], full, paper, at=at), 72)
    monkeypatch.setattr(poster, "is_roomy", lambda item, imprint: False)

    assert eyes.pictures(posters([page], full, paper, at=at), 72) == [unmeasured]


def test_each_school_gets_one_file_with_a_page_for_each_group(imprint, at, eyes) -> None:
    pages = [
        PosterPage(group, 4, school_name=name, school_code=code)
        for name, code in (("乙校", "2"), ("甲校", "1"))
        for group in ("teacher", "parent")
    ]
    files = {piece.name: pdf for piece, pdf in make_pieces(poster_pieces(pages, imprint, at=at))}

    assert list(files) == ["1_甲校_海报A4.pdf", "2_乙校_海报A4.pdf"]
    first, second = eyes.text_of(files["1_甲校_海报A4.pdf"])
    assert "请家长填写" in first and "请老师填写" in second


def test_no_other_paper_is_known(imprint, at) -> None:
    with pytest.raises(UnknownPaperError):
        posters([PosterPage("parent", 4)], imprint, "letter", at=at)


def test_the_same_poster_gives_the_same_bytes(imprint, at) -> None:
    pages = [PosterPage("parent", 4), PosterPage("student", 3)]

    assert posters(pages, imprint, at=at) == posters(pages, imprint, at=at)
