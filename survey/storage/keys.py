"""Secret keys as files of their own, outside database and backups (TRUST section 4).

A key file belongs to the service's system user and to nobody else: 0600 when written,
refused when anyone else could read it. A key is written once and never replaced.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from survey.errors import SurveyError
from survey.settings import Settings


class KeyMissingError(SurveyError):
    """A key that is needed does not exist."""

    code = "storage.key_missing"
    kind = "not_found"


class WorldReadableKeyError(SurveyError):
    """Someone else could read the key, so it proves nothing any more."""

    code = "storage.key_world_readable"


class KeyExistsError(SurveyError):
    """A key of that name exists; keys are never replaced."""

    code = "storage.key_exists"
    kind = "conflict"


def key_path(settings: Settings, wave: str | None, name: str) -> Path:
    """Where a key lies: in its wave's folder, or in the installation's own."""
    return settings.keys / (wave or "_installation") / f"{name}.key"


def has_key(settings: Settings, wave: str | None, name: str) -> bool:
    """Is there a key of that name?"""
    return key_path(settings, wave, name).is_file()


def save_key(settings: Settings, wave: str | None, name: str, data: bytes) -> Path:
    """Write a new key durably, 0600 from its first byte.

    Raises:
        KeyExistsError: a key of that name exists.
    """
    path = key_path(settings, wave, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyExistsError(
            f"密钥 {path.name}", "已经存在", "密钥不能被替换；需要新密钥时请新建一次调查"
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return path


def load_key(settings: Settings, wave: str | None, name: str) -> bytes:
    """The bytes of a key, after making sure that nobody else could read them.

    Raises:
        KeyMissingError: no such file.
        WorldReadableKeyError: the file's mode lets group or others read it.
    """
    path = key_path(settings, wave, name)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise KeyMissingError(f"密钥 {path}", "没有找到", "从单独保管的备份中放回原处") from error
    if stat.S_IMODE(mode) & 0o077:
        raise WorldReadableKeyError(
            f"密钥 {path}", f"别的系统用户也能读（权限 {stat.S_IMODE(mode):04o}）", f"先运行 chmod 600 {path}"
        )
    return path.read_bytes()


def erase_keys(settings: Settings, wave: str) -> None:
    """Remove the keys of a wave whose signing died half-way: nothing was ever signed or sealed by them."""
    folder = key_path(settings, wave, "any").parent
    for path in sorted(folder.glob("*.key")):
        path.unlink()


def erase_key(settings: Settings, wave: str, name: str) -> None:
    """Overwrite and remove one key whose time is over; nothing to do when it is gone."""
    path = key_path(settings, wave, name)
    if path.is_file():
        path.write_bytes(bytes(path.stat().st_size))
        path.unlink()


def make_private(path: Path) -> None:
    """Create an empty file that only this user may read; SQLite then writes into it and keeps its mode."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
