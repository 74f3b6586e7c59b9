"""Drawing from a frame of the whole country's size: 250 000 schools by default.

    python benchmarks/drawing.py [--schools 250000] [--json benchmarks/results/drawing.json]

The frame repeats the sample county's schools under other codes. Told apart: reading the list from its
file, digesting it (both once, at import), and the draw itself from seed to sample, as
`survey draw --seed` makes it; beside them the general draws of `sampling.selection` on as many units.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from estimation import machine

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


def timed(work: Any, times: int) -> float:
    """The median of several runs."""
    took = []
    for _ in range(times):
        began = perf_counter()
        work()
        took.append(perf_counter() - began)
    return median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schools", type=int, default=250_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    frame, file = country(asked.schools)
    began = perf_counter()
    _ = frame.digest
    digested = perf_counter() - began
    plan = read_plan(example_plan_text())
    scheme = scheme_of(plan)
    sample = draw_sample(plan, scheme, frame, "20261122")
    n = asked.schools
    strata = np.array([f"{school.place}/{school.stage}" for school in frame.schools])
    names, counts = np.unique(strata, return_counts=True)
    sizes = {str(name): int(count) // 10 for name, count in zip(names, counts, strict=True)}
    pupils = np.array([school.pupils for school in frame.schools], dtype=float)
    row = {
        "schools": n,
        "drawn": sum(stratum.schools_drawn for stratum in sample.strata),
        "read_s": timed(lambda: read_frame(file, "country.csv"), 1),
        "digest_s": digested,
        "draw_s": timed(lambda: draw_sample(plan, scheme, frame, "20261122"), asked.repeat),
        "stratified_tenth_s": timed(
            lambda: stratified(seeded_uniforms("20261122", n), strata, sizes), asked.repeat
        ),
        "systematic_pps_tenth_s": timed(
            lambda: systematic_pps(
                inclusion_probabilities(pupils, n // 10), float(seeded_uniforms("20261122", 1)[0])
            ),
            asked.repeat,
        ),
    }
    text = json.dumps({"machine": machine(), "drawing": row}, indent=1, ensure_ascii=False)
    print(text)
    if asked.json:
        asked.json.parent.mkdir(exist_ok=True)
        asked.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
