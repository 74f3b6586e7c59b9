"""Back up while serving, and verify what was written.

`gather_backup` copies the live data into a folder beside it: the process that owns the data
does this. `finish_backup` does the rest in any process: look through every copy, recompute
every root, encrypt, write, read back. Keys are never part of it (TRUST section 4); they are
written into a file of their own, to be kept somewhere else.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from survey import __version__
from survey.errors import SurveyError
from survey.jobs.backup_file import Progress, write_sealed
from survey.settings import Settings
from survey.storage.audit import audit_head, record_audit
from survey.storage.backups import BackupRow, save_backup
from survey.storage.current import transaction
from survey.storage.database import Database
from survey.storage.intake import StorageFullError
from survey.storage.office import IntakeOffice
from survey.storage.snapshot import OFFICE, LogFacts, check_office, take_snapshot

SCRATCH = "backup-"
FACTS = "facts.json"


class NoRecipientError(SurveyError):
    """Nobody's public key is known, and a backup is never written in the clear."""

    code = "backup.no_recipient"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__(
            "备份",
            "没有公钥，而备份不会不加密地写出来",
            "先运行 survey backup --new-key 私钥文件，再用 --to age1… 或 SURVEY_BACKUP_RECIPIENT 给出公钥",
        )


class BackupExistsError(SurveyError):
    """There is a file of that name."""

    code = "backup.exists"
    kind = "conflict"

    def __init__(self, path: Path) -> None:
        super().__init__(f"文件 {path}", "已经存在", "换一个名字，或加 --replace 让新的备份代替它")


async def gather_backup(settings: Settings, database: Database, office: IntakeOffice, *, now: datetime) -> Path:
    """A folder inside the data folder with a copy of everything, as it stood at one moment.

    Raises:
        StorageFullError: there is no room for the copy. CopyBrokenError.
    """
    forget_gathered(settings)
    needed = 2 * sum(path.stat().st_size for path in (*settings.intake.glob("*.db"), settings.database_file) if path.is_file())
    if shutil.disk_usage(settings.data).free - needed < settings.least_free_bytes:
        raise StorageFullError()
    folder = settings.data / f"{SCRATCH}{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        left_out = office.unsound()
        facts = await take_snapshot(database, office, folder, left_out)
        entries, last = await audit_head()
        document = {
            "at": now.astimezone(UTC).isoformat(timespec="seconds"),
            "version": __version__,
            "engine": database.engine_name,
            "audit": {"entries": entries, "digest": last},
            "waves": {
                wave: {**vars(one), "vkey": office.log_signer(wave).vkey} for wave, one in facts.items()
            },
            "left_out": list(left_out),
        }
        (folder / FACTS).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def forget_gathered(settings: Settings) -> None:
    """Remove copies that a killed backup left behind."""
    for folder in settings.data.glob(f"{SCRATCH}*"):
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)


def finish_backup(
    settings: Settings, folder: Path, target: Path, recipient: str, *, replace: bool, keys: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Check the gathered copy, write it encrypted, read it back, and remove the copy.

    Args:
        target, keys: where backup and keys go; each appears whole or not at all.

    Raises:
        BackupExistsError, CopyBrokenError, BackupUnreadableError.
    """
    try:
        document = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        for wave, facts in document["waves"].items():
            known = {name: value for name, value in facts.items() if name != "vkey"}
            LogFacts(**known).check(wave, facts["vkey"])
        if (folder / OFFICE).is_file():
            check_office(folder / OFFICE)
        members = {f"data/{name}": path for name, path in _files(folder).items() if name != FACTS}
        members |= {f"out/{name}": path for name, path in _files(settings.out).items()}
        digest = _write(target, members, document, recipient, replace=replace, progress=progress)
        if keys is not None:
            _write(keys, {f"keys/{n}": p for n, p in _files(settings.keys).items()}, {"keys_of": digest}, recipient, replace=replace)
        return {
            "file": str(target),
            "keys": str(keys) if keys is not None else None,
            "digest": digest,
            "size": target.stat().st_size,
            "at": document["at"],
            "engine": document["engine"],
            "waves": {wave: facts["size"] for wave, facts in document["waves"].items()},
            "left_out": document["left_out"],
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def note_backup(done: dict[str, Any], *, actor: str, now: datetime) -> None:
    """Keep that a backup was made and verified, and who made it."""
    answers = sum(done["waves"].values())
    async with transaction():
        await save_backup(BackupRow(done["digest"], now, done["size"], answers))
        await record_audit(
            actor, "back_up", done["digest"][:16], details={"answers": answers, "size": done["size"]}, now=now
        )


def check_targets(recipient: str | None, *targets: Path | None, replace: bool) -> str:
    """The public key, before any work: it is there, and no file is in the way.

    Raises:
        NoRecipientError, BackupExistsError.
    """
    if not recipient:
        raise NoRecipientError
    for target in targets:
        if target is not None and target.exists() and not replace:
            raise BackupExistsError(target)
    return recipient


async def back_up(
    settings: Settings,
    database: Database,
    office: IntakeOffice,
    target: Path,
    recipient: str,
    *,
    actor: str,
    now: datetime,
    replace: bool = False,
    keys: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """All of it in the process that owns the data."""
    check_targets(recipient, target, keys, replace=replace)
    folder = await gather_backup(settings, database, office, now=now)
    done = await asyncio.to_thread(
        finish_backup, settings, folder, target, recipient, replace=replace, keys=keys, progress=progress
    )
    await note_backup(done, actor=actor, now=now)
    return done


def _write(
    target: Path,
    members: dict[str, Path],
    manifest: dict[str, Any],
    recipient: str,
    *,
    replace: bool,
    progress: Progress | None = None,
) -> str:
    if target.exists() and not replace:
        raise BackupExistsError(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".new")
    try:
        digest = write_sealed(unfinished, members, manifest, recipient, progress)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    place = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
    return digest


def _files(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
