"""`survey estimate`: of a wave of ours, or of a file collected elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import click

from survey.cli.progress import shares
from survey.cli.session import command_options, emit, read_file, run, utc_now
from survey.errors import SurveyError


class NothingToEstimateError(SurveyError):
    """Neither a wave nor a file was named, or both."""

    code = "cli.nothing_to_estimate"
    kind = "invalid"


class UnknownTableError(SurveyError):
    """A table that no results document has."""

    code = "cli.unknown_table"
    kind = "invalid"

    def __init__(self, named: str, known: tuple[str, ...]) -> None:
        super().__init__(f"--by {named}", "没有这种分组", f"从这些里选：{'、'.join(known)}")


@click.command("estimate")
@click.argument("wave", required=False)
@click.option(
    "--cases", type=click.Path(path_type=Path), help="外来数据：.csv .csv.gz .parquet .sav (a file of cases)"
)
@click.option("--spec", type=click.Path(path_type=Path), help="计算说明，YAML (what to compute, and how)")
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path),
    help="列的对应表，页面上存下的JSON；有它时数据可以是.xlsx (which header is which column)",
)
@click.option("--example", help="用自带的例子作计算说明；单独写就打印它，写list列出全部 (an example spec)")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="结果文件夹，默认“说明的名字-results” (folder for the results)",
)
@click.option(
    "--by",
    default="group",
    show_default=True,
    help="打印哪些分组，逗号分开：group,stage,place,area,school,dimension,items (tables of a wave to print)",
)
@click.option("--formula", default=None, help="再打印另一种算法的结果，写错时列出全部 (another way of the same answers)")
@click.option("--no-files", is_flag=True, help="只打印，不写文件 (print only)")
@click.option("--keys", is_flag=True, help="打印计算说明的全部写法 (print the format)")
@click.option("--schema", is_flag=True, help="打印计算说明的JSON Schema (print its JSON Schema)")
@command_options
def estimate_command(
    data: Path | None,
    wave: str | None,
    cases: Path | None,
    spec: Path | None,
    map_file: Path | None,
    example: str | None,
    out: Path | None,
    by: str,
    formula: str | None,
    no_files: bool,
    keys: bool,
    schema: bool,
    as_json: bool,
) -> None:
    """加权、计算满意度和误差。Weight the cases and estimate.

    \b
    两种用法：
      survey estimate WAVE                                本系统里已开箱的一轮调查；签发以后只看，不再算
      survey estimate --cases FILE --spec SPEC.yaml       别处收集的数据（问卷星导出、纸质录入、公开的微观数据）

    \b
    第二种打印结果表，并写出results.csv、results.json、results.xlsx和report.pdf。
    计算说明写抽样设计、权数、加权、题目、分组、区间；写法见：
      survey estimate --keys                              全部写法
      survey estimate --example list                      自带的例子
      survey estimate --example nhes_2019 > my.yaml       拿一个例子改成自己的
    """
    if keys or schema or (example and cases is None):
        told = _told(keys, schema, example or "")
        listed = {"examples": told.splitlines()} if example == "list" else {"text": told}
        # The schema is a JSON document whether asked for or not.
        click.echo(json.dumps(listed, ensure_ascii=False, indent=1) if as_json and not schema else told)
    elif cases is not None and wave is None:
        _estimate_cases(cases, spec, map_file, example, out, no_files, as_json)
    elif wave is not None and cases is None and spec is None:
        _estimate_wave(data, wave, tuple(by.split(",")), formula, as_json)
    else:
        raise NothingToEstimateError(
            "survey estimate",
            "要写一轮调查的名字，或者写--cases和--spec，不能都写",
            "看survey estimate --help",
        )


def _told(keys: bool, schema: bool, example: str) -> str:
    """The format, its JSON Schema, an example or their names."""
    from survey.estimation.analysis.format import reference_text, schema_text
    from survey.jobs.estimate_file import example_spec, examples

    if keys:
        return reference_text()
    if schema:
        return schema_text()
    return (
        "\n".join(examples())
        if example == "list"
        else example_spec(example).text.decode("utf-8").rstrip("\n")
    )


def _estimate_wave(
    data: Path | None, wave: str, by: tuple[str, ...], formula: str | None, as_json: bool
) -> None:
    from survey.cli.session import actor, at_intake
    from survey.cli.wording import TABLE_NAMES, results_text, way_text
    from survey.jobs.estimate_wave import estimate_wave
    from survey.storage.plans import load_wave
    from survey.storage.results import load_results

    if unknown := [name for name in by if name not in TABLE_NAMES]:
        raise UnknownTableError("、".join(unknown), tuple(TABLE_NAMES))

    async def work() -> dict[str, object]:
        async with at_intake(data) as (_, office):
            if (await load_wave(wave)).state == "certified":
                return await load_results(wave)  # they stand; the same tables as on the day of signing
            with shares("计算", as_json) as tell:
                return await estimate_wave(office, wave, actor=actor(), now=utc_now(), progress=tell)

    document = run(work())
    text = results_text(document, by)
    emit(document, as_json, text if formula is None else f"{text}\n{way_text(document, formula)}")


@click.command("flags")
@click.argument("wave")
@command_options
def flags_command(data: Path | None, wave: str, as_json: bool) -> None:
    """开箱计算以后的数据质量提示：只对着一校一类人，不改变数字。Flags of an estimated wave; no figure changes."""
    from survey.cases.flag import BLIND
    from survey.cli.session import at_desk
    from survey.storage.results import load_results

    async def work() -> list[dict[str, str]]:
        async with at_desk(data):
            return list((await load_results(wave)).get("flags") or ())

    flags = run(work())
    lines = [
        f"{one['indicator']} {one['name']}　{one['domain']}　{one['text']}　界限{one['limit']}；"
        f"看不出：{BLIND[one['indicator']]}；老实填的也会碰上：{one['honest']}"
        for one in flags
    ]
    emit({"wave": wave, "flags": flags}, as_json, "\n".join(lines) or "没有提示。")


def _estimate_cases(
    cases: Path,
    spec: Path | None,
    map_file: Path | None,
    example: str | None,
    out: Path | None,
    no_files: bool,
    as_json: bool,
) -> None:
    from survey.cli.file_wording import file_text
    from survey.jobs.estimate_file import SpecFile, estimate_file, example_spec, write_results
    from survey.jobs.map_columns import read_map

    if (spec is None) == (example is None):
        raise NothingToEstimateError(
            "--cases", "要用--spec写明计算说明，或用--example，只写一种", "看survey estimate --help"
        )
    given = example_spec(str(example)) if spec is None else SpecFile(spec.name, read_file(spec), spec.parent)
    column_map = None if map_file is None else read_map(read_file(map_file))
    with shares("进度", as_json) as progress:
        document = estimate_file(cases, given, column_map, progress=progress)
    written: dict[str, str] = {}
    if not no_files:
        folder = out or Path(f"{Path(given.name).stem}-results")
        written = write_results(document, folder, now=utc_now())
    text = file_text(document)
    if written:
        text += "\n\n已写出：" + "、".join(written.values())
    emit({**document, "written": written}, as_json, text)
