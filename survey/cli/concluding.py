"""Commands from the closed box to what is handed in: open, certify, report, pack, export."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from survey.cli.auditing import read_audited
from survey.cli.guarding import read_planted
from survey.cli.passphrases import Passphrases, passphrase_options
from survey.cli.progress import counted, shares
from survey.cli.session import (
    actor,
    at_desk,
    at_intake,
    command_options,
    emit,
    run,
    utc_now,
    write_file,
    write_whole,
)
from survey.documents.report import PARTS
from survey.jobs.certify_wave import certify_wave
from survey.jobs.export_answers import export_answers
from survey.jobs.open_wave import open_wave
from survey.jobs.pack_wave import pack_wave
from survey.jobs.render_report import KINDS, render_report


@click.command("open")
@click.argument("wave")
@click.option(
    "--planted",
    "planted_file",
    type=click.Path(path_type=Path),
    default=None,
    help="上级的核对答卷清单 (the list of known answers)",
)
@click.option("--without-list", is_flag=True, help="拿不到清单也开，结果不算核查过 (open without the list)")
@passphrase_options
@command_options
def open_command(
    data: Path | None,
    wave: str,
    planted_file: Path | None,
    without_list: bool,
    passphrases: Passphrases,
    as_json: bool,
) -> None:
    """两人合力开箱，解封全部答卷。Open the sealed answers, with both halves of the key."""

    async def work() -> dict[str, object]:
        async with at_intake(data) as (settings, office):
            signers = passphrases.open(settings)
            planted = None if planted_file is None else read_planted(planted_file)
            with counted("开箱", as_json) as progress:
                return await open_wave(
                    settings,
                    office,
                    wave,
                    signers,
                    actor=actor(),
                    now=utc_now(),
                    planted=planted,
                    without_list=without_list,
                    progress=progress,
                )

    done = run(work())
    text = f"已开箱：{done['opened']}份，每份都与当时的封存一致。"
    if planted_file is not None:
        text += (
            f"\n核对答卷找到{done['canaries']}份，不计入；缺{done['canaries_missing']}份，"
            f"内容不同{done['canaries_different']}份。"
        )
    emit(done, as_json, text)


@click.command("certify")
@click.argument("wave")
@click.option("--supersede", "reason", default=None, help="重新签发，写明理由 (issue anew, with the reason)")
@click.option(
    "--audited",
    "audited_file",
    type=click.Path(path_type=Path),
    default=None,
    help="核查人签过的文件，两人确认后重新签发 (the auditor's signed file)",
)
@click.option("--reviewed-by", "reviewer", default=None, help="复核的人，记入操作记录 (who reviewed, for the trail)")
@passphrase_options
@command_options
def certify_command(
    data: Path | None,
    wave: str,
    reason: str | None,
    reviewer: str | None,
    audited_file: Path | None,
    passphrases: Passphrases,
    as_json: bool,
) -> None:
    """两人签字，出具结果证书和公开核验包。Sign the statement; write certificate, sheet and public bundle."""

    async def work() -> dict[str, object]:
        async with at_intake(data) as (settings, office):
            signers = passphrases.open(settings)
            audited = None if audited_file is None else read_audited(audited_file)
            steps = {} if reviewer is None else {"reviewed_by": reviewer.strip()[:100]}
            with shares("签发", as_json) as tell:
                certified = await certify_wave(
                    settings,
                    office,
                    wave,
                    signers,
                    actor=actor(),
                    now=utc_now(),
                    reason=reason,
                    audited=audited,
                    steps=steps,
                    progress=tell,
                )
            return certified.document()

    done = run(work())
    emit(
        done,
        as_json,
        f"证书第{done['number']}号，核验码 {done['short']}\n"
        f"证书：{done['certificate']}\n证书页：{done['sheet']}\n公开核验包：{done['bundle']}\n报告：{done['report']}",
    )


@click.command("report")
@click.argument("wave")
@click.option(
    "--format", "kind", type=click.Choice(list(KINDS)), default="pdf", help="xlsx只有各表 (tables only)"
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(list(PARTS)),
    help="不要的部分，可写多次 (a part to leave out)",
)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output file)")
@command_options
def report_command(
    data: Path | None, wave: str, kind: str, without: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """排印报告（PDF、DOCX、XLSX）；认证以前印“草稿”。The report, a draft until certified."""
    target = out or Path(f"{wave}_report.{kind}")

    async def work() -> bytes:
        async with at_desk(data):
            parts = [part for part in PARTS if part not in without]
            return await render_report(wave, kind, parts=parts, now=utc_now())

    write_file(target, run(work()))
    emit({"wave": wave, "report": str(target)}, as_json, f"报告：{target}")


@click.command("pack")
@click.argument("wave")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output ZIP)")
@command_options
def pack_command(data: Path | None, wave: str, out: Path | None, as_json: bool) -> None:
    """装建档包：检查要看的材料，带目录和摘要。The evidence pack of a certified wave, with index and digests."""
    target = out or Path(f"{wave}_建档.zip")

    async def work(file: IO[bytes]) -> None:
        async with at_desk(data) as (settings, _):
            with shares("装建档包", as_json) as tell:
                await pack_wave(settings, wave, file, actor=actor(), now=utc_now(), progress=tell)

    write_whole(target, lambda file: run(work(file)))
    emit({"wave": wave, "pack": str(target)}, as_json, f"建档包：{target}")


@click.command("export")
@click.argument("wave")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output ZIP)")
@command_options
def export_command(data: Path | None, wave: str, out: Path | None, as_json: bool) -> None:
    """导出答卷供分析（内部）：CSV、Parquet、SPSS、Stata、DDI、R。Answers for analysis, confidential."""
    target = out or Path(f"{wave}_answers.zip")

    async def work(file: IO[bytes]) -> None:
        async with at_intake(data) as (_, office):
            with shares("导出答卷", as_json) as tell:
                await export_answers(office, wave, file, actor=actor(), now=utc_now(), progress=tell)

    write_whole(target, lambda file: run(work(file)))
    emit({"wave": wave, "answers": str(target)}, as_json, f"内部资料，不公开，不给学校：{target}")
