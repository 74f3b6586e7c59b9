"""Marker answers planted while a wave is open are found nowhere; unsealed, in the intake alone (T16)."""

from __future__ import annotations

import base64
import json
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import AsyncTestClient

from survey.jobs.participation import participation
from survey.jobs.receive_response import Received, receive_response
from survey.jobs.sign_plan import sign_plan
from survey.scheme.plan import instrument_of, scheme_of
from survey.settings import Settings
from survey.storage.plans import load_plan
from survey.storage.samples import load_sample
from survey.web.app import create_app

MARKER = f"标记{secrets.token_hex(12)}记号"


def faces(text: str) -> Iterator[bytes]:
    """The ways in which a text may lie in a file."""
    for encoding in ("utf-8", "utf-16-le", "gb18030"):
        yield text.encode(encoding)
    yield json.dumps(text)[1:-1].encode()
    yield text.encode().hex().encode()
    # The middle of a base64 text is the same wherever the marker begins in a group of three.
    for start in range(3):
        yield base64.b64encode(text.encode()[start:])[4:-8]


def found_in(data: bytes) -> bool:
    return any(face in data for face in faces(MARKER)) or MARKER[2:-2].encode() in data


async def answer_with_markers(bureau: Any, n: int = 6) -> None:
    """A few forms whose open item is the marker, through the door that phones use."""
    plan, sample = await load_plan(bureau.wave), await load_sample(bureau.wave)
    scheme = scheme_of(plan)
    sent = 0
    for code, domain in bureau.codes:
        draw = sample.by_domain[domain]
        instrument = instrument_of(plan, scheme, draw.group, draw.stage)
        texts = [item.id for item in instrument.items if item.kind == "text"]
        if not texts:
            continue
        slip = await bureau.office.find_slip(code)
        answers = {texts[0]: MARKER}
        told = await receive_response(
            bureau.office, bureau.wave, slip, secrets.token_bytes(16), answers, now=bureau.by["now"]
        )
        assert isinstance(told, Received)
        sent += 1
        if sent == n:
            return
    raise AssertionError("no form asks for a text")


async def stored(settings: Settings) -> dict[str, bytes]:
    """Every file of the installation, and every row of every table in the database."""
    found = {str(path): path.read_bytes() for path in settings.data.rglob("*") if path.is_file()}
    if not settings.database_url:
        return found
    connection = await asyncpg.connect(settings.database_url)
    for schema, table in await connection.fetch(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ):
        rows = await connection.fetch(f'SELECT t::text FROM "{schema}"."{table}" t')
        # Bytes are written in hexadecimal, which one of the marker's faces is.
        found[f"{schema}.{table}"] = "\n".join(row[0] for row in rows).encode()
    await connection.close()
    return found


async def pages(app: Litestar, wave: str) -> dict[str, bytes]:
    """Every page that anybody can ask for without an account, with the wave in its address."""
    shown: dict[str, bytes] = {}
    async with AsyncTestClient(app) as client:
        for route in app.routes:
            if isinstance(route, HTTPRoute) and "GET" in route.methods:
                address = route.path_format
                for name in {part.strip("{}") for part in address.split("/") if part.startswith("{")}:
                    address = address.replace("{" + name + "}", wave)
                reply = await client.get(address, follow_redirects=False)
                shown[address] = reply.content + str(reply.headers).encode()
    return shown


async def searched(bureau: Any, tmp_path: Path) -> tuple[dict[str, bytes], int]:
    """All that is stored, shown, exported and backed up while the wave is open; how many pages there were."""
    found = await stored(bureau.settings)
    if not bureau.settings.database_url:
        backup = tmp_path / "backup.db"
        await bureau.office.intake(bureau.wave).back_up(backup)
        found["backup"] = backup.read_bytes()
    found["participation"] = repr(
        await participation(bureau.office, bureau.wave, now=bureau.by["now"])
    ).encode()
    app = create_app(bureau.settings, bureau.database, bureau.office, now=lambda: bureau.by["now"])
    shown = await pages(app, bureau.wave)
    return {**found, **shown}, len(shown)


async def test_markers_in_a_sealed_open_wave_are_found_nowhere(
    bureau: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await bureau.act(sign_plan)
    await bureau.publish()
    await answer_with_markers(bureau)
    places, n_pages = await searched(bureau, tmp_path)

    assert n_pages > 20 and len(places) > n_pages + 3
    assert [name for name, data in places.items() if found_in(data)] == []
    assert not found_in(caplog.text.encode())


async def test_markers_in_an_unsealed_wave_are_found_in_the_intake_and_its_backup_alone(
    bureau_unsealed: Any, tmp_path: Path
) -> None:
    bureau = bureau_unsealed
    await bureau.act(sign_plan)
    await bureau.publish()
    await answer_with_markers(bureau)
    places, _ = await searched(bureau, tmp_path)
    intake = str(bureau.settings.intake / f"{bureau.wave}.db")

    # The search finds what is there to be found.
    assert {name for name, data in places.items() if found_in(data)} == {intake, "backup"}
