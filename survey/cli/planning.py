"""Commands up to the signed plan: waves, plan, import, draw, sign."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from survey import canonical
from survey.cli.guarding import read_announcement
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
from survey.cli.wording import frame_text, plan_text, preview_text, sample_text
from survey.errors import FaultsError, SurveyError
from survey.jobs.create_wave import create_wave
from survey.jobs.draw_sample import draw_wave, preview_wave
from survey.jobs.import_frame import import_frame
from survey.jobs.remote_signing import read_request
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import APPROVER, open_signer
from survey.sampling.frame_columns import COLUMN_NAMES
from survey.scheme.lint import lint
from survey.scheme.plan import plan_document, read_plan, scheme_of
from survey.storage.audit import record_audit
from survey.storage.frames import find_column_map, list_column_maps
from survey.storage.plans import list_waves, load_plan, load_wave
from survey.storage.samples import find_sample

STATES = {
    "draft": "草稿",
    "framed": "名册已导入",
    "drawn": "样本已抽",
    "planned": "计划已签",
    "open": "进行中",
    "paused": "已暂停",
    "closed": "已结束",
    "opened": "已开箱",
    "estimated": "已计算",
    "certified": "已认证",
}



class ColumnMapError(SurveyError):
    """A column map that is not there, or cannot be read."""

    code = "cli.column_map"
    kind = "invalid"

    def __init__(self, named: str, reason: str, remedy: str) -> None:
        super().__init__(f"列对应 {named}", reason, remedy)


AGAIN = "以前抽的样本不是按这份方案抽的，要重抽：survey draw {wave} --seed 公开的种子 --reason 理由"


@click.command("waves")
@command_options
def waves_command(data: Path | None, as_json: bool) -> None:
    """列出所有调查和它们走到了哪一步。List the waves and their states."""

    async def work() -> list[dict[str, str]]:
        async with at_desk(data):
            return [{"wave": row.wave, "title": row.title, "state": row.state} for row in await list_waves()]

    rows = run(work())
    text = "\n".join(
        f"{row['wave']}\t{STATES.get(row['state'], row['state'])}\t{row['title']}" for row in rows
    )
    emit({"waves": rows}, as_json, text or "还没有调查。用 survey plan 计划文件 新建一个。")


@click.command("plan")
@click.argument("source")
@click.option(
    "--emblem",
    type=click.Path(path_type=Path),
    default=None,
    help="印在海报和封面上的标志，PNG、JPEG或SVG (emblem on posters and covers)",
)
@command_options
def plan_command(data: Path | None, source: str, emblem: Path | None, as_json: bool) -> None:
    """读入计划文件，新建调查；SOURCE 是已有调查的名字时显示它的计划。Read a plan file, or show a wave's plan."""
    path = Path(source)

    async def work() -> tuple[dict[str, object], str]:
        async with at_desk(data):
            if path.suffix.lower() in (".yaml", ".yml", ".json") or path.exists():
                picture = read_file(emblem) if emblem else b""
                plan = await create_wave(read_file(path), emblem=picture, actor=actor(), now=utc_now())
                stale = (await load_wave(plan.wave)).state == "framed" and await find_sample(plan.wave)
                return plan_document(plan), AGAIN.format(wave=plan.wave) if stale else ""
            return plan_document(await load_plan(source)), ""

    document, again = run(work())
    if again and not as_json:
        click.echo(again, err=True)
    plan = read_plan(canonical.encode(document))
    scheme = scheme_of(plan)
    lines = [plan_text(plan, scheme), *(f"提醒：{one.text}（{one.path}）" for one in lint(scheme, plan))]
    lines += [f"全部内容：survey plan {plan.wave} --json"]
    # Without a stale sample the document is the plan itself, which can be read in again.
    emit({**document, "redraw": again} if again else document, as_json, "\n".join(lines))


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--wave", required=True, help="给哪个调查 (wave)")
@click.option(
    "--map", "map_name", default=None, help="列对应：存时的名字，或写着 字段 = \"表头\" 的TOML文件 (column map: name or TOML)"
)
@click.option(
    "--column", "columns", multiple=True, metavar="字段=表头", help="列对应，可多次给出 (field=header)"
)
@click.option("--save-map", default=None, help="把这次的列对应存成这个名字 (save the column map)")
@click.option("--dry-run", is_flag=True, help="只检查，不导入 (check only)")
@click.option("--json-lines", "in_lines", is_flag=True, help="每处错误和提醒一行JSON，带行和列 (a JSON line for each fault)")
@command_options
def import_command(
    data: Path | None,
    file: Path,
    wave: str,
    map_name: str | None,
    columns: tuple[str, ...],
    save_map: str | None,
    dry_run: bool,
    in_lines: bool,
    as_json: bool,
) -> None:
    """导入学校名册（xlsx、csv）；有错就全部列出，一行也不导入。Import the school frame, all of it or nothing."""
    given = dict(pair.split("=", 1) for pair in columns if "=" in pair)

    async def work() -> dict[str, object]:
        async with at_desk(data):
            saved = await _column_map(map_name) if map_name else None
            reading = await import_frame(
                wave,
                read_file(file),
                file.name,
                columns={**(saved or {}), **given} or None,
                save_map_as=save_map,
                dry_run=dry_run,
                actor=actor(),
                now=utc_now(),
            )
            return {
                "wave": wave,
                "imported": not dry_run,
                "digest": reading.frame.digest if reading.frame else None,
                "totals": reading.totals,
                "columns": dict(reading.columns),
                "faults": [fault.document() for fault in reading.faults],
                "warnings": [fault.document() for fault in reading.warnings],
                "_text": frame_text(reading, imported=not dry_run),
            }

    try:
        done = run(work())
    except FaultsError as refusal:
        if not in_lines:
            raise
        _print_lines({"fault": [fault.document() for fault in refusal.faults]})
        raise SystemExit(1) from None
    text = str(done.pop("_text"))
    if in_lines:
        _print_lines({"fault": done["faults"], "warning": done["warnings"]})
    else:
        emit(done, as_json, text)
    if done["faults"]:
        raise SystemExit(1)


def _print_lines(found: Mapping[str, Any]) -> None:
    for kind, faults in found.items():
        for fault in faults:
            click.echo(json.dumps({"kind": kind, **fault}, ensure_ascii=False))


async def _column_map(named: str) -> dict[str, str]:
    """The column map of a file, or the one that was saved under a name.

    Raises:
        ColumnMapError: no such name, or a file that is no map.
    """
    if Path(named).suffix.lower() != ".toml":
        saved = await find_column_map(named)
        if saved is None:
            raise ColumnMapError(named, "没有存过这个名字", f"存过的有：{'、'.join(await list_column_maps()) or '还没有'}")
        return saved
    try:
        document = tomllib.loads(read_file(Path(named)).decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ColumnMapError(named, f"不是TOML（{error}）", '每行写 字段 = "表头"，例如 name = "学校名称"') from error
    unknown = [key for key, value in document.items() if key not in COLUMN_NAMES or not isinstance(value, str)]
    if unknown:
        raise ColumnMapError(named, f"不认识的字段：{'、'.join(unknown)}", f"可以写：{'、'.join(COLUMN_NAMES)}")
    return document


@click.command("draw")
@click.argument("wave")
@click.option("--seed", default=None, help="种子：公开抽出的数字；不给就只预览 (seed; preview without it)")
@click.option("--reason", default="", help="重抽时写明理由，记在日志里 (why it is drawn again)")
@command_options
def draw_command(data: Path | None, wave: str, seed: str | None, reason: str, as_json: bool) -> None:
    """先看要抽多少、误差多大；给了种子才抽。Preview the sample; with --seed, draw it."""

    async def work() -> dict[str, object]:
        async with at_desk(data):
            preview = await preview_wave(wave)
            document: dict[str, object] = {"preview": preview.document(), "_text": preview_text(preview)}
            if seed is not None:
                sample = await draw_wave(wave, seed, reason=reason, actor=actor(), now=utc_now())
                document |= {"sample": sample.document(), "digest": sample.digest}
                document["_text"] = f"{document['_text']}\n\n{sample_text(sample)}"
            return document

    done = run(work())
    text = str(done.pop("_text"))
    emit(done, as_json, text)


@click.command("sign")
@click.argument("wave")
@click.option(
    "--planted",
    "planted_file",
    type=click.Path(path_type=Path),
    default=None,
    help="上级给的公开那一份 (announcement of known answers)",
)
@passphrase_options
@command_options
def sign_command(
    data: Path | None, wave: str, planted_file: Path | None, passphrases: Passphrases, as_json: bool
) -> None:
    """制作填写码，两人签下计划；WAVE 是请求文件时，在这台电脑上签它。Sign the plan, or a request from elsewhere."""
    if Path(wave).is_file():
        _sign_request(data, Path(wave), as_json)
        return

    async def work() -> dict[str, object]:
        async with at_intake(data) as (settings, office):
            signers = passphrases.open(settings)
            planted = None if planted_file is None else read_announcement(planted_file)
            signed = await sign_plan(
                settings, office, wave, signers, actor=actor(), now=utc_now(), planted=planted
            )
            return {
                "wave": wave,
                "plan_code": signed.code,
                "plan_digest": signed.digest,
                "slips": signed.slips,
            }

    done = run(work())
    emit(done, as_json, f"计划已签。填写码{done['slips']}个。\n计划编码（印在每张纸上）：{done['plan_code']}")


def _sign_request(data: Path | None, path: Path, as_json: bool) -> None:
    """Show what a request asks this computer's approver to sign, and add the line."""
    request = read_request(read_file(path))
    if not as_json:
        click.echo(f"调查 {request.wave}，要签的是：\n{request.text}")
        if request.document is not None:
            click.echo(json.dumps(request.document, ensure_ascii=False, indent=1)[:6000])
    passphrase_file = os.environ.get("SURVEY_APPROVER_PASSPHRASE_FILE")
    if passphrase_file:
        passphrase = read_file(Path(passphrase_file)).decode("utf-8", "replace").rstrip("\r\n")
    else:
        passphrase = click.prompt("签发口令 (approver passphrase)", hide_input=True, err=True)

    async def work() -> bytes:
        async with at_desk(data) as (settings, _):
            answered = request.signed_by(open_signer(settings, APPROVER, passphrase))
            details = {"text_digest": canonical.sha256_hex(request.text.encode())}
            await record_audit(actor(), "sign_request", request.wave, details=details, now=utc_now())
            return answered.encoded()

    write_file(path, run(work()))
    emit({"wave": request.wave, "signed": str(path)}, as_json, f"已签，写回 {path}。带回承办单位。")
