"""Commands that guard a wave: design, canaries, alarms, void, extend, revoke."""

from __future__ import annotations

import os
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from survey import canonical
from survey.cli.known_answers import send_over
from survey.cli.passphrases import Passphrases, passphrase_options
from survey.cli.session import (
    actor,
    at_desk,
    at_intake,
    command_options,
    emit,
    read_file,
    run,
    utc_now,
    write_file,
)
from survey.exact import percent_text, truncate
from survey.fieldwork.planted import CANARIES, HONEY, Announcement, Planted, PlantedListError, caught, fewest
from survey.jobs.extend_wave import extend_wave
from survey.jobs.plant_answers import erase_held, find_alarms, make_list, send_canaries, take_codes
from survey.jobs.revoke_statement import revoke_statement
from survey.jobs.sign_design import sign_design
from survey.jobs.void_domains import void_domains
from survey.storage.plans import load_plan

SHARES = ("0.02", "0.05", "0.10", "0.20")
POWER = Fraction(95, 100)


def read_planted(path: Path) -> Planted:
    """The confidential list in a file a person named."""
    try:
        return Planted.from_document(canonical.decode(read_file(path)))
    except canonical.NotCanonicalError as error:
        raise PlantedListError("读不出来") from error


def read_announcement(path: Path) -> Announcement:
    """The announcement in a file a person named."""
    try:
        return Announcement.from_document(canonical.decode(read_file(path)))
    except canonical.NotCanonicalError as error:
        raise PlantedListError("公开的那一份读不出来") from error


def write_planted(path: Path, planted: Planted) -> None:
    """Keep a confidential list, readable by its holder alone, whole or not at all."""
    unfinished = path.with_name(path.name + ".new")
    write_file(unfinished, b"")
    unfinished.chmod(0o600)
    write_file(unfinished, canonical.encode(planted.document()))
    os.replace(unfinished, path)


@click.command("design")
@click.argument("wave")
@click.option(
    "--draw", "public_draw", required=True, help="将用哪一次公开抽取的号码作种子 (the public draw to come)"
)
@passphrase_options
@command_options
def design_command(
    data: Path | None, wave: str, public_draw: str, passphrases: Passphrases, as_json: bool
) -> None:
    """公开抽号以前，两人签下抽样设计；号码出来后再用它抽。Sign the design before the public draw."""

    async def work() -> dict[str, Any]:
        async with at_intake(data) as (settings, office):
            signers = passphrases.open(settings)
            return await sign_design(
                settings, office, wave, public_draw, signers, actor=actor(), now=utc_now()
            )

    done = run(work())
    emit(
        done,
        as_json,
        f"抽样设计已签，摘要 {done['design_digest']}\n等“{done['public_draw']}”的号码出来，"
        f"再运行 survey draw {wave} --seed 号码",
    )


@click.command("canaries")
@click.argument("wave")
@click.option(
    "--list",
    "list_file",
    type=click.Path(path_type=Path),
    default=None,
    help="生成清单，写到这里 (make the list)",
)
@click.option(
    "--count",
    default=CANARIES,
    show_default=True,
    type=click.IntRange(0, 5000),
    help="核对答卷几份 (canaries)",
)
@click.option(
    "--honey",
    default=HONEY,
    show_default=True,
    type=click.IntRange(0, 5000),
    help="留置填写码几张 (honey slips)",
)
@click.option(
    "--codes",
    "codes_file",
    type=click.Path(path_type=Path),
    default=None,
    help="签计划后，把留置的填写码取进清单 (take the held codes)",
)
@click.option(
    "--plant",
    "plant_file",
    type=click.Path(path_type=Path),
    default=None,
    help="开始后，照清单交核对答卷 (send the known answers)",
)
@click.option("--site", default=None, help="交到哪个网址，默认是计划里的 (address to send to)")
@command_options
def canaries_command(
    data: Path | None,
    wave: str,
    list_file: Path | None,
    count: int,
    honey: int,
    codes_file: Path | None,
    plant_file: Path | None,
    site: str | None,
    as_json: bool,
) -> None:
    """核对答卷和留置填写码：算多少、生成、取码、交卷；归上级保管。Known answers and honey slips."""
    if list_file is not None:
        made, public = run(_make(data, wave, count, honey, list_file))
        emit(
            made,
            as_json,
            f"清单（保密，归上级）：{list_file}\n公开的那一份，签计划时用：{public}\n摘要 {made['list_digest']}",
        )
    elif codes_file is not None:
        run(_take(data, wave, codes_file))
        emit(
            {"wave": wave, "list": str(codes_file)},
            as_json,
            f"留置的填写码已写进 {codes_file}，这台机器上的已销毁。",
        )
    elif plant_file is not None:
        sent = run(_plant(data, wave, plant_file, site))
        emit({"wave": wave, "sent": sent}, as_json, f"核对答卷已交{sent}份，回执存进了 {plant_file}。")
    else:
        table = size_table(count, honey)
        emit({"wave": wave, **table}, as_json, size_text(table))


async def _make(
    data: Path | None, wave: str, count: int, honey: int, path: Path
) -> tuple[dict[str, Any], Path]:
    async with at_desk(data):
        planted = await make_list(wave, canaries=count, honey=honey, actor=actor(), now=utc_now())
    public = path.with_name(f"{path.stem}.public.json")
    write_planted(path, planted)
    write_file(public, canonical.encode(planted.announce().document()))
    document = {
        "wave": wave,
        "list": str(path),
        "announcement": str(public),
        "list_digest": planted.list_digest,
    }
    return document, public


async def _take(data: Path | None, wave: str, path: Path) -> None:
    planted = _of_wave(wave, read_planted(path))
    async with at_desk(data) as (settings, _):
        write_planted(path, await take_codes(settings, planted, actor=actor(), now=utc_now()))
        erase_held(settings, wave)


async def _plant(data: Path | None, wave: str, path: Path, site: str | None) -> int:
    planted = _of_wave(wave, read_planted(path))
    if site is None:
        async with at_desk(data):
            site = (await load_plan(wave)).base_url
    send = send_over(site)
    for _ in planted.canaries:
        # One at a time, each receipt kept before the next is sent.
        waiting = [one for one in planted.canaries if not one.receipt]
        if not waiting:
            break

        async def once(one: Any, first: Any = waiting[0]) -> str:
            return await send(one) if one is first else ""

        planted = await send_canaries(planted, once)
        write_planted(path, planted)
    return sum(bool(one.receipt) for one in planted.canaries)


def _of_wave(wave: str, planted: Planted) -> Planted:
    if planted.wave != wave:
        raise PlantedListError(f"是调查{planted.wave}的")
    return planted


def size_table(canaries: int, honey: int) -> dict[str, Any]:
    """What so many planted answers and slips would notice, and how many a share needs."""
    return {
        "canaries": canaries,
        "honey": honey,
        "shares": [
            {
                "share": share,
                "caught_by_canaries": truncate(caught(canaries, Fraction(share)), 3),
                "caught_by_honey": truncate(caught(honey, Fraction(share)), 3),
                "needed_for_95": fewest(Fraction(share), POWER),
            }
            for share in SHARES
        ],
    }


def size_text(table: dict[str, Any]) -> str:
    """The same in words."""
    lines = [
        f"混入{table['canaries']}份已知的核对答卷，留{table['honey']}张谁也不发的填写码：",
        "被改动或被冒填的份额　核对答卷发现的把握　留置填写码发现的把握　要有95%把握至少几份",
    ]
    for row in table["shares"]:
        lines.append(
            f"{percent_text(truncate(Fraction(row['share'])))}　{percent_text(row['caught_by_canaries'] + '0')}"
            f"　{percent_text(row['caught_by_honey'] + '0')}　{row['needed_for_95']}"
        )
    lines.append("把握＝1－（1－份额）的n次方。核对答卷有一半选“不满意”一边，因为改答卷的人改的就是这些。")
    return "\n".join(lines)


@click.command("alarms")
@click.argument("wave")
@click.option(
    "--planted",
    "planted_file",
    type=click.Path(path_type=Path),
    default=None,
    help="上级的清单 (the confidential list)",
)
@command_options
def alarms_command(data: Path | None, wave: str, planted_file: Path | None, as_json: bool) -> None:
    """开箱以前不看答卷就能知道的警报：声明、留置填写码、核对答卷。Alarms known without any answer."""

    async def work() -> list[dict[str, str]]:
        planted = None if planted_file is None else read_planted(planted_file)
        async with at_intake(data) as (settings, office):
            found = await find_alarms(settings, office, wave, planted, actor=actor(), now=utc_now())
            return [alarm.document() for alarm in found]

    alarms = run(work())
    text = "\n".join(f"{one['indicator']}　{one['domain']}　{one['text']}" for one in alarms)
    emit({"wave": wave, "alarms": alarms}, as_json, text or "没有警报。")


@click.command("void")
@click.argument("wave")
@click.argument("domains", nargs=-1, required=True)
@click.option("--reason", required=True, help="理由，公开 (reason, published)")
@passphrase_options
@command_options
def void_command(
    data: Path | None,
    wave: str,
    domains: tuple[str, ...],
    reason: str,
    passphrases: Passphrases,
    as_json: bool,
) -> None:
    """开箱以前，两人签字作废整个域（一校一类人）。Void whole domains before opening, signed by two."""

    async def work() -> dict[str, Any]:
        async with at_intake(data) as (settings, office):
            signers = passphrases.open(settings)
            return await void_domains(
                settings, office, wave, domains, reason, signers, actor=actor(), now=utc_now()
            )

    done = run(work())
    emit(done, as_json, f"已作废：{'、'.join(done['domains'])}。理由：{done['reason']}")


@click.command("extend")
@click.argument("wave")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="新的截止日 (new closing date)"
)
@passphrase_options
@command_options
def extend_command(
    data: Path | None, wave: str, until: datetime, passphrases: Passphrases, as_json: bool
) -> None:
    """原截止日以前，两人签字推迟截止。Put the closing date off, signed by two."""
    later: date = until.date()

    async def work() -> dict[str, Any]:
        async with at_intake(data) as (settings, office):
            signers = passphrases.open(settings)
            return await extend_wave(settings, office, wave, later, signers, actor=actor(), now=utc_now())

    done = run(work())
    emit(done, as_json, f"截止日从{done['was']}推迟到{done['closes_on']}。")


@click.command("revoke")
@click.argument("wave")
@click.argument("number", type=click.IntRange(0))
@click.option("--reason", required=True, help="理由，公开 (reason, published)")
@passphrase_options
@command_options
def revoke_command(
    data: Path | None, wave: str, number: int, reason: str, passphrases: Passphrases, as_json: bool
) -> None:
    """两人签字撤回一份证书；它和撤回书都留在登记里。Revoke a certificate, signed by two."""

    async def work() -> dict[str, Any]:
        async with at_intake(data) as (settings, office):
            signers = passphrases.open(settings)
            return await revoke_statement(
                settings, office, wave, number, reason, signers, actor=actor(), now=utc_now()
            )

    done = run(work())
    emit(done, as_json, f"第{number}号证书已撤回，登记为第{done['registered']}条。")
