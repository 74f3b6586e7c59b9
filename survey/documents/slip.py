"""Slips to be cut apart: ten on a page, one code each, with covers that say how to hand them out.

Piles enter, one for each school and respondent group, their codes shuffled already; PDFs
leave, one for a school. A slip carries no name and no number of a person, and its place on
the page tells nothing. Spare slips stand on sheets of their own, under a list that is signed
when one is given out. Why one file a school: a school gets only its own, and no county is
ever held in memory as one document. Left out on purpose: a register of who got which code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from survey.documents.archive import file_name
from survey.documents.imprint import GROUPS, Imprint, shared
from survey.documents.pdf import pages
from survey.documents.pieces import Piece
from survey.documents.qr import printed_link, qr_svg
from survey.scheme.paper_words import PaperWords
from survey.scheme.plan_words import STAGE_NAMES

CHUNK = 250
"""Slips set in one piece: two pieces at a time stay well below 300 MB; one of 1 000 alone takes 260."""

WIDEST_TELEPHONE = 14
"""Signs of a telephone number that fit under the code; a longer one gets a line of its own."""


@dataclass(frozen=True)
class SlipPile:
    """The slips of one domain, or of one class of it."""

    group: str
    codes: tuple[str, ...]
    """12 signs each, without dashes, shuffled by the caller."""
    school_name: str
    school_code: str = ""
    stage: str = ""
    class_name: str = ""
    domain: str = ""
    spare: bool = False
    """Kept at the bureau; each one given out is written down."""


def slip_link(code: str, imprint: Imprint) -> str:
    """The link in a slip's code, as a scanner will read it."""
    return printed_link(imprint.link(f"/s/{code}"))


def slips(piles: Iterable[SlipPile], imprint: Imprint, *, at: datetime, covers: bool = True) -> bytes:
    """One PDF of all piles: school covers, pile covers, slips ten to a page.

    Set in one piece: for more than about a thousand slips `slip_files` needs less memory.
    """
    ordered = _ordered(piles)
    schools = [_school(list(own), imprint, covers) for _, own in groupby(ordered, key=_school_of)]
    return pages("slip", _document(schools, imprint), title=_title(imprint, "纸条"), at=at)


def slip_pieces(
    piles: Iterable[SlipPile], imprint: Imprint, *, at: datetime, folder: str = "", covers: bool = True
) -> Iterator[Piece]:
    """The files of slips, one for each school; a very large school gets several."""
    for _, own in groupby(_ordered(piles), key=_school_of):
        parts = _parts(list(own))
        for number, part in enumerate(parts, 1):
            first = part[0]
            what = "备用纸条" if first.spare else "纸条"
            name = file_name(
                first.school_code,
                first.school_name,
                f"{what}{number:02d}" if len(parts) > 1 else what,
                ending=".pdf",
            )
            yield Piece(folder + name, partial(_school_file, part, imprint, covers, at))


def _school_file(part: list[SlipPile], imprint: Imprint, covers: bool, at: datetime) -> bytes:
    title = _title(imprint, f"{part[0].school_name}　纸条")
    return pages("slip", _document([_school(part, imprint, covers)], imprint), title=title, at=at)


def slip_links(piles: Iterable[SlipPile], imprint: Imprint) -> str:
    """The links of all slips as plain text, for people who cannot use the printed code."""
    lines = []
    for pile in _ordered(piles):
        lines.append("　".join(filter(None, [pile.school_name, _about(pile, imprint.words)])))
        lines += [f"{code_in_groups(code)}  {imprint.link(f'/s/{code}')}" for code in pile.codes]
        lines.append("")
    return "\n".join(lines)


def code_in_groups(code: str) -> str:
    """A slip code as printed.

    >>> code_in_groups("7KQ4M2XH9DTR")
    '7KQ4-M2XH-9DTR'
    """
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _ordered(piles: Iterable[SlipPile]) -> list[SlipPile]:
    """School code, stage, group, class: the order in which envelopes are filled."""
    return sorted(piles, key=_order)


def _order(pile: SlipPile) -> tuple[str, str, bool, int, int, str, str]:
    return (
        pile.school_code,
        pile.school_name,
        pile.spare,
        _rank(pile.stage, STAGE_NAMES),
        _rank(pile.group, GROUPS),
        pile.domain,
        pile.class_name,
    )


def _rank(key: str, known: dict[str, str]) -> int:
    return list(known).index(key) if key in known else len(known)


def _school_of(pile: SlipPile) -> tuple[str, str, bool]:
    return pile.school_code, pile.school_name, pile.spare


def _parts(piles: list[SlipPile]) -> list[list[SlipPile]]:
    """Piles of one school divided so that no part holds more than CHUNK slips."""
    parts: list[list[SlipPile]] = [[]]
    room = CHUNK
    for pile in piles:
        codes: Sequence[str] = pile.codes
        while True:
            take = codes[:room] if len(codes) > CHUNK or len(codes) <= room else ()
            if take or not codes:
                parts[-1].append(replace(pile, codes=tuple(take)))
            codes, room = codes[len(take) :], room - len(take)
            if not codes:
                break
            parts.append([])
            room = CHUNK
    return [part for part in parts if part]


def _document(schools: list[dict[str, Any]], imprint: Imprint) -> dict[str, Any]:
    words = imprint.words
    said = words.texts["slip"]
    cover = words.texts["class_cover"]
    return {
        **shared(imprint),
        "schools": schools,
        "how": words.fill(said["how"], host=imprint.host),
        "once": words.fill(said["once"], deadline=imprint.deadline),
        "promise": said["promise"],
        "phone": words.fill(said["phone"], phone=imprint.telephone),
        # Only a Chinese line is known to be short enough to leave room for the number beside it.
        "phone_wide": words.lang != "zh" or len(imprint.telephone) > WIDEST_TELEPHONE,
        "call": words.fill(said["phone"], phone="").strip(),
        "telephone": imprint.telephone,
        "cover": {
            **cover,
            "spare": words.texts["spare_cover"],
            "address": words.fill(cover["address"], host=imprint.host, deadline=imprint.deadline),
        },
    }


def _school(piles: list[SlipPile], imprint: Imprint, covers: bool) -> dict[str, Any]:
    first, words = piles[0], imprint.words
    total = sum(len(pile.codes) for pile in piles)
    return {
        "name": first.school_name,
        "code": first.school_code,
        "total": words.fill(words.texts["class_cover"]["total"], count=total),
        "covers": covers,
        "spare": first.spare,
        "spare_title": words.fill(
            words.texts["spare_cover"]["title"], school=first.school_name, count=total
        ),
        "piles": [_pile(pile, imprint) for pile in piles],
    }


def _pile(pile: SlipPile, imprint: Imprint) -> dict[str, Any]:
    words = imprint.words
    about = _about(pile, words)
    joint = "" if words.lang == "zh" else ", "
    group = joint.join(filter(None, [words.stage(pile.stage), words.group(pile.group)]))
    title = words.texts["class_cover"]["title"]
    return {
        "head": words.fill(words.texts["slip"]["head"], county=imprint.county, group=group),
        "about": about,
        "class": pile.class_name,
        "count": len(pile.codes),
        "title": words.fill(title, school=pile.school_name, **{"class": about}, count=len(pile.codes)),
        "slips": [
            {
                "code": code_in_groups(code),
                "link": slip_link(code, imprint),
                "svg": qr_svg(imprint.link(f"/s/{code}")),
            }
            for code in pile.codes
        ],
    }


def _about(pile: SlipPile, words: PaperWords) -> str:
    said = [words.stage(pile.stage), pile.class_name, words.group(pile.group)]
    return ("　" if words.lang == "zh" else ", ").join(filter(None, said))


def _title(imprint: Imprint, what: str) -> str:
    return f"{imprint.county}教育满意度调查　{what}"
