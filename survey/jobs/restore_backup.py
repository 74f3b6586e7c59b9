"""Restore a backup into a new folder or an empty database, and prove it there before anybody uses it.

Nothing is overwritten. Every member is compared with the manifest, SQLite looks through every
file, every root is computed again and held against the head that the log's key signed; with
the keys restored too, the intakes are started once, which checks everything a start checks.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from survey.errors import SurveyError
from survey.jobs.backup_file import BackupUnreadableError, Progress, read_sealed
from survey.settings import Settings
from survey.storage.audit import verify_audit
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice
from survey.storage.postgres_copy import copy_in
from survey.storage.snapshot import INTAKE, OFFICE, LogFacts, check_office, read_log


class FolderNotEmptyError(SurveyError):
    """The folder that a backup is to be restored into exists."""

    code = "backup.folder_exists"
    kind = "conflict"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"数据文件夹 {folder}", "已经有东西，恢复不会覆盖它", "用 --data 给一个新的文件夹名，核对以后再换过去"
        )


class OtherEngineError(SurveyError):
    """The backup is of the other kind of database."""

    code = "backup.other_engine"
    kind = "conflict"

    def __init__(self, engine: str) -> None:
        remedy = (
            "用 SURVEY_DATABASE_URL 给出一个空的PostgreSQL数据库"
            if engine == "postgres"
            else "去掉 SURVEY_DATABASE_URL，恢复到一个新的文件夹"
        )
        super().__init__("备份", f"是{'PostgreSQL' if engine == 'postgres' else 'SQLite'}的", remedy)


async def restore_backup(
    settings: Settings, source: Path, identity: Any, *, keys: Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Restore into `settings.data`, which must not exist or be empty.

    Args:
        settings: where to; with a database URL an empty database is filled.
        source: the backup. identity: its private key.
        keys: the file with the keys, if it is at hand; without it the waves can be read, not started.
        progress: told the bytes read of all.

    Raises:
        FolderNotEmptyError, OtherEngineError, BackupUnreadableError, CopyBrokenError, NotEmptyError.
    """
    if settings.data.exists() and any(settings.data.iterdir()):
        raise FolderNotEmptyError(settings.data)
    unfinished = settings.data.with_name(settings.data.name + ".restoring")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True, mode=0o700)
    try:
        manifest = read_sealed(source, identity, unfinished, progress)
        if "engine" not in manifest:
            raise BackupUnreadableError("这是密钥文件，不是数据的备份")
        if manifest["engine"] != ("postgres" if settings.database_url else "sqlite"):
            raise OtherEngineError(manifest["engine"])
        if keys is not None and "keys_of" not in read_sealed(keys, identity, unfinished):
            raise BackupUnreadableError("--keys 给的不是密钥文件")
        if settings.database_url:
            shutil.move(unfinished / "data", unfinished / "tables")
        else:
            _put_in_place(unfinished)
            _check_files(unfinished, manifest)
        there = replace(settings, data=unfinished, last_heads=None)
        checked = await _check_running(there, manifest, with_keys=keys is not None)
        shutil.rmtree(unfinished / "tables", ignore_errors=True)
        (unfinished / "survey.lock").unlink(missing_ok=True)
        if settings.data.exists():
            settings.data.rmdir()
        os.replace(unfinished, settings.data)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return {
        "data": str(settings.data),
        "made_at": manifest["at"],
        "version": manifest["version"],
        "waves": {wave: facts["size"] for wave, facts in manifest["waves"].items()},
        "audit_entries": manifest["audit"]["entries"],
        "keys": keys is not None,
        "started": checked,
    }


def _put_in_place(folder: Path) -> None:
    data = folder / "data"
    shutil.move(data / OFFICE, folder / OFFICE)
    (folder / INTAKE).mkdir(exist_ok=True, mode=0o700)
    for path in sorted((data / INTAKE).glob("*.db")):
        shutil.move(path, folder / INTAKE / path.name)
    shutil.rmtree(data)


def _check_files(folder: Path, manifest: dict[str, Any]) -> None:
    check_office(folder / OFFICE)
    for wave, told in manifest["waves"].items():
        facts = read_log(folder / INTAKE / f"{wave}.db")
        facts.check(wave, told["vkey"])
        if facts != LogFacts(**{name: value for name, value in told.items() if name != "vkey"}):
            raise BackupUnreadableError(f"调查 {wave} 的日志与备份时记下的不一样")


async def _check_running(settings: Settings, manifest: dict[str, Any], *, with_keys: bool) -> bool:
    """Open what was restored as a start would; whether the intakes were started too."""
    async with open_database(settings):
        if settings.database_url:
            await copy_in(settings.database_url, settings.data / "tables")
        audit = manifest["audit"]
        await verify_audit((audit["entries"], audit["digest"]) if audit["entries"] else None)
        if not with_keys:
            return False
        office = IntakeOffice(settings)
        await office.start()
        try:
            await office.readings.read()
            for reason in office.resting().values():
                raise reason
            for wave, told in manifest["waves"].items():
                size = len(await office.leaves(wave))
                if size != told["size"] or await office.head(wave) != told["head"]:
                    raise BackupUnreadableError(f"调查 {wave} 的日志与备份时记下的不一样")
        finally:
            await office.stop()
    return True
