"""`survey demo`: a whole wave of the sample county, every stage real except the people.

A folder and a seed enter. Plan, frame, sample, codes, papers, answers through the intake,
closing, opening, figure, certificate: each by the job that a bureau's own command would run.
A second wave of the same county is left open, so that its slips can be answered on a phone.
Everything says 演示数据.
"""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import msgspec

from survey import canonical
from survey.cli.serving import listen, serve_until_stopped
from survey.cli.session import actor, at_intake, command_options, emit, run, utc_now, write_file
from survey.cli.wording import results_text
from survey.errors import SurveyError
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.create_wave import create_wave
from survey.jobs.draw_sample import draw_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.import_frame import import_frame
from survey.jobs.manage_accounts import first_account, sign_in_address
from survey.jobs.open_wave import open_wave
from survey.jobs.render_papers import render_posters, render_slips
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, Signers, create_signer, open_signers
from survey.jobs.simulate_responses import Simulated, in_piles, simulate_responses
from survey.sampling.frame_file import sample_county
from survey.sampling.sample import DomainDraw
from survey.scheme.instrument import Instrument
from survey.scheme.plan import Plan, example_plan_text, instrument_of, plan_document, read_plan, scheme_of
from survey.settings import Settings, load_settings
from survey.storage.accounts import list_accounts
from survey.storage.office import IntakeOffice
from survey.storage.plans import list_waves
from survey.storage.print_files import load_print_file
from survey.storage.samples import load_sample

WAVE = "demo-county"
LIVE_WAVE = "demo-county-live"
DAYS = 10
DEFAULT_FOLDER = Path("survey-demo")


class DemoExistsError(SurveyError):
    """The folder holds something other than this demonstration."""

    code = "demo.folder_in_use"
    kind = "conflict"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"文件夹 {folder}", reason, "换一个空文件夹：survey demo --data 另一个文件夹")


@click.command("demo")
@click.option("--seed", default=20261124, show_default=True, help="种子；同一个种子得到同一个数 (seed)")
@click.option("--no-serve", is_flag=True, help="只跑完，不启动服务 (do not start the server)")
@click.option("--host", default=None, help="监听地址 (address)")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="端口 (port)")
@command_options
def demo_command(
    data: Path | None, seed: int, no_serve: bool, host: str | None, port: int | None, as_json: bool
) -> None:
    """跑完样例县的一整次调查，然后启动服务。Run a whole wave of the sample county, then serve it."""
    given: dict[str, Any] = {
        key: value for key, value in (("host", host), ("port", port)) if value is not None
    }
    settings = load_settings(data=data or DEFAULT_FOLDER, **given)
    door = None if no_serve else listen(settings.host, settings.port)
    report = run(demonstrate(settings, str(seed), quiet=as_json))
    emit(report, as_json, _text(report))
    if door is not None:
        click.echo("\n服务已启动，按 Ctrl+C 停止。", err=as_json)
        serve_until_stopped(settings, door)


async def demonstrate(settings: Settings, seed: str, quiet: bool) -> dict[str, Any]:
    """Run the demonstration, or read what an earlier run left in the same folder."""
    report_file = settings.out_of(WAVE) / "demo.json"
    async with at_intake(settings) as (_, office):
        present = {row.wave for row in await list_waves()}
        if present:
            if WAVE not in present or not report_file.exists():
                raise DemoExistsError(settings.data, "里面已有别的数据，或上一次演示没有跑完")
            report = canonical.decode(report_file.read_bytes())
            if report["seed"] != seed:
                raise DemoExistsError(settings.data, f"里面的演示用的是种子{report['seed']}")
            account = (await list_accounts())[0].name
        else:
            report = await _whole_wave(settings, office, seed, quiet)
            account = "demo"
            await first_account(settings, account, "演示管理员", actor=actor(), now=utc_now())
            write_file(report_file, canonical.encode(report))
        sign_in = await sign_in_address(settings, account, actor=actor(), now=utc_now())
        return report | {"addresses": _addresses(settings, report, sign_in)}


async def _whole_wave(settings: Settings, office: IntakeOffice, seed: str, quiet: bool) -> dict[str, Any]:
    began = perf_counter()
    signers = _demo_signers(settings)
    now = utc_now()
    papers = settings.out_of(WAVE)

    plan = await _prepare(settings, office, WAVE, seed, signers, opened_days_ago=DAYS, now=now)
    posters, slips = papers / "posters.zip", papers / "slips.pdf"
    write_file(posters, await render_posters(settings, WAVE, now=now))
    write_file(slips, await render_slips(settings, WAVE, now=now))
    piles = in_piles(load_print_file(settings, WAVE))
    await publish_wave(settings, office, WAVE, actor=actor(), now=now)
    simulated = await _answer(office, plan, piles, seed, quiet)
    closing = await close_wave(settings, office, WAVE, signers, actor=actor(), now=now)
    await open_wave(settings, office, WAVE, signers, actor=actor(), now=now)
    results = await estimate_wave(office, WAVE, actor=actor(), now=now)
    certified = await certify_wave(settings, office, WAVE, signers, actor=actor(), now=now)
    took = perf_counter() - began

    await _prepare(settings, office, LIVE_WAVE, seed, signers, opened_days_ago=0, now=now)
    live = papers.parent / LIVE_WAVE
    live_code = next(code for code, domain in load_print_file(settings, LIVE_WAVE) if domain.endswith("-P"))
    write_file(live / "slips.pdf", await render_slips(settings, LIVE_WAVE, now=now))
    await publish_wave(settings, office, LIVE_WAVE, actor=actor(), now=now)

    sample = await load_sample(WAVE)
    return {
        "demonstration": True,
        "notice": "演示数据 (demonstration data)",
        "wave": WAVE,
        "seed": seed,
        "schools": sum(stratum.schools_in_frame for stratum in sample.strata),
        "schools_drawn": sum(stratum.schools_drawn for stratum in sample.strata),
        "strata": len(sample.strata),
        "slips": sum(draw.slips for draw in sample.domains),
        "sent": simulated.sent,
        "answers": closing["responses"],
        **_headline(results),
        "number": certified.number,
        "short": certified.short,
        "posters": str(posters),
        "slips_pdf": str(slips),
        "certificate": str(certified.certificate),
        "sheet": str(certified.sheet),
        "bundle": str(certified.bundle),
        "report": str(certified.report),
        "live_wave": LIVE_WAVE,
        "live_slips_pdf": str(live / "slips.pdf"),
        "live_code": live_code,
        "seconds": f"{took:.1f}",
    }


async def _prepare(
    settings: Settings,
    office: IntakeOffice,
    wave: str,
    seed: str,
    signers: Signers,
    *,
    opened_days_ago: int,
    now: datetime,
) -> Plan:
    """A wave of the sample county up to the signed plan."""
    opens_on = now.date() - timedelta(days=opened_days_ago)
    plan = msgspec.structs.replace(
        read_plan(example_plan_text()),
        wave=wave,
        opens_on=opens_on,
        closes_on=opens_on + timedelta(days=DAYS),
        results_on=opens_on + timedelta(days=DAYS + 10),
        base_url=settings.base_url,
    )
    await create_wave(canonical.encode(plan_document(plan)), actor=actor(), now=now)
    frame = sample_county("frame.xlsx")
    await import_frame(wave, frame, "frame.xlsx", actor=actor(), now=now)
    await draw_wave(wave, seed, actor=actor(), now=now)
    await sign_plan(settings, office, wave, signers, actor=actor(), now=now)
    return plan


async def _answer(
    office: IntakeOffice, plan: Plan, piles: dict[str, list[str]], seed: str, quiet: bool
) -> Simulated:
    sample, scheme = await load_sample(plan.wave), scheme_of(plan)
    began = datetime(plan.opens_on.year, plan.opens_on.month, plan.opens_on.day, 8, tzinfo=UTC)
    total = sum(map(len, piles.values()))

    def instrument(draw: DomainDraw) -> Instrument:
        found = instrument_of(plan, scheme, draw.group, draw.stage)
        assert found is not None
        return found

    with click.progressbar(length=total, label="模拟答卷", file=sys.stderr) as bar:
        simulated = await simulate_responses(
            office,
            plan,
            sample,
            piles,
            instrument,
            seed=seed,
            began=began,
            days=DAYS,
            progress=(lambda _: None) if quiet else bar.update,
        )
        bar.finish()
    return simulated


def _demo_signers(settings: Settings) -> Signers:
    """Both signers, made here: the statement says so (TRUST S4)."""
    passphrases = {role: secrets.token_urlsafe(18) for role in ROLES}
    for role in ROLES:
        create_signer(settings, role, passphrases[role])
        write_file(settings.keys / f"demo-{role}-passphrase", (passphrases[role] + "\n").encode())
        (settings.keys / f"demo-{role}-passphrase").chmod(0o600)
    return open_signers(settings, passphrases)


def _headline(results: dict[str, Any]) -> dict[str, Any]:
    """The figures of the results that the demonstration prints."""
    return {
        "name": results["name"],
        "figure": results["figure"]["percent"],
        "figure_shown": results["figure"]["shown"],
        "standard_error": results["se"],
        "interval": results["interval"],
        "threshold": results["threshold"],
        "decision": results["decision"],
        "reached": results["reached"],
        "groups": [
            {key: group.get(key) for key in ("key", "name", "n", "shown", "display", "percent", "se", "interval")}
            for group in results["by_group"]
        ],
        "in_words": results_text(results),
    }


def _addresses(settings: Settings, report: dict[str, Any], sign_in: str) -> dict[str, str]:
    base = settings.base_url
    return {
        "answer": f"{base}/s/{report['live_code']}",
        "console": sign_in,
        "posters": f"{base}/console/waves/{WAVE}/papers",
        "result": f"{base}/console/waves/{WAVE}/results",
        "verify": f"{base}/v/{report['number']}",
        "api": f"{base}/api/v1/waves/{WAVE}/figure",
    }


def _text(report: dict[str, Any]) -> str:
    addresses = report["addresses"]
    return "\n".join(
        (
            (f"演示数据：{report['schools']}所学校，抽中{report['schools_drawn']}所，{report['strata']}层；"
            f"发出纸条{report['slips']}张，收到答卷{report['answers']}份，用时{report['seconds']}秒。"),
            report["in_words"],
            f"海报：{report['posters']}",
            f"纸条：{report['slips_pdf']}",
            f"证书：{report['certificate']}",
            f"公开核验包：{report['bundle']}",
            f"报告：{report['report']}",
            "",
            f"当一回家长（另一次还在进行的调查）：{addresses['answer']}",
            f"控制台（一次性登录）：{addresses['console']}",
            f"海报和纸条：{addresses['posters']}",
            f"结果：{addresses['result']}",
            f"核验：{addresses['verify']}",
        )
    )
