"""Many at once over real HTTP: one slip is one answer, however often and in how many hands (TRUST T4, T23)."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from survey.certification.sealing import read_leaf

from .browser import free_port, serving
from .ground import PARENT, QUOTA, SURPLUS, WAVE, Ground, form_body, ground

BOTS = ("MicroMessenger preview", "facebookexternalhit/1.1", "TelegramBot", "WhatsApp/2.19", "Slackbot-LinkExpanding 1.0")


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    text: str


@dataclass
class Phones:
    """As many kept connections as people at once: a hundred thousand forms would drown a general client."""

    port: int
    most: int
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None] = field(default_factory=asyncio.Queue)

    async def ask(self, method: str, path: str, body: str = "", agent: str = "phone") -> Reply:
        """One request on a connection that is free; when it breaks, the same again on a new one."""
        data = body.encode()
        lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}", f"user-agent: {agent}"]
        if data:
            lines += ["content-type: application/x-www-form-urlencoded", "x-requested-with: form"]
            lines += [f"content-length: {len(data)}"]
        asked = "\r\n".join([*lines, "", ""]).encode() + data
        line = await self.idle.get()
        try:
            for _ in range(5):
                try:
                    line = line or await asyncio.open_connection("127.0.0.1", self.port)
                    line[1].write(asked)
                    return await _reply(line[0], method)
                except (OSError, asyncio.IncompleteReadError):
                    line = None
                    await asyncio.sleep(0.1)
            raise ConnectionError(f"{method} {path} broke five times")
        finally:
            self.idle.put_nowait(line)

    async def get(self, path: str) -> str:
        """The text of a page."""
        return (await self.ask("GET", path)).text

    async def hang_up(self) -> None:
        """Let go of every connection."""
        while not self.idle.empty():
            if line := self.idle.get_nowait():
                line[1].close()


async def _reply(reader: asyncio.StreamReader, method: str) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"\r\ncontent-length: (\d+)", head)
    assert length, "every page of ours says how long it is"
    body = b"" if method == "HEAD" else await reader.readexactly(int(length[1]))
    return Reply(int(head[9:12]), body.decode())


@asynccontextmanager
async def crowd(folder: Path, slips: int, clients: int) -> AsyncIterator[tuple[Ground, Phones]]:
    """A wave on a real server, and as many connections to it as there are people at once."""
    port = free_port()
    async with (
        ground(folder, slips=slips, base_url=f"http://127.0.0.1:{port}") as laid,
        serving(laid, port),
    ):
        phones = Phones(port, clients)
        for _ in range(clients):
            phones.idle.put_nowait(None)
        try:
            yield laid, phones
        finally:
            await phones.hang_up()


async def at_once(calls: Iterable[Awaitable[Reply]]) -> list[Reply]:
    return list(await asyncio.gather(*calls))


def receipt_of(reply: Reply) -> str:
    """The receipt on a thanks page, or nothing on the page anybody may open."""
    found = re.search(r"/s/thanks/(\w+)\.png", reply.text)
    return found[1] if found else ""


async def race(laid: Ground, phones: Phones, posts: int) -> tuple[int, int]:
    """Send a slip's form from many hands at once; how many got a receipt, and how many receipts there are."""
    code = laid.code()
    page = await phones.get(f"/s/{code}")
    hands = [form_body(page, {"PA20": str(1 + n % 5)}, k=secrets.token_hex(16)) for n in range(posts)]
    replies = await at_once(phones.ask("POST", f"/s/{code}", body) for body in hands)
    # The script's post is answered 200 with a receipt, or led by 303 to the page anybody may open.
    assert {reply.status for reply in replies} <= {200, 303}
    receipts = [receipt_of(reply) for reply in replies]
    return sum(map(bool, receipts)), len(set(filter(None, receipts)))


async def repeat(laid: Ground, phones: Phones, at_a_time: int, times: int) -> set[str]:
    """Send one acknowledged form again and again; the receipts that come back."""
    code = laid.code()
    body = form_body(await phones.get(f"/s/{code}"), {"PA20": "4"})
    seen = set()
    for _ in range(times):
        replies = await at_once(phones.ask("POST", f"/s/{code}", body) for _ in range(at_a_time))
        seen |= {receipt_of(reply) for reply in replies}
    return seen


async def previewed(laid: Ground, phones: Phones, looks: int) -> Reply:
    """Let messengers look at a link, then let a person send it."""
    code = laid.code()
    for number in range(looks):
        seen = await phones.ask(("GET", "HEAD")[number % 2], f"/s/{code}", agent=BOTS[number % len(BOTS)])
        assert seen.status == 200
    page = await phones.get(f"/s/{code}")
    return await phones.ask("POST", f"/s/{code}", form_body(page, {"PA20": "5"}))


async def test_many_hands_on_few_slips(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=30, clients=60) as (laid, phones):
        races = [await race(laid, phones, posts=30) for _ in range(5)]
        again = await repeat(laid, phones, at_a_time=20, times=5)
        sent = [await previewed(laid, phones, looks=50)]
        n_leaves = len(await laid.office.leaves(WAVE))

    assert races == [(1, 1)] * 5
    assert len(again) == 1 and "" not in again
    assert all(receipt_of(reply) for reply in sent)
    assert n_leaves == 5 + 1 + 1


@pytest.mark.slow
async def test_five_hundred_slips_of_two_hundred_hands_each(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=560, clients=800) as (laid, phones):
        races: list[tuple[int, int]] = []
        for _ in range(500 // 4):  # four slips at a time, each in two hundred hands
            races += await asyncio.gather(*(race(laid, phones, posts=200) for _ in range(4)))
        n_raced = len(await laid.office.leaves(WAVE))
        repeats = [await repeat(laid, phones, at_a_time=20, times=5) for _ in range(20)]
        sent = [await previewed(laid, phones, looks=50) for _ in range(20)]
        leaves = [read_leaf(leaf) for leaf in await laid.office.leaves(WAVE)]
        used = {count.domain: count.used for count in await laid.office.participation(WAVE)}

    assert Counter(races) == {(1, 1): 500}
    assert n_raced == 500
    assert all(len(receipts) == 1 and "" not in receipts for receipts in repeats)
    assert all(receipt_of(reply) for reply in sent)
    assert len(leaves) == len({leaf["k"] for leaf in leaves}) == used[PARENT] == 540


@pytest.mark.slow
async def test_a_full_quota_is_never_exceeded_and_loses_nobody(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=1, clients=200) as (laid, phones):
        page = await phones.get(f"/o/{WAVE}/{QUOTA}")
        required = re.findall(r'data-item="(\w+)" data-need', page)
        for _ in range(250):
            bodies = [
                form_body(page, {name: "98" for name in required}, k=secrets.token_hex(16)) for _ in range(200)
            ]
            replies = await at_once(phones.ask("POST", f"/o/{WAVE}/{QUOTA}", one) for one in bodies)
            assert all(receipt_of(reply) for reply in replies)
        domains = Counter(read_leaf(leaf)["domain"] for leaf in await laid.office.leaves(WAVE))

    assert domains == {QUOTA: 2, SURPLUS: 49_998}
