"""A print job as pieces: files that are made one after the other, never all in memory.

Pieces enter in the order of the envelopes; names with their bytes leave in the same order.
A few are set at the same time, because typst works outside Python's lock; the order, and so
the bytes of the archive, do not depend on how many. Between two pieces the job can be stopped.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import StringIO

from survey.columns import plain_cell
from survey.errors import SurveyError

AT_ONCE = 2
"""More would cost memory and gain little: an office machine has two free cores."""

Progress = Callable[[int, int], None]
"""Called with (pieces done, pieces in all)."""

_COUNT = re.compile(rb"/Type ?/Pages\b[^>]*?/Count (\d+)|/Count (\d+)[^>]*?/Type ?/Pages\b", re.DOTALL)


class PrintingStoppedError(SurveyError):
    """Somebody stopped the print job between two files."""

    code = "documents.printing_stopped"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("这次排印", "中途停止了，没有留下文件", "需要时重新排印")


@dataclass(frozen=True)
class Piece:
    """One file of a print job, yet to be made."""

    name: str
    """Path inside the archive."""
    make: Callable[[], bytes]
    paper: str = "A4"
    """Paper it is printed on; empty for a text file."""


@dataclass(frozen=True)
class Printed:
    """One line of the list of what was made."""

    name: str
    paper: str
    pages: int


def make_pieces(
    pieces: Iterable[Piece],
    *,
    progress: Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Piece, bytes]]:
    """Each piece with its bytes, in the order given.

    Raises:
        PrintingStoppedError: `stopped` said so.
    """
    waiting = deque(pieces)
    total, done = len(waiting), 0
    running: deque[tuple[Piece, Future[bytes]]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as workers:
        while waiting or running:
            if stopped():
                for _, future in running:
                    future.cancel()
                raise PrintingStoppedError
            while waiting and len(running) < AT_ONCE:
                piece = waiting.popleft()
                running.append((piece, workers.submit(piece.make)))
            piece, future = running.popleft()
            yield piece, future.result()
            done += 1
            if progress:
                progress(done, total)


def page_count(pdf: bytes) -> int:
    """How many pages one of our PDFs has: the largest count of its page tree."""
    counts = [int(one or other) for one, other in _COUNT.findall(pdf)]
    return max(counts, default=0)


def print_list(printed: Iterable[Printed]) -> str:
    """What was made and how much paper one copy of it needs, as a table that a spreadsheet opens.

    >>> print_list([Printed("a.pdf", "A4", 3), Printed("b.pdf", "A3", 1)]).splitlines()
    ['文件,纸张,页数（单面用纸）', 'a.pdf,A4,3', 'b.pdf,A3,1', '合计,A3,1', '合计,A4,3']
    """
    rows = [one for one in printed if one.paper]
    text = StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(("文件", "纸张", "页数（单面用纸）"))
    # A school's name is part of the file's; it may hold a comma, and what follows it may be a formula.
    sheet.writerows((plain_cell(one.name), one.paper, one.pages) for one in rows)
    sheet.writerows(("合计", paper, sheets) for paper, sheets in paper_needed(rows).items())
    return text.getvalue()


def paper_needed(printed: Iterable[Printed]) -> dict[str, int]:
    """Sheets of each paper, printed on one side."""
    needed: dict[str, int] = {}
    for one in printed:
        if one.paper:
            needed[one.paper] = needed.get(one.paper, 0) + one.pages
    return dict(sorted(needed.items()))
