"""The environment, read once into a frozen value; only for the rooms to the right of it.

Everything the platform keeps lies in one data folder, so that a backup is one folder and a
demonstration leaves nothing behind when its folder is removed:

    data/
    ├── survey.db      accounts, plans, frames, results (SQLite; absent with PostgreSQL)
    ├── survey.lock    held by the one process that serves or works on the folder
    ├── keys/          0600, one folder a wave: slip key, log key; never part of a backup
    ├── intake/        one SQLite file a wave: slips, sealed answers, the log of leaves
    ├── print/         sheets with slip codes, erased after printing
    └── out/           posters, certificates and public bundles, one folder a wave
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from survey.errors import SurveyError

DEFAULT_DATA = "survey-data"


class SettingsError(SurveyError):
    """A setting cannot be used as it stands."""

    code = "settings.invalid"
    kind = "invalid"


class FolderNotWritableError(SurveyError):
    """The data folder cannot be created or written."""

    code = "settings.folder_not_writable"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"数据文件夹 {folder}",
            f"不能写入（{reason}）",
            "换一个可以写入的文件夹（--data 或 SURVEY_DATA），或者让管理员改好它的权限",
        )


@dataclass(frozen=True)
class Settings:
    """What the machine decides: where data lies, which database, which address."""

    data: Path
    database_url: str | None = None
    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    trusted_proxies: tuple[str, ...] = ()
    last_heads: Path | None = None
    """A folder outside `data` that remembers each log's last head, so that an old copy is noticed."""
    stamp_command: str | None = None
    """A program that gets a signed note on its input and writes a stamp: a time stamp, or another signature."""
    least_free_bytes: int = 200 * 1024 * 1024
    least_free_share: float = 0.05
    """Below either of the two, new answers are refused before the disk is full (TRUST R6)."""

    @property
    def database_file(self) -> Path:
        """The SQLite file of accounts, plans, frames and results."""
        return self.data / "survey.db"

    @property
    def lock_file(self) -> Path:
        """The file whose lock says that a process works on this folder."""
        return self.data / "survey.lock"

    @property
    def keys(self) -> Path:
        """Secret keys; kept out of every backup."""
        return self.data / "keys"

    @property
    def intake(self) -> Path:
        """One SQLite file per wave with its slips, sealed answers and log."""
        return self.data / "intake"

    @property
    def print_files(self) -> Path:
        """Sheets that still show slip codes."""
        return self.data / "print"

    @property
    def out(self) -> Path:
        """Finished files, one folder a wave."""
        return self.data / "out"

    @property
    def host_name(self) -> str:
        """The host that stands in front of every log's name, without scheme and port.

        >>> Settings(Path("d"), base_url="https://survey.example:8443").host_name
        'survey.example'
        """
        return urlsplit(self.base_url).hostname or "localhost"

    def out_of(self, wave: str) -> Path:
        """The folder of one wave's finished files, created when needed."""
        folder = self.out / wave
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def load_settings(
    environ: Mapping[str, str] | None = None, data: Path | str | None = None, **overrides: Any
) -> Settings:
    """The settings of this process: overrides first, then the environment, then defaults.

    Args:
        environ: SURVEY_DATA, SURVEY_DATABASE_URL, SURVEY_BASE_URL, SURVEY_HOST, SURVEY_PORT,
            SURVEY_TRUSTED_PROXIES (comma separated), SURVEY_LAST_HEADS, SURVEY_STAMP_COMMAND;
            default `os.environ`.
        data: the data folder; wins over SURVEY_DATA.
        overrides: fields of `Settings`; a None is as good as absent.

    Raises:
        SettingsError: a port that is no port, an address without scheme, another database.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in overrides.items() if value is not None}
    host = str(given.get("host", environ.get("SURVEY_HOST", "127.0.0.1")))
    port = _port(given.get("port", environ.get("SURVEY_PORT", "8000")))
    shown_host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host
    base_url = str(given.get("base_url", environ.get("SURVEY_BASE_URL", f"http://{shown_host}:{port}")))
    database_url = given.get("database_url", environ.get("SURVEY_DATABASE_URL")) or None
    proxies = given.get("trusted_proxies", environ.get("SURVEY_TRUSTED_PROXIES", ""))
    last_heads = given.get("last_heads", environ.get("SURVEY_LAST_HEADS"))
    return Settings(
        data=Path(data or environ.get("SURVEY_DATA") or DEFAULT_DATA).expanduser().absolute(),
        database_url=_database_url(database_url),
        base_url=_base_url(base_url),
        host=host,
        port=port,
        trusted_proxies=_names(proxies),
        last_heads=Path(last_heads).expanduser().absolute() if last_heads else None,
        stamp_command=given.get("stamp_command", environ.get("SURVEY_STAMP_COMMAND")) or None,
        least_free_bytes=int(given.get("least_free_bytes", Settings.least_free_bytes)),
        least_free_share=float(given.get("least_free_share", Settings.least_free_share)),
    )


def prepare_folders(settings: Settings) -> None:
    """Create the data folder and its parts, readable by this user alone.

    Raises:
        FolderNotWritableError: the folder cannot be created or a file cannot be written in it.
    """
    try:
        for folder in (settings.data, settings.keys, settings.intake, settings.print_files, settings.out):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = settings.data / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise FolderNotWritableError(settings.data, error.strerror or "没有权限") from error


def _port(value: Any) -> int:
    try:
        port = int(str(value))
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise SettingsError("端口", f"“{value}”不是0到65535之间的整数", "例如 --port 8000")
    return port


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(
            "网址 SURVEY_BASE_URL", f"“{value}”不是完整网址", "写成 https://survey.example 这样的形式"
        )
    return value.rstrip("/")


def _database_url(value: str | None) -> str | None:
    if value and urlsplit(value).scheme not in {"postgres", "postgresql"}:
        raise SettingsError(
            "数据库 SURVEY_DATABASE_URL",
            "只认识 postgresql:// 开头的地址",
            "不设这一项时使用数据文件夹里的SQLite文件",
        )
    return value


def _names(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(part.strip() for part in parts if part.strip())
