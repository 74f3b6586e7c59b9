"""Posters: one respondent group a page, A3, A4 or A5, readable from across a corridor.

Poster pages enter, one for each group a school (or the county) asks; a PDF leaves. The code
leads to `/s`, where the slip's code is typed, or to a quota or open poster's own address.
There is no sentence that a photograph of the poster or of a screen proves anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

from survey.documents.imprint import GROUPS, Imprint, UnknownPaperError, group_name
from survey.documents.pdf import pages
from survey.documents.qr import printed_link, qr_svg
from survey.documents.slip import Progress
from survey.scheme.texts import fill
from survey.scheme.texts import paper as paper_texts

PAPERS = ("a3", "a4", "a5")
LONGEST_LINE = 12
"""Characters of a title's first line; a longer county name gets a line of its own."""


@dataclass(frozen=True)
class PosterPage:
    """One poster: a group, and the way in."""

    group: str
    minutes: int
    way: Literal["slip", "quota", "open"] = "slip"
    school_name: str = ""
    school_code: str = ""
    path: str = "/s"
    """`/s`, `/o/{wave}/{domain}` or `/o/{wave}`."""


def posters(items: Iterable[PosterPage], imprint: Imprint, paper: str = "a4", *, at: datetime) -> bytes:
    """One PDF, a page for each poster, in the order given.

    Raises:
        UnknownPaperError: not a3, a4 or a5.
        LinkTooLongError: the address needs a code too fine to print.
    """
    if paper not in PAPERS:
        raise UnknownPaperError(paper, PAPERS)
    data = {"paper": paper, "posters": [_poster(item, imprint) for item in items], **_shared(imprint)}
    return pages("poster", data, title=f"{imprint.county}教育满意度调查　海报", at=at)


def poster_files(
    items: Iterable[PosterPage],
    imprint: Imprint,
    paper: str = "a4",
    *,
    at: datetime,
    progress: Progress | None = None,
) -> dict[str, bytes]:
    """PDFs of posters by file name, one for each school, a page for each of its groups.

    Args:
        progress: called with (posters done, posters in all) after every file.
    """
    ordered = sorted(items, key=lambda item: (item.school_code, item.school_name, _rank(item.group)))
    files: dict[str, bytes] = {}
    done = 0
    for (code, name), own in groupby(ordered, key=lambda item: (item.school_code, item.school_name)):
        mine: Sequence[PosterPage] = list(own)
        files[_file_name(code, name, paper)] = posters(mine, imprint, paper, at=at)
        done += len(mine)
        if progress:
            progress(done, len(ordered))
    return files


def _rank(group: str) -> int:
    return list(GROUPS).index(group) if group in GROUPS else len(GROUPS)


def _file_name(code: str, name: str, paper: str) -> str:
    text = "_".join(filter(None, [code, name or "全县", f"海报{paper.upper()}"]))
    return "".join(sign for sign in text if sign not in '\\/:*?"<>|\n\r\t') + ".pdf"


def _poster(item: PosterPage, imprint: Imprint) -> dict[str, Any]:
    words = paper_texts("zh")["poster"]
    title = words["title"].get(item.group) or f"{{county}}教育满意度调查　请{group_name(item.group)}填写"
    head, _, call = fill(title, county=imprint.county).partition("　")
    link = imprint.link(item.path)
    return {
        "title": [head, call]
        if len(head) <= LONGEST_LINE
        else [imprint.county, head.removeprefix(imprint.county), call],
        "school": item.school_name,
        "steps": [
            _step(step, item, imprint) for step in words["steps" if item.way == "slip" else "steps_open"]
        ],
        "link": printed_link(link),
        "typed": link.partition("://")[2],
        "svg": qr_svg(link),
    }


def _step(text: str, item: PosterPage, imprint: Imprint) -> str:
    """A step without its number, which the page sets apart."""
    return fill(text, host=imprint.host, minutes=item.minutes).partition("　")[2]


def _shared(imprint: Imprint) -> dict[str, Any]:
    words = paper_texts("zh")["poster"]
    approval = imprint.approval
    return {
        "county": imprint.county,
        "lead": words["lead"],
        "promise": _sentences(words["promise"]),
        "until": fill(words["until"], deadline=imprint.deadline),
        "no_phone": fill(words["no_phone"], phone=imprint.telephone),
        "genuine": _sentences(
            fill(words["genuine"], org=imprint.office, phone=imprint.telephone, host=imprint.host)
        ),
        "not_proof": fill(words["not_proof"], phone=imprint.telephone),
        "must_say": imprint.must_say or words["not_national"],
        "approval": fill(
            words["approval"], form_no=approval[0], approval_no=approval[1], valid_until=approval[2]
        )
        if approval
        else "",
        "plan_code": imprint.printed_code,
        "demonstration": imprint.demonstration,
    }


def _sentences(text: str) -> list[str]:
    """The sentences of a text, so that a line may end where a thought ends.

    >>> _sentences("不写姓名。填不填由您决定。")
    ['不写姓名。', '填不填由您决定。']
    """
    return [f"{sentence}。" for sentence in text.split("。") if sentence]
