"""Drawing from a frame of the whole country's size: 250 000 schools by default.

    python benchmarks/drawing.py [--schools 250000] [--json benchmarks/results/drawing.json]

The frame repeats the sample county's schools under other codes. Told apart: reading a list from its
file, of as many schools as one file may hold, digesting it (both once, at import), and the draw itself from seed to sample, as
`survey draw --seed` makes it; beside them the general draws of `sampling.selection` on as many units.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from estimation import machine
from standard_job import measured_together

from survey.sampling.frame import Frame
from survey.sampling.frame_file import read_frame, sample_county
from survey.sampling.selection import (
    inclusion_probabilities,
    seeded_uniforms,
    stratified,
    systematic_pps,
)
from survey.sampling.wave_sample import draw_sample
from survey.scheme.plan import example_plan_text, read_plan, scheme_of

READABLE = 19_000
"""Schools that one file may hold (`sampling.sheet`)."""


def country(schools: int) -> tuple[Frame, bytes]:
    """The sample county's schools again and again under codes of their own, and as a file."""
    county = read_frame(sample_county(), "frame.csv").frame
    assert county is not None
    head, *rows = csv.reader(io.StringIO(sample_county().decode("utf-8-sig")))
    at = next(place for place, name in enumerate(head) if "代码" in name)
    told, out = [head], []
    for number in range(schools):
        code = f"{110000 + number // 10_000}{number % 10_000:04d}"
        out.append(replace(county.schools[number % len(county.schools)], code=code))
        row = list(rows[number % len(rows)])
        row[at] = code
        told.append(row)
    text = io.StringIO()
    csv.writer(text).writerows(told)
    return Frame(tuple(out)), text.getvalue().encode("utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schools", type=int, default=250_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    frame, _ = country(asked.schools)
    began = process_time()
    _ = frame.digest
    digested = process_time() - began
    plan = read_plan(example_plan_text())
    scheme = scheme_of(plan)
    sample = draw_sample(plan, scheme, frame, "20261122")
    n = asked.schools
    strata = np.array([f"{school.place}/{school.stage}" for school in frame.schools])
    names, counts = np.unique(strata, return_counts=True)
    sizes = {str(name): int(count) // 10 for name, count in zip(names, counts, strict=True)}
    pupils = np.array([school.pupils for school in frame.schools], dtype=float)
    lot = float(seeded_uniforms("20261122", 1)[0])
    took = measured_together(
        {
            "draw": lambda: draw_sample(plan, scheme, frame, "20261122"),
            "stratified, a tenth": lambda: stratified(seeded_uniforms("20261122", n), strata, sizes),
            "PPS systematic, a tenth": lambda: systematic_pps(inclusion_probabilities(pupils, n // 10), lot),
        },
        asked.repeat,
    )
    row: dict[str, Any] = {
        "schools": n,
        "drawn": sum(stratum.schools_drawn for stratum in sample.strata),
        "digest_cpu_s": digested,
        **{f"{name}: seconds": round(wall, 3) for name, (wall, _) in took.items()},
        **{f"{name}: processor seconds": round(cpu, 3) for name, (_, cpu) in took.items()},
    }
    small = min(n, READABLE)
    _, short = country(small)
    began = process_time()
    reading = read_frame(short, "country.csv")
    assert reading.frame is not None, reading.faults[:3]
    row |= {"read_schools": small, "read_cpu_s": process_time() - began}
    text = json.dumps({"machine": machine(), "drawing": row}, indent=1, ensure_ascii=False)
    print(text)
    if asked.json:
        asked.json.parent.mkdir(exist_ok=True)
        asked.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
