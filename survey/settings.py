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
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from survey.errors import Fault, FaultsError, SurveyError

DEFAULT_DATA = "survey-data"


class SettingsError(FaultsError):
    """Settings that cannot be used as they stand; carries every one of them, with its variable."""

    code = "settings.invalid"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("设置", faults)


VARIABLES: dict[str, str] = {
    "SURVEY_DATA": "数据文件夹",
    "SURVEY_DATABASE_URL": "PostgreSQL数据库；不设时用数据文件夹里的SQLite",
    "SURVEY_DATABASE_CONNECTIONS": "一个进程在有一次调查时最多开几条PostgreSQL连接",
    "SURVEY_BASE_URL": "公开网址，印在纸上和链接里",
    "SURVEY_HOST": "监听地址",
    "SURVEY_PORT": "监听端口",
    "SURVEY_TRUSTED_PROXIES": "可以相信其转发头的代理地址",
    "SURVEY_LAST_HEADS": "数据文件夹以外，记住各日志最后一头的文件夹",
    "SURVEY_STAMP_COMMAND": "给签名文盖时间戳的外部程序",
    "SURVEY_WEBHOOK_PRIVATE": "yes时推送可以用http和内网地址",
    "SURVEY_OIDC_ISSUER": "统一登录的签发者网址（OpenID Connect）；不设时没有统一登录",
    "SURVEY_OIDC_CLIENT_ID": "本系统在统一登录那里的客户端名",
    "SURVEY_OIDC_CLIENT_SECRET_FILE": "客户端密钥所在的文件；不设时按公开客户端，只用PKCE",
    "SURVEY_LOG": "日志格式：auto、json或plain",
    "SURVEY_BACKUP_RECIPIENT": "备份用的age公钥（age1…），私钥不放在服务器上",
    "SURVEY_OPERATOR_PASSPHRASE_FILE": "经办口令所在的文件",
    "SURVEY_APPROVER_PASSPHRASE_FILE": "签发口令所在的文件",
}
"""Every variable that is read, with its meaning; the README's table says the same in English."""

FEWEST_CONNECTIONS, MOST_CONNECTIONS = 4, 300

LOG_FORMATS = ("auto", "json", "plain")


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
    database_connections: int = 12
    """The most connections to PostgreSQL of one process with one wave; every further wave has its share again."""
    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    trusted_proxies: tuple[str, ...] = ()
    last_heads: Path | None = None
    """A folder outside `data` that remembers each log's last head, so that an old copy is noticed."""
    stamp_command: str | None = None
    """A program that gets a signed note on its input and writes a stamp: a time stamp, or another signature."""
    webhook_private: bool = False
    """Whether webhooks may lead to private addresses and plain http."""
    oidc_issuer: str | None = None
    """The provider of the unified sign-in (OpenID Connect); None where there is none."""
    oidc_client_id: str | None = None
    oidc_client_secret_file: Path | None = None
    log_format: str = "auto"
    """How the log is written: JSON lines, plain, or by whether a person is looking (auto)."""
    backup_recipient: str | None = None
    """An age public key for backups; its private half lies elsewhere."""
    least_free_bytes: int = 200 * 1024 * 1024
    least_free_share: float = 0.05
    """Below either of the two, new answers are refused before the disk is full (TRUST R6)."""

    @property
    def wave_connections(self) -> int:
        """The share of one wave's answers: a third, and at least one to append and one to look slips up.

        >>> [Settings(Path("d"), database_connections=n).wave_connections for n in (4, 12, 30)]
        [2, 4, 10]
        """
        return max(self.database_connections // 3, 2)

    @property
    def desk_connections(self) -> int:
        """The share of pages, console and jobs: the rest."""
        return self.database_connections - self.wave_connections

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
            SURVEY_TRUSTED_PROXIES (comma separated) and the others of `VARIABLES`; default `os.environ`.
        data: the data folder; wins over SURVEY_DATA.
        overrides: fields of `Settings`; a None is as good as absent.

    Raises:
        SettingsError: a port that is no port, an address without scheme, another database; all at once.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in overrides.items() if value is not None}
    faults: list[Fault] = []

    def checked(variable: str, check: Callable[[Any], Any], value: Any) -> Any:
        try:
            return check(value)
        except _Unusable as unusable:
            faults.append(Fault("settings.invalid", unusable.reason, unusable.remedy, item=variable))
            return None

    host = str(given.get("host", environ.get("SURVEY_HOST") or "127.0.0.1"))
    port = checked("SURVEY_PORT", _port, given.get("port", environ.get("SURVEY_PORT") or "8000"))
    shown_host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host
    base_url = str(given.get("base_url", environ.get("SURVEY_BASE_URL") or f"http://{shown_host}:{port or 8000}"))
    data_folder = Path(data or environ.get("SURVEY_DATA") or DEFAULT_DATA).expanduser().absolute()
    heads = given.get("last_heads", environ.get("SURVEY_LAST_HEADS"))
    last_heads = Path(heads).expanduser().absolute() if heads else None
    settings = Settings(
        data=data_folder,
        database_url=checked(
            "SURVEY_DATABASE_URL", _database_url, given.get("database_url", environ.get("SURVEY_DATABASE_URL"))
        ),
        database_connections=checked(
            "SURVEY_DATABASE_CONNECTIONS",
            _connections,
            given.get("database_connections", environ.get("SURVEY_DATABASE_CONNECTIONS") or "12"),
        )
        or 0,
        base_url=checked("SURVEY_BASE_URL", _base_url, base_url) or "",
        host=host,
        port=port or 0,
        trusted_proxies=checked(
            "SURVEY_TRUSTED_PROXIES",
            _proxies,
            given.get("trusted_proxies", environ.get("SURVEY_TRUSTED_PROXIES", "")),
        )
        or (),
        last_heads=checked("SURVEY_LAST_HEADS", partial(_outside, data_folder), last_heads),
        stamp_command=given.get("stamp_command", environ.get("SURVEY_STAMP_COMMAND")) or None,
        webhook_private=bool(
            checked(
                "SURVEY_WEBHOOK_PRIVATE",
                _yes,
                given.get("webhook_private", environ.get("SURVEY_WEBHOOK_PRIVATE") or "no"),
            )
        ),
        oidc_issuer=checked(
            "SURVEY_OIDC_ISSUER", _issuer, given.get("oidc_issuer", environ.get("SURVEY_OIDC_ISSUER"))
        ),
        oidc_client_id=given.get("oidc_client_id", environ.get("SURVEY_OIDC_CLIENT_ID")) or None,
        oidc_client_secret_file=checked(
            "SURVEY_OIDC_CLIENT_SECRET_FILE",
            _secret_file,
            given.get("oidc_client_secret_file", environ.get("SURVEY_OIDC_CLIENT_SECRET_FILE")),
        ),
        log_format=checked(
            "SURVEY_LOG", _log_format, given.get("log_format", environ.get("SURVEY_LOG") or "auto")
        )
        or "auto",
        backup_recipient=checked(
            "SURVEY_BACKUP_RECIPIENT",
            _recipient,
            given.get("backup_recipient", environ.get("SURVEY_BACKUP_RECIPIENT")),
        ),
        least_free_bytes=int(given.get("least_free_bytes", Settings.least_free_bytes)),
        least_free_share=float(given.get("least_free_share", Settings.least_free_share)),
    )
    if bool(settings.oidc_issuer) != bool(settings.oidc_client_id) and not faults:
        missing = "SURVEY_OIDC_CLIENT_ID" if settings.oidc_issuer else "SURVEY_OIDC_ISSUER"
        faults.append(Fault("settings.invalid", "统一登录只设了一半", "两项都设，或都不设", item=missing))
    if faults:
        raise SettingsError(tuple(faults))
    return settings


def unknown_variables(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Variables that begin like ours and are read by nobody: mistyped, most likely."""
    environ = os.environ if environ is None else environ
    return tuple(
        sorted(
            name
            for name in environ
            if name.startswith("SURVEY_") and name not in VARIABLES and "_TEST_" not in name
        )
    )


def effective_settings(settings: Settings) -> dict[str, str]:
    """What is in force, by variable, without a secret: a database's password is left out.

    >>> effective_settings(Settings(Path("d"), "postgresql://u:secret@db/s"))["SURVEY_DATABASE_URL"]
    'postgresql://u:***@db/s'
    """
    values: dict[str, Any] = {
        "SURVEY_DATA": settings.data,
        "SURVEY_DATABASE_URL": _without_password(settings.database_url),
        "SURVEY_DATABASE_CONNECTIONS": settings.database_connections,
        "SURVEY_BASE_URL": settings.base_url,
        "SURVEY_HOST": settings.host,
        "SURVEY_PORT": settings.port,
        "SURVEY_TRUSTED_PROXIES": ",".join(settings.trusted_proxies),
        "SURVEY_LAST_HEADS": settings.last_heads,
        "SURVEY_STAMP_COMMAND": settings.stamp_command,
        "SURVEY_WEBHOOK_PRIVATE": "yes" if settings.webhook_private else "no",
        "SURVEY_OIDC_ISSUER": settings.oidc_issuer,
        "SURVEY_OIDC_CLIENT_ID": settings.oidc_client_id,
        "SURVEY_OIDC_CLIENT_SECRET_FILE": settings.oidc_client_secret_file,
        "SURVEY_LOG": settings.log_format,
        "SURVEY_BACKUP_RECIPIENT": settings.backup_recipient,
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


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


class _Unusable(Exception):
    """A value that cannot be used, and how to mend it."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def _port(value: Any) -> int:
    try:
        port = int(str(value))
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise _Unusable(f"“{value}”不是0到65535之间的整数", "例如 8000")
    return port


def _connections(value: Any) -> int:
    text = str(value)
    if not re.fullmatch("[0-9]{1,4}", text, re.ASCII) or not FEWEST_CONNECTIONS <= int(text) <= MOST_CONNECTIONS:
        raise _Unusable(
            f"“{value}”不是{FEWEST_CONNECTIONS}到{MOST_CONNECTIONS}之间的整数",
            "不设这一项时为12；所有进程加起来要少于PostgreSQL的max_connections",
        )
    return int(text)


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.fragment)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise _Unusable(f"“{value}”不是完整网址", "写成 https://survey.example 这样的形式")
    return value.rstrip("/")


def is_private_enough(url: str) -> bool:
    """Whether secrets may travel to an address: https, or this very machine.

    >>> [is_private_enough(u) for u in ("https://id.example", "http://127.0.0.1:9/x", "http://id.example")]
    [True, True, False]
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    )


def _issuer(value: str | None) -> str | None:
    if not value:
        return None
    if not is_private_enough(value) or urlsplit(value).query or urlsplit(value).fragment:
        raise _Unusable(f"“{value}”不是完整的https网址", "与统一登录说明里的issuer一字不差，如 https://id.example")
    return value


def _secret_file(value: str | Path | None) -> Path | None:
    if not value:
        return None
    path = Path(value).expanduser().absolute()
    try:
        given = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise _Unusable("文件读不了", "写上客户端密钥所在的文件，让运行本系统的用户能读") from error
    if not given:
        raise _Unusable("文件是空的", "把客户端密钥写进这个文件，一行")
    return path


def _database_url(value: str | None) -> str | None:
    if value and urlsplit(value).scheme not in {"postgres", "postgresql"}:
        raise _Unusable("只认识 postgresql:// 开头的地址", "不设这一项时使用数据文件夹里的SQLite文件")
    return value or None


def _without_password(url: str | None) -> str | None:
    if url is None:
        return None
    hidden = re.sub(r"^([a-z]+://[^/@:]*):.*@", r"\1:***@", url)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", hidden)


def _proxies(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    names = tuple(part.strip() for part in parts if part.strip())
    for name in names:
        if name == "*":
            raise _Unusable("“*”等于相信任何人写的来源地址", "写上反向代理的地址，例如 127.0.0.1")
    return names


def _outside(data: Path, folder: Path | None) -> Path | None:
    if folder is not None and folder.is_relative_to(data):
        raise _Unusable(
            "在数据文件夹里面，恢复旧备份时会一起被换成旧的", "写成另一块磁盘或另一台机器上的文件夹"
        )
    return folder


def _yes(value: str | bool) -> bool:
    if value not in ("yes", "no", True, False):
        raise _Unusable(f"“{value}”不是yes或no", "不设这一项时为no")
    return value in ("yes", True)


def _log_format(value: str) -> str:
    if value not in LOG_FORMATS:
        raise _Unusable(f"“{value}”不是{'、'.join(LOG_FORMATS)}之一", "不设这一项时自动选择")
    return value


def _recipient(value: str | None) -> str | None:
    if value and not re.fullmatch(r"age1[0-9a-z]{58}", value):
        raise _Unusable("不是age公钥", "用 survey backup --new-key 生成，填 age1 开头的那一行")
    return value or None
