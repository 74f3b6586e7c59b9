"""Counties side by side and one county over time, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from survey.cli.session import at_desk, at_intake, command_options, emit, run, utc_now, write_file
from survey.exact import percent_text
from survey.followup.early_warning import Warning
from survey.followup.published import PublishedWave
from survey.jobs.look_across import County, Overview, look_across, look_at_county
from survey.jobs.make_digest import SET, make_digest, render_digest


@click.command("counties")
@click.argument("code", required=False)
@command_options
def counties_command(data: Path | None, code: str | None, as_json: bool) -> None:
    """各县最近的满意度和提醒；写县区代码看一个县的历次变化。Counties side by side, or one over time."""
    document, text = run(_county(data, code) if code else _counties(data))
    emit(document, as_json, text)


@click.command("digest")
@click.argument("counties", nargs=-1)
@click.option("--format", "kind", type=click.Choice(list(SET)), default="pdf", help="pdf或docx (file format)")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output file)")
@command_options
def digest_command(
    data: Path | None, counties: tuple[str, ...], kind: str, out: Path | None, as_json: bool
) -> None:
    """督查专报：各县已签发的结果、要关注的事、整改，一两页。One or two pages for leaders, of all counties or of those named."""
    target = out or Path(f"督查专报.{kind}")

    async def work() -> tuple[str, bytes]:
        async with at_desk(data):
            now = utc_now().astimezone()
            made = await make_digest(counties=counties, now=now)
            return made.summary, await render_digest(made, kind, now=now)

    summary, content = run(work())
    write_file(target, content)
    emit({"digest": str(target), "summary": summary}, as_json, f"{summary}\n督查专报：{target}")


async def _counties(data: Path | None) -> tuple[dict[str, Any], str]:
    async with at_intake(data) as (_, office):
        seen: Overview = await look_across(office, now=utc_now().astimezone())
    lines = [
        f"{county.name} {_figure(county.newest)}；{seen.against[county.newest.wave].in_words}"
        for county in seen.counties
    ]
    document = {
        "counties": [
            _county_document(county) | {"against_others": seen.against[county.newest.wave].in_words}
            for county in seen.counties
        ],
        "warnings": [_warning_document(one) for one in seen.warnings],
    }
    return document, "\n".join(
        [*lines, *_warning_lines(seen.warnings)]
    ) or "还没有已签发的结果，也没有要提醒的。"


async def _county(data: Path | None, code: str) -> tuple[dict[str, Any], str]:
    async with at_desk(data):
        county, warnings = await look_at_county(code)
    lines = [
        f"{day} {wave.wave} {_figure(wave)}" for day, wave in zip(county.closed_on, county.waves, strict=True)
    ]
    lines += [f"{change.before} → {change.after}：{change.in_words}" for change in county.changes]
    document = _county_document(county) | {"warnings": [_warning_document(one) for one in warnings]}
    return document, "\n".join([county.name, *lines, *_warning_lines(warnings)])


def _figure(wave: PublishedWave) -> str:
    interval = (
        f"（{percent_text(wave.lower)}–{percent_text(wave.upper)}）" if wave.lower and wave.upper else ""
    )
    return f"{percent_text(wave.whole.shown)}{interval} {wave.decision}".rstrip()


def _warning_lines(warnings: tuple[Warning, ...]) -> list[str]:
    return [f"！{one.county} {one.wave} {one.name}：{one.seen}。{one.remedy}。" for one in warnings]


def _county_document(county: County) -> dict[str, Any]:
    return {
        "county_code": county.code,
        "county": county.name,
        "waves": [
            {
                "wave": wave.wave,
                "closes_on": day,
                "shown": wave.whole.shown,
                "lower": wave.lower,
                "upper": wave.upper,
                "threshold": wave.threshold,
                "reached": wave.reached,
                "decision": wave.decision,
                "n": wave.n,
                "evidence_class": wave.evidence_class,
            }
            for day, wave in zip(county.closed_on, county.waves, strict=True)
        ],
        "changes": [
            {
                "before": change.before,
                "after": change.after,
                "difference": None if change.difference is None else f"{change.difference.value:.4f}",
                "p_value": None if change.p_value is None else f"{change.p_value:.4g}",
                "in_words": change.in_words,
            }
            for change in county.changes
        ],
    }


def _warning_document(one: Warning) -> dict[str, str]:
    return {"kind": one.kind, "wave": one.wave, "county": one.county, "seen": one.seen, "remedy": one.remedy}
