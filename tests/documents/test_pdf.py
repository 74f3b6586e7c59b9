"""What every PDF of ours is: tagged, titled, Chinese, with its fonts inside."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZipFile

import pdfua
import pypdfium2 as pdfium
import pytest

from survey.documents import pdf
from survey.documents.archive import archive
from survey.documents.notice import guardian_notice, supervisor_sheet
from survey.documents.paper_form import paper_form
from survey.documents.pieces import page_count
from survey.documents.poster import PosterPage, posters
from survey.documents.slip import SlipPile, slips
from survey.scheme.instrument import load_instrument


@pytest.fixture
def papers(imprint, at, codes) -> dict[str, bytes]:
    pile = SlipPile("parent", codes(2), "芙蓉镇中心小学", "1", "primary")
    return {
        "slips": slips([pile], imprint, at=at),
        "posters": posters([PosterPage("parent", 4)], imprint, at=at),
        "form": paper_form(load_instrument("parents"), imprint, at=at),
        "large form": paper_form(load_instrument("students_g4_6"), imprint, large=True, at=at),
        "guardian": guardian_notice(imprint, grades=(4, 6), reply_by=imprint.closes_on, at=at),
        "supervisor": supervisor_sheet(imprint, at=at),
    }


def test_a_pdf_is_tagged_titled_chinese_and_claims_pdf_ua(papers, eyes) -> None:
    for name, made in papers.items():
        found = eyes.structure(made)

        assert found.title.startswith("万安县教育满意度调查") or "问卷" in found.title, name
        assert found.language.lower() == "zh-cn", name
        assert found.is_tagged and found.claims_ua, name


def test_an_independent_checker_finds_no_fault_against_pdf_ua(papers, tmp_path) -> None:
    for name, made in papers.items():
        (tmp_path / "paper.pdf").write_bytes(made)
        findings = pdfua.validate(tmp_path / "paper.pdf").findings

        assert not findings, (name, [(one.rule_id, one.message) for one in findings])


def test_the_pages_of_a_file_are_counted_as_a_reader_counts_them(papers) -> None:
    for name, made in papers.items():
        assert page_count(made) == len(pdfium.PdfDocument(made)), name


def test_a_name_in_uyghur_is_shaped_with_a_face_of_its_own_and_kept_inside(imprint, at, eyes) -> None:
    name = "ئۈرۈمچى شەھەرلىك باشلانغۇچ مەكتەپ"
    made = posters([PosterPage("parent", 4, school_name=name)], imprint, at=at)
    fonts = {(base.partition("+")[2].partition("-")[0], inside) for base, inside in eyes.structure(made).fonts}

    [page] = pdfium.PdfDocument(made)
    shaped = [
        one.get_font().get_base_name()
        for one in page.get_objects(textpage=page.get_textpage())
        if isinstance(one, pdfium.PdfTextObj) and any("\u0600" < sign < "\u06ff" for sign in one.extract())
    ]

    assert ("NotoSansArabic", True) in fonts
    assert shaped and all("NotoSansArabic" in font for font in shaped)


def test_only_our_two_faces_are_used_and_both_are_inside(papers, eyes) -> None:
    for name, made in papers.items():
        fonts = eyes.structure(made).fonts

        assert all(embedded for _, embedded in fonts), name
        assert {base.partition("+")[2].partition("-")[0] for base, _ in fonts} <= {
            "NotoSansSC",
            "DejaVuSansMono",
        }, name


def test_the_alternative_text_of_a_code_is_its_link(papers) -> None:
    link = "https://SURVEY.WANAN.CN/S"

    assert link.encode() in papers["posters"] or link.encode("utf-16-be") in papers["posters"]


def test_the_date_in_the_file_is_the_one_handed_in(imprint) -> None:
    one, two = (
        posters([PosterPage("parent", 4)], imprint, at=datetime(2026, 11, day, tzinfo=UTC))
        for day in (24, 25)
    )

    assert b"20261124" in one
    assert one != two


def test_a_fault_of_the_template_is_told_and_not_thrown_raw(at) -> None:
    with pytest.raises(pdf.PaperError) as refusal:
        pdf.pages("poster", {"paper": "a4"}, title="x", at=at)

    assert "poster" in str(refusal.value)


def test_an_archive_is_sorted_dated_and_the_same_every_time(at) -> None:
    files = {"乙/b.pdf": b"%PDF", "甲.txt": b"x" * 100, "a.pdf": b"%PDF"}
    packed = archive(files, at=at)
    entries = ZipFile(BytesIO(packed)).infolist()

    assert packed == archive(dict(reversed(files.items())), at=at)
    assert [entry.filename for entry in entries] == sorted(files)
    assert {entry.date_time for entry in entries} == {(2026, 11, 24, 0, 0, 0)}
    assert ZipFile(BytesIO(packed)).read("甲.txt") == b"x" * 100
