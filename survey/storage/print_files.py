"""Slip codes in clear, for as long as the sheets are not printed, and not an hour longer.

The only place where a code is ever written down by the platform. The file is 0600, is no
part of any backup, and is erased when the wave opens (TRUST section 5).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from survey.canonical import decode, encode
from survey.errors import SurveyError
from survey.settings import Settings


class PrintFileGoneError(SurveyError):
    """The codes were erased, or never made."""

    code = "storage.print_file_gone"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave} 的印刷文件",
            "纸条已经开始发放，印刷文件已销毁（或还没有生成）",
            "用已经印好的纸条；缺少时按作废处理",
        )


def print_path(settings: Settings, wave: str) -> Path:
    """Where the codes of a wave wait for the printer."""
    return settings.print_files / f"{wave}.json"


def held_of(wave: str) -> str:
    """The name under which the codes kept back above the bureau wait, apart from the printer's."""
    return f"{wave}.held"


def has_print_file(settings: Settings, wave: str) -> bool:
    """Whether codes of that name still wait."""
    return print_path(settings, wave).is_file()


def save_print_file(settings: Settings, wave: str, rows: Sequence[tuple[str, str]]) -> Path:
    """Write (code, domain) pairs in their order, 0600 from the first byte, durably."""
    path = print_path(settings, wave)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encode([list(row) for row in rows]))
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    return path


def load_print_file(settings: Settings, wave: str) -> list[tuple[str, str]]:
    """The (code, domain) pairs in the order they were made.

    Raises:
        PrintFileGoneError: erased, or never made.
    """
    try:
        data = print_path(settings, wave).read_bytes()
    except FileNotFoundError as error:
        raise PrintFileGoneError(wave) from error
    return [(code, domain) for code, domain in decode(data, len(data))]


def archive_path(settings: Settings, wave: str) -> Path:
    """Where the last print job of a wave lies; it may hold codes and is erased with them."""
    return settings.print_files / f"{wave}.papers.zip"


def erase_print_file(settings: Settings, wave: str) -> None:
    """Overwrite and remove the codes and the archive made of them; nothing to do when they are gone.

    Overwriting is what a program can do; a disk that writes elsewhere keeps its own copy.
    """
    unfinished = archive_path(settings, wave).with_name(archive_path(settings, wave).name + ".new")
    for path in (print_path(settings, wave), archive_path(settings, wave), unfinished):
        if path.is_file():
            _overwrite(path)
            path.unlink(missing_ok=True)


def _overwrite(path: Path) -> None:
    with open(path, "rb+") as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(bytes(min(left, 1 << 20)))
        file.flush()
        os.fsync(file.fileno())
