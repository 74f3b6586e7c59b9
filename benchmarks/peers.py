"""The standard job by others, on the same columns: R's `survey` and `svy`."""

from __future__ import annotations

import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from standard_job import GROUPS, ITEMS, NAMES, Values


def by_r(
    columns: dict[str, np.ndarray], known: dict[str, dict[int, float]], times: int
) -> tuple[str, list[tuple[float, float]], Values]:
    """Version, seconds and numbers of R's survey package."""
    with tempfile.TemporaryDirectory() as folder:
        for name, column in columns.items():
            column.tofile(Path(folder, name))
        np.concatenate([list(totals.values()) for totals in known.values()]).tofile(Path(folder, "margins"))
        script = Path(__file__).with_name("standard_job.R")
        rows = len(columns["w"])
        told = subprocess.run(
            ["Rscript", "--vanilla", str(script), folder, str(rows), str(times)],
            check=True, capture_output=True, text=True,
        ).stdout.splitlines()  # fmt: skip
    _, survey, _, r = told[0].split()
    parts = [np.array(line.split()[1:], dtype=float) for line in told[2:]]
    return (
        f"survey {survey}, R {r}",
        [(float(wall), float(cpu)) for wall, cpu in zip(*[iter(told[1].split()[1:])] * 2, strict=True)],
        {
            "rates": parts[0],
            "errors": parts[1],
            "rates by group": parts[2].reshape(ITEMS, GROUPS).T.ravel(),
            "errors by group": parts[3].reshape(ITEMS, GROUPS).T.ravel(),
            "raked rates": parts[4],
            "raked errors": parts[5],
            "lower": parts[6][:1],
            "upper": parts[6][1:],
        },
    )


def by_svy(
    columns: dict[str, np.ndarray], known: dict[str, dict[int, float]], times: int
) -> tuple[str, list[tuple[float, float]], Values]:
    """Version, seconds and numbers of svy."""
    import polars
    import svy

    frame = polars.DataFrame(columns)
    names = list(NAMES)

    def told(estimates: object) -> list[tuple[float, float]]:
        several = estimates if isinstance(estimates, list) else [estimates]
        return [(row.est, row.se) for one in several for row in one.estimates]

    def job() -> Values:
        sample = svy.Sample(frame, svy.Design(stratum="stratum", psu="school", wgt="w"))
        whole = told(sample.estimation.mean(names))
        grouped = told(sample.estimation.mean(names, by="group"))
        sample.estimation.prop("y0", ci_method="korn-graubard")
        raked = sample.weighting.rake(controls=known, tol=1e-8, max_iter=500)
        after = told(raked.estimation.mean(names))
        by_item = np.array(grouped).reshape(ITEMS, GROUPS, 2)
        return {
            "rates": np.array(whole)[:, 0],
            "errors": np.array(whole)[:, 1],
            "rates by group": by_item[:, :, 0].T.ravel(),
            "errors by group": by_item[:, :, 1].T.ravel(),
            "raked rates": np.array(after)[:, 0],
            "raked errors": np.array(after)[:, 1],
        }

    took = []
    for _ in range(times):
        began, spent = perf_counter(), process_time()
        found = job()
        took.append((perf_counter() - began, process_time() - spent))
    return f"svy {version('svy')}", took, found
