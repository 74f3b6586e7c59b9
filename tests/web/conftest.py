"""A site over a real database: the application, a person who signs in, waves at several steps.

Waves are made by the jobs that pages and commands use. What is slow to make (a drawn and
published wave of the sample county) is made once per session, in a folder of its own, and
copied for each test that changes something.
"""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from survey.canonical import encode
from survey.jobs.create_wave import create_wave
from survey.jobs.draw_sample import draw_wave
from survey.jobs.import_frame import import_frame
from survey.scheme.plan import example_plan_text, plan_document, read_plan
from survey.settings import Settings, load_settings
from survey.storage.accounts import create_account
from survey.storage.database import Database, open_database
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan, set_state
from survey.storage.print_files import load_print_file, save_print_file
from survey.storage.samples import load_sample
from survey.storage.tokens import create_token

BASE = "http://127.0.0.1:8000"
PASSWORD = "four plain words here"
NOW = datetime(2026, 11, 24, 2, 32, tzinfo=UTC)
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


class Clock:
    """A clock that tests may set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that waits for its own job however busy the machine is: what is tested is never the clock."""
    monkeypatch.setattr("survey.web.console.work_room.PATIENCE", 120.0)


@dataclass
class Site:
    """Everything one test needs of a running platform."""

    settings: Settings
    database: Database
    office: IntakeOffice
    app: Litestar
    client: AsyncTestClient[Any]
    clock: Clock
    keys: dict[str, str] = field(default_factory=dict)
    """The hidden field of forms, by the cookie it goes with."""

    async def person(self, name: str = "demo", roles: tuple[str, ...] = ("admin", "operator")) -> None:
        """An account with a password."""
        await create_account(name, f"{name}的姓名", roles, PASSWORD, now=NOW)

    async def sign_in(self, name: str = "demo", roles: tuple[str, ...] = ("admin", "operator")) -> None:
        """A new account, signed in with this client."""
        await self.person(name, roles)
        reply = await self.client.post(
            "/console/sign-in",
            data={"name": name, "password": PASSWORD},
            headers=SAME_ORIGIN,
            follow_redirects=False,
        )
        assert reply.status_code == 303, reply.text

    async def form_key(self, page: str = "/console/account") -> str:
        """The hidden field of this session's forms, which is the same on every page of a session."""
        session = "; ".join(str(cookie.value) for cookie in self.client.cookies.jar)
        if session not in self.keys:
            text = (await self.client.get(page)).text
            self.keys[session] = text.split('name="form_key" value="', 1)[1].split('"', 1)[0]
        return self.keys[session]

    async def send(self, path: str, data: dict[str, str] | None = None, **more: Any) -> Any:
        """Post a form as one of our own pages does."""
        fields = {"form_key": await self.form_key(), **(data or {})}
        return await self.client.post(path, data=fields, headers=SAME_ORIGIN, follow_redirects=False, **more)

    async def token(
        self, *scopes: str, expires_at: datetime | None = None, account: str = "demo"
    ) -> dict[str, str]:
        """Headers with a new bearer token of these scopes."""
        text = await create_token(account, "测试", scopes, expires_at or NOW + timedelta(days=1), now=NOW)
        return {"Authorization": f"Bearer {text}"}

    async def wave(self, wave: str = "county-a", *, until: str = "draft", **changes: Any) -> str:
        """A wave of the sample county, taken as far as asked: draft, framed or drawn."""
        plan = msgspec.structs.replace(read_plan(example_plan_text()), wave=wave, base_url=BASE, **changes)
        await create_wave(encode(plan_document(plan)), actor="test", now=self.clock())
        if until in ("framed", "drawn"):
            await import_frame(wave, county_frame(), "frame.csv", actor="test", now=self.clock())
        if until == "drawn":
            await draw_wave(wave, "20261124", actor="test", now=self.clock())
        return wave

    async def stand(self, wave: str, state: str) -> None:
        """Let the books say that a drawn wave has come further; its intake stays empty."""
        road = ("drawn", "planned", "open", "closed", "opened", "estimated", "certified")
        for before, after in itertools.pairwise(road):
            if after in road[: road.index(state) + 1]:
                await set_state(wave, before, after, now=self.clock())


def county_frame(name: str = "frame.csv") -> bytes:
    """The sample county's school list."""
    return (files("survey.sampling") / "data" / "county" / name).read_bytes()


async def answer(office: IntakeOffice, settings: Settings, wave: str, began: datetime = NOW) -> None:
    """Answers of simulated respondents, through the door that phones use."""
    from survey.jobs.simulate_responses import in_piles, simulate_responses
    from survey.scheme.plan import instrument_of, scheme_of

    plan, sample = await load_plan(wave), await load_sample(wave)
    scheme = scheme_of(plan)
    await simulate_responses(
        office,
        plan,
        sample,
        in_piles(load_print_file(settings, wave)),
        lambda draw: instrument_of(plan, scheme, draw.group, draw.stage),
        seed="7",
        began=began,
        days=5,
        progress=lambda _: None,
    )


@pytest.fixture(scope="session")
def estimated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one estimated wave, `county-a`, made once; copied by whoever uses it."""
    folder = tmp_path_factory.mktemp("estimated") / "data"
    asyncio.run(_estimate(load_settings({}, data=folder, base_url=BASE)))
    return folder


@pytest.fixture(scope="session")
def certified_folder(estimated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, certified."""
    folder = tmp_path_factory.mktemp("certified") / "data"
    shutil.copytree(estimated_folder, folder)
    asyncio.run(_certify(load_settings({}, data=folder, base_url=BASE)))
    return folder


async def _certify(settings: Settings) -> None:
    from survey.jobs.certify_wave import certify_wave
    from survey.jobs.signers import ROLES, open_signers

    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        signers = open_signers(settings, {role: f"{PASSWORD} {role}" for role in ROLES})
        await certify_wave(settings, office, "county-a", signers, actor="test", now=NOW)
        await office.stop()


async def _estimate(settings: Settings) -> None:
    from survey.jobs.close_wave import close_wave
    from survey.jobs.estimate_wave import estimate_wave
    from survey.jobs.open_wave import open_wave
    from survey.jobs.run_fieldwork import publish_wave
    from survey.jobs.sign_plan import sign_plan
    from survey.jobs.signers import ROLES, create_signer, open_signers

    by = {"actor": "test", "now": NOW}
    async with open_database(settings) as database:
        office = IntakeOffice(settings)
        await office.start()
        site: Any = Site(settings, database, office, None, None, Clock())  # type: ignore[arg-type]
        wave = await site.wave(until="drawn")
        for role in ROLES:
            create_signer(settings, role, f"{PASSWORD} {role}")
        signers = open_signers(settings, {role: f"{PASSWORD} {role}" for role in ROLES})
        await sign_plan(settings, office, wave, signers, **by)
        rows = load_print_file(settings, wave)
        await publish_wave(settings, office, wave, **by)
        save_print_file(settings, wave, rows)
        await answer(office, settings, wave)
        for act in (close_wave, open_wave):
            await act(settings, office, wave, signers, **by)
        await estimate_wave(office, wave, **by)
        await office.stop()


@pytest.fixture
async def certified(certified_folder: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A site over a copy of the certified wave."""
    shutil.copytree(certified_folder, tmp_path / "data")
    async with running(tmp_path / "data") as site:
        yield site


@pytest.fixture(scope="session")
def begun_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as the first start leaves it, made once; copied by whoever uses it."""

    async def begin() -> None:
        async with open_database(load_settings({}, data=folder, base_url=BASE)):
            return

    folder = tmp_path_factory.mktemp("begun") / "data"
    asyncio.run(begin())
    return folder


@pytest.fixture
async def site(begun_folder: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A site on which nothing has been done yet."""
    shutil.copytree(begun_folder, tmp_path / "data")
    async with running(tmp_path / "data") as site:
        yield site


@asynccontextmanager
async def running(folder: Path, database_url: str | None = None) -> AsyncIterator[Site]:
    """The application over a data folder, and a client of it."""
    from survey.web.app import create_app

    clock = Clock()
    settings = load_settings({}, data=folder, base_url=BASE, database_url=database_url)
    async with open_database(settings) as database:
        office = IntakeOffice(settings)
        await office.start()
        app = create_app(settings, database, office, now=clock)
        try:
            async with _client(app, database_url) as client:
                yield Site(settings, database, office, app, client, clock)
        finally:
            await office.stop()


def _client(app: Litestar, database_url: str | None) -> Any:
    """A client of the application; on PostgreSQL in this very loop, to which its connections belong."""
    if database_url is None:
        return AsyncTestClient(app, base_url=BASE)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=BASE, follow_redirects=True)
