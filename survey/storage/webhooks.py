"""Whom certificates are announced to, and the outbox: what is to be told is written with the act itself.

A message waits here until the receiver has acknowledged it, or three days have passed. Its id
stays the same at every try, so that a receiver who got it twice can tell. The secret of a
webhook is derived from the installation's key and never in the database.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from survey.canonical import encode
from survey.errors import SurveyError
from survey.settings import Settings
from survey.storage.accounts import find_account
from survey.storage.current import transaction
from survey.storage.divisions import may_reach
from survey.storage.second_factors import installation_key
from survey.storage.tables import WebhookMessages, Webhooks

EVENTS = ("certificate.issued", "certificate.superseded", "certificate.revoked")
LEASE = timedelta(minutes=2)
"""How long a message that is being sent is left alone; after a kill it is due again."""
PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, *([7200] * 4), *([21600] * 10)))
"""The wait after each failed try; about three days in all."""
TOLD_FOR = timedelta(days=7)
"""How long a message that did not arrive is told of on the page 运行 and in the figures for Prometheus."""
BOTH_SIGN = timedelta(days=1)
"""How long after a change of the secret the one before it signs, too, so that a receiver can change in peace."""


class UnknownWebhookError(SurveyError):
    """No live webhook of that id."""

    code = "webhook.unknown"
    kind = "not_found"

    def __init__(self, webhook: str) -> None:
        super().__init__(f"推送 {webhook[:40]}", "没有这一个，或者已经停用", "用 survey webhook list 看一看有哪些")


@dataclass(frozen=True)
class Webhook:
    """One address that is told; `account` decides of which waves."""

    id: str
    account: str
    label: str
    url: str
    created_at: datetime
    ended_at: datetime | None
    turns: int = 0
    """How often its secret was changed."""
    turned_at: datetime | None = None


@dataclass(frozen=True)
class Message:
    """One message for one address."""

    id: str
    webhook: str
    event: str
    body: str
    state: str
    tries: int
    outcome: str
    created_at: datetime
    due_at: datetime


def webhook_secret(settings: Settings, webhook: str, turns: int = 0) -> bytes:
    """The 32 bytes that messages of this webhook are signed with after so many changes."""
    text = f"survey/v1/webhook\0{webhook}" + (f"\0{turns}" if turns else "")
    return hmac.digest(installation_key(settings), text.encode(), "sha256")


def secrets_of(settings: Settings, webhook: Webhook, *, now: datetime) -> tuple[bytes, ...]:
    """Every secret that signs now: the newest, and for a day the one before it."""
    fresh = webhook.turned_at is not None and now - webhook.turned_at < BOTH_SIGN
    turns = (webhook.turns, webhook.turns - 1) if fresh else (webhook.turns,)
    return tuple(webhook_secret(settings, webhook.id, turn) for turn in turns)


async def save_webhook(account: str, label: str, url: str, *, now: datetime) -> Webhook:
    """Keep an address under a new random id."""
    row = Webhook("wh_" + secrets.token_hex(12), account, label, url, now, None)
    await Webhooks.insert(Webhooks(**vars(row)))
    return row


async def find_webhook(webhook: str) -> Webhook | None:
    """The webhook, ended or not."""
    rows = await Webhooks.select().where(Webhooks.id == webhook)
    return Webhook(**rows[0]) if rows else None


async def list_webhooks() -> tuple[Webhook, ...]:
    """Every webhook, the oldest first."""
    return tuple(Webhook(**row) for row in await Webhooks.select().order_by(Webhooks.created_at))


async def end_webhook(webhook: str, *, now: datetime) -> None:
    """Tell this address nothing more; what still waited for it is given up.

    Raises:
        UnknownWebhookError: no such webhook, or ended before.
    """
    async with transaction():
        ended = (
            await Webhooks.update({Webhooks.ended_at: now})
            .where(Webhooks.id == webhook, Webhooks.ended_at.is_null())
            .returning(Webhooks.id)
        )
        if not ended:
            raise UnknownWebhookError(webhook)
        await WebhookMessages.update(
            {WebhookMessages.state: "given_up", WebhookMessages.outcome: "推送已停用"}
        ).where(WebhookMessages.webhook == webhook, WebhookMessages.state == "waiting")


async def turn_webhook(webhook: str, *, now: datetime) -> int:
    """Change the secret of this address; how often that was done now.

    Raises:
        UnknownWebhookError: no such webhook, or ended before.
    """
    turned = (
        await Webhooks.update({Webhooks.turns: Webhooks.turns + 1, Webhooks.turned_at: now})
        .where(Webhooks.id == webhook, Webhooks.ended_at.is_null())
        .returning(Webhooks.turns)
    )
    if not turned:
        raise UnknownWebhookError(webhook)
    turns: int = turned[0]["turns"]
    return turns


async def announce(event: str, wave: str, data: dict[str, Any], *, now: datetime) -> None:
    """Write one message for every live webhook whose account may see the wave; inside the act's transaction."""
    assert event in EVENTS
    for row in await Webhooks.select().where(Webhooks.ended_at.is_null()):
        account = await find_account(row["account"])
        if account is None or not account.active or not await may_reach(account, wave):
            continue
        body = {
            "type": event,
            "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "data": {"wave": wave, **data},
        }
        await WebhookMessages.insert(
            WebhookMessages(
                id="msg_" + secrets.token_hex(16),
                webhook=row["id"],
                event=event,
                body=encode(body).decode(),
                state="waiting",
                tries=0,
                outcome="",
                created_at=now,
                due_at=now,
            )
        )


async def claim_message(*, now: datetime) -> Message | None:
    """One message that is due, left alone by other processes while it is sent; None when there is none."""
    due = (WebhookMessages.state == "waiting") & (WebhookMessages.due_at <= now)
    for row in await WebhookMessages.select().where(due).order_by(WebhookMessages.due_at).limit(20):
        claimed = (
            await WebhookMessages.update(
                {WebhookMessages.due_at: now + LEASE, WebhookMessages.tries: WebhookMessages.tries + 1}
            )
            .where((WebhookMessages.id == row["id"]) & due)
            .returning(WebhookMessages.tries)
        )
        if claimed:
            return Message(**{**row, "tries": claimed[0]["tries"], "due_at": now + LEASE})
    return None


async def settle_message(message: Message, outcome: str, *, delivered: bool, now: datetime) -> None:
    """Note how a try went: delivered, due again after a growing pause, or given up after the last."""
    over = message.tries > len(PAUSES)
    state = "delivered" if delivered else "given_up" if over else "waiting"
    pause = timedelta(0) if delivered or over else PAUSES[message.tries - 1]
    await WebhookMessages.update(
        {
            WebhookMessages.state: state,
            WebhookMessages.outcome: outcome[:200],
            WebhookMessages.due_at: now + pause,
        }
    ).where(WebhookMessages.id == message.id, WebhookMessages.state == "waiting")


async def undelivered(*, now: datetime) -> dict[str, int]:
    """Of live webhooks, messages of the last week that failed once and wait, and such as were given up."""
    live = [row["id"] for row in await Webhooks.select(Webhooks.id).where(Webhooks.ended_at.is_null())]
    if not live:
        return {"waiting": 0, "given_up": 0}
    failed = (WebhookMessages.webhook.is_in(live)) & (WebhookMessages.created_at > now - TOLD_FOR)
    return {
        "waiting": await WebhookMessages.count().where(
            failed & (WebhookMessages.state == "waiting") & (WebhookMessages.outcome != "")
        ),
        "given_up": await WebhookMessages.count().where(failed & (WebhookMessages.state == "given_up")),
    }


async def list_messages(webhooks: Collection[str] | None = None, limit: int = 100) -> tuple[Message, ...]:
    """The newest messages, of all webhooks or of some, and how far they have come."""
    query = WebhookMessages.select()
    if webhooks is not None:
        query = query.where(WebhookMessages.webhook.is_in([*webhooks, ""]))
    rows = await query.order_by(WebhookMessages.created_at, ascending=False).limit(limit)
    return tuple(Message(**row) for row in rows)
