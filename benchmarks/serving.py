"""The form page and its sending over HTTP, beside the ceiling of the same run.

    python benchmarks/serving.py [--database URL] [--processes 1] [--seconds 6] [--connections 64] [--slips 60000]

Starts `survey serve` on a data folder of its own, with a wave that is sealed and one that is
not, and lets wrk (Debian package `wrk`) load it from the same machine. Measured in one run:
a cached byte string of the form's size from the bare framework on the same server (Litestar, the
ceiling) and from a bare ASGI function, which no framework touches; the form page; durable submissions by a slip's form, unsealed, sealed, and as the page's script sends
them; bare fsyncs a second. Afterwards the log of each wave is counted: what was answered 303
must be in it. Beside each rate stands the server's own processor time for a request, which other
work on the machine moves little. With `--processes` several servers stand over one PostgreSQL, the
connections shared out among them. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
from field import answers_to, lay_out, parents
from intake import fsyncs_per_second

from survey.settings import Settings, load_settings
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice

SCRIPTS = Path(__file__).with_name("wrk")
BARE = """
import socket, sys
import uvloop
from litestar import Litestar, MediaType, Response, get
from survey.cli.serving import Listener
body = bytes(int(sys.argv[2]))
headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", sys.argv[2].encode())]
@get("/form", media_type=MediaType.HTML)
async def form() -> Response[bytes]:
    return Response(body, media_type=MediaType.HTML)
application = Litestar([form], openapi_config=None)
async def plain(scope, receive, send):
    if scope["type"] == "lifespan":
        return await application(scope, receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
door = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=2048)
uvloop.run(Listener(plain if sys.argv[3] == "asgi" else application, door).serve())
"""


def machine() -> dict[str, Any]:
    """What it ran on; no name."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30),
        "processor": platform.machine(),
        "kernel": platform.release(),
        "load_before": [round(one, 1) for one in os.getloadavg()],
    }


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


class Served:
    """A server process that answers before it is measured and is stopped afterwards.

    `start_seconds` are those from the command to the first page under `path`.
    """

    def __init__(self, command: list[str], port: int, path: str, patience: int = 60) -> None:
        self.address = f"http://127.0.0.1:{port}"
        began = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while True:
            try:
                urllib.request.urlopen(self.address + path).read()
                break
            except OSError:
                if self.process.poll() is not None or time.perf_counter() - began > patience:
                    raise
                time.sleep(0.02)
        self.start_seconds = round(time.perf_counter() - began, 2)

    def wait_until_whole(self) -> None:
        """Until everything is loaded, which goes on behind the first page."""
        urllib.request.urlopen(self.address + "/healthz").read()

    def memory_mb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found is not None
        return int(found.group(1)) // 1024

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def together(
    all_served: list[Served], script: str, arguments: argparse.Namespace, first: int, **given: str
) -> dict[str, Any]:
    """One run against several servers at once, each with its own stretch of codes; rates are added.

    No stretch reaches into another: a code sent twice is thanked twice and stored once.
    """
    share = argparse.Namespace(**{**vars(arguments), "connections": arguments.connections // len(all_served)})
    stretch = arguments.slips // 2 // len(all_served)
    with ThreadPoolExecutor(len(all_served)) as pool:
        runs = [
            pool.submit(
                wrk,
                one,
                script,
                share,
                **given,
                FIRST=str(first + at * stretch),
                LAST=str(first + (at + 1) * stretch),
            )
            for at, one in enumerate(all_served)
        ]
    found = [run.result() for run in runs]
    if len(found) == 1:
        return found[0]
    added = ("requests", "per_second", "refused", "broken", "accepted")
    report = {
        name: sum(one[name] for one in found) if name in added else max(one[name] for one in found)
        for name in found[0]
    }
    spent = sum(one["processor_us"] * one["requests"] for one in found)
    return {**report, "processor_us": round(spent / max(report["requests"], 1))}


def wrk(served: Served, script: str, arguments: argparse.Namespace, **given: str) -> dict[str, Any]:
    """One run of wrk; the script prints its own JSON line."""
    spent = served.processor_seconds()
    command = [
        "wrk",
        "-t1",
        f"-c{arguments.connections}",
        f"-d{arguments.seconds}",
        "--timeout",
        "10",
        "-s",
        str(SCRIPTS / script),
        served.address,
    ]
    output = subprocess.run(
        command, env={**os.environ, "WRK": f"{SCRIPTS}/", **given}, capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, Any] = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    spent = served.processor_seconds() - spent
    found["processor_us"] = round(spent / max(found["requests"], 1) * 1e6)
    return found


def hidden_fields(served: Served, code: str) -> tuple[str, int]:
    """Version and stamp of a form as a browser would send them, and the size of the packed page."""
    asked = urllib.request.Request(f"{served.address}/s/{code}", headers={"Accept-Encoding": "gzip"})
    packed = urllib.request.urlopen(asked).read()
    page = gzip.decompress(packed).decode()
    fields = dict(re.findall(r'<input type="hidden" name="([vs])" value="([^"]*)"', page))
    return f"s={fields['s']}&v={fields['v']}", len(packed)


@contextmanager
def database_of_its_own(url: str | None) -> Iterator[str | None]:
    """A fresh database on the server of an address, gone afterwards; None for SQLite."""
    if url is None:
        yield None
        return
    name = f"serving_{secrets.token_hex(4)}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run(f'CREATE DATABASE "{name}"'))
    try:
        # The address of a server on a socket has nothing between its slashes.
        before, _, after = url.partition("://")
        host, _, rest = after.partition("/")
        yield f"{before}://{host}/{name}" + ("?" + rest.partition("?")[2] if "?" in rest else "")
    finally:
        asyncio.run(run(f'DROP DATABASE "{name}" WITH (FORCE)'))


async def stored(settings: Settings, wave: str) -> int:
    """Leaves in a wave's log, and each of them once."""
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        leaves = await office.leaves(wave)
        await office.stop()
    assert len(set(leaves)) == len(leaves)
    return len(leaves)


def main(arguments: argparse.Namespace) -> dict[str, Any]:
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed (Debian package wrk)")
    with database_of_its_own(arguments.database) as database:
        arguments.database = database
        return measured(arguments)


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every run, in the order of the report."""
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    settings = load_settings({}, data=folder, database_url=arguments.database, least_free_share=0.0)
    report: dict[str, Any] = {
        "machine": machine(),
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{name: version(name) for name in ("granian", "litestar", "uvloop")},
        },
        "database": "postgres" if arguments.database else "sqlite",
        "processes": arguments.processes,
        "connections": arguments.connections,
        "bare_fsyncs_per_second": round(fsyncs_per_second(folder)),
    }
    waves = {"unsealed": f"open-{secrets.token_hex(3)}", "sealed": f"sealed-{secrets.token_hex(3)}"}
    files = {}
    for kind, wave in waves.items():
        codes = asyncio.run(lay_out(settings, wave, arguments.slips, sealed=kind == "sealed"))
        files[kind] = folder / f"{wave}.codes"
        files[kind].write_text("\n".join(codes) + "\n")
    if arguments.database:
        os.environ["SURVEY_DATABASE_URL"] = arguments.database
    several = []
    for _ in range(arguments.processes):
        port = free_port()
        command = [sys.executable, "-m", "survey", "serve", "--data", str(folder), "--port", str(port)]
        first = files["unsealed"].read_text().partition("\n")[0]
        several.append(Served(command, port, f"/s/{first}"))
        several[-1].wait_until_whole()
    served = several[0]
    acknowledged = dict.fromkeys(waves, 0)
    try:
        report["start_seconds"], report["memory_mb"] = served.start_seconds, served.memory_mb()
        for one in several:
            fields, size = hidden_fields(one, first)
        report["form_bytes"] = size
        report["form"] = wrk(served, "form.lua", arguments, CODES=str(files["unsealed"]))
        answers = answers_to(parents(waves["unsealed"], False))
        for name, kind, script in (
            ("unsealed", "unsealed", ""),
            ("sealed", "sealed", ""),
            ("sealed_by_script", "sealed", "1"),
        ):
            report[name] = together(
                several,
                "send.lua",
                arguments,
                arguments.slips // 2 if script else 0,
                CODES=str(files[kind]),
                BODY=f"{fields}&{answers}",
                SCRIPT=script,
            )
            acknowledged[kind] += report[name]["accepted"]
        report["memory_mb_after"] = served.memory_mb()
    finally:
        for one in several:
            one.stop()
    for name, kind in (("ceiling", "litestar"), ("bare_asgi", "asgi")):
        bare_port = free_port()
        bare = Served([sys.executable, "-c", BARE, str(bare_port), str(size), kind], bare_port, "/form")
        try:
            report[name] = wrk(bare, "bare.lua", arguments)
        finally:
            bare.stop()
    report["form_share_of_ceiling"] = round(
        report["form"]["per_second"] / report["ceiling"]["per_second"], 2
    )
    for kind, wave in waves.items():
        kept = asyncio.run(stored(settings, wave))
        report[f"{kind}_kept"] = {"acknowledged": acknowledged[kind], "in_the_log": kept}
        assert kept >= acknowledged[kind], "an acknowledged answer is not in the log"
    shutil.rmtree(folder)
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default=None, help="a PostgreSQL address; SQLite without it")
    parser.add_argument("--folder", default=None, help="where the data folder is made")
    parser.add_argument("--processes", type=int, default=1, help="servers over one PostgreSQL")
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--slips", type=int, default=60_000)
    print(json.dumps(main(parser.parse_args()), indent=1))
