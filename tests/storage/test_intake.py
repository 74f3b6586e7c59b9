from __future__ import annotations

import asyncio
import importlib.util
import os
import random
from datetime import date
from pathlib import Path

import pytest

from survey.certification.note import open_note
from survey.certification.sealing import read_leaf
from survey.certification.transparency_log import MerkleTree, parse_checkpoint
from survey.settings import Settings
from survey.storage.database import Database, open_database
from survey.storage.intake import (
    Accepted,
    AlreadyUsed,
    BusyError,
    DomainCount,
    IntakeExistsError,
    IntakeMissingError,
    KeyConflict,
    NotOpen,
    Poster,
)
from survey.storage.intake_sqlite import SqliteIntake
from survey.storage.office import IntakeOffice
from survey.storage.states import WrongStateError

spec = importlib.util.spec_from_file_location("fielding", Path(__file__).with_name("fielding.py"))
fielding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fielding)
begin, entry = fielding.begin, fielding.entry


async def test_a_slip_is_used_once_and_the_leaf_is_in_the_log(office: IntakeOffice) -> None:
    slips = await begin(office)

    first = await office.submit("wave-1", entry(slips[0]))
    second = await office.submit("wave-1", entry(slips[0]))

    assert isinstance(first, Accepted) and first.index == 0 and not first.repeated
    assert second == AlreadyUsed("used")
    assert await office.leaves("wave-1") == [first.leaf]


async def test_the_same_submission_key_is_answered_with_the_same_receipt(office: IntakeOffice) -> None:
    slips = await begin(office)
    k = os.urandom(32)
    first = await office.submit("wave-1", entry(slips[0], k))
    await office.submit("wave-1", entry(slips[1]))

    again = [await office.submit("wave-1", entry(slips[0], k)) for _ in range(3)]
    found = await office.find_receipt("wave-1", slips[0], k)

    assert {(one.index, one.leaf, one.note) for one in [*again, found]} == {(0, first.leaf, first.note)}
    assert all(one.repeated for one in again)
    assert len(await office.leaves("wave-1")) == 2


async def test_a_known_key_with_an_unused_slip_is_a_conflict(office: IntakeOffice) -> None:
    slips = await begin(office)
    k = os.urandom(32)
    await office.submit("wave-1", entry(slips[0], k))

    assert await office.submit("wave-1", entry(slips[1], k)) == KeyConflict()
    assert await office.find_receipt("wave-1", slips[1], k) == KeyConflict()
    assert (await office.intake("wave-1").find_slip(slips[1]))[1] == "unused"


async def test_five_hundred_slips_under_two_hundred_parallel_posts_each_are_used_once(
    office: IntakeOffice,
) -> None:
    slips = await begin(office, 500)
    gate = asyncio.Semaphore(200)

    async def post(e: bytes) -> object:
        async with gate:
            return await office.submit("wave-1", entry(e))

    posts = [slip for slip in slips for _ in range(8)]
    random.Random(1).shuffle(posts)
    outcomes = await asyncio.gather(*map(post, posts))

    accepted = [one for one in outcomes if isinstance(one, Accepted)]
    assert len(accepted) == 500
    assert sorted(one.index for one in accepted) == list(range(500))
    assert all(one == AlreadyUsed("used") for one in outcomes if not isinstance(one, Accepted))


async def test_one_submission_sent_twenty_times_at_once_is_one_response(office: IntakeOffice) -> None:
    slips = await begin(office)
    k = os.urandom(32)

    outcomes = await asyncio.gather(*(office.submit("wave-1", entry(slips[0], k)) for _ in range(20)))

    assert {(one.index, one.leaf, one.note) for one in outcomes} == {(0, outcomes[0].leaf, outcomes[0].note)}
    assert sum(not one.repeated for one in outcomes) == 1
    assert len(await office.leaves("wave-1")) == 1


async def test_a_quota_is_never_exceeded_and_the_rest_goes_to_its_surplus_domain(
    office: IntakeOffice,
) -> None:
    posters = [Poster("0002-P", "quota", 150, "0002-P-more"), Poster("0002-P-more", "surplus")]
    await begin(office, 0, posters=posters)

    outcomes = await asyncio.gather(
        *(office.submit("wave-1", entry(None, domain="0002-P", surplus="0002-P-more")) for _ in range(400))
    )

    counts = {count.domain: count.used for count in await office.participation("wave-1")}
    domains = [read_leaf(one.leaf)["domain"] for one in outcomes]
    assert counts == {"0002-P": 150, "0002-P-more": 250}
    assert domains.count("0002-P") == 150 and domains.count("0002-P-more") == 250


async def test_a_full_quota_without_surplus_takes_nobody_more(office: IntakeOffice) -> None:
    await begin(office, 0, posters=[Poster("0002-P", "quota", 2)])

    outcomes = [await office.submit("wave-1", entry(None, domain="0002-P")) for _ in range(3)]

    assert outcomes[2] == AlreadyUsed("full")


async def test_a_repeated_poster_submission_gets_its_receipt_again(office: IntakeOffice) -> None:
    await begin(office, 0, posters=[Poster("0002-P", "open")])
    k = os.urandom(32)

    first = await office.submit("wave-1", entry(None, k, domain="0002-P"))
    second = await office.submit("wave-1", entry(None, k, domain="0002-P"))

    assert second == Accepted(0, first.leaf, first.note, True)


async def test_an_unknown_slip_and_a_slip_of_another_domain_are_refused(office: IntakeOffice) -> None:
    slips = await begin(office)

    assert await office.submit("wave-1", entry(os.urandom(32))) == AlreadyUsed("unknown")
    assert isinstance(await office.submit("wave-1", entry(slips[0], domain="0009-T")), AlreadyUsed)
    assert await office.leaves("wave-1") == []


async def test_the_stored_state_alone_decides_who_is_taken_in(office: IntakeOffice) -> None:
    slips = await begin(office)
    k = os.urandom(32)
    await office.submit("wave-1", entry(slips[0], k))
    told = []

    await office.set_state("wave-1", "open", "paused")
    told.append(await office.submit("wave-1", entry(slips[1])))
    await office.set_state("wave-1", "paused", "open")
    told.append(await office.submit("wave-1", entry(slips[1])))
    await office.set_state("wave-1", ("open", "paused"), "closed")
    told.append(await office.submit("wave-1", entry(slips[2])))
    told.append(await office.submit("wave-1", entry(slips[0], k)))

    assert told[0] == NotOpen("paused")
    assert isinstance(told[1], Accepted) and told[1].index == 1
    assert told[2] == NotOpen("closed")
    assert isinstance(told[3], Accepted) and told[3].repeated


async def test_a_closed_wave_never_opens_again(office: IntakeOffice) -> None:
    await begin(office)
    await office.set_state("wave-1", "open", "closed")

    for new in ("open", "paused", "planned"):
        with pytest.raises(WrongStateError):
            await office.set_state("wave-1", "closed", new)

    assert await office.state("wave-1") == "closed"


async def test_a_batch_across_the_moment_of_closing_is_split_there(office: IntakeOffice) -> None:
    slips = await begin(office, 60)
    before = [asyncio.ensure_future(office.submit("wave-1", entry(e))) for e in slips[:30]]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(office.set_state("wave-1", "open", "closed"))
    await asyncio.sleep(0)
    after = [asyncio.ensure_future(office.submit("wave-1", entry(e))) for e in slips[30:]]
    await closing

    early, late = await asyncio.gather(*before), await asyncio.gather(*after)
    accepted = sum(isinstance(one, Accepted) for one in [*early, *late])

    assert all(isinstance(one, Accepted | NotOpen) for one in [*early, *late])
    assert len(await office.leaves("wave-1")) == accepted
    assert await office.submit("wave-1", entry(slips[0])) == NotOpen("closed")


async def test_leaves_are_contiguous_and_every_head_is_a_beginning_of_the_last(office: IntakeOffice) -> None:
    slips = await begin(office, 120)
    for start in range(0, 120, 40):
        await asyncio.gather(*(office.submit("wave-1", entry(e)) for e in slips[start : start + 40]))

    tree = MerkleTree.of_leaves(await office.leaves("wave-1"))
    vkey = office.log_signer("wave-1").key
    heads = [parse_checkpoint(open_note(note, [vkey]).text) for note in await office.heads("wave-1")]

    assert heads[-1].size == 120
    assert [head.size for head in heads] == sorted({head.size for head in heads})
    assert all(head.root == tree.root(head.size) and head.origin == vkey.name for head in heads)


async def test_boxes_and_leaves_belong_together_by_commitment_alone(office: IntakeOffice) -> None:
    slips = await begin(office)
    sent = [entry(e) for e in slips[:7]]
    for one in sent:
        await office.submit("wave-1", one)

    boxes = await office.boxes("wave-1")

    assert boxes == {one.sealed.c.hex(): one.sealed.box for one in sent}
    assert {read_leaf(leaf)["c"] for leaf in await office.leaves("wave-1")} == set(boxes)


async def test_a_broken_entry_does_not_spoil_its_batch(office: IntakeOffice) -> None:
    slips = await begin(office)
    same_box = entry(slips[0])
    await office.submit("wave-1", same_box)
    broken = fielding.Entry(os.urandom(32), slips[1], same_box.sealed)

    outcomes = await asyncio.gather(
        *(office.submit("wave-1", one) for one in (entry(slips[2]), broken, entry(slips[3]))),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], Accepted) and isinstance(outcomes[2], Accepted)
    assert isinstance(outcomes[1], Exception)
    assert (await office.intake("wave-1").find_slip(slips[1]))[1] == "unused"
    assert len(await office.leaves("wave-1")) == 3


async def test_a_used_slip_is_disputed_once_and_an_unused_one_never(office: IntakeOffice) -> None:
    slips = await begin(office)
    await office.submit("wave-1", entry(slips[0]))
    intake = office.intake("wave-1")

    for e in (slips[0], slips[0], slips[1], os.urandom(32)):
        await intake.dispute(e, 3)

    counts = await office.participation("wave-1")
    assert counts == (DomainCount("0001-P", 20, 1, 1, 0),)
    assert await office.disputes("wave-1") == {("0001-P", 3): 1}


async def test_leftover_slips_are_voided_and_stay_so(office: IntakeOffice) -> None:
    slips = await begin(office)
    await office.submit("wave-1", entry(slips[0]))

    n_voided = await office.void("wave-1", slips[:5])

    assert n_voided == 4
    assert await office.submit("wave-1", entry(slips[1])) == AlreadyUsed("voided")
    assert await office.participation("wave-1") == (DomainCount("0001-P", 20, 1, 0, 4),)


async def test_counters_tell_hours_of_the_wave_and_nothing_finer(office: IntakeOffice) -> None:
    slips = await begin(office)
    await asyncio.gather(*(office.submit("wave-1", entry(e)) for e in slips[:9]))

    counters = await office.counters("wave-1")

    assert sum(n for (domain, kind), n in counters.items() if kind.startswith("hour:")) == 9
    assert all(domain == "" for domain, kind in counters if kind.startswith("hour:"))
    assert counters["0001-P", "largest_5_minutes"] in range(1, 10)


async def test_everything_is_there_again_after_a_restart(settings: Settings) -> None:
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        slips = await begin(office)
        accepted = [await office.submit("wave-1", entry(e)) for e in slips[:5]]
        await office.intake("wave-1").dispute(slips[0], 1)
        await office.stop()

        again = IntakeOffice(settings)
        await again.start()
        leaves, counts = await again.leaves("wave-1"), await again.participation("wave-1")
        more = await again.submit("wave-1", entry(slips[5]))
        await again.stop()

    assert leaves == [one.leaf for one in accepted]
    assert counts == (DomainCount("0001-P", 20, 5, 1, 0),)
    assert more.index == 5


async def test_closing_rewrites_the_tables_and_loses_nothing(office: IntakeOffice) -> None:
    slips = await begin(office, 50)
    await asyncio.gather(*(office.submit("wave-1", entry(e)) for e in slips[:30]))
    await office.set_state("wave-1", "open", "closed")
    before = [await ask("wave-1") for ask in (office.leaves, office.boxes, office.slips, office.heads)]

    await office.rewrite("wave-1")

    after = [await ask("wave-1") for ask in (office.leaves, office.boxes, office.slips, office.heads)]
    assert after == before
    assert await office.submit("wave-1", entry(slips[40])) == NotOpen("closed")


async def test_an_open_wave_is_not_rewritten(office: IntakeOffice) -> None:
    await begin(office)

    with pytest.raises(WrongStateError):
        await office.rewrite("wave-1")


async def test_a_wave_without_answers_closes_with_a_signed_empty_head(office: IntakeOffice) -> None:
    await begin(office)
    await office.set_state("wave-1", "open", "closed")

    text = open_note(await office.head("wave-1"), [office.log_signer("wave-1").key]).text

    assert parse_checkpoint(text).size == 0


async def test_codes_are_issued_once(office: IntakeOffice) -> None:
    await begin(office)

    with pytest.raises(IntakeExistsError):
        await begin(office)
    with pytest.raises(IntakeMissingError):
        office.about("wave-2")


async def test_a_code_is_found_in_the_wave_that_issued_it(office: IntakeOffice) -> None:
    from survey.fieldwork.invitation import issue

    for wave, key in (("wave-1", bytes(32)), ("wave-2", bytes([1]) * 32)):
        invitations = issue([("0001-P", 3)], key, os.urandom)
        slips = [(bytes.fromhex(one.e), one.domain) for one in invitations]
        await office.create(fielding.about(wave), slips, slip_key=key, log_seed=os.urandom(32))
    found = [await office.find_slip(one.code) for one in invitations]
    unknown = await office.find_slip(issue([("x", 1)], bytes(32), os.urandom)[0].code)

    assert {(one.wave, one.domain, one.state, one.wave_state) for one in found} == {
        ("wave-2", "0001-P", "unused", "planned")
    }
    assert unknown is None


async def test_disputes_by_code_are_silent_whatever_the_code(office: IntakeOffice) -> None:
    from survey.fieldwork.invitation import issue

    [invitation] = issue([("0001-P", 1)], bytes(32), os.urandom)
    await office.create(
        fielding.about(),
        [(bytes.fromhex(invitation.e), "0001-P")],
        slip_key=bytes(32),
        log_seed=os.urandom(32),
    )
    await office.set_state("wave-1", "planned", "open")
    unused = await office.dispute(invitation.code, date(2026, 11, 25))
    await office.submit("wave-1", entry(bytes.fromhex(invitation.e)))
    used = await office.dispute(invitation.code, date(2026, 11, 25))

    assert unused is None and used is None
    assert await office.disputes("wave-1") == {("0001-P", 2): 1}


async def test_beyond_two_thousand_waiting_the_answer_is_to_come_again(
    office: IntakeOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from survey.storage import intake_postgres, intake_sqlite

    monkeypatch.setattr(intake_sqlite, "QUEUE_LIMIT", 50)
    monkeypatch.setattr(intake_postgres, "QUEUE_LIMIT", 50)
    slips = await begin(office, 300)

    outcomes = await asyncio.gather(
        *(office.submit("wave-1", entry(e)) for e in slips), return_exceptions=True
    )

    refused = [one for one in outcomes if isinstance(one, BusyError)]
    assert refused and all(one.retry_after > 0 and one.kind == "busy" for one in refused)
    assert len(await office.leaves("wave-1")) == 300 - len(refused)


async def test_two_offices_share_one_postgres_wave(database: Database) -> None:
    if database.engine_name == "sqlite":
        pytest.skip("on SQLite a second process is refused")
    offices = [IntakeOffice(database.settings) for _ in range(2)]
    for office in offices:
        await office.start()
    slips = await begin(offices[0], 200)
    await offices[1].refresh()

    outcomes = await asyncio.gather(
        *(office.submit("wave-1", entry(e)) for e in slips for office in offices for _ in range(2))
    )
    tree = MerkleTree.of_leaves(await offices[0].leaves("wave-1"))
    heads = await offices[1].heads("wave-1")
    for office in offices:
        await office.stop()

    assert sum(isinstance(one, Accepted) for one in outcomes) == 200
    assert sorted(one.index for one in outcomes if isinstance(one, Accepted)) == list(range(200))
    for note in heads:
        head = parse_checkpoint(note.split("\n\n")[0] + "\n")
        assert head.root == tree.root(head.size)


async def test_a_backup_beside_a_running_wave_opens_and_verifies(
    sqlite_settings: Settings, tmp_path: Path
) -> None:
    async with open_database(sqlite_settings):
        office = IntakeOffice(sqlite_settings)
        await office.start()
        slips = await begin(office, 30)
        sending = [asyncio.ensure_future(office.submit("wave-1", entry(e))) for e in slips[:20]]
        await asyncio.sleep(0.01)
        (tmp_path / "backup").mkdir()
        await office.intake("wave-1").back_up(tmp_path / "backup" / "wave-1.db")
        await asyncio.gather(*sending)
        await office.stop()
    intake = SqliteIntake(tmp_path / "backup" / "wave-1.db", fielding.LOG_SEED, lambda: None)
    await intake.start()
    n_leaves, n_boxes = len(await intake.leaves()), len(await intake.boxes())
    await intake.stop()

    assert n_leaves == n_boxes <= 20
