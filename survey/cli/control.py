"""The running service's back door: a Unix socket in the data folder, for the same system user only.

On SQLite one process owns the data, so a command that needs a live copy asks that process.
The door knows two requests, one JSON line each; whoever may enter the folder (0700) could
read the files themselves, so it asks for nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

from survey.cli.session import utc_now
from survey.errors import SurveyError
from survey.settings import Settings
from survey.storage.database import Database
from survey.storage.office import IntakeOffice

DOOR = "survey.sock"
LINE_LIMIT = 64 * 1024


class RefusedAtTheDoorError(SurveyError):
    """The running service refused; its own words."""

    code = "control.refused"

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document["thing"], document["reason"], document["remedy"])
        self.code = document["code"]


@contextlib.asynccontextmanager
async def control_door(settings: Settings, database: Database, office: IntakeOffice) -> AsyncIterator[None]:
    """Open the door while serving; nothing to open on PostgreSQL, where a command connects by itself."""
    if settings.database_url:
        yield
        return
    turn = asyncio.Lock()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await asyncio.wait_for(reader.readline(), 10))
            async with turn:
                answer = await _do(request, settings, database, office)
        except SurveyError as refusal:
            answer = {"error": refusal.document()}
        except Exception as error:  # noqa: BLE001
            answer = {
                "error": {
                    "code": "control.failed",
                    "thing": "服务",
                    "reason": f"没有做成（{type(error).__name__}）",
                    "remedy": "看一看服务的日志，再试一次",
                }
            }
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    folder = os.open(settings.data, os.O_RDONLY)
    try:
        (settings.data / DOOR).unlink(missing_ok=True)
        server = await asyncio.start_unix_server(visit, path=_near(folder), limit=LINE_LIMIT)
        os.chmod(settings.data / DOOR, 0o600)
        try:
            yield
        finally:
            server.close()
            (settings.data / DOOR).unlink(missing_ok=True)
    finally:
        os.close(folder)


def ask_at_the_door(settings: Settings, request: dict[str, Any]) -> dict[str, Any] | None:
    """What the running service answers; None when none is running.

    Raises:
        RefusedAtTheDoorError: it refused.
    """
    if settings.database_url or not (settings.data / DOOR).exists():
        return None
    folder = os.open(settings.data, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(_near(folder))
            door.sendall(json.dumps(request).encode() + b"\n")
            with door.makefile("rb") as answers:
                line = answers.readline()
    except OSError:
        return None  # left behind by a process that was killed
    finally:
        os.close(folder)
    if not line:
        return None
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise RefusedAtTheDoorError(answer["error"])
    return answer


async def _do(
    request: dict[str, Any], settings: Settings, database: Database, office: IntakeOffice
) -> dict[str, Any]:
    from survey.jobs.back_up import gather_backup, note_backup

    if request["do"] == "gather":
        return {"folder": str(await gather_backup(settings, database, office, now=utc_now()))}
    if request["do"] == "note":
        await note_backup(request["done"], actor=request["actor"], now=utc_now())
        return {"noted": True}
    raise ValueError(request["do"])


def _near(folder: int) -> str:
    """The socket's address by way of the open folder: an address may have 107 bytes, a path more."""
    return f"/proc/self/fd/{folder}/{DOOR}"
