"""Commands of the print room: everything on paper, or only slips, or only posters."""

from __future__ import annotations

from asyncio import to_thread
from pathlib import Path
from typing import Any

import click

from survey.cli.progress import counted
from survey.cli.session import actor, at_desk, command_options, emit, read_file, run, utc_now, write_file
from survey.jobs.class_piles import ClassPiles, read_class_piles
from survey.jobs.print_job import Finished, write_papers
from survey.jobs.render_papers import ONE_PIECE, PARTS, Wish, plan_papers, render_slips
from survey.storage.audit import record_audit

PAPER = click.option(
    "--size",
    "paper",
    type=click.Choice(["a3", "a4", "a5"]),
    default="a4",
    show_default=True,
    help="海报的纸张 (paper of the posters)",
)
SCHOOL = click.option(
    "--school",
    "schools",
    multiple=True,
    help="只印这所学校，可多次给出；不给就全印 (a school's code; all by default)",
)
LANGUAGE = click.option(
    "--language",
    default="zh",
    show_default=True,
    help="纸条和问卷的语言；海报和告知一面中文一面这种语言 (language the plan offers)",
)
CLASSES = click.option(
    "--classes",
    type=click.Path(path_type=Path),
    default=None,
    help="班级清单，列：学校代码、人员、班级、张数 (CSV or XLSX; slips counted off by class)",
)


@click.command("papers")
@click.argument("wave")
@click.option(
    "--part",
    "parts",
    type=click.Choice(list(PARTS)),
    multiple=True,
    help="只印这几种，可多次给出；不给就全印 (parts to print; all by default)",
)
@PAPER
@SCHOOL
@CLASSES
@LANGUAGE
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output ZIP)")
@command_options
def papers_command(
    data: Path | None,
    wave: str,
    parts: tuple[str, ...],
    paper: str,
    schools: tuple[str, ...],
    classes: Path | None,
    language: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """全县要印的都在一个压缩包里：纸条、封面、海报、纸质问卷、告知。Everything on paper, in one ZIP."""
    wish = Wish(parts or tuple(PARTS), paper, schools, _classes(classes), language)
    target = out or Path(f"{wave}_papers{_named(schools)}.zip")
    _report(wave, "papers", run(_write(data, wave, wish, target, as_json)), as_json)


@click.command("slips")
@click.argument("wave")
@SCHOOL
@CLASSES
@LANGUAGE
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output file)")
@command_options
def slips_command(
    data: Path | None,
    wave: str,
    schools: tuple[str, ...],
    classes: Path | None,
    language: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """排印填写码纸条；一千张以内是一个PDF。开始以后就不能再印。Print the slips; impossible once the wave is open."""
    name = f"{wave}_slips{_named(schools)}"
    wish = Wish(("slips",), schools=schools, classes=_classes(classes), language=language)

    async def in_one_piece() -> bytes | None:
        async with at_desk(data) as (settings, _):
            if (await plan_papers(settings, wave, wish, now=utc_now())).n_slips > ONE_PIECE:
                return None
            pdf = await render_slips(settings, wave, wish, now=utc_now())
            details = {"parts": ["slips"], "school": wish.told, "language": language}
            await record_audit(actor(), "download_papers", wave, details=details, now=utc_now())
            return pdf

    papers = run(in_one_piece())
    if papers is None:
        _report(wave, "slips", run(_write(data, wave, wish, out or Path(f"{name}.zip"), as_json)), as_json)
        return
    target = out or Path(f"{name}.pdf")
    write_file(target, papers)
    emit({"wave": wave, "slips": str(target)}, as_json, f"纸条：{target}\n印好、封好、点清以后再开始。")


@click.command("posters")
@click.argument("wave")
@PAPER
@SCHOOL
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output ZIP)")
@command_options
def posters_command(
    data: Path | None, wave: str, paper: str, schools: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """给每所抽中的学校排印海报，一个压缩包。Posters for every drawn school, in one ZIP."""
    target = out or Path(f"{wave}_posters_{paper}.zip")
    wish = Wish(("posters",), paper, schools)
    _report(wave, "posters", run(_write(data, wave, wish, target, as_json)), as_json)


def _named(schools: tuple[str, ...]) -> str:
    """What a file's name says of the schools: of several only how many."""
    return f"_{schools[0]}" if len(schools) == 1 else f"_{len(schools)}所" if schools else ""


def _classes(path: Path | None) -> ClassPiles:
    return ClassPiles() if path is None else read_class_piles(read_file(path), path.name)


async def _write(data: Path | None, wave: str, wish: Wish, target: Path, quiet: bool) -> Finished:
    async with at_desk(data) as (settings, _):
        job = await plan_papers(settings, wave, wish, now=utc_now())
        with counted("排印", quiet) as advance:
            done = await to_thread(write_papers, job, target, progress=advance)
        details: dict[str, Any] = {
            "parts": list(wish.parts),
            "school": wish.told,
            "language": wish.language,
        }
        await record_audit(actor(), "download_papers", wave, details=details, now=utc_now())
        return done


def _report(wave: str, what: str, done: Finished, as_json: bool) -> None:
    document = {
        "wave": wave,
        what: str(done.path),
        "files": done.files,
        "pages": done.pages,
        "sheets": done.paper,
    }
    text = f"{done.path}：{done.files}个文件，{done.pages}页；单面打印要{done.paper_in_words}。"
    emit(document, as_json, text)
