"""Heads: signed over every batch, compared at every start, remembered outside the data folder.

A backup of yesterday is consistent in itself; only somebody who remembers today's head can
tell. The guard is a small file per wave in a folder of another disk or machine
(SURVEY_LAST_HEADS), written behind the commits, at most once a second.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from survey.certification.note import NoteRefusedError, make_note, open_note, split_note
from survey.certification.signature import Signer
from survey.certification.transparency_log import Checkpoint, CompactTree, parse_checkpoint, sign_head
from survey.storage.intake import About, BusyError, IntakeBrokenError, IntakeStaleError


class HeadGuard:
    """Where last heads are remembered."""

    def __init__(self, folder: Path, every_seconds: float = 1.0) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._every = every_seconds
        self._written: dict[str, float] = {}
        self._newest: dict[str, str] = {}

    def find(self, wave: str) -> Checkpoint | None:
        """The remembered head of a wave, or None."""
        path = self._folder / f"{wave}.head"
        return head_of(path.read_text(encoding="utf-8")) if path.is_file() else None

    def remember(self, wave: str, note: str) -> None:
        """Keep a head; at most one a second goes to the disk, the newest of them at the end."""
        self._newest[wave] = note
        now = time.monotonic()
        if now - self._written.get(wave, -self._every) >= self._every:
            self._written[wave] = now
            self.flush(wave)

    def flush(self, wave: str) -> None:
        """Write what was remembered of a wave and is not on the disk yet."""
        note = self._newest.pop(wave, None)
        if note is None:
            return
        path = self._folder / f"{wave}.head"
        unfinished = path.with_suffix(".new")
        unfinished.write_text(note, encoding="utf-8")
        os.replace(unfinished, path)


def head_of(note: str) -> Checkpoint:
    """The checkpoint inside a signed head."""
    return parse_checkpoint(split_note(note)[0])


def signed_head(about: About, tree: CompactTree, signer: Signer) -> str:
    """The signed head of a log as it stands.

    Raises:
        BusyError: the key would not sign; the intake stops rather than going on without heads.
    """
    try:
        return sign_head(about.origin, tree.size, tree.root(), [signer])
    except Exception as error:
        raise BusyError(f"无法签署日志（{type(error).__name__}）", 30) from error


def check_signature(about: About, last: str | None, signer: Signer) -> None:
    """Refuse a last head that this log's key did not sign: whoever rewrote the leaves could not sign it.

    Raises:
        IntakeBrokenError: no line by the log's key, or one that does not hold.
    """
    if last is None:
        return
    try:
        # Ed25519 signs the same text alike every time, and signing is fifty times quicker than our checking.
        if last != make_note(split_note(last)[0], [signer]):
            open_note(last, [signer.key])
    except NoteRefusedError as error:
        raise IntakeBrokenError(about.wave, f"最后的日志头不是本日志的密钥签的（{error.reason}）") from error


def check_head(
    about: About, tree: CompactTree, last: str | None, guard: HeadGuard | None
) -> IntakeStaleError | None:
    """Refuse a log whose root is not the one that its last head signed.

    Returns:
        Why the log may only be read: a later head was given out than it knows. None when it is the newest.

    Raises:
        IntakeBrokenError: leaves and last head disagree.
    """
    head = head_of(last) if last is not None else None
    size = head.size if head is not None else 0
    if size != tree.size:
        raise IntakeBrokenError(about.wave, f"最后签署的是{size}份，库中有{tree.size}份")
    if head is not None and (head.origin != about.origin or head.root != tree.root()):
        raise IntakeBrokenError(about.wave, "答卷记录与最后签署的日志头不一致，被改动过")
    remembered = guard.find(about.wave) if guard is not None else None
    if remembered is None:
        return None
    if remembered.size > tree.size:
        return IntakeStaleError(about.wave, tree.size, remembered.size)
    if remembered.size == tree.size and remembered.root != tree.root():
        raise IntakeBrokenError(about.wave, "与此前确认过的日志头不是同一份日志")
    return None
