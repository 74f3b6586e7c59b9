"""The command for other languages: hand out the texts, take them in, let a named person sign."""

from __future__ import annotations

from pathlib import Path

import click

from survey.cli.session import actor, at_desk, command_options, emit, read_file, run, utc_now
from survey.jobs.translate import export_catalogue, import_catalogue, list_catalogues, sign_catalogue

STATES = {"shipped": "随产品提供", "signed": "已审定", "imported": "已导入，未审定", "none": "没有译文"}


@click.group("language")
def language_command() -> None:
    """其他语言的译文：导出、导入、审定。Translations: export, import, sign off."""


@language_command.command("list")
@command_options
def list_command(data: Path | None, as_json: bool) -> None:
    """每种语言的译文到了哪一步。How far each language has come."""

    async def work() -> list[dict[str, object]]:
        async with at_desk(data):
            return await list_catalogues()

    found = run(work())
    lines = [
        f"{one['language']:<8} {STATES[str(one['state'])]}"
        + (f"，还有{one['missing']}条是中文" if one.get("missing") else "")
        + (f"，{one['signed_by']} {one['signed_on']}" if "signed_by" in one else "")
        + f"  {one['autonym']}（{one['zh']}）"
        for one in found
    ]
    emit({"languages": found}, as_json, "\n".join(lines))


@language_command.command("export")
@click.argument("language")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="存到 (file to write)"
)
@command_options
def export_command(data: Path | None, language: str, output: Path | None, as_json: bool) -> None:
    """导出要翻译的文字，一个PO文件。Write the texts to be translated as a PO file."""
    path = output or Path(f"{language}.po")

    async def work() -> bytes:
        async with at_desk(data):
            return await export_catalogue(language)

    path.write_bytes(run(work()))
    emit(
        {"language": language, "file": str(path)},
        as_json,
        f"已存到 {path}。译好后运行 survey language import {path}",
    )


@language_command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--language", default=None, help="语言代码，不写就看文件头 (code; the file's header says otherwise)"
)
@command_options
def import_command(data: Path | None, file: Path, language: str | None, as_json: bool) -> None:
    """检查并导入译好的PO文件；审定以前谁也看不到。Check and take in a filled PO file."""
    content = read_file(file)

    async def work() -> dict[str, object]:
        async with at_desk(data):
            taken = await import_catalogue(content, language, actor=actor(), now=utc_now())
            return {"language": taken.language, "translated": len(taken.texts), "missing": len(taken.missing)}

    done = run(work())
    emit(
        done,
        as_json,
        f"“{done['language']}”收下{done['translated']}条，还有{done['missing']}条会显示中文。\n"
        f"审定后才能用：survey language sign {done['language']} --name 审定人",
    )


@language_command.command("sign")
@click.argument("language")
@click.option("--name", required=True, help="审定人的姓名 (who stands for it)")
@command_options
def sign_command(data: Path | None, language: str, name: str, as_json: bool) -> None:
    """由一个具名的人审定译文；以后签计划的调查可以用它。Sign a translation off with a name."""

    async def work() -> dict[str, object]:
        async with at_desk(data):
            signed = await sign_catalogue(language, name, actor=actor(), now=utc_now())
            return {
                "language": language,
                "signed_by": name,
                "missing": len(signed.missing),
                "digest": signed.digest,
            }

    done = run(work())
    emit(
        done,
        as_json,
        f"“{language}”已由{name}审定。在计划的languages里写上{language}，签计划时一起固定下来。",
    )
