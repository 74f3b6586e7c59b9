"""Many at once over real HTTP: one slip is one answer, however often and in how many hands (TRUST T4, T23)."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from survey.certification.sealing import read_leaf

from .browser import free_port, serving
from .ground import PARENT, QUOTA, SURPLUS, WAVE, Ground, form_body, ground

FORM = {"content-type": "application/x-www-form-urlencoded", "x-requested-with": "form"}
logging.getLogger("httpx").setLevel(logging.WARNING)  # a hundred thousand lines otherwise

BOTS = ("MicroMessenger preview", "facebookexternalhit/1.1", "TelegramBot", "WhatsApp/2.19", "Slackbot-LinkExpanding 1.0")


@asynccontextmanager
async def crowd(folder: Path, slips: int, clients: int) -> AsyncIterator[tuple[Ground, httpx.AsyncClient]]:
    """A wave on a real server, and as many connections to it as there are people at once."""
    port = free_port()
    # The server lets go of an idle connection after five seconds; the client must do so first.
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients, keepalive_expiry=1)
    async with (
        ground(folder, slips=slips, base_url=f"http://127.0.0.1:{port}") as laid,
        serving(laid, port) as address,
        httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as client,
    ):
        yield laid, client


async def at_once(calls: list[object]) -> list[httpx.Response]:
    return list(await asyncio.gather(*calls))  # type: ignore[call-overload]


async def post(client: httpx.AsyncClient, path: str, body: str) -> httpx.Response:
    """Send a form as the page does: when the connection breaks, the same body again."""
    for _ in range(5):
        try:
            return await client.post(path, content=body, headers=FORM)
        except httpx.TransportError:
            await asyncio.sleep(0.2)
    return await client.post(path, content=body, headers=FORM)


def receipt_of(reply: httpx.Response) -> str:
    """The receipt on a thanks page, or nothing on the page anybody may open."""
    found = re.search(r"/s/thanks/(\w+)\.png", reply.text)
    return found[1] if found else ""


async def race(laid: Ground, client: httpx.AsyncClient, posts: int) -> tuple[int, int]:
    """Send a slip's form from many hands at once; how many got a receipt, and how many receipts there are."""
    code = laid.code()
    page = (await client.get(f"/s/{code}")).text
    hands = [form_body(page, {"PA20": str(1 + n % 5)}, k=secrets.token_hex(16)) for n in range(posts)]
    replies = await at_once([post(client, f"/s/{code}", body) for body in hands])
    # The script's post is answered 200 with a receipt, or led by 303 to the page anybody may open.
    assert {reply.status_code for reply in replies} <= {200, 303}
    receipts = [receipt_of(reply) for reply in replies]
    return sum(map(bool, receipts)), len(set(filter(None, receipts)))


async def repeat(laid: Ground, client: httpx.AsyncClient, at_a_time: int, times: int) -> set[str]:
    """Send one acknowledged form again and again; the receipts that come back."""
    code = laid.code()
    body = form_body((await client.get(f"/s/{code}")).text, {"PA20": "4"})
    seen = set()
    for _ in range(times):
        replies = await at_once([post(client, f"/s/{code}", body) for _ in range(at_a_time)])
        seen |= {receipt_of(reply) for reply in replies}
    return seen


async def previewed(laid: Ground, client: httpx.AsyncClient, looks: int) -> httpx.Response:
    """Let messengers look at a link, then let a person send it."""
    code = laid.code()
    for number in range(looks):
        bot = {"user-agent": BOTS[number % len(BOTS)]}
        method = ("GET", "HEAD")[number % 2]
        assert (await client.request(method, f"/s/{code}", headers=bot)).status_code == 200
    page = (await client.get(f"/s/{code}")).text
    return await post(client, f"/s/{code}", form_body(page, {"PA20": "5"}))


async def test_many_hands_on_few_slips(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=30, clients=60) as (laid, client):
        races = [await race(laid, client, posts=30) for _ in range(5)]
        again = await repeat(laid, client, at_a_time=20, times=5)
        sent = [await previewed(laid, client, looks=50)]
        n_leaves = len(await laid.office.leaves(WAVE))

    assert races == [(1, 1)] * 5
    assert len(again) == 1 and "" not in again
    assert all(receipt_of(reply) for reply in sent)
    assert n_leaves == 5 + 1 + 1


@pytest.mark.slow
async def test_five_hundred_slips_of_two_hundred_hands_each(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=560, clients=200) as (laid, client):
        races = [await race(laid, client, posts=200) for _ in range(500)]
        n_raced = len(await laid.office.leaves(WAVE))
        repeats = [await repeat(laid, client, at_a_time=20, times=5) for _ in range(20)]
        sent = [await previewed(laid, client, looks=50) for _ in range(20)]
        leaves = [read_leaf(leaf) for leaf in await laid.office.leaves(WAVE)]
        used = {count.domain: count.used for count in await laid.office.participation(WAVE)}

    assert Counter(races) == {(1, 1): 500}
    assert n_raced == 500
    assert all(len(receipts) == 1 and "" not in receipts for receipts in repeats)
    assert all(receipt_of(reply) for reply in sent)
    assert len(leaves) == len({leaf["k"] for leaf in leaves}) == used[PARENT] == 540


@pytest.mark.slow
async def test_a_full_quota_is_never_exceeded_and_loses_nobody(tmp_path: Path) -> None:
    async with crowd(tmp_path / "data", slips=1, clients=200) as (laid, client):
        page = (await client.get(f"/o/{WAVE}/{QUOTA}")).text
        required = re.findall(r'data-item="(\w+)" data-need', page)
        for _ in range(25):
            bodies = [
                form_body(page, {name: "98" for name in required}, k=secrets.token_hex(16)) for _ in range(200)
            ]
            replies = await at_once([post(client, f"/o/{WAVE}/{QUOTA}", one) for one in bodies])
            assert all(receipt_of(reply) for reply in replies)
        domains = Counter(read_leaf(leaf)["domain"] for leaf in await laid.office.leaves(WAVE))

    assert domains == {QUOTA: 2, SURPLUS: 4998}
