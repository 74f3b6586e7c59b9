"""The files of a bundle, each decoded once, and a record of which were looked at.

Files by name enter; documents, notes and raw bytes leave, and what cannot be read becomes a
claim that names it. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from survey import canonical
from survey.certification.claims import Ledger
from survey.certification.note import Vkey

PARTS = ("方案、声明和签名", "填写码和答卷清单", "结束和开箱", "计数", "登记", "附件", "回执", "逐份答卷")
"""The parts of a bundle in the order they are checked; the lists take nearly all the time."""


@dataclass(frozen=True)
class BundleOptions:
    """What the reader brings along: trusted keys, a printed code, receipts, patience."""

    trusted: tuple[Vkey, ...] | None = None
    plan_code: str | None = None
    receipts: Mapping[str, str] = field(default_factory=dict)
    check_all: bool = False
    progress: Callable[[int, int, str], None] | None = None
    """Told before each part: how many are done, of how many, and which one begins."""

    def begin(self, part: str) -> None:
        """Say which part begins."""
        if self.progress is not None:
            self.progress(PARTS.index(part), len(PARTS), part)


class BundleReader:
    """The files of a bundle, each decoded once, and which of them a claim has read."""

    def __init__(self, ledger: Ledger, files: dict[str, bytes]) -> None:
        self._ledger, self._files = ledger, files
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def raw(self, name: str) -> bytes | None:
        """The bytes of a file, or None when it is missing."""
        self._read.add(name)
        return self._files.get(name)

    def document(self, name: str) -> Any:
        """The canonical JSON of a file; None when missing or unreadable, which is claimed."""
        data = self.raw(name)
        if data is None:
            return None
        try:
            value = canonical.decode(data)
        except canonical.NotCanonicalError as error:
            self._ledger.write("文件可读", False, error.reason, name)
            return None
        if value is None:
            self._ledger.write("文件可读", False, "内容是空的", name)
        return value

    def note(self, name: str) -> str | None:
        """The text of a note; None when missing or not UTF-8, which is claimed."""
        data = self.raw(name)
        if data is None:
            return None
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            self._ledger.write("文件可读", False, "不是UTF-8", name)
            return None

    def unread(self) -> list[str]:
        """Files that no claim asked for."""
        return sorted(set(self._files) - self._read)

    def names(self) -> list[str]:
        """All files."""
        return sorted(self._files)
