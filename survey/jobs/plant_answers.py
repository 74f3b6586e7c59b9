"""Plant known answers and keep honey slips, and look afterwards what became of them.

The office that holds the list makes it while the wave is drawn, hands the announcement to the
bureau for the plan, takes the codes that were kept back once the plan is signed, and sends the
known answers through the door every phone uses. The list itself is never stored here: it is a
file of its holder, and comes back only to be compared with what was closed and opened.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from survey.cases.indicators import Flag
from survey.cases.intake_flags import Planted as PlantedFates
from survey.cases.intake_flags import alarms_before_opening
from survey.certification.receipt import ReceiptUnreadableError, parse_receipt
from survey.certification.sealing import read_leaf
from survey.certification.signed_plan import SignedPlan
from survey.certification.transparency_log import leaf_hash
from survey.fieldwork.disposition import DomainOutcome
from survey.fieldwork.invitation import slip_digest
from survey.fieldwork.planted import CANARIES, HONEY, Canary, Planted, PlantedListError, plant
from survey.jobs.plan_rules import mode_of
from survey.scheme.plan import instrument_of, scheme_of
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.keys import load_key
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, require_state
from survey.storage.print_files import erase_print_file, held_of, load_print_file
from survey.storage.samples import load_sample

Send = Callable[[Canary], Awaitable[str]]
"""Sends one known answer and returns its receipt."""


async def make_list(
    wave: str, *, canaries: int = CANARIES, honey: int = HONEY, actor: str, now: datetime
) -> Planted:
    """A new list for a drawn wave; only its digest is noted.

    Raises:
        WrongStateError: the wave is not drawn, or its plan is signed already.
    """
    await require_state(wave, "drawn")
    plan, sample = await load_plan(wave), await load_sample(wave)
    scheme = scheme_of(plan)
    instruments = {
        draw.domain: instrument
        for draw in sample.domains
        if mode_of(plan, draw.group) == "slip"
        and (instrument := instrument_of(plan, scheme, draw.group, draw.stage)) is not None
    }
    made = plant(sample, instruments, secrets.token_bytes, canaries=canaries, honey=honey)
    details = {"list_digest": made.list_digest, "canaries": canaries, "honey": honey}
    await record_audit(actor, "make_canaries", wave, details=details, now=now)
    return made


async def take_codes(settings: Settings, planted: Planted, *, actor: str, now: datetime) -> Planted:
    """The list with the codes that were kept back; they are erased here.

    Raises:
        WrongStateError: the plan is not signed, or the wave is open already.
        PrintFileGoneError: the codes were taken before.
    """
    await require_state(planted.wave, "planned")
    whole = planted.with_codes(load_print_file(settings, held_of(planted.wave)), secrets.token_bytes)
    await record_audit(actor, "take_held_codes", planted.wave, now=now)
    return whole


def erase_held(settings: Settings, wave: str) -> None:
    """Erase the kept-back codes, once the holder's own file is safe."""
    erase_print_file(settings, held_of(wave))


async def send_canaries(planted: Planted, send: Send) -> Planted:
    """The list with the receipts of the known answers that are not sent yet, one after the other."""
    sent = []
    for one in planted.canaries:
        sent.append(one if one.receipt else replace(one, receipt=await send(one)))
    return replace(planted, canaries=tuple(sent))


def planted_fates(
    planted: Planted, slip_key: bytes, states: Mapping[str, str], leaves: Sequence[bytes]
) -> PlantedFates:
    """What became of planted slips and answers, as far as it is known without opening any.

    Args:
        slip_key: the wave's.
        states: state by slip digest (hex).
        leaves: the log.
    """
    known = {leaf_hash(leaf) for leaf in leaves}
    used = Counter(
        domain
        for domain, code in planted.honey
        if code and states.get(slip_digest(slip_key, code)) in ("used", "disputed")
    )
    missing = Counter(
        one.domain
        for one in planted.canaries
        if one.receipt and parse_receipt(one.receipt).leaf_hash not in known
    )
    return PlantedFates(used, missing)


async def fates_in(settings: Settings, office: IntakeOffice, wave: str, planted: Planted) -> PlantedFates:
    """The same for the log of a wave as it stands.

    Raises:
        PlantedListError: the list is another wave's.
    """
    if planted.wave != wave:
        raise PlantedListError(f"是调查{planted.wave}的")
    states = {e: state for e, _, state in await office.slips(wave)}
    return planted_fates(planted, load_key(settings, wave, "slip"), states, await office.leaves(wave))


async def alarms_in_sight(
    office: IntakeOffice, wave: str, fates: PlantedFates | None = None
) -> list[Flag]:
    """The alarms that counts alone raise; with what became of planted slips, those of planted slips too."""
    outcomes = [
        DomainOutcome(one.domain, one.issued, one.used, one.disputed, one.voided)
        for one in await office.participation(wave)
    ]
    return alarms_before_opening(outcomes, fates or PlantedFates())


async def find_alarms(
    settings: Settings, office: IntakeOffice, wave: str, planted: Planted | None, *, actor: str, now: datetime
) -> list[Flag]:
    """Every alarm that may void a domain before opening: I1 disputes, I2 honey slips, I3 canaries.

    Raises:
        PlantedListError: the list is another wave's.
    """
    fates = PlantedFates() if planted is None else await fates_in(settings, office, wave, planted)
    alarms = await alarms_in_sight(office, wave, fates)
    counted = Counter(alarm.indicator for alarm in alarms)
    await record_audit(actor, "look_for_alarms", wave, details=dict(counted), now=now)
    return alarms


@dataclass(frozen=True)
class FoundCanaries:
    """Which opened answers are canaries, and how many of them are not as they were sent."""

    excluded: tuple[int, ...]
    """Leaf indexes to leave out, X1."""
    missing: Mapping[str, int]
    different: Mapping[str, int]
    """Domain → canaries that are gone, and canaries whose record is not as listed."""


def find_canaries(
    plan: SignedPlan,
    planted: Planted,
    leaves: Sequence[bytes],
    records: Iterable[tuple[str, Mapping[str, Any]]],
) -> FoundCanaries:
    """The canaries among opened answers: found by receipt, and only where the record is as listed.

    One whose record differs stays in: there is no rule that would leave it out, and it raises I3.

    Args:
        records: (commitment in hex, record).

    Raises:
        PlantedListError: not the list that the plan announced.
    """
    announced = plan.document["canaries"]
    if planted.wave != plan.wave or planted.list_digest != announced.get("list_digest"):
        raise PlantedListError("和计划里公布的摘要不一样")
    place = {leaf_hash(leaf): (index, read_leaf(leaf)["c"]) for index, leaf in enumerate(leaves)}
    record_of = dict(records)
    excluded: list[int] = []
    missing, different = Counter[str](), Counter[str]()
    for one in planted.canaries:
        try:
            found = place.get(parse_receipt(one.receipt).leaf_hash) if one.receipt else None
        except ReceiptUnreadableError:
            found = None
        if found is None:
            missing[one.domain] += bool(one.receipt)
            continue
        record = record_of[found[1]]
        if record["domain"] == one.domain and record["answers"] == dict(one.answers):
            excluded.append(found[0])
        else:
            different[one.domain] += 1
    return FoundCanaries(tuple(sorted(set(excluded))), +missing, +different)
