"""Tell other systems of certificates: register an address, and send what the outbox holds.

Signed per Standard Webhooks. A receiver acknowledges with 2xx within ten seconds; anything
else, a redirect too, is tried again later. An address is resolved once and that address is
connected to, after it was found public, so a name that changes its mind leads nowhere inside.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import logging
import socket
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from survey.errors import SurveyError
from survey.jobs.manage_accounts import AccountUnknownError, may_manage
from survey.jobs.reach_out import tls_context
from survey.settings import Settings
from survey.storage.accounts import Account, find_account, list_accounts
from survey.storage.audit import record_audit
from survey.storage.webhooks import (
    Message,
    UnknownWebhookError,
    Webhook,
    claim_message,
    end_webhook,
    find_webhook,
    list_webhooks,
    save_webhook,
    secrets_of,
    settle_message,
    turn_webhook,
    webhook_secret,
)

log = logging.getLogger("survey.webhooks")

SECONDS = 10.0
LOOKS_EVERY = 2.0


class WebhookRefusedError(SurveyError):
    """The address cannot be told anything."""

    code = "webhook.refused"
    kind = "invalid"

    def __init__(self, thing: str, reason: str, remedy: str) -> None:
        super().__init__(thing, reason, remedy)


async def register_webhook(
    settings: Settings, account: str, label: str, url: str, *, actor: str, now: datetime
) -> tuple[str, str]:
    """The id of a new webhook and its secret, which is shown this once.

    Raises:
        AccountUnknownError, WebhookRefusedError.
    """
    if await find_account(account) is None:
        raise AccountUnknownError(account)
    plain = label.strip()
    if not 1 <= len(plain) <= 100 or not plain.isprintable():
        raise WebhookRefusedError("推送的用途", "要1到100个字，写在一行里", "例如 督导管理信息系统")
    host, port = _host_of(url, settings.webhook_private)
    if not settings.webhook_private:
        await _public_address(host, port)
    row = await save_webhook(account, plain, url, now=now)
    details = {"label": plain, "host": host, "account": account}
    await record_audit(actor, "register_webhook", row.id, details=details, now=now)
    return row.id, _secret_text(webhook_secret(settings, row.id))


async def change_secret(
    settings: Settings, webhook: str, *, by: Account | None = None, actor: str, now: datetime
) -> str:
    """A new secret for an address, shown this once; the old one signs beside it for a day.

    Args:
        by: who changes it, where that is an account that may be limited itself; None at the server.

    Raises:
        UnknownWebhookError: no such webhook in the branch of `by`, or ended before.
    """
    await _hold_own(webhook, by)
    turns = await turn_webhook(webhook, now=now)
    await record_audit(actor, "change_webhook_secret", webhook, now=now)
    return _secret_text(webhook_secret(settings, webhook, turns))


async def webhooks_of(by: Account | None) -> tuple[Webhook, ...]:
    """The webhooks of accounts in somebody's branch, the oldest first; at the server all."""
    every = await list_webhooks()
    if by is None or not by.divisions:
        return every
    accounts = {one.name: one for one in await list_accounts()}
    return tuple([one for one in every if one.account in accounts and await may_manage(by, accounts[one.account])])


async def _hold_own(webhook: str, by: Account | None) -> None:
    if webhook not in {one.id for one in await webhooks_of(by)}:
        raise UnknownWebhookError(webhook)


async def stop_webhook(webhook: str, *, by: Account | None = None, actor: str, now: datetime) -> None:
    """Tell an address nothing more.

    Args:
        by: who ends it, where that is an account that may be limited itself; None at the server.

    Raises:
        UnknownWebhookError: no such webhook in the branch of `by`, or ended before.
    """
    await _hold_own(webhook, by)
    await end_webhook(webhook, now=now)
    await record_audit(actor, "end_webhook", webhook, now=now)


def _secret_text(secret: bytes) -> str:
    """A secret as Standard Webhooks write it."""
    return "whsec_" + base64.b64encode(secret).decode()


async def send_due(settings: Settings, clock: Callable[[], datetime]) -> int:
    """Send every message that is due, one after another; how many were tried."""
    tried = 0
    while (message := await claim_message(now=clock())) is not None:
        delivered, outcome = await _send(settings, message, clock())
        await settle_message(message, outcome, delivered=delivered, now=clock())
        tried += 1
    return tried


async def send_until_stopped(settings: Settings, clock: Callable[[], datetime]) -> None:
    """Look into the outbox every two seconds, until cancelled."""
    while True:
        try:
            await send_due(settings, clock)
        except Exception:
            log.exception("the outbox of webhooks could not be worked on")
        await asyncio.sleep(LOOKS_EVERY)


async def _send(settings: Settings, message: Message, now: datetime) -> tuple[bool, str]:
    """One try: whether it was acknowledged, and what is noted."""
    import httpcore
    from standardwebhooks import Webhook as Signing

    from survey.jobs.vetted_network import VettedNetwork

    webhook = await find_webhook(message.webhook)
    if webhook is None or webhook.ended_at is not None:
        return False, "推送已停用"
    signed = [
        Signing(_secret_text(secret)).sign(message.id, now, message.body)
        for secret in secrets_of(settings, webhook, now=now)
    ]
    headers = {
        "content-type": "application/json",
        "user-agent": "survey-webhook/1",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signed),
    }
    within = dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)
    try:
        _host_of(webhook.url, settings.webhook_private)
        async with asyncio.timeout(SECONDS):
            async with (
                httpcore.AsyncConnectionPool(
                    network_backend=VettedNetwork(None if settings.webhook_private else _public_address),
                    ssl_context=tls_context(),
                ) as pool,
                pool.stream(
                    "POST",
                    webhook.url,
                    headers=list(headers.items()),
                    content=message.body.encode(),
                    extensions={"timeout": within},
                ) as reply,
            ):
                return 200 <= reply.status < 300, f"HTTP {reply.status}"
    except SurveyError as refusal:
        return False, refusal.reason
    except TimeoutError:
        return False, "10秒内没有答复"
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        # Only the kind of failure: texts of libraries may carry the address with its query.
        return False, f"连接失败（{type(error).__name__}）"


def _host_of(url: str, private: bool) -> tuple[str, int]:
    """Host and port of an address that may be told: https, or http where the setting allows it inside."""
    thing, remedy = "推送的网址", "写成 https://system.example/path 这样的网址，不带用户名和密码"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise WebhookRefusedError(thing, "不是完整网址", remedy) from error
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes or not host:
        raise WebhookRefusedError(thing, "不是完整的https网址", remedy)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise WebhookRefusedError(thing, "带有用户名、密码或#", remedy)
    if len(url) > 500 or not url.isascii() or not url.isprintable() or " " in url:
        raise WebhookRefusedError(thing, "太长，或有不能用的字符", remedy)
    return host, port or (443 if parts.scheme == "https" else 80)


async def _public_address(host: str, port: int) -> str:
    """The first address of a name all of whose addresses are public.

    Raises:
        WebhookRefusedError: it cannot be found, or an address of it lies inside.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebhookRefusedError("推送的网址", "找不到这台主机", "检查主机名") from error
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise WebhookRefusedError(
            "推送的网址",
            "是内网地址",
            "换成公网地址；确实要推送到内网时，由管理员设 SURVEY_WEBHOOK_PRIVATE=yes",
        )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address lies outside: neither private, local, shared nor an IPv4 one in disguise.

    >>> [is_public(a) for a in ("8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1")]
    [True, False, False, False, False]
    >>> [is_public(a) for a in ("::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "fe80::1%eth0")]
    [False, False, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        translated = ip in ipaddress.ip_network("64:ff9b::/96")
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo or translated:
            return False
    return ip.is_global and not ip.is_multicast
