"""Hostile and slow visitors of a real server; the long evenings are in benchmarks/visitors.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def visitors() -> Iterator[Any]:
    """The load program, found as it finds its neighbours when it is run."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import visitors as program

        yield program
    finally:
        sys.path.remove(str(BENCHMARKS))


def evening(program: Any, *words: str) -> dict[str, Any]:
    return dict(program.main(program.arguments().parse_args(list(words))))


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="memory is read from /proc")
def test_damaged_forms_are_refused_and_nothing_that_was_thanked_is_lost(visitors: Any, tmp_path: Path) -> None:
    told = evening(visitors, "fuzz", "--count", "1500", "--slips", "400", "--seed", "3", "--folder", str(tmp_path))

    assert not told["broken"] and not [status for status in told["statuses"] if int(status) >= 500]
    assert told["acknowledged"] > 20 and told["lost"] == 0 == told["doubled"]
    assert told["memory_mb_after"] < told["memory_mb"] + 60


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="memory is read from /proc")
def test_slow_connections_do_not_hold_up_honest_people(visitors: Any, tmp_path: Path) -> None:
    words = ("slow", "--slow", "150", "--rate", "30", "--stay", "5", "--slips", "400", "--folder", str(tmp_path))
    told = evening(visitors, *words)

    assert not told["broken"] and set(told["statuses"]) == {"200", "303"}
    assert told["acknowledged"] > 60 and told["lost"] == 0
    assert told["p99_ms"] < 3000
