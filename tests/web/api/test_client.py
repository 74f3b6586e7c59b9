"""The shipped client against a served installation."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvicorn

from survey.web.api.client import Client, RefusedError, UnreachableError
from survey.web.api.documents import NewAct, NewEntry
from survey.web.api.openapi import OPERATIONS

from ..conftest import Site


async def test_the_client_reads_everything_and_keeps_the_ledger(certified: Site) -> None:
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
        return [
            [wave.wave for wave in api.waves()], api.participation("county-a").issued > 0, first == again,
            first.seal is not None, api.certificate("county-a").number == first.seal.number if first.seal else None,
            len(api.frame("county-a").schools), api.sample("county-a").wave, done.state,
            len(list(api.ledger("county-a"))), unknown.value.status, unknown.value.problem.code if unknown.value.problem else "",
            read, listed, {path.partition("?")[0] for path in api._kept},
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
    ]


def test_an_installation_that_is_not_there_is_said_to_be_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey.web.api.client.TRIES", 1)

    with pytest.raises(UnreachableError):
        Client("http://127.0.0.1:9", "survey_x", timeout=2).wave("county-a")
