"""Slips to be cut apart: ten on a page, one code each, with covers that say how to hand them out.

Piles enter, one for each school and respondent group, their codes shuffled already; PDFs
leave, one for a school. A slip carries no name and no number of a person, and its place on
the page tells nothing. Why one file a school: a school gets only its own, and no county is
ever held in memory as one document. Left out on purpose: a register of who got which code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from survey.documents.imprint import GROUPS, STAGES, Imprint, group_name, stage_name
from survey.documents.pdf import pages
from survey.documents.qr import printed_link, qr_svg
from survey.scheme.texts import fill, paper

CHUNK = 1000
"""Slips set in one piece; more would cost memory out of proportion."""

WIDEST_TELEPHONE = 14
"""Signs of a telephone number that fit under the code; a longer one gets a line of its own."""

Progress = Callable[[int, int], None]


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


def slip_files(
    piles: Iterable[SlipPile],
    imprint: Imprint,
    *,
    at: datetime,
    covers: bool = True,
    progress: Progress | None = None,
) -> dict[str, bytes]:
    """PDFs of slips by file name, one for each school; a very large school gets several.

    Args:
        progress: called with (slips done, slips in all) after every file.
    """
    ordered = _ordered(piles)
    total, done = sum(len(pile.codes) for pile in ordered), 0
    files: dict[str, bytes] = {}
    for _, own in groupby(ordered, key=_school_of):
        parts = _parts(list(own))
        for number, part in enumerate(parts, 1):
            school = _school(part, imprint, covers)
            name = _file_name(part[0], number if len(parts) > 1 else None)
            title = _title(imprint, f"{part[0].school_name}　纸条")
            files[name] = pages("slip", _document([school], imprint), title=title, at=at)
            done += sum(len(pile.codes) for pile in part)
            if progress:
                progress(done, total)
    return files


def slip_links(piles: Iterable[SlipPile], imprint: Imprint) -> str:
    """The links of all slips as plain text, for people who cannot use the printed code."""
    lines = []
    for pile in _ordered(piles):
        lines.append("　".join(filter(None, [pile.school_name, _about(pile)])))
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


def _order(pile: SlipPile) -> tuple[str, str, int, int, str, str]:
    return (
        pile.school_code,
        pile.school_name,
        _rank(pile.stage, STAGES),
        _rank(pile.group, GROUPS),
        pile.domain,
        pile.class_name,
    )


def _rank(key: str, known: dict[str, str]) -> int:
    return list(known).index(key) if key in known else len(known)


def _school_of(pile: SlipPile) -> tuple[str, str]:
    return pile.school_code, pile.school_name


def _parts(piles: list[SlipPile]) -> list[list[SlipPile]]:
    """Piles of one school divided so that no part holds more than CHUNK slips."""
    parts: list[list[SlipPile]] = [[]]
    room = CHUNK
    for pile in piles:
        codes: Sequence[str] = pile.codes
        while True:
            take = codes[:room] if len(codes) > CHUNK or len(codes) <= room else ()
            if take or not codes:
                parts[-1].append(_with_codes(pile, tuple(take)))
            codes, room = codes[len(take) :], room - len(take)
            if not codes:
                break
            parts.append([])
            room = CHUNK
    return [part for part in parts if part]


def _with_codes(pile: SlipPile, codes: tuple[str, ...]) -> SlipPile:
    return SlipPile(
        pile.group, codes, pile.school_name, pile.school_code, pile.stage, pile.class_name, pile.domain
    )


def _document(schools: list[dict[str, Any]], imprint: Imprint) -> dict[str, Any]:
    words = paper("zh")
    return {
        "schools": schools,
        "code_label": words["slip"]["code"],
        "how": fill(words["slip"]["how"], host=imprint.host),
        "once": fill(words["slip"]["once"], deadline=imprint.deadline),
        "promise": words["slip"]["promise"],
        "phone": fill(words["slip"]["phone"], phone=imprint.telephone),
        "phone_wide": len(imprint.telephone) > WIDEST_TELEPHONE,
        "call": fill(words["slip"]["phone"], phone="").strip(),
        "telephone": imprint.telephone,
        "must_say": imprint.must_say,
        "plan_code": imprint.printed_code,
        "demonstration": imprint.demonstration,
        "cover": {
            "head": f"{imprint.county}教育满意度调查",
            "do": list(words["class_cover"]["do"]),
            "sign": words["class_cover"]["sign"],
            "host": imprint.host,
            "office": imprint.office,
            "deadline": imprint.deadline,
        },
    }


def _school(piles: list[SlipPile], imprint: Imprint, covers: bool) -> dict[str, Any]:
    first = piles[0]
    return {
        "name": first.school_name,
        "code": first.school_code,
        "total": sum(len(pile.codes) for pile in piles),
        "covers": covers,
        "piles": [_pile(pile, imprint) for pile in piles],
    }


def _pile(pile: SlipPile, imprint: Imprint) -> dict[str, Any]:
    group = group_name(pile.group)
    words = paper("zh")
    about = _about(pile)
    return {
        "head": fill(words["slip"]["head"], county=imprint.county, group=stage_name(pile.stage) + group),
        "about": about,
        "class": pile.class_name,
        "group": group,
        "count": len(pile.codes),
        "title": fill(
            words["class_cover"]["title"], school=pile.school_name, **{"class": about}, count=len(pile.codes)
        ),
        "slips": [
            {
                "code": code_in_groups(code),
                "link": slip_link(code, imprint),
                "svg": qr_svg(imprint.link(f"/s/{code}")),
            }
            for code in pile.codes
        ],
    }


def _about(pile: SlipPile) -> str:
    return "　".join(filter(None, [stage_name(pile.stage), pile.class_name, group_name(pile.group)]))


def _title(imprint: Imprint, what: str) -> str:
    return f"{imprint.county}教育满意度调查　{what}"


def _file_name(pile: SlipPile, part: int | None) -> str:
    name = "_".join(filter(None, [pile.school_code, pile.school_name, f"纸条{part:02d}" if part else "纸条"]))
    return "".join(sign for sign in name if sign not in '\\/:*?"<>|\n\r\t') + ".pdf"
