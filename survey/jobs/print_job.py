"""Write a print job into one ZIP, a file at a time, readable by nobody else while it holds codes.

The file grows beside its final name and is renamed when it is whole, so a job that was
stopped or broke leaves nothing that could be taken for finished. A county of two thousand
schools never lies in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from survey.documents.archive import archive_to
from survey.documents.pieces import Printed, Progress, make_pieces, page_count, paper_needed, print_list
from survey.errors import SurveyError
from survey.jobs.render_papers import PaperJob

LIST_NAME = "0_打印清单.csv"


class NotWrittenError(SurveyError):
    """The disk refused the archive."""

    code = "papers.not_written"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"文件 {path.name}", f"写不进去（{reason}）", "看一看文件夹、权限和磁盘空间，再排印一次"
        )


@dataclass(frozen=True)
class Finished:
    """A print job that is done: where its archive lies and how much paper it needs."""

    path: Path
    files: int
    pages: int
    paper: dict[str, int]
    """Sheets of each size, printed on one side."""

    @property
    def paper_in_words(self) -> str:
        """The sheets needed, as a person reads it."""
        return "、".join(f"{name} {sheets}张" for name, sheets in self.paper.items()) or "不用纸"


def write_papers(
    job: PaperJob,
    target: Path,
    *,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Finished:
    """Render every piece of a job into the archive `target`.

    Raises:
        PrintingStoppedError: `stopped` said so; nothing is left behind.
        MissingGlyphError, LinkTooLongError: something cannot be printed; nothing is left behind.
        NotWrittenError: the disk refused.
    """
    printed: list[Printed] = []

    def files() -> Iterator[tuple[str, bytes]]:
        for piece, content in make_pieces(job.pieces, progress=progress, stopped=stopped):
            pages = page_count(content) if piece.paper else 0
            printed.append(Printed(piece.name, piece.paper, pages))
            yield piece.name, content
        # With a byte order mark, so that a spreadsheet reads the Chinese.
        yield LIST_NAME, b"\xef\xbb\xbf" + print_list(printed).encode()

    unfinished = target.with_name(target.name + ".new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            archive_to(stream, files(), at=job.at)
        os.replace(unfinished, target)
    except OSError as error:
        raise NotWrittenError(target, error.strerror or type(error).__name__) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return Finished(target, len(printed), sum(one.pages for one in printed), paper_needed(printed))
