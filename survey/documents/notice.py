"""Notices that go beside the slips: to guardians before, to supervisors during.

The imprint and a few dates enter; a PDF leaves for each notice, a page a language, and the fixed
text for parents' groups as plain text. The words are those of the paper texts; nothing here
lets a school write its own.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from survey.documents.imprint import Imprint, shared
from survey.documents.pdf import pages
from survey.scheme.paper_words import sentences


def guardian_notice(*imprints: Imprint, grades: tuple[int, int], reply_by: date, at: datetime) -> bytes:
    """The guardians' notice, a page a language that goes home with every pupil who is to be asked.

    Args:
        imprints: the same wave in each language of the notice.
        grades: the first and the last grade asked.
        reply_by: until when guardians may say no.
    """
    sheets = []
    for one in imprints:
        words = one.words
        said = words.texts["guardian_notice"]
        body = words.fill(
            said["body"],
            org=one.office,
            grades=_grades(one, *grades),
            date=words.date(reply_by),
            phone=one.telephone,
        )
        sheets.append(_sheet(one, said["title"]) | {"sentences": sentences(body)})
    return _pages(sheets, imprints[0], "给家长的告知", at)


def supervisor_sheet(*imprints: Imprint, at: datetime) -> bytes:
    """What whoever stands in the room while pupils answer does and does not do."""
    sheets = []
    for one in imprints:
        said = one.words.texts["supervisor_sheet"]
        phone = one.words.fill(said["phone"], phone=one.telephone)
        sheets.append(_sheet(one, said["title"]) | {"do": list(said["do"]), "phone": phone})
    return _pages(sheets, imprints[0], "现场要求", at)


def parents_group_message(imprint: Imprint) -> str:
    """What a school may copy into a parents' group, word for word."""
    words = imprint.words
    return words.fill(words.texts["parents_group_message"], org=imprint.office, phone=imprint.telephone)


def _grades(imprint: Imprint, first: int, last: int) -> str:
    digits = "一二三四五六七八九" if imprint.words.lang == "zh" else "123456789"
    return imprint.words.fill(imprint.words.texts["grades"], first=digits[first - 1], last=digits[last - 1])


def _sheet(imprint: Imprint, title: str) -> dict[str, Any]:
    return {**shared(imprint), "title": title, "office": imprint.office, "sentences": [], "do": [], "phone": ""}


def _pages(sheets: list[dict[str, Any]], imprint: Imprint, what: str, at: datetime) -> bytes:
    return pages("notice", {"sheets": sheets}, title=f"{imprint.county}教育满意度调查　{what}", at=at)
