"""Messages to other systems, over real HTTP: signed, tried again, never lost, never sent inside unasked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from survey.jobs import send_webhooks
from survey.jobs.send_webhooks import (
    WebhookRefusedError,
    change_secret,
    register_webhook,
    send_due,
    stop_webhook,
)
from survey.scheme.plan import example_plan_text, read_plan
from survey.settings import Settings
from survey.storage.accounts import create_account
from survey.storage.audit import list_audit
from survey.storage.database import Database, open_database
from survey.storage.divisions import set_divisions
from survey.storage.plans import save_plan
from survey.storage.tables import WebhookMessages, Webhooks
from survey.storage.webhooks import PAUSES, UnknownWebhookError, announce, claim_message, list_messages
from survey.web.api.data.receive_webhook import checked_id


class Receiver:
    """A real listening server that answers as it is told and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.answers: list[str] = []
        self.slow = 0.0
        self.goes_on = asyncio.Event()
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head)}
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        self.got.append((headers, body))
        if self.slow:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.goes_on.wait(), self.slow)
        answer = self.answers.pop(0) if self.answers else "204 No Content"
        with contextlib.suppress(ConnectionError):
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?k=secret-in-query"
    async with server:
        yield receiver


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def inside(database: Database) -> Settings:
    """Settings that allow private addresses; an account and a wave of 320704 stand behind them."""
    await create_account("demo", "", {"admin"}, now=utc_now())
    await save_plan(read_plan(example_plan_text()), now=utc_now())
    return replace(database.settings, webhook_private=True)


WAVE = read_plan(example_plan_text()).wave


async def test_a_message_is_signed_so_that_the_receivers_library_accepts_it(inside: Settings) -> None:
    async with receiving() as receiver:
        _, secret = await register_webhook(
            inside, "demo", "督导系统", receiver.url, actor="test", now=utc_now()
        )
        await announce("certificate.issued", WAVE, {"number": 3}, now=utc_now())
        tried = await send_due(inside, utc_now)
    headers, body = receiver.got[0]
    read = Webhook(secret).verify(body, headers)
    kept = repr(await list_messages()) + repr(await Webhooks.select()) + repr(await list_audit(limit=50))

    assert tried == 1
    assert (read["type"], read["data"]) == ("certificate.issued", {"number": 3, "wave": WAVE})
    assert [(one.state, one.outcome) for one in await list_messages()] == [("delivered", "HTTP 204")]
    assert secret not in kept
    with pytest.raises(Exception, match=r"(?i)signature"):
        Webhook(secret).verify(body.replace("3", "4"), headers)


async def test_a_changed_secret_and_for_a_day_the_one_before_it_sign_each_message(inside: Settings) -> None:
    at = utc_now()
    async with receiving() as receiver:
        webhook, first = await register_webhook(inside, "demo", "督导系统", receiver.url, actor="test", now=at)
        keys = [first]
        for hours, keep in ((0, True), (23, True), (25, False)):
            if not hours:
                keys.append(await change_secret(inside, webhook, actor="test", now=at))
            later = at + timedelta(hours=hours)
            await announce("certificate.issued", WAVE, {"number": hours}, now=later)
            await send_due(inside, lambda now=later: now)
    accepted = []
    for headers, body in receiver.got:
        sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signatures = headers["webhook-signature"].split(" ")
        accepted.append([Webhook(key).sign(headers["webhook-id"], sent_at, body) in signatures for key in keys])
    headers, body = receiver.got[0]
    checked = [checked_id(key, headers, body.encode()) for key in keys]
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    refused = [
        checked_id(keys[0], old, body.encode()),
        checked_id(keys[0], headers, body.encode() + b" "),
        checked_id(keys[0], {**headers, "webhook-id": "msg_x"}, body.encode()),
        checked_id(keys[0], {}, body.encode()),
    ]

    assert accepted == [[True, True], [True, True], [False, True]]
    assert keys[0] != keys[1]
    assert (checked, refused) == ([headers["webhook-id"]] * 2, [None] * 4)
    with pytest.raises(UnknownWebhookError):
        await change_secret(inside, "wh_none", actor="test", now=at)
    assert [entry.what for entry in await list_audit(limit=1)] == ["change_webhook_secret"]


async def test_a_failing_redirecting_or_slow_receiver_is_tried_again_under_the_same_id(
    inside: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_webhooks, "SECONDS", 0.3)
    at = utc_now()
    async with receiving() as receiver, receiving() as elsewhere:
        await register_webhook(inside, "demo", "督导系统", receiver.url, actor="test", now=at)
        await announce("certificate.issued", WAVE, {"number": 3}, now=at)
        receiver.answers = ["500 Oops", f"302 Found\r\nLocation: {elsewhere.url}"]
        outcomes = []
        for pause in (timedelta(0), *PAUSES[:3]):
            receiver.slow = 1.0 if len(outcomes) == 2 else 0.0
            early = await send_due(inside, lambda: at)
            at += pause if not early else timedelta(0)
            if not early:
                await send_due(inside, lambda: at)
            outcomes.append((await list_messages())[0].outcome)
    ids = {headers["webhook-id"] for headers, _ in receiver.got}

    assert outcomes == ["HTTP 500", "HTTP 302", "10秒内没有答复", "HTTP 204"]
    assert (await list_messages())[0].state == "delivered"
    assert len(receiver.got) == 4
    assert len(ids) == 1
    assert elsewhere.got == []


async def test_after_the_last_pause_a_message_is_given_up_and_a_stopped_address_is_told_nothing(
    inside: Settings,
) -> None:
    at = utc_now()
    async with receiving() as gone:
        url = gone.url
    first, _ = await register_webhook(inside, "demo", "甲", url, actor="test", now=at)
    await announce("certificate.revoked", WAVE, {"number": 3}, now=at)
    for _ in range(len(PAUSES) + 3):
        await send_due(inside, lambda: at)
        at += timedelta(hours=6)
    given_up = (await list_messages())[0]
    await announce("certificate.revoked", WAVE, {"number": 4}, now=at)
    await stop_webhook(first, actor="test", now=at)
    await announce("certificate.revoked", WAVE, {"number": 5}, now=at)

    assert (given_up.state, given_up.tries) == ("given_up", len(PAUSES) + 1)
    assert "secret-in-query" not in given_up.outcome
    assert await send_due(inside, lambda: at) == 0
    assert len(await list_messages()) == 2


async def test_of_two_that_look_at_once_one_sends_and_a_dead_ones_message_is_sent_later(
    inside: Settings,
) -> None:
    at = utc_now()
    async with receiving() as receiver:
        await register_webhook(inside, "demo", "甲", receiver.url, actor="test", now=at)
        await announce("certificate.issued", WAVE, {"number": 3}, now=at)
        claims = await asyncio.gather(*(claim_message(now=at) for _ in range(8)))
        meanwhile = await send_due(inside, lambda: at + timedelta(seconds=60))
        later = await send_due(inside, lambda: at + timedelta(minutes=3))

    assert sum(claim is not None for claim in claims) == 1
    assert (meanwhile, later) == (0, 1)


async def test_only_waves_of_the_accounts_branch_are_announced(inside: Settings) -> None:
    await register_webhook(inside, "demo", "甲", "http://127.0.0.1:9/x", actor="test", now=utc_now())
    await set_divisions("demo", ["99"])
    await announce("certificate.issued", WAVE, {"number": 3}, now=utc_now())

    assert await list_messages() == ()


INSIDE = [
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://10.1.2.3/x",
    "https://169.254.169.254/latest",
    "https://[::1]/x",
    "https://[::ffff:10.0.0.1]/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "http://8.8.8.8/x",
    "https://user:pass@8.8.8.8/x",
    "file:///etc/passwd",
    "https://8.8.8.8:99999/x",
    "https://8.8.8.8/a b",
    "https://8.8.8.8/a\r\nHost: x",
    "",
]


async def test_addresses_inside_and_odd_addresses_are_refused(database: Database) -> None:
    await create_account("demo", "", {"admin"}, now=utc_now())
    let_in = []
    for url in INSIDE:
        try:
            await register_webhook(database.settings, "demo", "甲", url, actor="test", now=utc_now())
        except WebhookRefusedError:
            continue
        let_in.append(url)

    assert let_in == []


async def test_a_name_that_leads_inside_later_is_not_connected_to(inside: Settings) -> None:
    """Registered while private was allowed, sent when it no longer is: the check is at connecting too."""
    at = utc_now()
    async with receiving() as receiver:
        url = receiver.url.replace("http:", "https:")
        await register_webhook(inside, "demo", "甲", url, actor="test", now=at)
        await announce("certificate.issued", WAVE, {"number": 3}, now=at)
        await send_due(replace(inside, webhook_private=False), lambda: at)

    assert receiver.got == []
    assert (await list_messages())[0].outcome == "是内网地址"


KILLED = """
import asyncio, sys
from dataclasses import replace
from datetime import UTC, datetime
from survey.jobs.send_webhooks import send_due
from survey.settings import load_settings
from survey.storage.database import open_database

async def main():
    settings = load_settings({}, data=sys.argv[1], webhook_private=True)
    async with open_database(settings):
        await send_due(settings, lambda: datetime.now(UTC))

asyncio.run(main())
"""


async def test_a_process_killed_while_sending_loses_nothing(tmp_path: Path) -> None:
    from survey.settings import load_settings

    settings = load_settings({}, data=tmp_path / "data", webhook_private=True)
    async with receiving() as receiver:
        receiver.slow = 30.0
        async with open_database(settings):
            await create_account("demo", "", {"admin"}, now=utc_now())
            await save_plan(read_plan(example_plan_text()), now=utc_now())
            await register_webhook(settings, "demo", "甲", receiver.url, actor="test", now=utc_now())
            await announce("certificate.issued", WAVE, {"number": 3}, now=utc_now())
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(settings.data)])
        for _ in range(200):
            if receiver.got or process.poll() is not None:
                break
            await asyncio.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        receiver.slow = 0.0
        receiver.goes_on.set()
        async with open_database(settings):
            left = await WebhookMessages.select(WebhookMessages.state)
            sent = await send_due(settings, lambda: utc_now() + timedelta(minutes=3))
            after = await list_messages()
    ids = [headers["webhook-id"] for headers, _ in receiver.got]

    assert left == [{"state": "waiting"}]
    assert sent == 1
    assert after[0].state == "delivered"
    assert len(ids) == 2
    assert len(set(ids)) == 1
