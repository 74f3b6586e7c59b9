"""Whether the disk has room for answers; looked at once a second, however many ask."""

from __future__ import annotations

import shutil
import time

from survey.settings import Settings
from survey.storage.intake import StorageFullError

SHARE_AT_MOST = 2 * 1024**3


class DiskRoom:
    """The room on the disk that holds the data folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.checked = 0.0
        """When it was looked at last, by the monotonic clock."""
        self._full = False

    def check(self) -> None:
        """Refuse before the disk is full: below 200 MB or 5 % free (TRUST R6).

        Five per cent of a very large disk are many counties' answers, so the share counts up to 2 GB.

        Raises:
            StorageFullError: too little is free.
        """
        now = time.monotonic()
        if now - self.checked >= 1.0:
            usage = shutil.disk_usage(self._settings.data)
            share = min(int(usage.total * self._settings.least_free_share), SHARE_AT_MOST)
            self._full = usage.free < max(self._settings.least_free_bytes, share)
            self.checked = now
        if self._full:
            raise StorageFullError()
