"""The console at size: every page of it, with 1 000 schools, 200 waves and 2 000 000 stored answers.

    python benchmarks/console.py [--answers 2000000] [--waves 200] [--schools 1000] [--rounds 20]
                                 [--folder DIR] [--build-only] [--out FILE]

Builds an installation with the platform's own jobs: one wave of so many schools that is asked whole,
signed and published, whose intake is then filled in bulk (slips used, boxes, leaves, one signed head,
counters: all that the check at start compares); one wave of as many schools that went the whole road
to a certificate with simulated answers; the others with plan, frame and sample of a county in every
state before publishing. Then it starts `survey serve`, signs in through the door, and walks every page
of the console. A page's time is from request to last byte over one kept connection; beside it stands
the server's own processor time for it, which other work on the machine moves little. Bytes are those
on the wire, the page with all it loads, the first time. Also timed: import of a frame of 2 000
schools through the console, and the report as PDF. With `--folder` the installation is kept and used
again. Prints one JSON document; exit 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import msgspec
from serving import Served, free_port, machine
from stored import fill_file

from survey.canonical import encode
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.create_wave import create_wave
from survey.jobs.draw_sample import draw_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.import_frame import import_frame
from survey.jobs.open_wave import open_wave
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, create_signer, open_signers
from survey.jobs.simulate_responses import in_piles, simulate_responses
from survey.scheme.plan import example_plan_text, instrument_of, plan_document, read_plan, scheme_of
from survey.settings import Settings, load_settings
from survey.storage.accounts import create_account
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, set_state
from survey.storage.print_files import load_print_file
from survey.storage.samples import load_sample

PASSWORD = "four plain words here"
FULL, DONE = "full-house", "whole-road"
MOST_MS, MOST_BYTES, MOST_REQUESTS = 150, 120_000, 6
IMPORT_SECONDS, REPORT_SECONDS = 3.0, 5.0
LOADED = re.compile(r'<(?:link rel="(?:stylesheet|icon)"[^>]*href|script[^>]*src|img[^>]*src)="([^"]+)"')
EVERYWHERE = (
    "waves", "waves?page=2", "counties", "counties/320704", "digest", "outside", "webhooks", "signers",
    "people", "log", "account", "health",
)  # fmt: skip
OF_A_WAVE = ("", "/frame", "/sample", "/papers", "/launch", "/setup")
OF_FULL = ("/signing", "/monitor", "/leftovers", "/schools", "/paper", "/callbacks", "/board")
OF_DONE = ("/monitor", "/schools", "/results", "/report", "/certify", "/certificate", "/ledger")


def school_list(size: int) -> bytes:
    """A frame of so many schools: the sample county's, again and again under codes and names of their own."""
    text = (files("survey.sampling") / "data" / "county" / "frame.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    for at, row in zip(range(size), itertools.cycle(rows), strict=False):
        writer.writerow(row | {"学校代码": f"32{at:08d}", "学校名称": f"{row['学校名称']}{at}校"})
    return out.getvalue().encode()


async def build(settings: Settings, arguments: argparse.Namespace) -> dict[str, float]:
    """The whole installation; what each part took."""
    now, took, began = datetime.now(UTC), {}, time.perf_counter()
    by: dict[str, Any] = {"actor": "benchmark", "now": now}
    today = now.date()
    pattern = msgspec.structs.replace(
        read_plan(example_plan_text()),
        opens_on=today - timedelta(days=1),
        closes_on=today + timedelta(days=14),
        results_on=today + timedelta(days=30),
    )

    def lap(name: str) -> None:
        nonlocal began
        took[name] = round(time.perf_counter() - began, 1)
        began = time.perf_counter()

    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        await create_account("desk", "经办人", ("admin", "operator"), PASSWORD, now=now)
        await create_account("second", "复核人", ("reviewer", "approver"), PASSWORD, now=now)
        for role in ROLES:
            create_signer(settings, role, f"{PASSWORD} {role}")
        signers = open_signers(settings, {role: f"{PASSWORD} {role}" for role in ROLES})

        async def laid_out(wave: str, frame: bytes | None, drawn: bool, **changes: Any) -> None:
            plan = msgspec.structs.replace(pattern, wave=wave, title=f"满意度调查 {wave}", **changes)
            await create_wave(encode(plan_document(plan)), **by)
            if frame is not None:
                await import_frame(wave, frame, "frame.csv", **by)
            if drawn:
                await draw_wave(wave, "20261124", **by)

        large, small = school_list(arguments.schools), school_list(56)
        for wave in (FULL, DONE):
            whole = {"everybody": ("teacher",)} if wave == FULL else {}
            await laid_out(wave, large, True, **whole)
            await sign_plan(settings, office, wave, signers, **by)
            rows = load_print_file(settings, wave)
            await publish_wave(settings, office, wave, **by)
            lap(f"{wave}: drawn, signed, published")
        plan, sample = await load_plan(DONE), await load_sample(DONE)
        scheme = scheme_of(plan)
        await simulate_responses(
            office, plan, sample, in_piles(rows),
            lambda draw: instrument_of(plan, scheme, draw.group, draw.stage),
            seed="7", began=now, days=5,
        )  # fmt: skip
        for act in (close_wave, open_wave):
            await act(settings, office, DONE, signers, **by)
        await estimate_wave(office, DONE, **by)
        await certify_wave(settings, office, DONE, signers, **by)
        lap(f"{DONE}: answered, closed, opened, certified")
        for at in range(arguments.waves - 2):
            wave = f"county-{at:03d}"
            await laid_out(wave, small if at % 4 else None, at % 4 > 1)
            if at % 4 == 3:
                await set_state(wave, "drawn", "planned", now=now)
        lap("the other waves")
        domains = [draw.domain for draw in (await load_sample(FULL)).domains]
        await office.stop()
    fill_file(settings, FULL, arguments.answers, domains)
    lap("answers filled in")
    return took


class Desk:
    """A person at the console, over one kept connection."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.client = httpx.Client(base_url=served.address, timeout=600, headers={"Sec-Fetch-Site": "same-origin"})
        reply = self.client.post("/console/sign-in", data={"name": "desk", "password": PASSWORD})
        assert reply.status_code == 303, reply.status_code

    def form_key(self) -> str:
        text = self.client.get("/console/account").text
        return text.split('name="form_key" value="', 1)[1].split('"', 1)[0]

    def fetch(self, path: str) -> tuple[str, int, float]:
        """Text, bytes on the wire, milliseconds."""
        began = time.perf_counter()
        with self.client.stream("GET", path) as reply:
            reply.read()
            spent = (time.perf_counter() - began) * 1000
            assert reply.status_code == 200, (path, reply.status_code, reply.text[:300])
            return reply.text, reply.num_bytes_downloaded, spent

    def look(self, path: str, rounds: int) -> dict[str, Any]:
        """One page: its first view, and its times over so many more."""
        text, weight, first = self.fetch(path)
        loaded = {one for one in LOADED.findall(text) if not one.startswith("data:")}
        weight += sum(self.fetch(one)[1] for one in loaded)
        processor = self.served.processor_seconds()
        times = sorted(self.fetch(path)[2] for _ in range(rounds))
        processor = self.served.processor_seconds() - processor
        return {
            "first_ms": round(first),
            "p50_ms": round(times[len(times) // 2], 1),
            "p95_ms": round(times[min(len(times) * 95 // 100, len(times) - 1)], 1),
            "processor_ms": round(processor / rounds * 1000, 1),
            "bytes": weight,
            "page_unpacked": len(text.encode()),
            "requests": 1 + len(loaded),
        }

    def import_schools(self, size: int) -> float:
        """Seconds until a frame of so many schools has been read, checked and shown."""
        began = time.perf_counter()
        reply = self.client.post(
            "/console/waves/county-000/frame",
            data={"form_key": self.form_key()},
            files={"file": ("frame.csv", school_list(size), "text/csv")},
        )
        key = re.search(r'name="(\w+)" value="([^"]+)"[^<]*<[^<]*(?:确认|导入)', reply.text)
        assert reply.status_code in (200, 201, 303), (reply.status_code, reply.text[:500], key)
        return round(time.perf_counter() - began, 2)


def missed(report: dict[str, Any]) -> list[str]:
    """Every target that was missed, by name."""
    faults = [
        f"{path}: {name} {one[name]}"
        for path, one in report["pages"].items()
        for name, most in (("p95_ms", MOST_MS), ("bytes", MOST_BYTES), ("requests", MOST_REQUESTS))
        if one[name] > most
    ]
    faults += [f"import: {report['import_2000_s']} s"] * (report["import_2000_s"] > IMPORT_SECONDS)
    return faults + [f"report: {report['report_pdf_s']} s"] * (report["report_pdf_s"] > REPORT_SECONDS)


def main(arguments: argparse.Namespace) -> int:
    kept = arguments.folder is not None
    folder = Path(arguments.folder or tempfile.mkdtemp())
    settings = load_settings({}, data=folder / "data", least_free_share=0.0)
    report: dict[str, Any] = {
        "machine": machine(),
        "schools": arguments.schools,
        "waves": arguments.waves,
        "answers": arguments.answers,
    }
    built = folder / "built.json"
    if not built.exists():
        built.write_text(json.dumps(asyncio.run(build(settings, arguments))))
    report["built_s"] = json.loads(built.read_text())
    if arguments.build_only:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return 0
    port = free_port()
    command = [sys.executable, "-m", "survey", "serve", "--data", str(settings.data), "--port", str(port)]
    os.environ["SURVEY_LOG"] = "json"
    served = Served(command, port, "/healthz", patience=900)
    try:
        report["start_seconds"], report["memory_mb"] = served.start_seconds, served.memory_mb()
        desk = Desk(served)
        paths = [f"/console/{name}" for name in EVERYWHERE]
        paths += [f"/console/waves/{wave}{page}" for wave in (FULL, DONE) for page in OF_A_WAVE]
        paths += [f"/console/waves/{FULL}{page}" for page in OF_FULL]
        paths += [f"/console/waves/{DONE}{page}" for page in OF_DONE]
        report["pages"] = {path: desk.look(path, arguments.rounds) for path in paths}
        report["import_2000_s"] = desk.import_schools(2_000)
        report["report_pdf_s"] = round(desk.fetch(f"/console/waves/{DONE}/report/pdf")[2] / 1000, 2)
        report["load_after"] = [round(one, 1) for one in os.getloadavg()]
    finally:
        served.stop()
    if not kept:
        shutil.rmtree(folder)
    report["missed"] = missed(report)
    text = json.dumps(report, ensure_ascii=False, indent=1)
    print(text)
    if arguments.out:
        Path(arguments.out).write_text(text + "\n", encoding="utf-8")
    return 1 if report["missed"] else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=2_000_000)
    parser.add_argument("--waves", type=int, default=200)
    parser.add_argument("--schools", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--folder", default=None, help="keep the installation here and use it again")
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--out", default=None, help="also write the figures to this file")
    sys.exit(main(parser.parse_args()))
