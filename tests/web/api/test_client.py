"""The shipped client against a served installation."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import runpy
import socket
from pathlib import Path

import pytest
import uvicorn

from survey.web.api.client import Client, RefusedError, UnreachableError
from survey.web.api.documents import NewAct, NewEntry
from survey.web.api.openapi import OPERATIONS
from survey.web.ration import Ration

from ..conftest import Site

README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
[example] = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
"""What the README tells another system to write, run here word for word but for address and token."""


async def test_the_client_reads_everything_and_keeps_the_ledger(certified: Site, tmp_path: Path) -> None:
    await certified.person()
    headers = await certified.token(
        "waves:read", "participation:read", "figure:read", "areas:read", "frame:read", "ledger:read", "ledger:write"
    )
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(certified.app, log_level="error", access_log=False, lifespan="off")
    )
    serving = asyncio.create_task(server.serve(sockets=[door]))

    def ask() -> list[object]:
        api = Client(f"http://127.0.0.1:{door.getsockname()[1]}", headers["Authorization"].split()[1])
        taken = api.take_up("county-a", NewEntry(source="fact", problem="课桌不够", basis="核查记录"))
        done = api.act(
            "county-a",
            taken.number,
            NewAct(act="start", unit="财政局", person="局长", due_on="2026-12-20", measures="补齐"),
        )
        first, again = api.figure("county-a"), api.figure("county-a")
        read = (api.entry("county-a", 1).number, api.record("county-a").wave, api.wave("county-a").wave)
        listed = (len(list(api.records())), len(list(api.areas("county-a"))))
        with pytest.raises(RefusedError) as unknown:
            api.wave("nowhere")
        # Whoever followed a redirect would take the token to wherever it leads.
        with pytest.raises(RefusedError) as led_away:
            api._send(f"{api.base_url.removesuffix('/api/v1')}/console", {"Accept": "text/html"}, None)
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 2:
                certified.app.state.ration = Ration()

        def hungry(patience: float) -> str:
            certified.app.state.ration = Ration(at_once=0, a_second=0.05)
            return Client(api.base_url.removesuffix("/api/v1"), api._token, patience=patience, sleep=sleep).wave("county-a").wave

        fed = hungry(60.0)
        slept.append(-1.0)
        with pytest.raises(RefusedError) as starved:
            hungry(19.0)
        certified.app.state.ration = Ration()
        written = tmp_path / "example.py"
        here = example.replace("https://survey.example", api.base_url.removesuffix("/api/v1"))
        written.write_text(here.replace("survey_…", api._token), encoding="utf-8")
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            runpy.run_path(str(written))
        return [
            [wave.wave for wave in api.waves()], api.participation("county-a").issued > 0, first == again,
            first.seal is not None, api.certificate("county-a").number == first.seal.number if first.seal else None,
            len(api.frame("county-a").schools), api.sample("county-a").wave, done.state,
            len(list(api.ledger("county-a"))), unknown.value.status, unknown.value.problem.code if unknown.value.problem else "",
            read, listed, json.loads(api.certificate_file("county-a"))["type"], led_away.value.status,
            fed, slept, starved.value.status, said.getvalue().splitlines(), {path.partition("?")[0] for path in api._kept},
        ]  # fmt: skip

    try:
        told = await asyncio.to_thread(ask)
    finally:
        server.should_exit = True
        await serving

    *told, asked = told
    described = {one["path"].removeprefix("/api/v1") for one in OPERATIONS if one.get("method", "get") == "get"}
    assert {path.replace("county-a", "{wave}").replace("ledger/1", "ledger/{number}") for path in asked} == described
    assert [one["id"] for one in OPERATIONS if "method" in one] == ["takeUp", "actOnLedgerEntry"]
    assert told == [
        ["county-a"],
        True,
        True,
        True,
        True,
        56,
        "county-a",
        "mending",
        1,
        404,
        "storage.wave_not_found",
        (1, "county-a", "county-a"),
        (1, 0),
        "survey/certificate/v1",
        303,
        "county-a",
        [20.0, 20.0, -1.0],
        429,
        told[-1],
    ]
    [line] = told[-1]
    assert re.fullmatch(r"county-a \d+\.\d\d% .{10,}", line)


def test_an_installation_that_is_not_there_is_said_to_be_unreachable() -> None:
    slept: list[float] = []

    with pytest.raises(UnreachableError):
        Client("http://127.0.0.1:9", "survey_x", timeout=2, sleep=slept.append).wave("county-a")
    assert slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
