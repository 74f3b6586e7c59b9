"""Responsibility areas of a wave's schools, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from survey.cli.session import actor, at_desk, command_options, emit, read_file, run, utc_now
from survey.jobs.place_schools import (
    Placing,
    add_area,
    copy_areas,
    place_listed,
    place_schools,
    placing_of,
)


@click.command("areas")
@click.argument("wave")
@click.option("--add", "name", default=None, help="登记一个责任区，代码接着编 (register an area)")
@click.option("--code", default="", help="登记时自己定代码，如360828-02 (its code)")
@click.option("--set", "area", default=None, help="把学校划入这个责任区；none为不划入 (put schools into it)")
@click.option("--school", "schools", multiple=True, help="学校标识码，可多次给出 (school, repeatable)")
@click.option(
    "--list",
    "file",
    type=click.Path(path_type=Path),
    default=None,
    help="名单：每行标识码和责任区 (a list of school and area)",
)
@click.option("--copy", is_flag=True, help="还没有划入的学校照上一次调查划 (as in the last wave)")
@command_options
def areas_command(
    data: Path | None,
    wave: str,
    name: str | None,
    code: str,
    area: str | None,
    schools: tuple[str, ...],
    file: Path | None,
    copy: bool,
    as_json: bool,
) -> None:
    """督学责任区：看学校怎样划分，登记、划入、照上次划。Responsibility areas of a wave's schools."""
    if bool(schools) != (area is not None):
        raise click.UsageError("--set 和 --school 要一起用")
    text = "" if file is None else read_file(file).decode("utf-8-sig", "replace")

    async def work() -> tuple[Placing, int]:
        n, by = 0, {"actor": actor(), "now": utc_now()}
        async with at_desk(data):
            if name is not None:
                await add_area(wave, name, code, **by)  # type: ignore[arg-type]
            if copy:
                n += (await copy_areas(wave, **by))[1]  # type: ignore[arg-type]
            if file is not None:
                n += len(await place_listed(wave, text, **by))  # type: ignore[arg-type]
            if area is not None:
                target = None if area == "none" else area.upper()
                n += len(await place_schools(wave, dict.fromkeys(schools, target), **by))  # type: ignore[arg-type]
            return await placing_of(wave), n

    placing, moved = run(work())
    emit(_document(wave, placing, moved), as_json, _text(placing, moved))


def _document(wave: str, placing: Placing, moved: int) -> dict[str, Any]:
    return {
        "wave": wave,
        "moved": moved,
        "areas": [
            {"code": one.code, "name": one.name, "schools": placing.counts[one.code], "drawn": placing.drawn[one.code]}
            for one in placing.areas
        ],
        "schools": [
            {"code": one.code, "name": one.name, "area": one.area, "drawn": one.drawn} for one in placing.schools
        ],
    }


def _text(placing: Placing, moved: int) -> str:
    lines = [f"换了{moved}所学校。"] if moved else []
    lines += [
        f"{one.code} {one.name}：{placing.counts[one.code]}所，抽中{placing.drawn[one.code]}所"
        for one in placing.areas
    ]
    if placing.counts[""]:
        lines.append(f"还没有划入：{placing.counts['']}所，抽中{placing.drawn['']}所")
    return "\n".join(lines) or "还没有督学责任区，也没有学校名册。"
