"""Void the slips nobody took, before closing: spare ones and those left over, counted by two.

A list enters, a line a slip or a line a domain; voided slips leave, and a line in the audit
trail with who counted and how many, never a code. Where a leftover slip is in hand its code
says which it is. Where only a number was counted, as many unused slips of the domain are taken
at random: slips are anonymous, so the number is all there is to know. That would shut out
people who still hold a slip; so it asks for a paused wave, and the wave never goes on after it.

Source: TRUST section 6 (leftovers counted by two and voided before closing).
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from survey.certification.signed_plan import SignedPlan
from survey.errors import Fault, FaultsError, SurveyError
from survey.fieldwork.code import CodeFormatError, normalise
from survey.fieldwork.invitation import slip_digest
from survey.jobs.estimate_wave import held_slips
from survey.jobs.run_fieldwork import COUNTED_LEFTOVERS
from survey.jobs.signed_papers import load_signed_plan
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.keys import load_key
from survey.storage.office import IntakeOffice
from survey.storage.plans import require_state

MOST_LINES = 20_000
LONGEST_NAME = 40


class LeftoversRefusedError(SurveyError):
    """Leftovers are counted by two, and by number only while nothing is taken in."""

    code = "wave.leftovers"
    kind = "conflict"

    def __init__(self, wave: str, reason: str, remedy: str) -> None:
        super().__init__(f"调查 {wave} 剩下的纸条", reason, remedy)


@dataclass(frozen=True)
class Leftovers:
    """What a list asks for: digests of slips in hand, and numbers of slips by domain."""

    slips: tuple[bytes, ...]
    counted: Mapping[str, int]


async def void_leftovers(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    lines: Sequence[str],
    counted_by: Sequence[str],
    *,
    actor: str,
    now: datetime,
) -> dict[str, int]:
    """Void the slips of a list; how many by domain.

    Args:
        lines: on each a code as printed, or a domain and a number: `2136000123-P,4`.
        counted_by: the two who counted.

    Raises:
        WrongStateError: the wave takes no answers yet, or is closed.
        LeftoversRefusedError: not two people, or numbers while the wave is open.
        FaultsError: every line that cannot be followed; nothing was voided.
    """
    row = await require_state(wave, ("open", "paused"))
    people = sorted({" ".join(name.split()) for name in counted_by} - {""})
    if len(people) != 2 or any(len(name) > LONGEST_NAME or not name.isprintable() for name in people):
        raise LeftoversRefusedError(wave, "没有写明是哪两个人清点的", "写上两个人的名字")
    plan = await load_signed_plan(wave)
    rows = await office.slips(wave)
    left = _read(lines, plan, load_key(settings, wave, "slip"), rows)
    if left.counted and row.state != "paused":
        raise LeftoversRefusedError(
            wave, "还在收答卷，按张数作废会误伤没来得及填的人", "先暂停；或者逐张输入填写码"
        )
    struck = [*left.slips, *_drawn(left, rows)]
    if left.counted:
        await office.note(wave, COUNTED_LEFTOVERS)
    voided = await office.void(wave, struck)
    asked = {e.hex() for e in struck}
    gone = (domain for e, domain, state in await office.slips(wave) if e in asked and state == "voided")
    by_domain = dict(sorted(Counter(gone).items()))
    details = {"counted_by": people, "voided": voided, "by_domain": by_domain}
    await record_audit(actor, "void_leftovers", wave, details=details, now=now)
    return by_domain


def _read(
    lines: Sequence[str], plan: SignedPlan, key: bytes, rows: Sequence[tuple[str, str, str]]
) -> Leftovers:
    """The list, held against the slips."""
    place = {e: (domain, state) for e, domain, state in rows}
    free = Counter(domain for _, domain, state in rows if state == "unused")
    held = held_slips(plan.document)
    slips: dict[str, int] = {}
    counted: dict[str, int] = {}
    row_of: dict[str, int] = {}
    faults: list[Fault] = []
    for number, text in _entries(lines):
        domain, n = _domain_and_number(text, plan)
        if domain:
            if domain in counted:
                faults.append(_fault(number, f"{domain}写了两次", "合成一行"))
            else:
                counted[domain], row_of[domain] = n, number
            continue
        try:
            e = slip_digest(key, normalise(text))
        except CodeFormatError as error:
            faults.append(_fault(number, error.reason, "写12位填写码，或者“域,张数”"))
            continue
        if e in slips:
            faults.append(_fault(number, f"和第{slips[e]}行是同一张", "删掉一行"))
        elif (state := place.get(e, ("", ""))[1]) != "unused":
            why = {"": "这次调查里没有这个填写码", "voided": "已经作废"}.get(state, "已经用过")
            faults.append(_fault(number, why, "删掉这一行；用过的放到一边，两人登记"))
        else:
            slips[e] = number
    named = Counter(place[e][0] for e in slips)
    for domain, n in counted.items():
        most = max(free[domain] - held.get(domain, 0) - named[domain], 0)
        if not 1 <= n <= most:
            faults.append(
                _fault(row_of[domain], f"{domain}没有用过的纸条还有{most}张", "写1以上的整数，再数一遍")
            )
    if not slips and not counted and not faults:
        faults.append(_fault(1, "一行也没有", "每行写一个填写码，或者“域,张数”"))
    if faults:
        raise FaultsError("剩下的纸条", tuple(sorted(faults, key=lambda one: one.row or 0)))
    return Leftovers(tuple(map(bytes.fromhex, slips)), counted)


def _drawn(left: Leftovers, rows: Sequence[tuple[str, str, str]]) -> Iterator[bytes]:
    """As many unused slips of each counted domain, beside those in hand."""
    named = set(left.slips)
    for domain, n in left.counted.items():
        unused = [bytes.fromhex(e) for e, of, state in rows if of == domain and state == "unused"]
        yield from secrets.SystemRandom().sample([e for e in unused if e not in named], n)


def _entries(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Number and text of every line that says something."""
    if len(lines) > MOST_LINES:
        raise FaultsError("剩下的纸条", (_fault(MOST_LINES + 1, "行太多", "分成几次"),))
    for number, line in enumerate(lines, 1):
        if text := line.strip().lstrip("\ufeff"):
            yield number, text


def _domain_and_number(text: str, plan: SignedPlan) -> tuple[str, int]:
    """`2136000123-P,4` as domain and number; empty where the line is no such thing."""
    parts = text.replace("，", ",").replace(",", " ").split()
    if len(parts) == 2 and parts[0] in plan.domains and plan.domains[parts[0]].mode == "slip":
        return parts[0], int(parts[1]) if parts[1].isdecimal() and len(parts[1]) < 6 else 0
    return "", 0


def _fault(row: int, problem: str, remedy: str) -> Fault:
    return Fault("wave.leftovers", problem, remedy, row=row)
