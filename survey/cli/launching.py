"""The command of the launch checklist: look, tick, and tell by the exit code whether the wave may begin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from survey.cli.session import actor, at_intake, command_options, emit, run, utc_now
from survey.jobs.launch import launch_checklist, tick_launch, untick_launch
from survey.jobs.launch_lines import LINES, STATE_WORDS, LaunchItem

BY_HAND = tuple(line.key for line in LINES if line.asked)
SIGNS = {"green": "✓", "amber": "!", "red": "✗"}


@click.command("check")
@click.argument("wave")
@click.option(
    "--tick",
    "ticks",
    multiple=True,
    type=click.Choice(BY_HAND),
    help="确认一项，可多次给出 (answer for a line)",
)
@click.option("--by", "person", default="", help="谁确认的 (who answers for it)")
@click.option("--note", default="", help="附一句话，如两部手机的型号 (a note)")
@click.option("--untick", "unticks", multiple=True, type=click.Choice(BY_HAND), help="撤回确认 (take back)")
@command_options
def check_command(
    data: Path | None,
    wave: str,
    ticks: tuple[str, ...],
    person: str,
    note: str,
    unticks: tuple[str, ...],
    as_json: bool,
) -> None:
    """发布前逐项检查；有一项红的就不能发布，退出码1。The launch checklist; exit 1 while a line is red."""

    async def work() -> tuple[LaunchItem, ...]:
        async with at_intake(data) as (settings, office):
            for item in unticks:
                await untick_launch(wave, item, actor=actor(), now=utc_now())
            if ticks:
                await tick_launch(wave, ticks, person, note, actor=actor(), now=utc_now())
            return await launch_checklist(settings, office, wave, now=utc_now())

    items = run(work())
    red = sum(item.state == "red" for item in items)
    document: dict[str, Any] = {
        "wave": wave,
        "may_be_published": red == 0,
        "red": red,
        "amber": sum(item.state == "amber" for item in items),
        "items": [item.document(wave) for item in items],
    }
    emit(document, as_json, _text(items, red))
    if red:
        sys.exit(1)


def _text(items: tuple[LaunchItem, ...], red: int) -> str:
    lines = []
    for item in items:
        key = f" [{item.line.key}]" if item.can_be_ticked else ""
        lines.append(
            f"{SIGNS[item.state]} {STATE_WORDS[item.state]}  {item.line.title}{key}：{item.seen.reason}"
        )
        if item.state != "green" and item.seen.remedy:
            lines.append(f"    {item.seen.remedy}")
    lines.append(f"{red}项红的，不能发布。" if red else "可以发布。")
    return "\n".join(lines)
