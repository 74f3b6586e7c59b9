"""Commands that keep and clear: the daily head, the audit trail, erasing answers when their time has come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from survey.cli.session import actor, at_desk, at_intake, command_options, emit, run, utc_now, write_file
from survey.jobs.daily_head import daily_head
from survey.jobs.due_list import STATES, DueItem, due_list
from survey.jobs.erase_answers import erase_answers
from survey.storage.audit import AuditEntry, list_audit, verify_audit


@click.command("head")
@click.argument("wave")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output text)")
@command_options
def head_command(data: Path | None, wave: str, out: Path | None, as_json: bool) -> None:
    """今天的日志头，写成给上级的信：每天一封，结束时再一封。Today's signed head, as a letter to the superior office."""

    async def work() -> dict[str, Any]:
        async with at_intake(data) as (settings, office):
            return await daily_head(settings, office, wave, actor=actor(), now=utc_now())

    done = run(work())
    if out is not None:
        write_file(out, done["letter"].encode())
    emit(done, as_json, f"已写到 {out}" if out is not None else done["letter"])


@click.command("audit-trail")
@click.argument("what", type=click.Choice(["verify", "list"]), default="verify")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="列几条 (entries)"
)
@click.option(
    "--known", default=None, metavar="条数:摘要", help="日志头的信里记下的一行 (number:digest kept earlier)"
)
@command_options
def audit_trail_command(data: Path | None, what: str, limit: int, known: str | None, as_json: bool) -> None:
    """核对或列出操作记录：一条接一条，改动或删去哪一条都会指出来。Verify or list the chained audit trail."""

    async def work() -> tuple[int, tuple[AuditEntry, ...]]:
        async with at_desk(data):
            return await verify_audit(_known(known)), await list_audit(limit) if what == "list" else ()

    number, entries = run(work())
    rows = [
        {
            "position": one.position,
            "at": one.at,
            "who": one.who,
            "what": one.what,
            "object": one.object,
            "result": one.result,
        }
        for one in entries
    ]
    lines = [
        f"{r['position']}\t{r['at']}\t{r['who']}\t{r['what']}\t{r['object']}\t{r['result']}" for r in rows
    ]
    text = "\n".join([*lines, f"操作记录{number}条，一条接一条，没有改动。"])
    emit({"entries": number, "holds": True, **({"list": rows} if rows else {})}, as_json, text)


def _known(text: str | None) -> tuple[int, str] | None:
    """Number and digest as the letter prints them."""
    if text is None:
        return None
    number, _, digest = text.replace(" ", ":").partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise click.BadParameter("写成 条数:64位摘要，照信上的那一行", param_hint="--known")
    return int(number), digest


@click.command("due")
@command_options
def due_command(data: Path | None, as_json: bool) -> None:
    """什么时候该销毁什么，已经销毁的有记录。What falls due when, and what was erased."""

    async def work() -> tuple[DueItem, ...]:
        async with at_desk(data) as (settings, _):
            return await due_list(settings, now=utc_now())

    items = run(work())
    lines = [
        f"{STATES[one.state]}\t{one.due_on}\t{one.wave}\t{one.what}\t{one.record or one.command}" for one in items
    ]
    emit({"due": [one.document() for one in items]}, as_json, "\n".join(lines) or "没有要留期限的东西。")


@click.command("erase")
@click.argument("wave")
@click.option("--yes", is_flag=True, help="确认销毁，不能恢复 (confirm)")
@command_options
def erase_command(data: Path | None, wave: str, yes: bool, as_json: bool) -> None:
    """到了计划里的日子，销毁答卷、盐和钥匙；公开的证明照样有效。Erase answers when their time has come."""
    if not yes:
        click.confirm(f"销毁{wave}的全部答卷，不能恢复。继续吗", abort=True, err=True)

    async def work() -> dict[str, Any]:
        async with at_intake(data) as (settings, office):
            return await erase_answers(settings, office, wave, actor=actor(), now=utc_now())

    done = run(work())
    emit(done, as_json, f"已销毁{done['erased']}份答卷和两半钥匙。证书和公开包照样能核验。")
