"""The small rules of the answering side: counting misses, cutting parts, stamps, splicing."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from survey.scheme.instrument import load_instrument
from survey.web.respondent import body, patience
from survey.web.respondent.body import FormUnreadableError, read_form
from survey.web.respondent.misses import ALARM_PER_HOUR, MOST_MISSES, Misses
from survey.web.respondent.parts import MOST_ITEMS, steps
from survey.web.respondent.splice import splice
from survey.web.respondent.stamp import make_stamp, read_stamp


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_rests_ten_minutes_after_thirty_misses_and_then_may_go_on() -> None:
    clock = Clock()
    misses = Misses(clock)
    for _ in range(MOST_MISSES):
        misses.count("203.0.113.9")
    rests = misses.minutes_to_rest("203.0.113.9")
    clock.now = 601

    assert rests == 10
    assert misses.minutes_to_rest("203.0.113.10") == 0
    assert misses.minutes_to_rest("203.0.113.9") == 0


def test_misses_spread_over_time_never_rest_an_address() -> None:
    clock = Clock()
    misses = Misses(clock)
    for _ in range(200):
        clock.now += 30
        misses.count("203.0.113.9")

    assert misses.minutes_to_rest("203.0.113.9") == 0


def test_one_household_of_ipv6_is_one_address() -> None:
    misses = Misses(Clock())
    for number in range(MOST_MISSES):
        misses.count(f"2001:db8:1:2::{number:x}")

    assert misses.minutes_to_rest("2001:db8:1:2::ffff") == 10
    assert misses.minutes_to_rest("2001:db8:1:3::1") == 0


def test_guessing_on_a_large_scale_is_said_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    misses = Misses(Clock())
    with caplog.at_level(logging.WARNING):
        for number in range(ALARM_PER_HOUR + 500):
            misses.count(f"198.51.{number % 250}.{number % 251}")

    assert len(caplog.records) == 1
    assert "198.51" not in caplog.text


@pytest.mark.parametrize("name", ["parents", "teachers", "principals", "students_g7_9", "public"])
def test_parts_hold_at_most_five_items_and_lose_none(name: str) -> None:
    instrument = load_instrument(name)
    cut = steps(instrument, one_per_screen=False)

    assert max(len(step.items) for step in cut) <= MOST_ITEMS
    assert [item for step in cut for item in step.items] == list(instrument.items)
    assert [step.number for step in cut] == list(range(1, len(cut) + 1))


def test_stamp_of_another_key_is_not_believed() -> None:
    stamp = make_stamp(b"a" * 32, 1_800_000_000)

    assert read_stamp(b"a" * 32, stamp) == 1_800_000_000
    assert read_stamp(b"b" * 32, stamp) is None
    assert read_stamp(b"a" * 32, "0" + stamp[1:]) is None
    assert read_stamp(b"a" * 32, "好") is None


@pytest.mark.parametrize("gaps", [(b"", b""), ("芙蓉镇".encode(), b"k" * 200), (b"x" * 65535, b"")])
def test_spliced_page_unpacks_to_the_page_itself(gaps: tuple[bytes, bytes]) -> None:
    page = splice("<p>" + "一" * 5000 + "@a@" + "二" * 5000 + "@b@</p>", "@a@", "@b@")

    assert gzip.decompress(page.gzip(*gaps)) == page.text(*gaps)


def test_mark_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="2 times"):
        splice("@a@ @a@", "@a@")


def test_readme_shows_the_figures_that_were_measured() -> None:
    checkout = Path(__file__).parents[3]
    measured = (checkout / "benchmarks" / "phone.md").read_text("utf-8").split("\n\n", 1)[1]

    assert measured.strip() in (checkout / "README.md").read_text("utf-8")


async def test_a_body_that_trickles_ends_after_its_deadline_and_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body, "DEADLINE_SECONDS", 0.1)
    monkeypatch.setattr(patience, "LOOK_SECONDS", 0.05)
    kind = "application/x-www-form-urlencoded"

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b"a"
            await asyncio.sleep(0.02)

    async def whole() -> AsyncIterator[bytes]:
        yield b"PA01=5"
        await asyncio.wait({slow})

    slow = asyncio.create_task(read_form(trickle(), kind))
    await asyncio.sleep(0)
    monkeypatch.setattr(body, "DEADLINE_SECONDS", 60.0)
    quick = await read_form(whole(), kind)
    again = await read_form(whole(), kind)
    late = slow.exception()

    assert isinstance(late, FormUnreadableError) and late.status == 408
    assert quick == again == {"PA01": ["5"]}


async def test_who_is_cancelled_from_outside_while_late_stays_cancelled() -> None:
    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    reading = asyncio.create_task(read_form(never(), "application/x-www-form-urlencoded"))
    await asyncio.sleep(0)
    (waiting,) = body.patience.waiting
    waiting.give_up()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert not body.patience.waiting
