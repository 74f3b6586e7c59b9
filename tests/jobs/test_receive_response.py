from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime, timedelta

import pytest

from survey.canonical import decode
from survey.certification.receipt import check_receipt, parse_receipt
from survey.certification.sealing import box_public_key, open_box, read_leaf
from survey.certification.transparency_log import MerkleTree
from survey.fieldwork.invitation import issue
from survey.jobs.receive_response import (
    Received,
    UnknownPosterError,
    day_of,
    receive_response,
    repeated_receipt,
)
from survey.storage.intake import About, AlreadyUsed, KeyConflict, NotOpen, Poster
from survey.storage.office import IntakeOffice

BOX_SECRET = bytes(range(1, 33))
ANSWERS = {"q01": 4, "q02": None, "q03": [1, 3], "q04": "放学后没有地方写作业"}
NOW = datetime(2026, 11, 26, 15, 30, tzinfo=UTC)


async def open_wave(office: IntakeOffice, *, sealed: bool = True, n_slips: int = 5) -> list[str]:
    """An open wave of one school's parents and a poster for everybody; the slips' codes."""
    slip_key = os.urandom(32)
    invitations = issue([("0001-P", n_slips)], slip_key, os.urandom)
    about = About(
        "wave-1",
        "survey.example/wave-1",
        box_public_key(BOX_SECRET) if sealed else None,
        date(2026, 11, 24),
        (Poster("0002-G", "quota", 1, "0002-G-more"), Poster("0002-G-more", "surplus")),
    )
    slips = [(bytes.fromhex(one.e), one.domain) for one in invitations]
    await office.create(about, slips, slip_key=slip_key, log_seed=os.urandom(32))
    await office.set_state("wave-1", "planned", "open")
    return [one.code for one in invitations]


async def send(office: IntakeOffice, code: str, key: bytes | None = None, **more: object) -> object:
    slip = await office.find_slip(code)
    return await receive_response(
        office, "wave-1", slip, key or os.urandom(16), more.pop("answers", ANSWERS), now=NOW, **more
    )


async def test_what_is_opened_after_closing_is_what_was_answered(office: IntakeOffice) -> None:
    codes = await open_wave(office)
    await send(office, codes[0], pace=1)
    [leaf], boxes = await office.leaves("wave-1"), await office.boxes("wave-1")
    c = read_leaf(leaf)["c"]

    _, record = open_box(boxes[c], bytes.fromhex(c), BOX_SECRET)

    value = decode(record)
    assert value["answers"] == ANSWERS
    assert (value["day"], value["domain"], value["wave"], value["pace"]) == (3, "0001-P", "wave-1", 1)


async def test_a_sealed_box_is_a_multiple_of_256_and_shows_nothing(office: IntakeOffice) -> None:
    codes = await open_wave(office)
    for code, text in zip(codes, ("短", "长" * 150), strict=False):
        await send(office, code, answers={"q04": text})

    boxes = (await office.boxes("wave-1")).values()
    assert [(len(box) - 32 - 16) % 256 for box in boxes] == [0, 0]
    assert not any("长".encode() in box or b"q04" in box for box in boxes)


async def test_an_unsealed_wave_opens_without_a_key(office: IntakeOffice) -> None:
    codes = await open_wave(office, sealed=False)
    await send(office, codes[0])
    [(c, box)] = (await office.boxes("wave-1")).items()

    _, record = open_box(box, bytes.fromhex(c), None)
    assert decode(record)["answers"] == ANSWERS and "pad" not in decode(record)


async def test_the_receipt_holds_against_the_final_log(office: IntakeOffice) -> None:
    codes = await open_wave(office, n_slips=12)
    received = await asyncio.gather(*(send(office, code) for code in codes))
    leaves = await office.leaves("wave-1")
    key = office.log_signer("wave-1").key

    checks = [
        check_receipt(parse_receipt(one.receipt), leaves, MerkleTree.of_leaves(leaves), key)
        for one in received
    ]

    assert all(check.holds for check in checks)
    assert all(one.code == parse_receipt(one.receipt).code for one in received)


async def test_sending_again_gives_the_same_receipt_whatever_the_answers(office: IntakeOffice) -> None:
    codes = await open_wave(office)
    key = os.urandom(16)
    first = await send(office, codes[0], key)

    second = await send(office, codes[0], key, answers={"q01": 1})
    found = await repeated_receipt(office, await office.find_slip(codes[0]), key)

    assert second == found == Received(first.receipt, 0, True)
    assert len(await office.leaves("wave-1")) == 1


async def test_a_used_slip_with_another_key_is_used(office: IntakeOffice) -> None:
    codes = await open_wave(office)
    await send(office, codes[0])

    assert await send(office, codes[0]) == AlreadyUsed("used")
    assert await repeated_receipt(office, await office.find_slip(codes[0]), os.urandom(16)) is None


async def test_a_key_that_belongs_to_another_slip_is_a_conflict(office: IntakeOffice) -> None:
    codes = await open_wave(office)
    key = os.urandom(16)
    await send(office, codes[0], key)

    assert await send(office, codes[1], key) == KeyConflict()


async def test_a_paused_wave_says_so(office: IntakeOffice) -> None:
    codes = await open_wave(office)
    await office.set_state("wave-1", "open", "paused")

    assert await send(office, codes[0]) == NotOpen("paused")


async def test_beyond_its_quota_a_poster_counts_in_the_surplus_domain(office: IntakeOffice) -> None:
    await open_wave(office)
    key = os.urandom(16)

    first = await receive_response(office, "wave-1", "0002-G", key, ANSWERS, now=NOW)
    await receive_response(office, "wave-1", "0002-G", os.urandom(16), ANSWERS, now=NOW)
    again = await repeated_receipt(office, "wave-1", key)

    leaves, boxes = await office.leaves("wave-1"), await office.boxes("wave-1")
    domains = [read_leaf(leaf)["domain"] for leaf in leaves]
    records = [
        decode(open_box(boxes[read_leaf(leaf)["c"]], bytes.fromhex(read_leaf(leaf)["c"]), BOX_SECRET)[1])
        for leaf in leaves
    ]
    assert domains == ["0002-G", "0002-G-more"] == [record["domain"] for record in records]
    assert again.receipt == first.receipt
    with pytest.raises(UnknownPosterError):
        await receive_response(office, "wave-1", "0009-G", key, ANSWERS, now=NOW)


async def test_no_row_joins_a_slip_to_a_leaf_or_a_time_to_an_answer(office: IntakeOffice) -> None:
    codes = await open_wave(office)
    keys = [os.urandom(16) for _ in codes]
    for code, key in zip(codes, keys, strict=True):
        await send(office, code, key)

    slips = {e for e, _, _ in await office.slips("wave-1")}
    elsewhere = str(
        [await office.leaves("wave-1"), sorted(await office.boxes("wave-1")), await office.counters("wave-1")]
    )
    assert len(slips) == 5
    assert not any(e in elsewhere for e in slips)
    assert not any(key.hex() in elsewhere or code in elsewhere for key, code in zip(keys, codes, strict=True))
    assert all(set(read_leaf(leaf)) == {"c", "domain", "k", "v"} for leaf in await office.leaves("wave-1"))


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 11, 23, 15, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 24, 15, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 24, 16, 0, tzinfo=UTC), 2),
        (datetime(2026, 11, 24, tzinfo=UTC) + timedelta(days=365), 366),
        (datetime(2020, 1, 1, tzinfo=UTC), 1),
    ],
)
def test_the_day_is_the_one_on_the_wall_in_china_whatever_the_clock_does(at: datetime, day: int) -> None:
    about = About("wave-1", "survey.example/wave-1", None, date(2026, 11, 24))

    assert day_of(about, at) == day
