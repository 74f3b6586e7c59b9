"""The table of rights as a test reads it, and a walk that asks every route of it once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litestar.routes import HTTPRoute

from survey.jobs.keep_ledger import take_up
from survey.jobs.preview_form import preview_links
from survey.storage.print_files import load_print_file
from survey.storage.samples import load_sample
from survey.storage.school_contacts import issue_school_link
from survey.storage.states import NAMES
from survey.storage.tables import Waves
from survey.web.rights import ROLES, SCOPES

from .conftest import NOW, SAME_ORIGIN, Site, county_frame

TABLE = Path(__file__).with_name("security") / "RIGHTS.md"
STATES = (*NAMES, "erased")
LATER = "county-a"
"""The certified wave: it holds everything that an earlier state must not show."""
EARLIER = "county-b"
"""A drawn wave: what changes a frame, a sample or a plan is tried here."""
CHANGES_THE_SAMPLE = ("/frame", "/frame/confirm", "/frame/faults.csv", "/sample", "/setup")
_EVERY = {
    "every role": frozenset(ROLES),
    "every desk role": frozenset(ROLES) - {"contact"},
    "every state": frozenset(STATES),
}
_TOLD = (
    "storage.wrong_state",
    "这一步要在“",
    "console.not_opened",
    "console.not_certified",
    "console.not_published",
    "console.nothing_to_sign",
    "api.not_opened",
    "api.not_certified",
    "api.not_published",
    "verify.no_log",
    "access.not_allowed",
    "school.not_in_the_field",
    "access.not_on_this_level",
)
"""What a refusal by state or by right says; other refusals are about what was typed."""
_MOVES = ("/publish", "/pause", "/resume")
"""Acts that move books and intake together: the walk puts the intake back as well."""
_SIGNED = {"drawn": "签署方案", "open": "结束填写", "paused": "结束填写", "closed": "开箱"}


@dataclass(frozen=True)
class Row:
    """One route: who may ask, by which right, and in which states of its wave it is let through."""

    method: str
    path: str
    right: str
    roles: frozenset[str]
    states: frozenset[str]
    """Empty where the route belongs to no wave."""
    levels: frozenset[str] = frozenset()
    """Of area and school, those on which an account may ask at all."""

    @property
    def by_state(self) -> bool:
        """Whether a state refuses it."""
        return bool(self.states) and self.states != frozenset(STATES)


def read_table() -> tuple[Row, ...]:
    """Every row of the table, in its order."""
    rows = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            method, _, path = cells[0].strip("`").partition(" ")
            cell = (_words(cells[2], ROLES), _words(cells[3], STATES), _words(cells[4], ("area", "school")))
            rows.append(Row(method, path, cells[1], *cell))
    return tuple(rows)


def routes(site: Site) -> dict[tuple[str, str], Any]:
    """Method and path of every route of the application, each with its handler."""
    found = {}
    for route in site.app.routes:
        assert isinstance(route, HTTPRoute)
        for handler in route.route_handlers:
            for method in sorted(str(method) for method in handler.http_methods):
                if method not in ("OPTIONS", "HEAD"):
                    found[method, re.sub(r":\w+}", "}", route.path)] = handler
    return found


@dataclass
class Walker:
    """One client that asks as one person, one system or one school, with fields that a form would send."""

    site: Site
    parameters: Mapping[str, str]
    people: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict)
    """Role to the cookies and the form key of somebody who has only this role."""
    form_key: str = ""
    school_key: str = ""
    token: Mapping[str, str] | None = None
    asked: int = 0

    def become(self, role: str) -> None:
        """Ask as the person of this role from now on."""
        cookies, self.form_key = self.people[role]
        self.site.client.cookies.clear()
        self.site.client.cookies.update(cookies)

    async def ask(self, row: Row, state: str = "") -> Any:
        """The reply to one request."""
        path, wave = row.path, self.wave_of(row)
        self.asked += 1
        fields = {**FIELDS.get((row.method, row.path), {}), "form_key": self.form_key, "school_key": self.school_key}
        if "confirm" in fields:
            fields["confirm"] = wave
        if "school" in fields:
            fields["school"] = self.parameters["school"]
        if "act" in fields:
            fields["act"] = _SIGNED.get(state, "签署方案")
        more: dict[str, Any] = {}
        if row.path.startswith("/api/"):
            if row.method == "POST":
                entry = {"source": "fact", "problem": "食堂", "basis": f"走访{self.asked}"}
                more = {"json": {"act": "start"} if row.path.endswith("/acts") else entry}
        elif row.method == "POST":
            more = {"data": {name: value for name, value in fields.items() if value}}
            if row.path.endswith("/frame"):
                more["files"] = {"file": ("frame.csv", county_frame(), "text/csv")}
        for name, value in {**self.parameters, "wave": wave}.items():
            path = path.replace(f"{{{name}}}", value)
        headers = {**SAME_ORIGIN, **(self.token or {}), "Idempotency-Key": f"walk-{self.asked}"}
        return await self.site.client.request(row.method, path, headers=headers, follow_redirects=False, **more)

    def wave_of(self, row: Row) -> str:
        """The wave a row is tried on."""
        tail = row.path.partition("/waves/{wave}")[2]
        console = row.path.startswith("/console/")
        return EARLIER if console and tail in CHANGES_THE_SAMPLE else LATER

    async def is_let_through(self, row: Row, state: str) -> bool:
        """Whether a route does its work, or minds its fields, where its wave stands in `state`.

        An act that moved the wave in the books was let through, whatever came after.
        """
        wave, books = self.wave_of(row), "certified" if state == "erased" else state
        await Waves.update({Waves.state: books}).where(Waves.wave == wave)
        if row.path.endswith(_MOVES):
            await self.put_intake(wave, books if books in ("planned", "open", "paused") else "closed")
        reply = await self.ask(row, state)
        if row.path.endswith(_MOVES):
            await self.put_intake(wave, "closed")
        assert reply.status_code < 500, (row.method, row.path, state, reply.text[-600:])
        [after] = await Waves.select(Waves.state).where(Waves.wave == wave)
        return after["state"] != books or not self._is_refusal(row, reply)

    async def put_intake(self, wave: str, state: str) -> None:
        """Let the intake of a wave stand at a state, as if it had never gone on."""
        intake: Any = self.site.office.intake(wave)

        def put(connection: Any) -> None:
            # The file itself refuses to leave `closed`; this copy of it is the test's own.
            connection.execute("DROP TRIGGER IF EXISTS closed_stays_closed")
            connection.execute("UPDATE about SET state = ?", (state,))
            intake._state = state

        await intake._writer.ask(put)

    def _is_refusal(self, row: Row, reply: Any) -> bool:
        if row.right == "anyone" and not row.path.startswith("/log/"):
            return reply.status_code in (404, 410)
        gone = reply.status_code == 400 and "web.body_unreadable" not in reply.text
        return gone or any(told in reply.text for told in _TOLD)


FIELDS: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/console/waves/{wave}/publish"): {"confirm": ""},
    ("POST", "/console/waves/{wave}/sample"): {"seed": "20261125", "reason": "重抽"},
    ("POST", "/console/waves/{wave}/callbacks/draw"): {"n": "2"},
    ("POST", "/console/waves/{wave}/leftovers"): {"lines": "x", "second": "乙", "confirm": ""},
    ("POST", "/console/waves/{wave}/ledger"): {"source": "fact", "problem": "食堂", "basis": "走访"},
    ("POST", "/console/waves/{wave}/schools/link"): {"school": "", "contact": "教务"},
    ("POST", "/console/waves/{wave}/signing"): {"act": "", "confirm": ""},
    ("POST", "/console/waves/{wave}/extension"): {"until": "2026-12-09"},
    ("POST", "/console/waves/{wave}/papers"): {"part_notices": "1"},
    ("POST", "/console/sign-in"): {"name": "nobody", "password": "x"},
}
"""What a form must carry so that nothing but the right and the state decides."""


async def walker_of(site: Site) -> Walker:
    """A walker that knows names of things that are there: a code, a preview, a school."""
    await take_up(LATER, "fact", "", "食堂", "走访", actor="test", now=NOW)
    link = (await preview_links(site.settings, LATER))[0].address.split("/")
    return Walker(
        site,
        {
            "number": "1",
            "kind": "pdf",
            "name": "certificate.json",
            "domain": (await load_sample(LATER)).domains[0].domain,
            "code": load_print_file(site.settings, LATER)[0][0],
            "school": (await load_sample(LATER)).schools[0],
            "step": "1",
            "paper": "a4",
            "group": link[-3],
            "stage": link[-2],
            "mark": link[-1],
            "part": "x",
            "file_path": "console.css",
            **dict.fromkeys(("draft", "digest", "token", "webhook", "receipt"), "x"),
        },
    )


async def sign_in_school(site: Site, walker: Walker) -> None:
    """Become the contact of the first drawn school."""
    token = await issue_school_link(LATER, (await load_sample(LATER)).schools[0], "教务", now=NOW)
    await site.client.post(f"/school/in/{token}", headers=SAME_ORIGIN)
    page = (await site.client.get("/school")).text
    walker.school_key = re.search(r'name="school_key" value="(\w+)"', page)[1]  # type: ignore[index]


def all_scopes_but(scope: str) -> tuple[str, ...]:
    """Every scope except one."""
    return tuple(each for each in SCOPES if each != scope)


def _words(cell: str, known: Any) -> frozenset[str]:
    """The names in a cell; a dash is none, a misspelt one is not passed over."""
    if cell in _EVERY:
        return _EVERY[cell]
    names = frozenset(cell.replace("–", "").split())
    assert names <= frozenset(known), cell
    return names
