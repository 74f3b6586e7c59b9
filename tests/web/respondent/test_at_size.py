"""What holds for a handful holds for ten thousand, over real HTTP: disputes, receipts, thanks, looks (TRUST T4, T14, T23)."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
from pathlib import Path

import pytest

from .ground import PARENT, WAVE, Ground, form_body
from .screens import invented_receipt
from .test_crowd import BOTS, Phones, Reply, at_once, crowd, receipt_of
from .test_pages import without_receipt

pytestmark = pytest.mark.slow
AT_ONCE = 64


async def send_all(
    phones: Phones, laid: Ground, page: str, answers: list[dict[str, str]]
) -> tuple[list[str], list[Reply]]:
    """A slip of its own for each set of answers; the codes and the replies, in order."""
    codes = [laid.code() for _ in answers]
    bodies = [form_body(page, each, k=secrets.token_hex(16)) for each in answers]
    replies = []
    for at in range(0, len(codes), AT_ONCE):
        pairs = zip(codes[at : at + AT_ONCE], bodies[at : at + AT_ONCE], strict=True)
        replies += await at_once(phones.ask("POST", f"/s/{code}", body) for code, body in pairs)
    return codes, replies


async def test_of_ten_thousand_slips_137_are_found_used_and_those_alone_are_disputed(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=10_100, clients=AT_ONCE) as (laid, phones):
        page = await phones.get(f"/s/{laid.codes[PARENT][0]}")
        codes, first = await send_all(phones, laid, page, [{"PA20": "5"}] * 10_000)
        unused = laid.codes[PARENT][:50]
        late = random.Random(1).sample(codes, 137)
        again = await at_once(
            phones.ask("POST", f"/s/{code}", form_body(page, {"PA20": "1"}, k=secrets.token_hex(16))) for code in late
        )
        # Whoever finds a slip used says so, some more than once; others dispute what nobody used, or make codes up.
        said = await at_once(phones.ask("POST", "/s/dispute", f"code={code}") for code in [*late, *late[:40], *unused])
        (counted,) = (one for one in await laid.office.participation(WAVE) if one.domain == PARENT)
        n_leaves = len(await laid.office.leaves(WAVE))

    assert len({receipt_of(reply) for reply in first}) == 10_000 and all(map(receipt_of, first))
    assert not any(map(receipt_of, again))
    assert len({reply.text for reply in said}) == 1
    assert (counted.used, counted.disputed, n_leaves) == (10_000, 137, 10_000)


async def test_ten_thousand_receipts_and_as_many_inventions_are_told_the_same_before_closing(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=10_000, clients=AT_ONCE) as (laid, phones):
        page = await phones.get(f"/s/{laid.codes[PARENT][0]}")
        _, sent = await send_all(phones, laid, page, [{"PA20": "5"}] * 10_000)
        texts = [*map(receipt_of, sent), *(invented_receipt() for _ in range(10_000))]
        told = set()
        for at in range(0, len(texts), AT_ONCE):
            replies = await at_once(phones.ask("POST", "/check", f"receipt={one}") for one in texts[at : at + AT_ONCE])
            told |= {(reply.status, reply.text) for reply in replies}

    assert len({*texts}) == 20_000
    assert [(status, "截止前不能核对" in text) for status, text in told] == [(200, True)]


async def test_a_thousand_sets_of_answers_are_thanked_alike_but_for_the_receipt(tmp_path: Path) -> None:
    chance = random.Random(2)
    async with crowd(tmp_path / "data", slips=1_000, clients=AT_ONCE) as (laid, phones):
        page = await phones.get(f"/s/{laid.codes[PARENT][0]}")
        options: dict[str, list[str]] = {}
        for item, value in re.findall(r'<input type="radio" name="(\w+)" id="[\w-]+" value="(\d+)"', page):
            options.setdefault(item, []).append(value)
        answers = [
            {item: chance.choice(values) for item, values in options.items() if chance.random() < 0.8}
            | {"PA20": chance.choice(options["PA20"])}
            for _ in range(1_000)
        ]
        _, sent = await send_all(phones, laid, page, answers)

    assert len(options) > 15 and len({str(one) for one in answers}) == 1_000
    assert all(map(receipt_of, sent))
    assert len({without_receipt(reply.text) for reply in sent}) == 1


async def test_fifty_looks_of_messengers_at_each_of_a_thousand_slips_spend_none(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=1_000, clients=AT_ONCE) as (laid, phones):
        codes = laid.codes[PARENT]

        async def looked_at(code: str) -> set[int]:
            return {
                (await phones.ask(("GET", "HEAD")[n % 2], f"/s/{code}", agent=BOTS[n % len(BOTS)])).status
                for n in range(50)
            }

        seen: set[int] = set()
        for at in range(0, len(codes), AT_ONCE):
            seen = seen.union(*await asyncio.gather(*map(looked_at, codes[at : at + AT_ONCE])))
        before = len(await laid.office.leaves(WAVE))
        page = await phones.get(f"/s/{codes[0]}")
        _, sent = await send_all(phones, laid, page, [{"PA20": "5"}] * 1_000)

    assert seen == {200} and before == 0
    assert len({receipt_of(reply) for reply in sent}) == 1_000 and all(map(receipt_of, sent))
