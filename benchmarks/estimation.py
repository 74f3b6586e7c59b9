"""The standard job of METHOD section 5 against its floor, R's `survey` and `svy`, in one run.

    python benchmarks/estimation.py [--answers 10000 100000 1000000 10000000] [--peers-up-to 1000000]
                                    [--repeat 5] [--json benchmarks/results/estimation.json]

Every competitor gets the same columns in the same run and must give the same numbers. Each size runs
in a process of its own, so that its memory is its own. Ratios are what counts; processor seconds
stand beside wall seconds, since others may use the machine; so do the machine, without its name, its
load and all versions. `svy` and Rscript are left out where not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb
import numpy as np
import scipy
from peers import by_r, by_svy
from standard_job import (
    COUNTING,
    READINGS,
    Floor,
    Values,
    analysis,
    job,
    margins,
    measured_together,
    raked_replicates,
    report_tables,
    seconds,
    standard_answers,
)

from survey.cases.counting import count_columns
from survey.estimation.cell_totals import cell_totals


def resident(field: str) -> float:
    """Megabytes this process holds (VmRSS) or has held at most (VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return float("nan")


def apart(ours: Values, theirs: Values) -> dict[str, float]:
    """The largest relative difference of each kind of number."""
    return {
        name: float(np.max(np.abs(ours[name][: len(found)] / found - 1))) for name, found in theirs.items()
    }


def measured(n: int, repeat: int, peers: bool, replicates: int) -> dict[str, Any]:
    """All figures of one size."""
    columns = standard_answers(n)
    known = margins(columns)
    count_columns({name: column[:1000] for name, column in columns.items()}, COUNTING)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    ours = job(columns, known)
    memory = resident("VmHWM") - before
    counts = count_columns(columns, COUNTING)
    after = seconds(lambda: analysis(counts, known), max(repeat, 15))
    floor = Floor(columns)
    took = measured_together(
        {
            "job": lambda: job(columns, known),
            "sum of products": lambda: floor.job(known, 0),
            "filtered sums": lambda: floor.job(known, 1),
        },
        repeat,
    )
    (whole, whole_cpu), *floors = took.values()
    lowest, lowest_cpu = min(floors)
    row: dict[str, Any] = {
        "answers": n,
        "cells": len(counts),
        "job_s": whole,
        "job_cpu_s": whole_cpu,
        "after_the_pass_s": after,
        "floor_s": lowest,
        "floor_cpu_s": lowest_cpu,
        "job_over_floor": whole / lowest,
        "job_over_floor_cpu": whole_cpu / lowest_cpu,
        "memory_beside_data_mb": memory,
        "data_mb": sum(column.nbytes for column in columns.values()) / 2**20,
        "report_tables_ms": {
            name: 1000 * seconds(table, max(repeat, 15)) for name, table in report_tables(counts).items()
        },
        "apart": {"floor": apart(ours, floor.job(known, floors.index(min(floors))))},
    }
    if replicates:
        cells = cell_totals(counts, READINGS)
        row["raked_replicates"] = replicates
        row["raked_replicates_s"] = seconds(lambda: raked_replicates(cells, known, replicates), 3)
    if peers:
        for name, run, there in (
            ("svy", by_svy, find_spec("svy")),
            ("R survey", by_r, shutil.which("Rscript")),
        ):
            if there:
                version, runs, found = run(columns, known, 3 if n <= 100_000 else 1)
                wall, cpu = median(wall for wall, _ in runs), median(cpu for _, cpu in runs)
                row |= {f"{name}_s": wall, f"{name}_cpu_s": cpu}
                row |= {f"{name}_over_job": wall / whole, f"{name}_over_job_cpu": cpu / whole_cpu}
                row["apart"][name] = apart(ours, found)
                row.setdefault("versions", {})[name] = version
    return row


def machine() -> dict[str, Any]:
    """What the figures were measured on, without its name."""
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": model[0].split(":")[1].strip() if model else platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "duckdb": duckdb.__version__,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, nargs="*", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--peers-up-to", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measured(asked.one, asked.repeat, asked.one <= asked.peers_up_to, asked.replicates)))
        return
    rows = []
    for n in asked.answers:
        began = perf_counter()
        told = subprocess.run(
            [sys.executable, __file__, "--one", str(n), "--repeat", str(asked.repeat)]
            + ["--peers-up-to", str(asked.peers_up_to), "--replicates", str(asked.replicates)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        rows.append(json.loads(told.stdout.splitlines()[-1]))
        print(f"{n:>11,} answers done in {perf_counter() - began:.0f} s", file=sys.stderr)
    document = {"machine": machine(), "standard_job": rows}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    print(text)
    if asked.json:
        asked.json.parent.mkdir(exist_ok=True)
        asked.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
