"""Notices that go beside the slips: to guardians before, to supervisors during.

The imprint and a few dates enter; one PDF with a page for each notice leaves, and the fixed
text for parents' groups as plain text. The words are those of the paper texts; nothing here
lets a school write its own.
"""

from __future__ import annotations

from datetime import date, datetime

from survey.documents.imprint import Imprint, day_in_words
from survey.documents.pdf import pages
from survey.scheme.texts import fill, paper


def notices(imprint: Imprint, *, grades: str, reply_by: date, at: datetime) -> bytes:
    """The guardians' notice and the supervisor's sheet, a page each.

    Args:
        grades: the grades asked, in words, such as 四至六年级.
        reply_by: until when guardians may say no.
    """
    words = paper("zh")
    data = {
        "head": f"{imprint.county}教育满意度调查",
        "guardian": {
            "title": words["guardian_notice"]["title"],
            "body": fill(
                words["guardian_notice"]["body"],
                org=imprint.office,
                grades=grades,
                date=day_in_words(reply_by),
                phone=imprint.telephone,
            ),
        },
        "supervisor": words["supervisor_sheet"],
        "office": imprint.office,
        "must_say": imprint.must_say,
        "plan_code": imprint.printed_code,
        "demonstration": imprint.demonstration,
    }
    return pages("notice", data, title=f"{imprint.county}教育满意度调查　告知和现场要求", at=at)


def parents_group_message(imprint: Imprint) -> str:
    """What a school may copy into a parents' group, word for word."""
    return fill(paper("zh")["parents_group_message"], org=imprint.office, phone=imprint.telephone)
