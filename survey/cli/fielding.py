"""Commands of the fieldwork: papers, publish, pause, resume, watch, close."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from survey.cli.passphrases import passphrase_options
from survey.cli.session import actor, at_desk, at_intake, command_options, emit, run, utc_now, write_file
from survey.cli.wording import participation_text
from survey.jobs.close_wave import close_wave
from survey.jobs.participation import participation
from survey.jobs.render_papers import render_posters, render_slips, suffix_of
from survey.jobs.run_fieldwork import pause_wave, publish_wave, resume_wave
from survey.jobs.signers import open_signers
from survey.storage.audit import record_audit


@click.command("slips")
@click.argument("wave")
@click.option("--school", default=None, help="只印这所学校 (one school's code)")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output PDF)")
@command_options
def slips_command(data: Path | None, wave: str, school: str | None, out: Path | None, as_json: bool) -> None:
    """排印填写码纸条（PDF）。开始以后就不能再印。Print the slips; impossible once the wave is open."""

    async def work() -> bytes:
        async with at_desk(data) as (settings, _):
            papers = await render_slips(settings, wave, school=school, now=utc_now())
            details = {"school": school or "all"}
            await record_audit(actor(), "download_papers", wave, details=details, now=utc_now())
            return papers

    papers = run(work())
    target = out or Path(f"{wave}_slips{'_' + school if school else ''}{suffix_of(papers)}")
    write_file(target, papers)
    emit({"wave": wave, "slips": str(target)}, as_json, f"纸条：{target}\n印好、封好、点清以后再开始。")


@click.command("posters")
@click.argument("wave")
@click.option(
    "--size",
    "paper",
    type=click.Choice(["a3", "a4", "a5"]),
    default="a4",
    show_default=True,
    help="纸张 (paper)",
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output ZIP)")
@command_options
def posters_command(data: Path | None, wave: str, paper: str, out: Path | None, as_json: bool) -> None:
    """给每所抽中的学校排印海报，一个压缩包。Posters for every drawn school, in one ZIP."""
    target = out or Path(f"{wave}_posters_{paper}.zip")

    async def work() -> bytes:
        async with at_desk(data) as (settings, _):
            with click.progressbar(length=1, label="排印海报", file=sys.stderr) as bar:

                def advance(done: int, of: int) -> None:
                    bar.length = of
                    bar.update(done - bar.pos)

                return await render_posters(
                    settings, wave, paper=paper, now=utc_now(), progress=None if as_json else advance
                )

    archive = run(work())
    write_file(target, archive)
    emit({"wave": wave, "posters": str(target)}, as_json, f"海报：{target}")


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
            return seen.document(), participation_text(seen)

    document, text = run(work())
    emit(document, as_json, text)


@click.command("close")
@click.argument("wave")
@passphrase_options
@command_options
def close_command(data: Path | None, wave: str, passphrases: dict[str, str], as_json: bool) -> None:
    """结束调查，两人签字；此后一份也不能再收。Close the wave for good, signed by two."""

    async def work() -> dict[str, object]:
        async with at_intake(data) as (settings, office):
            signers = open_signers(settings, passphrases)
            return await close_wave(settings, office, wave, signers, actor=actor(), now=utc_now())

    done = run(work())
    emit(done, as_json, f"{wave} 已结束，共{done['responses']}份答卷。")
