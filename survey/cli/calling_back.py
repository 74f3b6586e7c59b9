"""The command `survey callbacks`: draw who is called, record what they said, see how it goes."""

from __future__ import annotations

from pathlib import Path

import click

from survey.cli.session import actor, at_desk, command_options, emit, read_file, run, utc_now, write_file
from survey.fieldwork.callbacks import (
    ANSWER,
    DAY,
    MOST_DRAWN,
    NEEDED,
    OUTCOMES,
    PEOPLE,
    RESULT,
    TICKET,
    list_csv,
)
from survey.jobs.call_back import THING, GroupCalls, calling, draw_callbacks, record_callbacks
from survey.sampling.sheet import read_table_rows


@click.command("callbacks")
@click.argument("wave")
@click.option(
    "--draw", "n", type=click.IntRange(1, MOST_DRAWN), help=f"每类人抽几人，如{PEOPLE} (people a group)"
)
@click.option("--group", "groups", multiple=True, help="只抽这一类人，可以写几次 (respondent group)")
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="名单写到哪个CSV (list to call from)"
)
@click.option(
    "--import", "filled", type=click.Path(path_type=Path), default=None, help="填好的名单 (list filled in)"
)
@click.option("--add", "ticket", default=None, help="登记一个回访号 (record one call)")
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), default="interviewed", help="结果 (outcome)")
@click.option("--on", "day", default=None, metavar="日期", help="哪一天打的，默认今天 (day of the call)")
@click.option("--answer", default="", help="总体满意题选的那一项 (option chosen)")
@click.option("--list", "only_list", is_flag=True, help="看打了多少 (counts so far)")
@command_options
def callbacks_command(
    data: Path | None,
    wave: str,
    n: int | None,
    groups: tuple[str, ...],
    out: Path | None,
    filled: Path | None,
    ticket: str | None,
    outcome: str,
    day: str | None,
    answer: str,
    only_list: bool,
    as_json: bool,
) -> None:
    """电话回访：抽人、登记结果；开箱以后不能再登记。Call-backs: draw, record, list."""
    if sum((n is not None, filled is not None, ticket is not None, only_list)) > 1:
        raise click.UsageError("--draw、--import、--add、--list 一次只用一个")
    if n is not None:
        target = out or Path(f"{wave}-callbacks.csv")
        count = run(_draw(data, wave, n, groups, target))
        emit(
            {"wave": wave, "drawn": count, "list": str(target)},
            as_json,
            f"抽了{count}人，名单在 {target}。对着学校的花名册找到第几人，打完电话填上结果、日期、答案，"
            f"再运行 survey callbacks {wave} --import {target}；登记完请销毁名单。",
        )
        return
    rows = None
    if filled is not None:
        rows = read_table_rows(read_file(filled), filled.name, THING)
    elif ticket is not None:
        on = day or utc_now().astimezone().date().isoformat()
        rows = [{TICKET: ticket, RESULT: outcome, DAY: on, ANSWER: answer}]
    if rows is not None:
        added = run(_record(data, wave, rows))
        said = "，".join(f"{OUTCOMES[key]}{count}人" for key, count in added.items())
        emit({"wave": wave, "added": added}, as_json, f"已登记：{said}。")
        return
    seen = run(_seen(data, wave))
    emit({"wave": wave, "needed": NEEDED, "groups": [one.document() for one in seen]}, as_json, _text(seen))


async def _draw(data: Path | None, wave: str, n: int, groups: tuple[str, ...], out: Path) -> int:
    async with at_desk(data):
        people = await draw_callbacks(wave, n, groups, actor=actor(), now=utc_now())
    write_file(out, list_csv(people))
    return len(people)


async def _record(data: Path | None, wave: str, rows: list[dict[str, str]]) -> dict[str, int]:
    async with at_desk(data):
        return await record_callbacks(wave, rows, actor=actor(), now=utc_now())


async def _seen(data: Path | None, wave: str) -> tuple[GroupCalls, ...]:
    async with at_desk(data):
        return await calling(wave)


def _text(seen: tuple[GroupCalls, ...]) -> str:
    """How calling goes, one group a line."""
    if not seen:
        return f"还没有抽回访的人。运行 survey callbacks WAVE --draw {PEOPLE}。"
    lines = [
        f"{one.group}\t抽出{one.drawn}\t"
        + "\t".join(f"{OUTCOMES[key]}{n}" for key, n in one.outcomes.items())
        for one in seen
    ]
    done = sum(one.outcomes["interviewed"] for one in seen)
    return "\n".join([*lines, f"共答了{done}人，名额海报要有{NEEDED}人才可能判断达到。"])
