"""What every command shares: where the data is, how a refusal is printed, what `--json` means."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from survey.errors import SurveyError
from survey.jobs.remote_signing import AwaitingSignatureError
from survey.settings import Settings, load_settings
from survey.storage.database import Database, open_database
from survey.storage.office import IntakeOffice

T = TypeVar("T")


def utc_now() -> datetime:
    """This instant, aware and in UTC; commands hand it to the jobs."""
    return datetime.now(UTC)


def actor() -> str:
    """Who gives the command, as the audit trail will name them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def command_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--data` and `--json`, and refusals printed instead of tracebacks."""

    @click.option(
        "--data", type=click.Path(path_type=Path), default=None, help="数据文件夹 (data folder); SURVEY_DATA"
    )
    @click.option("--json", "as_json", is_flag=True, help="只打印一个JSON (print one JSON document)")
    @wraps(function)
    def wrapped(*args: Any, as_json: bool, **kwargs: Any) -> Any:
        try:
            return function(*args, as_json=as_json, **kwargs)
        except AwaitingSignatureError:
            raise  # `passphrase_options` writes the request for the other computer
        except SurveyError as refusal:
            if as_json:
                click.echo(json.dumps({"error": refusal.document()}, ensure_ascii=False, indent=1))
            else:
                click.echo(str(refusal), err=True)
            sys.exit(1)

    return wrapped


def emit(document: dict[str, Any], as_json: bool, text: str) -> None:
    """Print the JSON document or the text for people, never both."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=1) if as_json else text)


@asynccontextmanager
async def at_desk(place: Settings | Path | None, *, new: bool = False) -> AsyncIterator[tuple[Settings, Database]]:
    """The settings and the open database, closed again whatever happens.

    Args:
        place: settings made already, or the data folder a person named, if any.
        new: the command is there to make the folder.
    """
    settings = place if isinstance(place, Settings) else load_settings(data=place)
    if not new and not settings.data.exists():
        # Whoever mistyped --data would else be told that there is nothing, and take it for the answer.
        click.echo(f"数据文件夹 {settings.data} 原来没有，现在新建了一个空的；写错了就看一看 --data。", err=True)
    async with open_database(settings) as database:
        yield settings, database


def run(work: Awaitable[T]) -> T:
    """The result of an asynchronous job, run to its end."""

    async def _await() -> T:
        return await work

    return asyncio.run(_await())


def read_file(path: Path) -> bytes:
    """The bytes of a file a person named, or a refusal that names the file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(path, error.strerror or type(error).__name__) from error


class UnreadableFileError(SurveyError):
    """A file named on the command line cannot be read."""

    code = "cli.unreadable_file"
    kind = "invalid"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"文件 {path}", f"打不开（{reason}）", "看一看路径和权限")


@asynccontextmanager
async def at_intake(place: Settings | Path | None) -> AsyncIterator[tuple[Settings, IntakeOffice]]:
    """The settings and the intake, with the database open beneath it."""
    async with at_desk(place) as (settings, _):
        office = IntakeOffice(settings)
        await office.start()
        try:
            yield settings, office
        finally:
            await office.stop()


class UnwritableFileError(SurveyError):
    """A file named on the command line cannot be written."""

    code = "cli.unwritable_file"
    kind = "invalid"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"文件 {path}", f"写不进去（{reason}）", "看一看文件夹在不在、有没有权限、磁盘满没满"
        )


def write_file(path: Path, content: bytes) -> None:
    """Write a file a person asked for, or refuse naming the file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise UnwritableFileError(path, error.strerror or type(error).__name__) from error


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file that takes long to make: whole under its name, or not at all."""
    unfinished = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "wb") as file:
            write(file)
        os.replace(unfinished, path)
    except OSError as error:
        raise UnwritableFileError(path, error.strerror or type(error).__name__) from error
    finally:
        unfinished.unlink(missing_ok=True)
