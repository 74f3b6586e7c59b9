"""`survey webhook`: tell other systems of certificates, and see what they acknowledged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from survey.cli.session import actor, at_desk, command_options, emit, run, utc_now
from survey.jobs.manage_accounts import meant_account
from survey.jobs.send_webhooks import change_secret, register_webhook, stop_webhook
from survey.storage.webhooks import list_messages, list_webhooks

STATES = {"waiting": "待送", "delivered": "已送达", "given_up": "已放弃"}


@click.group("webhook")
def webhook_command() -> None:
    """证书签发、换发、撤回时通知别的系统。Tell other systems of certificates."""


@webhook_command.command("add")
@click.argument("url")
@click.option("--label", required=True, help="用途 (what it is for)")
@click.option("--account", default=None, help="按哪个账号的区划，默认唯一的管理员 (whose divisions hold)")
@command_options
def add_command(data: Path | None, url: str, label: str, account: str | None, as_json: bool) -> None:
    """登记一个网址；密钥只显示这一次。Register an address; its secret is shown once."""

    async def work() -> dict[str, Any]:
        async with at_desk(data) as (settings, _):
            owner = await meant_account(account)
            webhook, secret = await register_webhook(
                settings, owner, label, url, actor=actor(), now=utc_now()
            )
            return {"webhook": webhook, "account": owner, "secret": secret}

    done = run(work())
    emit(done, as_json, f"推送：{done['webhook']}\n密钥（只显示这一次）：\n{done['secret']}")


@webhook_command.command("list")
@command_options
def list_command(data: Path | None, as_json: bool) -> None:
    """列出推送和最近的消息。List the addresses and the newest messages."""

    async def work() -> dict[str, Any]:
        async with at_desk(data):
            hooks, messages = await list_webhooks(), await list_messages()
        return {
            "webhooks": [
                {
                    "webhook": hook.id,
                    "label": hook.label,
                    "account": hook.account,
                    "url": hook.url,
                    "ended": hook.ended_at is not None,
                }
                for hook in hooks
            ],
            "messages": [
                {
                    "id": one.id,
                    "webhook": one.webhook,
                    "event": one.event,
                    "state": one.state,
                    "tries": one.tries,
                    "outcome": one.outcome,
                }
                for one in messages
            ],
        }

    done = run(work())
    lines = [
        f"{hook['webhook']}\t{hook['label']}\t{hook['account']}\t{hook['url']}\t"
        + ("已停用" if hook["ended"] else "在用")
        for hook in done["webhooks"]
    ]
    lines += [
        f"{one['id']}\t{one['event']}\t{STATES[one['state']]}\t{one['tries']}次\t{one['outcome']}"
        for one in done["messages"]
    ]
    emit(done, as_json, "\n".join(lines) or "还没有登记推送。")


@webhook_command.command("renew")
@click.argument("webhook")
@command_options
def renew_command(data: Path | None, webhook: str, as_json: bool) -> None:
    """换密钥，新的只显示这一次；旧的还签一天。Change the secret; the old one signs for another day."""

    async def work() -> dict[str, Any]:
        async with at_desk(data) as (settings, _):
            secret = await change_secret(settings, webhook, actor=actor(), now=utc_now())
            return {"webhook": webhook, "secret": secret}

    done = run(work())
    emit(done, as_json, f"新密钥（只显示这一次；旧的还签一天）：\n{done['secret']}")


@webhook_command.command("end")
@click.argument("webhook")
@command_options
def end_command(data: Path | None, webhook: str, as_json: bool) -> None:
    """停用一个推送。Tell an address nothing more."""

    async def work() -> dict[str, Any]:
        async with at_desk(data):
            await stop_webhook(webhook, actor=actor(), now=utc_now())
            return {"webhook": webhook, "ended": True}

    emit(run(work()), as_json, f"{webhook}已停用。")
