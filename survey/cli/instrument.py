"""Commands about questionnaires as files: check one, get the template, write one for another program."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from survey.cli.session import actor, at_desk, command_options, emit, read_file, run, utc_now, write_file
from survey.jobs.instrument_file import InstrumentFile, read_instrument_file, workbook
from survey.jobs.preview_form import preview_links
from survey.jobs.record_questions import Recorded, record_questions, recorded
from survey.scheme.authoring_template import sheets_of
from survey.scheme.instrument import INSTRUMENTS, load_instrument
from survey.scheme.xlsform import GROUPS
from survey.scheme.xlsform_out import xlsform_of

GROUP = click.option(
    "--group",
    type=click.Choice(list(GROUPS)),
    default=None,
    help="给谁填，XLSForm里没有写时用 (respondent group)",
)
WRITERS = {"xlsform": xlsform_of, "template": sheets_of}


@click.group("instrument")
def instrument_command() -> None:
    """问卷文件：检查、模板、转换。Questionnaires as files."""


@instrument_command.command("check")
@click.argument("file")
@GROUP
@command_options
def check(data: Path | None, file: str, group: str | None, as_json: bool) -> None:
    """检查问卷文件，一次列出全部问题。Check a questionnaire: YAML, our template, or an XLSForm."""
    read = _read(file, group)
    instrument = read.instrument
    items = list(instrument.items)
    document = {
        "kind": read.kind,
        "id": instrument.id,
        "version": instrument.version,
        "respondent_group": instrument.respondent_group,
        "sections": len(instrument.sections),
        "items": len(items),
        "overall_item": instrument.overall_item.id if instrument.overall_item else None,
        "digest": instrument.digest,
        "notes": list(read.notes),
    }
    lines = [
        (f"{read.kind}：没有问题。{instrument.title['zh']}（{instrument.id}，{instrument.version}版），"
        f"{len(instrument.sections)}个部分，{len(items)}题，大约{instrument.minutes}分钟。")
    ]
    if instrument.overall_item is None:
        lines.append("没有“总体评价”题：满意度要由各题平均算出。")
    lines += [f"- {note}" for note in read.notes]
    emit(document, as_json, "\n".join(lines))


@instrument_command.command("template")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--like", type=click.Choice(INSTRUMENTS), default="parents", help="照哪一套填好 (filled with)")
@command_options
def template(data: Path | None, out: Path, like: str, as_json: bool) -> None:
    """写出一个填好例子的Excel模板。Write the Excel template, filled with an example."""
    write_file(out, workbook(sheets_of(load_instrument(like, "full", frozenset(), True))))
    emit({"template": str(out)}, as_json, f"模板：{out}")


@instrument_command.command("convert")
@click.argument("file")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(list(WRITERS)), default="xlsform", show_default=True)
@GROUP
@command_options
def convert(data: Path | None, file: str, out: Path, kind: str, group: str | None, as_json: bool) -> None:
    """转成XLSForm或本系统的模板；FILE也可以是自带问卷的名字。Write a questionnaire as XLSForm or template."""
    read = _read(file, group)
    write_file(out, workbook(WRITERS[kind](read.instrument)))
    emit({kind: str(out), "notes": list(read.notes)}, as_json, "\n".join([f"{out}", *read.notes]))


@instrument_command.command("preview")
@click.argument("wave")
@command_options
def preview(data: Path | None, wave: str, as_json: bool) -> None:
    """给出每套问卷的预览链接；填了不保存、不计数。Links to try each form; nothing is kept or counted."""

    async def work() -> list[dict[str, str]]:
        async with at_desk(data) as (settings, _):
            return [asdict(link) for link in await preview_links(settings, wave)]

    links = run(work())
    lines = [f"{link['group']}（{link['stage']}，{link['instrument']}）：{link['address']}" for link in links]
    emit({"wave": wave, "links": links}, as_json, "\n".join(lines))


@instrument_command.command("recordings")
@click.argument("wave")
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@command_options
def recordings(data: Path | None, wave: str, folder: Path | None, as_json: bool) -> None:
    """放入学生问卷的读题录音，文件名是题号；签字后不能再换。Recordings read to pupils, by item id."""
    files = {one.name: read_file(one) for one in sorted(folder.iterdir()) if one.is_file()} if folder else {}

    async def work() -> Recorded:
        async with at_desk(data):
            if folder is None:
                return await recorded(wave)
            return await record_questions(wave, files, actor=actor(), now=utc_now())

    found = run(work())
    lines = [f"有录音的{len(found.names)}题：{'、'.join(found.names) or '没有'}"]
    if found.silent:
        lines.append(f"没有录音的{len(found.silent)}题：{'、'.join(found.silent)}")
    emit({"wave": wave, **asdict(found)}, as_json, "\n".join(lines))


def _read(file: str, group: str | None) -> InstrumentFile:
    if file in INSTRUMENTS:
        return InstrumentFile(load_instrument(file, "full", frozenset(), True), "自带问卷")
    path = Path(file)
    return read_instrument_file(read_file(path), path.name, group=group or "")
