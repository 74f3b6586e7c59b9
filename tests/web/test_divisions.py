"""Whoever works for one branch of the country finds nothing of another, by any address."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from litestar.routes import HTTPRoute

from survey.cli.main import main
from survey.scheme.divisions import BadDivisionError
from survey.storage.accounts import find_account
from survey.storage.database import Database
from survey.storage.divisions import save_local_division, set_divisions

from .conftest import SAME_ORIGIN, Site


@pytest.fixture
async def abroad(certified: Site) -> Site:
    """A certified wave of 320704, and an account of another prefecture signed in with every right."""
    await certified.sign_in("demo", ("admin", "operator", "approver", "auditor", "reviewer"))
    await set_divisions("demo", ["3608"])
    return certified


async def test_no_route_with_a_wave_opens_for_another_branch(abroad: Site) -> None:
    form_key, opened, asked = await abroad.form_key(), [], 0
    tokens = await abroad.token(
        "waves:read", "participation:read", "figure:read", "areas:read", "frame:read", "ledger:read", "ledger:write"
    )
    for route in abroad.app.routes:
        assert isinstance(route, HTTPRoute)
        if "{wave:str}" not in route.path or not route.path.startswith(("/console/", "/api/")):
            continue
        if route.path == "/console/school/{wave:str}":
            continue  # Only for contacts of one school, who are walked in test_areas.py.
        path = route.path.replace("{wave:str}", "county-a")
        for name, value in (
            ("{number:int}", "1"),
            ("{name:str}", "x.pdf"),
            ("{kind:str}", "pdf"),
            ("{item:str}", "x"),
            ("{domain:str}", "x"),
            ("{code:str}", "x"),
        ):
            path = path.replace(name, value)
        for method in route.methods - {"OPTIONS", "HEAD"}:
            headers = {**SAME_ORIGIN, **(tokens if path.startswith("/api/") else {}), "Idempotency-Key": "k"}
            data = {"form_key": form_key} if method == "POST" and path.startswith("/console/") else None
            reply = await abroad.client.request(
                method, path, data=data, headers=headers, follow_redirects=False
            )
            asked += 1
            if reply.status_code != 404 or "storage.wave_not_found" not in reply.text:
                opened.append((method, path, reply.status_code))

    assert asked > 30
    assert opened == []


async def test_the_log_shows_only_what_was_done_in_the_own_branch(abroad: Site) -> None:
    await set_divisions("demo", [])
    await abroad.person("li", ("operator",))
    await abroad.client.post("/console/sign-in", data={"name": "li", "password": "not this"}, headers=SAME_ORIGIN)
    whole = (await abroad.client.get("/console/log")).text
    await set_divisions("demo", ["3608"])
    elsewhere = (await abroad.client.get("/console/log")).text
    await set_divisions("demo", ["3207"])
    await set_divisions("li", ["320704"])
    own = (await abroad.client.get("/console/log")).text

    assert "<code>county-a</code>" in whole and ">li<" in whole
    assert "<code>county-a</code>" not in elsewhere and ">li<" not in elsewhere
    assert ">demo<" in elsewhere
    assert "<code>county-a</code>" in own and ">li<" in own


async def test_lists_hold_only_the_own_branch(abroad: Site) -> None:
    tokens = await abroad.token("waves:read")
    pages = [(await abroad.client.get(path)).text for path in ("/console/waves", "/console/counties")]
    listed = (await abroad.client.get("/api/v1/waves", headers=tokens)).json()
    await set_divisions("demo", ["3207"])
    own = (await abroad.client.get("/console/waves")).text

    assert all("county-a" not in page for page in pages)
    assert listed["items"] == []
    assert "county-a" in own


@pytest.mark.parametrize("divisions", [["32"], ["320000"], ["3207"], ["320704"], ["99", "320704"], []])
async def test_the_branch_above_and_the_whole_installation_see_the_wave(
    certified: Site, divisions: list[str]
) -> None:
    await certified.sign_in()
    await set_divisions("demo", divisions)

    assert (await certified.client.get("/console/waves/county-a")).status_code == 200


async def test_a_local_division_lies_where_it_was_put_and_not_under_itself(database: Database) -> None:
    from survey.storage.accounts import create_account
    from survey.storage.divisions import local_divisions

    from .conftest import NOW

    await create_account("demo", "", {"operator"}, now=NOW)
    await save_local_division("WA-KFQ", "360828", "万安工业园区")
    held = await set_divisions("demo", ["wa-kfq", "360800"])
    account = await find_account("demo")

    assert held == {"WA-KFQ", "3608"}
    assert account is not None and account.divisions == held
    assert await local_divisions() == {"WA-KFQ": "360828"}
    with pytest.raises(BadDivisionError):
        await save_local_division("WA-KFQ", "WA-KFQ", "自己")
    with pytest.raises(BadDivisionError):
        await save_local_division("360828", "36", "国标")
    with pytest.raises(BadDivisionError):
        await set_divisions("demo", ["NOT-KNOWN"])


def test_divisions_are_given_and_shown_by_command(tmp_path: Path) -> None:
    def survey(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, "--data", str(tmp_path / "data")])
        assert done.exit_code == 0, done.output
        return done.output

    survey("init")
    placed = survey("division", "WA-KFQ", "--under", "360828", "--name", "万安工业园区")
    survey("account", "wang", "--role", "operator", "--division", "WA-KFQ", "--division", "3608")
    limited = survey("account")
    survey("account", "wang", "--division", "all")

    assert "万安工业园区（WA-KFQ）在360828下面" in placed
    assert "3608、WA-KFQ" in limited
    assert "3608、WA-KFQ" not in survey("account")
