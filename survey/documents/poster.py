"""Posters: one respondent group a page, A3, A4 or A5, readable from across a corridor.

Poster pages enter, one for each group a school (or the county) asks; a PDF leaves. The code
leads to `/s`, where the slip's code is typed, or to a quota or open poster's own address.
There is no sentence that a photograph of the poster or of a screen proves anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any, Literal

from survey.documents.archive import file_name
from survey.documents.imprint import GROUPS, Imprint, UnknownPaperError, shared
from survey.documents.pdf import pages
from survey.documents.pieces import Piece
from survey.documents.qr import printed_link, qr_svg
from survey.scheme.paper_words import sentences

PAPERS = ("a3", "a4", "a5")
ROOMY = {"school": 14, "office": 14, "host": 18, "telephone": 13, "approval": 70}
"""Characters up to which a poster is known to fit without being measured; a test sets them all at once."""
LONGEST_LINE = 12
"""Characters of a title's first line; a longer county name gets a line of its own."""


_NUMBER = re.compile(r"^\s*\d\s+")


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


def posters(
    items: Iterable[PosterPage], imprint: Imprint, paper: str = "a4", *, at: datetime, also: tuple[Imprint, ...] = ()
) -> bytes:
    """One PDF, a page for each poster, in the order given.

    Args:
        also: the same wave in other languages; each poster gets a page in each.

    Raises:
        UnknownPaperError: not a3, a4 or a5.
        LinkTooLongError: the address needs a code too fine to print.
    """
    check_paper(paper)
    said = (imprint, *also)
    data = {
        "paper": paper,
        "said": [_shared(one) for one in said],
        "posters": [_poster(item, one) | {"said": n} for item in items for n, one in enumerate(said)],
    }
    return pages("poster", data, title=f"{imprint.county}教育满意度调查　海报", at=at)


def check_paper(paper: str) -> None:
    """Refuse a size that no poster has.

    Raises:
        UnknownPaperError: not a3, a4 or a5.
    """
    if paper not in PAPERS:
        raise UnknownPaperError(paper, PAPERS)


def poster_pieces(
    items: Iterable[PosterPage],
    imprint: Imprint,
    paper: str = "a4",
    *,
    at: datetime,
    folder: str = "",
    also: tuple[Imprint, ...] = (),
) -> Iterator[Piece]:
    """The files of posters, one for each school, a page for each of its groups."""
    ordered = sorted(items, key=lambda item: (item.school_code, item.school_name, _rank(item.group)))
    for (code, name), own in groupby(ordered, key=lambda item: (item.school_code, item.school_name)):
        path = folder + file_name(code, name or "全县", f"海报{paper.upper()}", ending=".pdf")
        yield Piece(path, partial(posters, list(own), imprint, paper, at=at, also=also), paper.upper())


def _rank(group: str) -> int:
    return list(GROUPS).index(group) if group in GROUPS else len(GROUPS)


def _poster(item: PosterPage, imprint: Imprint) -> dict[str, Any]:
    words = imprint.words
    said = words.texts["poster"]
    title = said["title"].get(item.group) or said["title"]["other"]
    filled = words.fill(title, county=imprint.county, group=words.group(item.group))
    head, _, call = filled.partition("　")
    is_short = words.lang != "zh" or len(head) <= LONGEST_LINE
    link = imprint.link(item.path)
    lines = [head, call] if is_short else [imprint.county, head.removeprefix(imprint.county), call]
    return {
        "roomy": words.lang == "zh" and is_short and is_roomy(item, imprint),
        "title": [line for line in lines if line],
        "school": item.school_name,
        "steps": [_step(step, item, imprint) for step in said["steps" if item.way == "slip" else "steps_open"]],
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
    return _NUMBER.sub("", imprint.words.fill(text, host=imprint.host, minutes=item.minutes))


def _shared(imprint: Imprint) -> dict[str, Any]:
    words = imprint.words
    said = words.texts["poster"]
    genuine = words.fill(said["genuine"], org=imprint.office, phone=imprint.telephone, host=imprint.host)
    return {
        **shared(imprint),
        "lead": said["lead"],
        "promise": sentences(said["promise"]),
        "until": words.fill(said["until"], deadline=imprint.deadline),
        "stop": "。" if words.lang == "zh" else ".",
        "space": "" if words.lang == "zh" else " ",
        "no_phone": words.fill(said["no_phone"], phone=imprint.telephone),
        "genuine": sentences(genuine),
        "not_proof": words.fill(said["not_proof"], phone=imprint.telephone),
        "must_say": imprint.own_must_say or said["not_national"],
        "approval": [f"{label}{words.colon}{value}" for label, value in imprint.approval_lines],
    }
