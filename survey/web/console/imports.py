"""Files that were tried but not confirmed yet, in this process's memory for two hours.

Between the first look and the next step the file must wait somewhere, and it may hold names;
so it never reaches a disk. After a restart, or on another process, one uploads again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from survey.errors import SurveyError
from survey.sampling.frame_file import FrameReading

KEPT_FOR = timedelta(hours=2)
MOST = 8


class ImportForgottenError(SurveyError):
    """The tried file is no longer here."""

    code = "console.import_forgotten"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__(
            "试读过的文件", "已经超过2小时，或者服务重新启动过", "请把文件再上传一次，看过结果后马上确认"
        )


@dataclass(frozen=True)
class PendingImport:
    """A file that was read without being kept."""

    filename: str
    data: bytes
    columns: dict[str, str] | None
    reading: FrameReading
    tried_at: datetime


class Waiting(Protocol):
    """Whatever waits for a next step, since when."""

    @property
    def tried_at(self) -> datetime:
        """When it was handed in."""


W = TypeVar("W", bound=Waiting)


class PendingImports(Generic[W]):
    """At most eight tried files, each under its person and wave."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], W] = {}

    def keep(self, person: str, wave: str, pending: W) -> None:
        """Keep a tried file, in place of this person's earlier one for the wave."""
        self._waiting.pop((person, wave), None)
        while len(self._waiting) >= MOST:
            self._waiting.pop(next(iter(self._waiting)))
        self._waiting[person, wave] = pending

    def load(self, person: str, wave: str, now: datetime) -> W:
        """The tried file.

        Raises:
            ImportForgottenError: there is none, or it is older than two hours.
        """
        pending = self._waiting.get((person, wave))
        if pending is None or now - pending.tried_at > KEPT_FOR:
            self._waiting.pop((person, wave), None)
            raise ImportForgottenError
        return pending

    def forget(self, person: str, wave: str) -> None:
        """Drop the tried file, once it has been imported."""
        self._waiting.pop((person, wave), None)
