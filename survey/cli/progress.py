"""How far a long command is, on the error stream: only where a person is looking, never with `--json`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

THOUSANDTHS = 1000


@contextmanager
def counted(label: str, as_json: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Something to tell “so many of so many”; None where nobody is looking."""
    with shares(label, as_json) as tell:
        yield None if tell is None else lambda done, of: tell(done / max(of, 1), f"{done:,} / {of:,}")


@contextmanager
def shares(label: str, as_json: bool) -> Iterator[Callable[[float, str], None] | None]:
    """Something to tell a share from 0 to 1 and what is being done; None where nobody is looking.

    It may be told from another thread. A smaller share than before only changes the words.
    """
    if as_json or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(
        length=THOUSANDTHS, label=label, file=sys.stderr, show_eta=False, item_show_func=lambda what: what or ""
    ) as bar:
        yield lambda share, what: bar.update(max(int(share * THOUSANDTHS) - bar.pos, 0), what)
