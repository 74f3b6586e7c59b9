"""The open database: engine, transactions, the folder's lock, migration at the door.

A process has one open database, and the functions of this room use it without being handed
it. On SQLite one process owns the data folder: the lock is taken before the file is opened
and given back by the operating system even after `kill -9`.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from survey.errors import SurveyError
from survey.settings import FolderNotWritableError, Settings, prepare_folders
from survey.storage.keys import make_private
from survey.storage.migration import migrate
from survey.storage.piccolo_conf import use_engine
from survey.storage.postgres_engine import PoolEngine
from survey.storage.sqlite_engine import OneConnectionEngine

__all__ = ["Database", "FolderNotWritableError", "SecondProcessError", "open_database"]


class SecondProcessError(SurveyError):
    """Another process works on this data folder."""

    code = "storage.second_process"
    kind = "conflict"

    def __init__(self, folder: Path, holder: str) -> None:
        who = f"（进程号{holder}）" if holder else ""
        super().__init__(
            f"数据文件夹 {folder}",
            f"已经有一个程序在使用{who}，同一个SQLite数据文件夹同时只能由一个程序打开",
            "请先停掉正在运行的服务，或者在它的管理页面上操作",
        )


class FolderLock:
    """An advisory lock on the data folder, released when the process ends, however it ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock, or refuse and name the process that holds it."""
        file = open(self._settings.lock_file, "a+", encoding="ascii")  # noqa: SIM115 - held as long as the lock
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read(20).strip()
            file.close()
            raise SecondProcessError(self._settings.data, holder) from error
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would race with the next holder."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Database:
    """The one open database of this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = FolderLock(settings)
        self.engine: OneConnectionEngine | PoolEngine | None = None

    @property
    def engine_name(self) -> str:
        """Which database stands behind: sqlite or postgres."""
        return "postgres" if self.settings.database_url else "sqlite"

    async def start(self, *, migrated: bool = True) -> None:
        """Open everything: folder, lock, engine, newest structure.

        Raises:
            FolderNotWritableError, SecondProcessError, DatabaseUnreachableError.
        """
        prepare_folders(self.settings)
        if self.settings.database_url:
            pool = PoolEngine(self.settings.database_url, self.settings.desk_connections)
            await pool.start()
            self.engine = pool
        else:
            self._lock.acquire()
            make_private(self.settings.database_file)
            self.engine = OneConnectionEngine(self.settings.database_file)
        use_engine(self.engine)
        try:
            if migrated:
                await migrate(self.engine)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close everything again; safe to call twice."""
        engine, self.engine = self.engine, None
        if engine is not None:
            use_engine(None)
            await engine.close()
        self._lock.release()

    def transaction(self) -> Any:
        """All or nothing: a context in which every statement of this task belongs together."""
        if self.engine is None:
            raise RuntimeError("the database is not open")
        return self.engine.transaction()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def open_database(settings: Settings) -> Database:
    """The database of these settings, to be entered or started."""
    return Database(settings)
