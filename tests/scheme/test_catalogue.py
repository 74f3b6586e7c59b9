"""Translations: what is handed out comes back whole, or with every fault named."""

from __future__ import annotations

import re
from datetime import date

import pytest

from survey.errors import FaultsError
from survey.scheme.catalogue import (
    Catalogue,
    LanguageShippedError,
    ScalesIncompleteError,
    catalogue_from,
    messages,
    sign_off,
)
from survey.scheme.catalogue_file import po_bytes, read_catalogue
from survey.scheme.paper_words import PaperWords
from survey.scheme.texts import UnknownLanguageError, known_languages


def filled(po: bytes, **texts: str) -> bytes:
    """A PO file with some entries filled in, by the Chinese they translate."""
    out = po.decode()
    for zh, text in texts.items():
        out = out.replace(f'msgid "{zh}"\nmsgstr ""', f'msgid "{zh}"\nmsgstr "{text}"')
    return out.encode()


def whole(language: str) -> Catalogue:
    """Every message translated into brackets around its own Chinese."""
    return Catalogue(language, {one.key: (one.zh, f"[{one.zh}]") for one in messages()})


@pytest.mark.parametrize("language", [one.code for one in known_languages() if not one.shipped])
def test_a_catalogue_survives_the_file_in_every_language(language: str) -> None:
    came_back = read_catalogue(po_bytes(language, whole(language)))

    assert came_back.language == language
    assert came_back.texts == whole(language).texts
    assert came_back.missing == ()
    assert po_bytes(language, came_back) == po_bytes(language, whole(language))


def test_every_message_has_a_key_of_its_own_and_an_english_draft() -> None:
    keys = [one.key for one in messages()]

    assert len(keys) == len(set(keys)) > 380
    assert all(one.zh and one.en for one in messages())


def test_every_printed_text_is_handed_out_and_what_comes_back_is_printed() -> None:
    words = PaperWords("ug", whole("ug"))
    keys = {one.key for one in messages()}

    assert {"paper/slip/once", "paper/poster/steps/0", "paper/supervisor_sheet/do/1", "parents/intro"} <= keys
    assert words.texts["slip"]["code"] == "[填写码]"
    assert words.texts["poster"]["steps"][0].startswith("[1　")
    assert words.fill("{host}/s · {phone}", host="a.cn", phone="1-2") == (
        "\u2068\u2068a.cn\u2069/s\u2069 · \u20681-2\u2069"
    )


def test_fuzzy_empty_and_outdated_entries_stay_chinese() -> None:
    po = po_bytes("ug").decode()
    po = po.replace('msgid "提交"\nmsgstr ""', 'msgid "交卷"\nmsgstr "yollash"')
    po = po.replace('msgctxt "ui/q.next"', '#, fuzzy\nmsgctxt "ui/q.next"')
    catalogue = read_catalogue(filled(po.encode(), 下一步="keyinki"))

    assert catalogue.find("ui/check.submit", "提交") is None
    assert catalogue.find("ui/q.next", "下一步") is None
    assert catalogue.find("ui/code.submit", "下一步") == "keyinki"


@pytest.mark.parametrize(
    ("zh", "text", "code"),
    [
        ("学校：{school}", "mektep", "catalogue.placeholder"),
        ("学校：{school}", "mektep: {shcool}", "catalogue.placeholder"),
        ("提交", "yolla{", "catalogue.placeholder"),
        ("提交", "yol\u202ela", "catalogue.control_sign"),
        ("请输入纸条上的12位填写码", "٠١ kod", "catalogue.digits"),
        ("非常满意", "x" * 1001, "catalogue.too_long"),
    ],
)
def test_a_text_no_page_could_show_rightly_is_refused_beside_its_line(zh: str, text: str, code: str) -> None:
    with pytest.raises(FaultsError) as refused:
        read_catalogue(filled(po_bytes("ug"), **{zh: text}))
    fault = refused.value.faults[0]

    assert fault.code == code
    assert fault.row and fault.item


def test_two_options_that_read_alike_are_refused() -> None:
    with pytest.raises(FaultsError) as refused:
        read_catalogue(filled(po_bytes("ug"), 非常满意="razi", 比较满意="razi"))

    assert {fault.code for fault in refused.value.faults} == {"catalogue.options_alike"}


@pytest.mark.parametrize("data", [b"\xff\xfe", b"msgid 1", "msgid \"好\nmsgstr".encode()])
def test_what_is_no_po_file_is_refused(data: bytes) -> None:
    with pytest.raises((FaultsError, UnknownLanguageError)):
        read_catalogue(data)


def test_shipped_languages_need_no_translation() -> None:
    with pytest.raises(LanguageShippedError):
        po_bytes("en")


def test_nobody_can_stand_for_a_scale_half_in_chinese() -> None:
    partly = {one.key: (one.zh, f"[{one.zh}]") for one in messages() if one.key != "scale/sat5/98"}
    with pytest.raises(ScalesIncompleteError, match="scale/sat5/98"):
        sign_off(Catalogue("ug", partly), "古丽", date(2026, 11, 25))
    without_ui = {key: pair for key, pair in whole("ug").texts.items() if not key.startswith("ui/")}
    signed = sign_off(Catalogue("ug", without_ui), "古丽", date(2026, 11, 25))

    assert signed.signed_by == "古丽"
    assert catalogue_from(signed.document()) == signed
    assert re.fullmatch(r"[0-9a-f]{64}", signed.digest)
