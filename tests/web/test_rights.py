"""The table of rights is true: every route × role × state, let through and refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import pytest

from survey.jobs.erase_answers import erase_answers
from survey.storage.divisions import save_local_division, set_divisions
from survey.storage.school_tables import SchoolAreas
from survey.storage.tables import Waves
from survey.web.rights import RIGHTS, ROLES, SCOPES, levels_of

from .conftest import NOW, Site
from .rights import (
    EARLIER,
    LATER,
    STATES,
    Row,
    Walker,
    all_scopes_but,
    read_table,
    routes,
    sign_in_school,
    walker_of,
)

ENDS_THE_SESSION = ("/console/sign-out", "/console/account/sessions/end", "/school/out")
SLOW_TO_DO = (
    "/console/waves/{wave}/answers",
    "/console/waves/{wave}/estimate",
    "/console/waves/{wave}/frame/confirm",
    "/console/waves/{wave}/pack",
    "/console/waves/{wave}/report/{kind}",
    "/console/waves/{wave}/sample",
)
"""Where they are let through they take a second; the walk on request does them."""
TABLE = read_table()


async def test_every_route_has_one_row_and_every_row_its_route_and_guard(site: Site) -> None:
    handlers, wrong = routes(site), []
    for row in TABLE:
        handler = handlers.get((row.method, row.path))
        names = {getattr(guard, "__name__", "") for guard in handler.resolve_guards()} if handler else set()
        expected = {
            "anyone": "anyone",
            "school_contact": "school_contact",
            "known_reader": "known_reader",
            **{right: f"may_{right.replace('.', '_')}" for right in RIGHTS},
            **{scope: f"token_with_{scope.replace(':', '_')}" for scope in SCOPES},
        }[row.right]
        levels = levels_of(row.right) - {"county"} if row.right in RIGHTS or row.right in SCOPES else row.levels
        if names != {expected} or row.roles != RIGHTS.get(row.right, frozenset()) or row.levels != levels:
            wrong.append((row.method, row.path, names, sorted(row.roles)))
    twice = [key for key, n in Counter((row.method, row.path) for row in TABLE).items() if n > 1]

    assert wrong == []
    assert twice == []
    assert handlers.keys() - {(row.method, row.path) for row in TABLE} == set()


async def test_every_role_is_let_in_exactly_where_its_row_says(site: Site) -> None:
    walker, wrong = Walker(site, _nothing()), []
    for role in ROLES:
        site.client.cookies.clear()
        await site.sign_in(f"{role}-person", (role,))
        walker.form_key = await site.form_key()
        for row in TABLE:
            if row.roles and row.path not in ENDS_THE_SESSION:
                reply = await walker.ask(row)
                refused = reply.status_code == 403 and "access.not_allowed" in reply.text
                if refused == (role in row.roles):
                    wrong.append((role, row.method, row.path, reply.status_code))
            elif row.right in SCOPES or row.right == "school_contact":
                status = (await walker.ask(row)).status_code
                if status != 401:
                    wrong.append((role, row.method, row.path, status))

    assert wrong == []


@pytest.mark.parametrize("level", ["area", "school"])
async def test_below_the_county_every_role_is_let_in_exactly_where_its_row_says(site: Site, level: str) -> None:
    await save_local_division("320704-01", "320704", "第一督学责任区")
    await site.wave()
    await SchoolAreas.insert(SchoolAreas(wave="county-a", school_code="3207042001", area="320704-01"))
    held = "320704-01" if level == "area" else "3207042001"
    walker, wrong = Walker(site, _nothing()), []
    for role in ROLES:
        site.client.cookies.clear()
        await site.sign_in(f"{role}-person", (role,))
        await set_divisions(f"{role}-person", [held])
        walker.form_key = await site.form_key()
        for row in TABLE:
            if row.roles and row.path not in ENDS_THE_SESSION:
                reply = await walker.ask(row)
                refused = reply.status_code == 403 and "access.not_" in reply.text
                if refused == (role in row.roles and level in row.levels):
                    wrong.append((level, role, row.method, row.path, reply.status_code))
    for scope in SCOPES:
        walker.token = await site.token(scope, account="admin-person")
        for row in [row for row in TABLE if row.right == scope]:
            if ((await walker.ask(row)).status_code == 403) == (level in row.levels):
                wrong.append((level, scope, row.method, row.path))

    assert wrong == []


async def test_without_a_session_a_scope_or_a_school_nothing_opens_but_what_is_for_everybody(site: Site) -> None:
    await site.person()
    walker, wrong = Walker(site, _nothing()), []
    for row in TABLE:
        reply = await walker.ask(row)
        to_sign_in = reply.headers.get("location", "").startswith("/console/sign-in")
        if row.right == "anyone":
            opened = reply.status_code not in (401, 403) or row.path.startswith(("/school/in/", "/console/sign-in"))
        else:
            opened = reply.status_code != 401 and not (reply.status_code == 303 and to_sign_in)
        if opened != (row.right == "anyone"):
            wrong.append((row.method, row.path, reply.status_code))
    for scope in SCOPES:
        enough, others = await site.token(scope), await site.token(*all_scopes_but(scope))
        for row in [row for row in TABLE if row.right == scope]:
            walker.token = others
            refused = await walker.ask(row)
            walker.token = enough
            if refused.status_code != 403 or (await walker.ask(row)).status_code in (401, 403):
                wrong.append((row.method, row.path, scope))

    assert wrong == []


@pytest.fixture
async def walker(certified: Site) -> Walker:
    """Somebody of each role, a system and a school, over a certified and a drawn wave."""
    await certified.wave(EARLIER, until="drawn")
    walker = await walker_of(certified)
    for role in ROLES:
        certified.client.cookies.clear()
        await certified.sign_in(f"{role}-person", (role,))
        if role == "contact":
            await set_divisions("contact-person", [walker.parameters["school"]])
        walker.people[role] = (dict(certified.client.cookies), await certified.form_key())
    certified.client.cookies.clear()
    await sign_in_school(certified, walker)
    walker.people["school"] = (dict(certified.client.cookies), "")
    await certified.person()
    return walker


async def test_a_state_refuses_exactly_where_its_row_says(walker: Walker) -> None:
    rows = [row for row in TABLE if row.by_state]
    # What is tried out before it is imported is remembered for the person.
    walker.become("operator")
    await walker.ask(next(row for row in TABLE if row.method == "POST" and row.path.endswith("{wave}/frame")))

    wrong, asked = await _walk(walker, rows, every_role=False)

    assert wrong == []
    assert asked > 600


@pytest.mark.slow
async def test_every_route_by_every_role_in_every_state(walker: Walker) -> None:
    wrong, asked = await _walk(walker, [row for row in TABLE if row.states], every_role=True)

    assert wrong == []
    assert asked > 3500


async def _walk(walker: Walker, rows: Iterable[Row], *, every_role: bool) -> tuple[list[tuple[str, ...]], int]:
    """Every row in every state, by its holders and by others: (what went against the table, how many asked)."""
    site, wrong, before = walker.site, [], walker.asked
    token = await site.token(*SCOPES)
    for number, state in enumerate(STATES):
        if state == "erased":
            await Waves.update({Waves.state: "certified"}).where(Waves.wave == LATER)
            await erase_answers(site.settings, site.office, LATER, actor="test", now=NOW + timedelta(days=900))
        for row in rows:
            holders = [role for role in ROLES if role in row.roles]
            others = [role for role in ROLES if role not in row.roles] if row.roles else []
            if not every_role:
                holders = ["operator"] if row.path.endswith("/confirm") else holders[number % (len(holders) or 1) :][:1]
                others = others[number % (len(others) or 1) :][:1]
                if row.path in SLOW_TO_DO and state in row.states:
                    holders = []
            walker.token = token if row.right in SCOPES else None
            for role in [*holders, *others] if row.roles else ["school"]:
                walker.become(role)
                if every_role and row.path.endswith(("/confirm", "/faults.csv")) and role in row.roles:
                    await walker.ask(next(one for one in TABLE if one.method == "POST" and one.path.endswith("{wave}/frame")))
                if await walker.is_let_through(row, state) != (state in row.states and role not in others):
                    wrong.append((state, role, row.method, row.path))
    return wrong, walker.asked - before


def _nothing() -> dict[str, str]:
    """Parameters that name nothing."""
    names = ("draft", "digest", "token", "webhook", "receipt", "domain", "code", "school", "group", "stage", "mark", "part")
    return {**dict.fromkeys(names, "x"), "number": "1", "step": "1", "kind": "pdf", "name": "x.pdf", "paper": "a4", "file_path": "x"}
