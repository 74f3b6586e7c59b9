"""A bureau at work: the sample county's wave taken by the real jobs as far as a test needs it.

What is slow to make is made once a session, in a folder of its own on SQLite, and copied by
each test that goes on from there.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from survey.canonical import encode
from survey.jobs.close_wave import close_wave
from survey.jobs.create_wave import create_wave
from survey.jobs.draw_sample import draw_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.import_frame import import_frame
from survey.jobs.open_wave import open_wave
from survey.jobs.run_fieldwork import publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, Signers, create_signer, open_signers
from survey.jobs.simulate_responses import in_piles, simulate_responses
from survey.scheme.plan import example_plan_text, instrument_of, plan_document, read_plan, scheme_of
from survey.settings import Settings, load_settings
from survey.storage.database import Database, open_database
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan
from survey.storage.print_files import load_print_file
from survey.storage.samples import load_sample

WAVE = "county-a"
NOW = datetime(2026, 11, 24, 2, 32, tzinfo=UTC)
LONG = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]
"""Databases of tests that take a whole wave through: PostgreSQL on request, since the journeys cover it."""
STEPS = ("drawn", "planned", "open", "closed", "opened", "estimated")


@dataclass
class Bureau:
    """An open office with two signers, and the verbs of one wave."""

    settings: Settings
    office: IntakeOffice
    signers: Signers
    wave: str = WAVE
    codes: list[tuple[str, str]] = field(default_factory=list)
    database: Database | None = None

    @property
    def by(self) -> dict[str, Any]:
        """Who acts, and when."""
        return {"actor": "test", "now": NOW}

    async def draw(self, seed: str = "20261124", frame: bytes | None = None, **changes: Any) -> None:
        """Plan, frame and sample; the sample county's frame unless another is given."""
        plan = msgspec.structs.replace(
            read_plan(example_plan_text()), wave=self.wave, base_url="https://survey.example", **changes
        )
        await create_wave(encode(plan_document(plan)), **self.by)
        await import_frame(self.wave, frame or county_frame(), "frame.csv", **self.by)
        await draw_wave(self.wave, seed, reason="方案改了", **self.by)

    async def publish(self) -> None:
        """Open the doors, keeping the codes for the test to answer with."""
        self.codes = load_print_file(self.settings, self.wave)
        await publish_wave(self.settings, self.office, self.wave, **self.by)

    async def answer(self, seed: str = "7") -> None:
        """Answers of simulated respondents, through the door that phones use."""
        plan, sample = await load_plan(self.wave), await load_sample(self.wave)
        scheme = scheme_of(plan)
        await simulate_responses(
            self.office,
            plan,
            sample,
            in_piles(self.codes),
            lambda draw: instrument_of(plan, scheme, draw.group, draw.stage),
            seed=seed,
            began=NOW,
            days=5,
        )

    async def act(self, verb: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """One verb of two people on this wave."""
        return await verb(
            self.settings, self.office, self.wave, *arguments, self.signers, **{**self.by, **more}
        )

    async def go(self, until: str) -> None:
        """From the drawn sample to the state named."""
        for state in STEPS[1 : STEPS.index(until) + 1]:
            if state == "planned":
                await self.act(sign_plan)
            elif state == "open":
                await self.publish()
            elif state == "closed":
                await self.answer()
                await self.act(close_wave)
            elif state == "opened":
                await self.act(open_wave)
            else:
                await estimate_wave(self.office, self.wave, **self.by)


@asynccontextmanager
async def bureau_at(settings: Settings) -> AsyncIterator[Bureau]:
    """The bureau over some settings; its signers are made when they are not there."""
    passphrases = {role: f"four plain words {role}" for role in ROLES}
    async with open_database(settings) as database:
        office = IntakeOffice(settings)
        await office.start()
        try:
            for role in ROLES:
                if not (settings.keys / "_installation" / f"{role}.key").exists():
                    create_signer(settings, role, passphrases[role])
            yield Bureau(settings, office, open_signers(settings, passphrases), database=database)
        finally:
            await office.stop()


def sqlite_at(folder: Path) -> Settings:
    """Settings over a folder, on SQLite."""
    return load_settings({}, data=folder, base_url="https://survey.example", least_free_share=0.0)


def county_frame() -> bytes:
    """The sample county's schools as a file."""
    return (files("survey.sampling") / "data" / "county" / "frame.csv").read_bytes()


async def _make(folder: Path, until: str) -> None:
    async with bureau_at(sqlite_at(folder)) as bureau:
        await bureau.draw()
        await bureau.go(until)


@pytest.fixture(scope="session")
def estimated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the wave estimated."""
    folder = tmp_path_factory.mktemp("estimated") / "data"
    asyncio.run(_make(folder, "estimated"))
    return folder


@pytest.fixture
async def estimated(estimated_folder: Path, tmp_path: Path) -> AsyncIterator[Bureau]:
    """The bureau over a copy of the estimated wave."""
    shutil.copytree(estimated_folder, tmp_path / "data")
    async with bureau_at(sqlite_at(tmp_path / "data")) as bureau:
        yield bureau


@pytest.fixture
async def bureau(settings: Settings) -> AsyncIterator[Bureau]:
    """The bureau over a drawn wave, once on SQLite and once on PostgreSQL."""
    async with bureau_at(settings) as opened:
        await opened.draw()
        yield opened


@pytest.fixture
async def desk(sqlite_settings: Settings) -> AsyncIterator[Bureau]:
    """The same on SQLite alone, for what no database decides."""
    async with bureau_at(sqlite_settings) as opened:
        await opened.draw()
        yield opened


def days_after(on: date, n: int) -> date:
    """The date n days later."""
    return on + timedelta(days=n)


@pytest.fixture
async def bureau_unsealed(sqlite_settings: Settings) -> AsyncIterator[Bureau]:
    """The bureau over a drawn wave whose answers are not sealed."""
    async with bureau_at(sqlite_settings) as opened:
        await opened.draw(sealed=False)
        yield opened
