"""The problem ledger by hand: list, findings, take up, show, act."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from survey.cli.session import actor, at_desk, command_options, emit, run, utc_now
from survey.followup.findings import Finding
from survey.followup.ledger import ACTS, SOURCES, STATES, LedgerEntry, by_urgency
from survey.followup.themes import theme_problem
from survey.jobs.keep_ledger import act_on_entry, findings_of, ledger_of, take_up, themes_of
from survey.storage.ledger import load_entry


@click.group("ledger")
def ledger_command() -> None:
    """问题台账：薄弱处、登记、整改、销号、回头看。The ledger of problems of a certified wave."""


@ledger_command.command("list")
@click.argument("wave")
@click.option("--state", type=click.Choice(list(STATES)), default=None, help="只看这个状态 (only this state)")
@click.option("--area", default="", help="只看这个督学责任区 (only this responsibility area)")
@command_options
def list_command(data: Path | None, wave: str, state: str | None, area: str, as_json: bool) -> None:
    """列出台账，超过时限的在前。Every problem, overdue first."""
    today = utc_now().astimezone().date()

    async def work() -> tuple[LedgerEntry, ...]:
        async with at_desk(data):
            return await ledger_of(wave, area.upper())

    entries = [one for one in by_urgency(run(work()), today) if state in (None, one.state)]
    text = "\n".join(_line(one, today) for one in entries) or "台账是空的。"
    emit({"wave": wave, "entries": [one.document() for one in entries]}, as_json, text)


@ledger_command.command("findings")
@click.argument("wave")
@command_options
def findings_command(data: Path | None, wave: str, as_json: bool) -> None:
    """证书里不是误差能解释的薄弱处和下降。Weak rows and falls of a certified wave."""

    async def work() -> dict[str, object]:
        async with at_desk(data):
            found, themes = await findings_of(wave), await themes_of(wave)
        texts = [theme_problem(one) for one in themes]
        return {
            "wave": wave,
            "weak": [_finding(one) for one in found.weak],
            "falls": [_finding(one) for one in found.fallen],
            "compared_with": found.compared_with,
            "not_compared_because": found.why_not_compared or None,
            "themes": [{"theme": one.name, "n": one.told, "share": one.share} for one in themes],
            "text": "\n".join([*(one.text for one in (*found.weak, *found.fallen)), *texts]),
        }

    document = run(work())
    text = str(document.pop("text")) or "没有不是误差能解释的薄弱处。"
    emit(document, as_json, text)


@ledger_command.command("add")
@click.argument("wave")
@click.option("--source", type=click.Choice(list(SOURCES)), required=True, help="来源 (where it comes from)")
@click.option("--key", default="", help="来源的编号，防止重复登记 (what identifies the source)")
@click.option("--problem", required=True, help="问题 (the problem)")
@click.option("--basis", required=True, help="依据 (what shows it)")
@click.option("--about", default="", help="哪所学校或责任区的代码；空着是全县 (school or area it is about)")
@command_options
def add_command(
    data: Path | None, wave: str, source: str, key: str, problem: str, basis: str, about: str, as_json: bool
) -> None:
    """登记一个问题。Take a problem up."""

    async def work() -> LedgerEntry:
        async with at_desk(data):
            by = {"actor": actor(), "now": utc_now()}
            return await take_up(wave, source, key, problem, basis, about=about, **by)  # type: ignore[arg-type]

    entry = run(work())
    emit(entry.document(), as_json, f"已登记：第{entry.number}号，{entry.state_name}。")


@ledger_command.command("show")
@click.argument("wave")
@click.argument("number", type=int)
@command_options
def show_command(data: Path | None, wave: str, number: int, as_json: bool) -> None:
    """看一条和它的经过。One problem with its history."""

    async def work() -> LedgerEntry:
        async with at_desk(data):
            return await load_entry(wave, number)

    entry = run(work())
    lines = [_line(entry, utc_now().date())]
    lines += [
        f"  {act.at:%Y-%m-%d %H:%M} {act.who} {act.name} → {act.state_name} {act.evidence} {act.note}".rstrip()
        for act in entry.history
    ]
    emit(entry.document(), as_json, "\n".join(lines))


@ledger_command.command("act")
@click.argument("wave")
@click.argument("number", type=int)
@click.argument("act", type=click.Choice([name for name in ACTS if name != "open"]))
@click.option("--unit", default=None, help="责任单位 (unit in charge)")
@click.option("--person", default=None, help="责任人 (person in charge)")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), default=None, help="时限 (date)")
@click.option("--measures", default=None, help="措施 (measures)")
@click.option("--evidence", default="", help="佐证 (evidence)")
@click.option("--note", default="", help="说明 (words)")
@command_options
def act_command(
    data: Path | None,
    wave: str,
    number: int,
    act: str,
    unit: str | None,
    person: str | None,
    due: datetime | None,
    measures: str | None,
    evidence: str,
    note: str,
    as_json: bool,
) -> None:
    """对一条做一步。Do one act to a problem."""

    async def work() -> LedgerEntry:
        due_on: date | None = None if due is None else due.date()
        async with at_desk(data):
            return await act_on_entry(
                wave, number, act, actor=actor(), now=utc_now(), unit=unit, person=person, due_on=due_on,
                measures=measures, evidence=evidence, note=note,
            )  # fmt: skip

    entry = run(work())
    emit(entry.document(), as_json, f"第{entry.number}号：{entry.state_name}。")


def _line(entry: LedgerEntry, today: date) -> str:
    late = "！超过时限 " if entry.is_overdue(today) else ""
    due = f" {entry.due_on}前" if entry.due_on else ""
    about = f"（{entry.about}）" if entry.about else ""
    return f"{entry.number:>3} {entry.state_name} {late}{entry.problem}{about} {entry.unit}{due}".rstrip()


def _finding(one: Finding) -> dict[str, object]:
    return {
        "kind": one.kind, "table": one.table, "group": one.group, "key": one.key, "name": one.name,
        "shown": one.shown, "before": one.before, "p_value": f"{one.p_value:.3g}", "text": one.text,
    }  # fmt: skip
