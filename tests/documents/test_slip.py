"""Slip sheets: measured, read back by two decoders, and with nothing of a person on them."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime

import pypdfium2 as pdfium
import pytest

from benchmarks.papers import measured_apart
from survey.documents.imprint import Imprint
from survey.documents.pieces import make_pieces, page_count
from survey.documents.slip import CHUNK, SlipPile, _parts, slip_link, slip_links, slip_pieces, slips
from survey.documents.typeface import MissingGlyphError


@pytest.fixture
def pile(codes) -> SlipPile:
    return SlipPile("parent", codes(12), "芙蓉镇中心小学", "2136000123", "primary", domain="2136000123-P")


def test_every_printed_code_is_read_by_both_decoders_and_agrees_with_its_text(
    pile: SlipPile, imprint: Imprint, at: datetime, eyes
) -> None:
    sheets = slips([pile], imprint, at=at, covers=False)
    seen = eyes.pictures(sheets)
    found = [link for page in seen for link in eyes.codes_by_zxing(page)]
    cells = [cell(page, column, row) for page in seen[:1] for row in range(5) for column in range(2)]

    assert found == [slip_link(code, imprint) for code in pile.codes]
    assert [eyes.code_by_opencv(one) for one in cells] == found[:10]
    for page, own in zip(eyes.text_of(sheets), (pile.codes[:10], pile.codes[10:]), strict=True):
        printed = re.findall(
            r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}(?!-)", page.replace("NYAB-H667-8WWP-4ZFV-D452-KR2C-NK", "")
        )
        assert [code.replace("-", "") for code in printed] == list(own)


def cell(page, column: int, row: int):
    """The right half of one slip of a page, where its code stands."""
    dots = page.width / 210
    left, top = 8.5 + column * 98 + 60, 10 + row * 56
    return page.crop(tuple(int(value * dots) for value in (left, top, left + 35, top + 34)))


@pytest.mark.slow
def test_ten_thousand_printed_slips_are_read_back_by_both_decoders(imprint, at, codes, eyes) -> None:
    every = codes(10_000)
    missed = 0
    for start in range(0, len(every), CHUNK):
        own = every[start : start + CHUNK]
        sheets = slips([SlipPile("parent", own, "芙蓉镇中心小学", "1", "primary")], imprint, at=at, covers=False)
        links = [slip_link(code, imprint) for code in own]
        found, again = [], []
        for page in eyes.pictures(sheets):
            found += eyes.codes_by_zxing(page)
            for row, column in ((row, column) for row in range(5) for column in range(2)):
                one = cell(page, column, row)
                # As a hand does with a phone: where nothing is seen, look from another distance.
                seen = (eyes.code_by_opencv(one.resize((round(one.width * n), round(one.height * n)))) for n in NEARER)
                again.append(next(filter(None, seen), ""))

        assert found == links
        # OpenCV's detector now and then sees no code at all (one of these): seven modules in a column that look
        # like a finder beside a true one draw a corner away, at some sizes. It never reads another code.
        assert all(seen in ("", link) for seen, link in zip(again, links, strict=False))
        missed += sum(seen == "" for seen in again[: len(links)])
    print(f"10 000 slips: zxing read all; OpenCV saw no code on {missed} and misread none")
    assert missed <= 5


@pytest.mark.slow
def test_slips_of_large_schools_are_set_in_less_than_300_megabytes() -> None:
    """In a process of its own, so that the peak is its own."""
    found = measured_apart("large", 3)["large"]

    assert found["pages"] >= 3 * 3 * 80
    assert found["peak_memory_megabytes"] < 300


NEARER = (0.75, 1, 1.5, 2)


def test_a_sheet_is_a4_with_ten_slips_and_the_rest_on_the_next(
    pile: SlipPile, imprint: Imprint, at: datetime, eyes
) -> None:
    assert eyes.sizes(slips([pile], imprint, at=at, covers=False)) == [(210, 297)] * 2


def test_a_slip_says_all_it_must(pile: SlipPile, imprint: Imprint, at: datetime, eyes) -> None:
    page = eyes.text_of(slips([pile], imprint, at=at, covers=False))[0]

    for words in (
        "万安县教育满意度调查（小学家长）",
        "芙蓉镇中心小学",
        "survey.wanan.cn/s",
        "12月5日前有效。请自己填。",
        "0796-5701234",
        "NYAB-H667-8WWP-4ZFV-D452-KR2C-NK",
        "不是国家组织的认定调查",
        "演示数据",
    ):
        assert page.count(words) == 10, words


def test_a_real_wave_carries_no_demonstration_mark(
    pile: SlipPile, imprint: Imprint, at: datetime, eyes
) -> None:
    real = dataclasses.replace(imprint, demonstration=False)

    assert "演示" not in "".join(eyes.text_of(slips([pile], real, at=at)))


def test_covers_stand_before_their_slips_in_the_order_of_the_envelopes(imprint, at, codes, eyes) -> None:
    piles = [
        SlipPile("teacher", codes(2), "乙校", "2", "junior"),
        SlipPile("parent", codes(3), "乙校", "2", "junior"),
        SlipPile("student", codes(1), "甲校", "1", "primary", "五年级2班"),
    ]
    texts = eyes.text_of(slips(piles, imprint, at=at))
    firsts = [next(word for word in ("纸条共", "发放人", "填写码") if word in page) for page in texts]

    assert firsts == ["纸条共", "发放人", "填写码", "纸条共", "发放人", "填写码", "发放人", "填写码"]
    assert "甲校" in texts[0] and "五年级2班" in texts[1] and "纸条1张" in texts[1]
    assert "乙校" in texts[3] and "共5张" in texts[3]
    assert "家长" in texts[4] and "教师" in texts[6]


def test_each_school_gets_a_file_of_its_own_and_progress_is_told(imprint, at, codes, eyes) -> None:
    told: list[tuple[int, int]] = []
    piles = [SlipPile("parent", codes(3), name, code) for name, code in (("乙/校", "2"), ("甲校", "1"))]
    pieces = slip_pieces(piles, imprint, at=at, folder="纸条/")
    made = list(make_pieces(pieces, progress=lambda done, total: told.append((done, total))))

    assert [piece.name for piece, _ in made] == ["纸条/1_甲校_纸条.pdf", "纸条/2_乙校_纸条.pdf"]
    assert told == [(1, 2), (2, 2)]
    assert [page_count(pdf) for _, pdf in made] == [3, 3]


def test_spare_slips_lie_in_a_file_of_their_own_under_a_list_to_sign(imprint, at, codes, eyes) -> None:
    piles = [
        SlipPile("parent", codes(3), "甲校", "1"),
        SlipPile("parent", codes(2), "甲校", "1", spare=True),
        SlipPile("teacher", codes(1), "甲校", "1", spare=True),
    ]
    counted, spare = make_pieces(slip_pieces(piles, imprint, at=at))
    first = eyes.text_of(spare[1])[0]

    assert [one[0].name for one in (counted, spare)] == ["1_甲校_纸条.pdf", "1_甲校_备用纸条.pdf"]
    assert "备用纸条3张" in first and "经手人（两人）" in first
    assert "备用" not in "".join(eyes.text_of(counted[1]))


def test_a_very_large_school_is_set_in_parts_that_lose_no_slip() -> None:
    piles = [
        SlipPile("parent", tuple(map(str, range(2500))), "大校"),
        SlipPile("teacher", tuple(map(str, range(700))), "大校"),
        SlipPile("student", tuple(map(str, range(301))), "大校"),
    ]
    parts = _parts(piles)

    assert all(sum(len(pile.codes) for pile in part) <= CHUNK for part in parts)
    for whole in piles:
        kept = [code for part in parts for pile in part if pile.group == whole.group for code in pile.codes]
        assert tuple(kept) == whole.codes


def test_the_same_slips_give_the_same_bytes(pile: SlipPile, imprint: Imprint, at: datetime, eyes) -> None:
    assert slips([pile], imprint, at=at) == slips([pile], imprint, at=at)


def test_a_name_without_a_glyph_is_refused_by_the_character(imprint, at, codes, eyes) -> None:
    with pytest.raises(MissingGlyphError) as refusal:
        slips([SlipPile("parent", codes(1), "😀小学")], imprint, at=at)

    assert "😀" in str(refusal.value) and "U+1F600" in str(refusal.value)


def test_what_a_person_typed_is_never_read_as_markup(imprint, at, codes, eyes) -> None:
    typed = '#import "/etc/passwd" *甲* $x$ @y'
    page = eyes.text_of(slips([SlipPile("parent", codes(1), typed)], imprint, at=at, covers=False))[0]

    assert typed.replace(" ", "") in page


def test_a_rare_character_of_a_place_name_is_printed(imprint, at, codes, eyes) -> None:
    page = eyes.text_of(slips([SlipPile("parent", codes(1), "龘㐀镇小学")], imprint, at=at, covers=False))[0]

    assert "龘㐀镇小学" in page


def test_the_list_of_links_is_plain_text(pile: SlipPile, imprint: Imprint, eyes) -> None:
    lines = slip_links([pile], imprint).splitlines()

    assert lines[0] == "芙蓉镇中心小学　小学　家长"
    assert lines[1].endswith(f"https://survey.wanan.cn/s/{pile.codes[0]}")
    assert len(lines) == 13


def test_no_text_of_a_slip_is_smaller_than_promised(pile: SlipPile, imprint: Imprint, at, eyes) -> None:
    [page] = pdfium.PdfDocument(slips([dataclasses.replace(pile, codes=pile.codes[:1])], imprint, at=at, covers=False))
    set_in = [(eyes.size_of_type(one), one) for one in eyes.stretches(page)]
    small = "".join(one.extract() for size, one in set_in if size < 9)

    # UX section 10: the slip's code in 18 pt, every text in 9, the plan's code in 7.
    assert "".join(small.split()) == f"计划码{imprint.printed_code}"
    assert (min(size for size, _ in set_in), max(size for size, _ in set_in)) == (7, 18)


@pytest.mark.parametrize("telephone", ["0908-57012345", "0908-5701234、5705678"])
def test_the_longest_names_stay_inside_the_cut_lines(telephone: str, imprint, at, codes, eyes) -> None:
    office = "克孜勒苏柯尔克孜自治州阿克陶县人民政府教育督导委员会办公室"
    long = dataclasses.replace(
        imprint,
        county="克孜勒苏柯尔克孜自治州阿克陶县",
        office=office,
        telephone=telephone,
        must_say=f"本调查由{office}组织，不是国家组织的认定调查。",
        base_url="https://jiaoyu.wanan.gov.c",
    )
    school = "阿克陶县巴仁乡中心寄宿制九年一贯制学校东校区"
    pile = SlipPile("student", codes(10), school, "1", "nine_year", "八年级（12）班")

    bottoms = eyes.bottoms(slips([pile], long, at=at, covers=False), "计划码")

    # Slips begin 10 mm from the top of the page and every 56 mm; they are 53 mm high.
    assert len(bottoms) == 10
    assert max((bottom - 10) % 56 for bottom in bottoms) < 52.5
