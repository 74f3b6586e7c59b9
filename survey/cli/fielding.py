"""Commands of the fieldwork: publish, pause, resume, watch, leftovers, close."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from survey.cli.passphrases import Passphrases, passphrase_options
from survey.cli.session import actor, at_intake, command_options, emit, read_file, run, utc_now
from survey.cli.wording import break_off_text, participation_text
from survey.fieldwork.paradata import break_offs
from survey.jobs.close_wave import close_wave
from survey.jobs.participation import participation
from survey.jobs.run_fieldwork import pause_wave, publish_wave, resume_wave
from survey.jobs.void_leftovers import void_leftovers


@click.command("publish")
@click.argument("wave")
@command_options
def publish_command(data: Path | None, wave: str, as_json: bool) -> None:
    """开始收答卷；印刷文件随即销毁。Open the wave; the print file is erased."""

    async def work() -> None:
        async with at_intake(data) as (settings, office):
            await publish_wave(settings, office, wave, actor=actor(), now=utc_now())

    run(work())
    emit({"wave": wave, "state": "open"}, as_json, f"{wave} 已开始。印刷文件已销毁。")


@click.command("pause")
@click.argument("wave")
@command_options
def pause_command(data: Path | None, wave: str, as_json: bool) -> None:
    """暂停收答卷。Pause the wave."""

    async def work() -> None:
        async with at_intake(data) as (_, office):
            await pause_wave(office, wave, actor=actor(), now=utc_now())

    run(work())
    emit({"wave": wave, "state": "paused"}, as_json, f"{wave} 已暂停。")


@click.command("resume")
@click.argument("wave")
@command_options
def resume_command(data: Path | None, wave: str, as_json: bool) -> None:
    """暂停以后接着收。Resume a paused wave."""

    async def work() -> None:
        async with at_intake(data) as (_, office):
            await resume_wave(office, wave, actor=actor(), now=utc_now())

    run(work())
    emit({"wave": wave, "state": "open"}, as_json, f"{wave} 继续进行。")


@click.command("watch")
@click.argument("wave")
@command_options
def watch_command(data: Path | None, wave: str, as_json: bool) -> None:
    """看回收情况，只有份数。Participation so far, counts only."""

    async def work() -> tuple[dict[str, object], str]:
        async with at_intake(data) as (_, office):
            seen = await participation(office, wave, now=utc_now())
            left = break_offs(await office.counters(wave))
            document = {**seen.document(), "break_offs": [asdict(one) for one in left]}
            return document, participation_text(seen) + break_off_text(left)

    document, text = run(work())
    emit(document, as_json, text)


@click.command("leftovers")
@click.argument("wave")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--counted-by", "people", multiple=True, required=True, help="清点的人，写两次 (who counted, given twice)"
)
@command_options
def leftovers_command(
    data: Path | None, wave: str, file: Path, people: tuple[str, ...], as_json: bool
) -> None:
    """结束以前作废备用的和剩下的纸条：每行一个填写码，或“域,张数”。Void spare and leftover slips before closing."""
    lines = read_file(file).decode("utf-8", "replace").splitlines()

    async def work() -> dict[str, int]:
        async with at_intake(data) as (settings, office):
            return await void_leftovers(settings, office, wave, lines, people, actor=actor(), now=utc_now())

    voided = run(work())
    text = f"{wave}：{len(voided)}个域共作废{sum(voided.values())}张。"
    emit({"wave": wave, "voided": voided}, as_json, text)


@click.command("close")
@click.argument("wave")
@passphrase_options
@command_options
def close_command(data: Path | None, wave: str, passphrases: Passphrases, as_json: bool) -> None:
    """结束调查，两人签字；此后一份也不能再收。Close the wave for good, signed by two."""

    async def work() -> dict[str, object]:
        async with at_intake(data) as (settings, office):
            signers = passphrases.open(settings)
            return await close_wave(settings, office, wave, signers, actor=actor(), now=utc_now())

    done = run(work())
    emit(done, as_json, f"{wave} 已结束，共{done['responses']}份答卷。")
