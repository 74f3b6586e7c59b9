"""Paper in other languages: English whole, right to left mirrored, codes and links as ever, no empty boxes."""

from __future__ import annotations

import re
from dataclasses import replace

import pypdfium2 as pdfium
import pytest

from survey.documents.notice import guardian_notice, supervisor_sheet
from survey.documents.paper_form import paper_form
from survey.documents.poster import PosterPage, posters
from survey.documents.slip import SlipPile, code_in_groups, slips
from survey.documents.typeface import NoTypefaceError, check_language
from survey.scheme.catalogue import Catalogue
from survey.scheme.instrument import load_instrument
from survey.scheme.paper_words import PaperWords
from survey.scheme.presets import load_scheme

from .pseudo import pseudo_catalogue

OURS = re.compile("[\u3400-\u9fff]+")


@pytest.fixture
def english(imprint):
    """The wave in English, its own names put into Latin letters so that any Chinese is ours."""
    must = load_scheme("quality_balance_2017").document["purpose"]["must_say"]
    plain = {"county": "Wan'an", "office": "Inspection office", "must_say_in": must, "approval": None}
    return replace(imprint, words=PaperWords("en"), **plain)


@pytest.fixture
def mirrored(imprint):
    """The wave in a right-to-left language that nobody speaks."""
    return replace(imprint, words=PaperWords("ug", pseudo_catalogue()))


def codes_read(eyes, pdf: bytes) -> list[str]:
    """Every code of every page, as two decoders agree on it."""
    found = []
    for picture in eyes.pictures(pdf):
        found += (seen := eyes.codes_by_zxing(picture))
        if len(seen) == 1:
            assert eyes.code_by_opencv(picture) == seen[0]
    return found


def every_paper(imprint, at, codes):
    pile = SlipPile("parent", codes(3), "School 3", "2136000123", "primary", "3-2")
    return {
        "poster": posters([PosterPage("parent", 4, school_name="School 3")], imprint, at=at),
        "slips": slips([pile, replace(pile, spare=True)], imprint, at=at),
        "guardian": guardian_notice(imprint, grades=(4, 6), reply_by=imprint.closes_on, at=at),
        "supervisor": supervisor_sheet(imprint, at=at),
        "form": paper_form(load_instrument("parents"), imprint, at=at),
    }


def test_english_paper_says_nothing_in_chinese(english, at, codes, eyes) -> None:
    left = {
        name: found
        for name, pdf in every_paper(english, at, codes).items()
        if (found := OURS.findall("".join(eyes.text_of(pdf))))
    }

    assert left == {}


def test_what_the_scheme_wants_said_is_said_in_the_language_of_the_sheet(english, imprint, at, codes, eyes) -> None:
    said = {
        name: "Inspectionoffice" in text and "notthenationalsurvey" in text
        for name, pdf in every_paper(english, at, codes).items()
        for text in ["".join(eyes.text_of(pdf))]
    }
    untranslated = replace(imprint, words=PaperWords("ko"), must_say_in=english.must_say_in)

    assert said == dict.fromkeys(said, True)
    assert untranslated.own_must_say == imprint.must_say


def test_a_right_to_left_wave_is_whole_titled_and_set_in_subset_faces(mirrored, at, codes, eyes) -> None:
    for name, pdf in every_paper(mirrored, at, codes).items():
        found = eyes.structure(pdf)
        assert (found.language, found.is_tagged, found.claims_ua) == ("ug", True, True), name
        assert any("NotoSansArabic" in face for face, _ in found.fonts), name
        assert all(embedded for _, embedded in found.fonts), name


def test_a_right_to_left_slip_is_mirrored_and_its_code_still_leads_to_its_link(mirrored, imprint, at, codes, eyes) -> None:
    pile = SlipPile("parent", codes(1), "学校", "1", "primary")
    for one, is_left in ((imprint, False), (mirrored, True)):
        pdf = slips([pile], one, at=at, covers=False)
        [page] = pdfium.PdfDocument(pdf)
        [text] = eyes.text_of(pdf)
        search = page.get_textpage().search(code_in_groups(pile.codes[0]))
        code_left = page.get_textpage().get_charbox(search.get_next()[0])[0]

        assert (code_left > page.get_width() / 6) == is_left
        assert code_in_groups(pile.codes[0]) in text
        assert codes_read(eyes, pdf) == [f"https://SURVEY.WANAN.CN/S/{pile.codes[0]}"]


@pytest.mark.parametrize("paper", ["a3", "a4", "a5"])
def test_a_poster_in_two_languages_has_a_page_in_each_and_the_same_code(paper, imprint, mirrored, english, at, eyes) -> None:
    pdf = posters([PosterPage("parent", 4)], imprint, paper, at=at, also=(mirrored, replace(english, base_url=imprint.base_url)))

    assert len(eyes.sizes(pdf)) == 3
    assert len(set(codes_read(eyes, pdf))) == 1


def test_a_language_that_runs_downwards_is_refused_by_name_with_a_way_out() -> None:
    with pytest.raises(NoTypefaceError) as refused:
        check_language(PaperWords("mn-Mong", pseudo_catalogue("mn-Mong")))

    assert "蒙古文" in refused.value.thing
    assert "竖写" in refused.value.reason and "手机上照常可以选这种语言" in refused.value.remedy


def test_letters_that_no_face_draws_are_named() -> None:
    with pytest.raises(NoTypefaceError) as refused:
        check_language(PaperWords("za", Catalogue("za", {"ui/date.format": ("x", "ᠠᠡ")})))

    assert "壮文" in refused.value.thing and "“ᠠ”（U+1820）" in refused.value.reason


def test_letters_of_tibetan_stand_below_one_another(imprint, at, codes, eyes) -> None:
    words = replace(imprint, words=PaperWords("bo", pseudo_catalogue("bo")))

    def ink(school: str) -> tuple[float, float]:
        pdf = slips([SlipPile("parent", codes(1), school, "1")], words, at=at, covers=False)
        [page] = pdfium.PdfDocument(pdf)
        [name] = [one for one in eyes.stretches(page) if one.extract().strip() == school]
        left, bottom, right, top = name.get_bounds()
        return right - left, top - bottom

    (wide, high), (stacked_wide, stacked_high) = ink("ས"), ink("སྒྲུ")
    assert stacked_wide < 1.3 * wide and stacked_high > 1.5 * high


@pytest.mark.parametrize("language", ["ug", "kk-Arab", "bo", "za", "ii", "ko"])
def test_every_other_language_is_printed_in_letters_of_its_own(language, imprint, at, codes, eyes) -> None:
    words = PaperWords(language, pseudo_catalogue(language))
    check_language(words)
    [code] = codes(1)
    pdf = slips([SlipPile("parent", (code,), "学校", "1", "primary")], replace(imprint, words=words), at=at, covers=False)
    faces = {face.partition("+")[2].split("-")[0] for face, embedded in eyes.structure(pdf).fonts if embedded}
    wanted = {"ug": "NotoSansArabic", "kk-Arab": "NotoSansArabic", "bo": "NotoSerifTibetan", "za": "NotoSansSC",
              "ii": "NotoSansYi", "ko": "NotoSansKR"}[language]

    assert wanted in faces
    assert codes_read(eyes, pdf) == [f"https://SURVEY.WANAN.CN/S/{code}"]


@pytest.mark.parametrize("language", ["en", "ko", "ug"])
def test_the_longest_names_stay_inside_the_cut_lines_in_other_languages_too(language, imprint, at, codes, eyes) -> None:
    office = "克孜勒苏柯尔克孜自治州阿克陶县人民政府教育督导委员会办公室"
    long = replace(
        imprint, county="克孜勒苏柯尔克孜自治州阿克陶县", office=office, telephone="0908-5701234、5705678",
        base_url="https://jydd.aketao.gov.cn", must_say_in=load_scheme("quality_balance_2017").document["purpose"]["must_say"],
        words=PaperWords(language, None if language == "en" else pseudo_catalogue(language)),
    )
    pile = SlipPile("parent", codes(10), "阿克陶县巴仁乡中心寄宿制九年一贯制学校东校区", "1", "primary", "三年级2班")
    pdf = slips([pile], long, at=at, covers=False)
    lowest = eyes.bottoms(pdf, long.printed_code[:4])

    assert len(eyes.sizes(pdf)) == 1 and len(lowest) == 10
    # Rows begin 10 mm from the top and every 56 mm; a slip is 53 mm high.
    assert all((bottom - 10) % 56 <= 52.5 for bottom in lowest), lowest


def test_a_stray_sign_is_no_reason_to_refuse_the_language() -> None:
    stray = Catalogue("za", {"ui/date.format": ("x", "{month} hauh 😀")})
    check_language(PaperWords("za", stray))
