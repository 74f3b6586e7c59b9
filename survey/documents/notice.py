"""Notices that go beside the slips: to guardians before, to supervisors during.

The imprint and a few dates enter; a PDF of one page for each notice leaves, and the fixed
text for parents' groups as plain text. The words are those of the paper texts; nothing here
lets a school write its own.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from survey.documents.imprint import Imprint, day_in_words
from survey.documents.pdf import pages
from survey.scheme.texts import fill, paper


def guardian_notice(imprint: Imprint, *, grades: str, reply_by: date, at: datetime) -> bytes:
    """The guardians' notice, a page that goes home with every pupil who is to be asked.

    Args:
        grades: the grades asked, in words, such as 四至六年级.
        reply_by: until when guardians may say no.
    """
    words = paper("zh")["guardian_notice"]
    body = fill(
        words["body"],
        org=imprint.office,
        grades=grades,
        date=day_in_words(reply_by),
        phone=imprint.telephone,
    )
    sentences = [f"{sentence}。" for sentence in body.split("。") if sentence]
    return _sheet({"title": words["title"], "sentences": sentences, "do": []}, imprint, "给家长的告知", at)


def supervisor_sheet(imprint: Imprint, *, at: datetime) -> bytes:
    """What whoever stands in the room while pupils answer does and does not do."""
    words = paper("zh")["supervisor_sheet"]
    return _sheet({**words, "sentences": []}, imprint, "现场要求", at)


def _sheet(content: dict[str, Any], imprint: Imprint, what: str, at: datetime) -> bytes:
    data = {
        "head": f"{imprint.county}教育满意度调查",
        **content,
        "office": imprint.office,
        "emblem": list(imprint.emblem),
        "telephone": imprint.telephone,
        "must_say": imprint.must_say,
        "plan_code": imprint.printed_code,
        "demonstration": imprint.demonstration,
    }
    return pages("notice", data, title=f"{imprint.county}教育满意度调查　{what}", at=at)


def parents_group_message(imprint: Imprint) -> str:
    """What a school may copy into a parents' group, word for word."""
    return fill(paper("zh")["parents_group_message"], org=imprint.office, phone=imprint.telephone)
