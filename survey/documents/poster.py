"""Posters: one respondent group a page, A3, A4 or A5, readable from across a corridor.

Poster pages enter, one for each group a school (or the county) asks; a PDF leaves. The code
leads to `/s`, where the slip's code is typed, or to a quota or open poster's own address.
There is no sentence that a photograph of the poster or of a screen proves anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any, Literal

from survey.documents.archive import file_name
from survey.documents.imprint import GROUPS, Imprint, UnknownPaperError, group_name
from survey.documents.pdf import pages
from survey.documents.pieces import Piece
from survey.documents.qr import printed_link, qr_svg
from survey.scheme.texts import fill
from survey.scheme.texts import paper as paper_texts

PAPERS = ("a3", "a4", "a5")
ROOMY = {"school": 14, "office": 14, "host": 18, "telephone": 13, "approval": 70}
"""Characters up to which a poster is known to fit without being measured; a test sets them all at once."""
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
    check_paper(paper)
    data = {"paper": paper, "posters": [_poster(item, imprint) for item in items], **_shared(imprint)}
    return pages("poster", data, title=f"{imprint.county}教育满意度调查　海报", at=at)


def check_paper(paper: str) -> None:
    """Refuse a size that no poster has.

    Raises:
        UnknownPaperError: not a3, a4 or a5.
    """
    if paper not in PAPERS:
        raise UnknownPaperError(paper, PAPERS)


def poster_pieces(
    items: Iterable[PosterPage], imprint: Imprint, paper: str = "a4", *, at: datetime, folder: str = ""
) -> Iterator[Piece]:
    """The files of posters, one for each school, a page for each of its groups."""
    ordered = sorted(items, key=lambda item: (item.school_code, item.school_name, _rank(item.group)))
    for (code, name), own in groupby(ordered, key=lambda item: (item.school_code, item.school_name)):
        path = folder + file_name(code, name or "全县", f"海报{paper.upper()}", ending=".pdf")
        yield Piece(path, partial(posters, list(own), imprint, paper, at=at), paper.upper())


def _rank(group: str) -> int:
    return list(GROUPS).index(group) if group in GROUPS else len(GROUPS)


def _poster(item: PosterPage, imprint: Imprint) -> dict[str, Any]:
    words = paper_texts("zh")["poster"]
    title = words["title"].get(item.group) or f"{{county}}教育满意度调查　请{group_name(item.group)}填写"
    head, _, call = fill(title, county=imprint.county).partition("　")
    link = imprint.link(item.path)
    return {
        "roomy": len(head) <= LONGEST_LINE and is_roomy(item, imprint),
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


def is_roomy(item: PosterPage, imprint: Imprint) -> bool:
    """Whether a poster fits its page whatever the paper: no text is longer than `ROOMY` says."""
    lengths = {
        "school": len(item.school_name),
        "office": len(imprint.office),
        "host": len(imprint.host),
        "telephone": len(imprint.telephone),
        "approval": sum(len(label) + len(value) + 2 for label, value in imprint.approval_lines),
    }
    short = all(lengths[name] <= most for name, most in ROOMY.items())
    return short and not imprint.emblem and len(imprint.must_say) <= 2 * ROOMY["office"] + 20


def _step(text: str, item: PosterPage, imprint: Imprint) -> str:
    """A step without its number, which the page sets apart."""
    return fill(text, host=imprint.host, minutes=item.minutes).partition("　")[2]


def _shared(imprint: Imprint) -> dict[str, Any]:
    words = paper_texts("zh")["poster"]
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
        "approval": "　".join(f"{label}：{value}" for label, value in imprint.approval_lines),
        "emblem": list(imprint.emblem),
        "plan_code": imprint.printed_code,
        "demonstration": imprint.demonstration,
    }


def _sentences(text: str) -> list[str]:
    """The sentences of a text, so that a line may end where a thought ends.

    >>> _sentences("不写姓名。填不填由您决定。")
    ['不写姓名。', '填不填由您决定。']
    """
    return [f"{sentence}。" for sentence in text.split("。") if sentence]
