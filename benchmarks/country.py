"""A whole country's answers, counted by a Spark cluster with the product's own expression.

    python benchmarks/country.py [--answers 100000000] [--master 'local-cluster[2,1,1024]'] [--folder DIR]
                                 [--also-duckdb] [--json benchmarks/results/country.json]

Slow, on request. DuckDB writes the answers as Parquet (20 schools in each of 3 000 counties, three groups, ten
items of six options, silences, unequal weights), `survey count`'s expression counts them on the
Spark cluster, and the table by county follows from the counts. With `--also-duckdb` the same files are
counted by DuckDB and must give the same counts to the last unit. Needs the extra `spark` and Java 17.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import numpy as np
from estimation import machine

from survey.cases.answer_counts import COUNTED, AnswerCounts, CountedItem, Counting
from survey.estimation.cell_rates import by_key, rate_table
from survey.estimation.cell_totals import Reading, cell_totals, design_of
from survey.storage.answer_engines import count_answers, parquet_answers, spark_answers

COUNTIES, SCHOOLS, ITEMS = 3_000, 20, 10
NAMES = tuple(f"q{at}" for at in range(1, ITEMS + 1))
COUNTING = Counting(
    ("county", "school", "grp"), tuple(CountedItem(name, (1, 2, 3, 4, 5, 8)) for name in NAMES), "w"
)

GENERATED = """
    SELECT county::SMALLINT AS county, (county * {schools} + place % {schools})::INTEGER AS school,
           (hash(id, 'group') % 3)::TINYINT AS grp, 1 + (hash(id, 'w') % 1000000) / 250000.0 AS w, {items}
    FROM (SELECT id, id * {counties} // {answers} AS county, hash(id, 'place') % 1000000 AS place, {chances}
          FROM range({first}, {end}) AS numbers(id))
"""
ANSWER = """CASE WHEN c_{name} < 700000 THEN 1 WHEN c_{name} < 900000 THEN 2 WHEN c_{name} < 940000 THEN 3
    WHEN c_{name} < 955000 THEN 4 WHEN c_{name} < 965000 THEN 5 WHEN c_{name} < 985000 THEN 8 END::TINYINT AS {name}"""

DRIVER = {"spark.driver.memory": "3g", "spark.driver.maxResultSize": "3g"}
"""The counts of 180 000 cells are some 200 MB, and pass through the driver."""


def generate(answers: int, folder: Path, parts: int) -> float:
    """Seconds it took DuckDB to write the answers: chance from hashes, so every run writes the same.

    A county's answers stand together, as they do where each county is a wave with files of its own.
    Scattered, every part would hold every school, and the engines would move twenty times as much.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began = perf_counter()
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        for part in range(parts):
            first, end = answers * part // parts, answers * (part + 1) // parts
            rows = GENERATED.format(
                first=first, end=end, answers=answers, counties=COUNTIES, schools=SCHOOLS,
                chances=", ".join(f"hash(id, '{name}') % 1000000 AS c_{name}" for name in NAMES),
                items=", ".join(ANSWER.format(name=name) for name in NAMES),
            )  # fmt: skip
            connection.execute(
                f"COPY ({rows}) TO '{folder}/{part:04}.parquet' (FORMAT parquet, COMPRESSION zstd)"
            )
    return perf_counter() - began


def of_executors() -> float:
    """Seconds of processor that the Spark executors of this machine have cost until now."""
    ticks = 0
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"CoarseGrainedExecutorBackend" in command.read_bytes():
                fields = command.with_name("stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue  # it ended while we looked
    return ticks / os.sysconf("SC_CLK_TCK")


def same(one: AnswerCounts, other: AnswerCounts) -> bool:
    """Whether two passes gave the same counts to the last unit."""
    return all(np.array_equal(column, other.keys[name]) for name, column in one.keys.items()) and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in COUNTED
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=100_000_000)
    parser.add_argument("--parts", type=int, default=96)
    parser.add_argument("--master", default="local-cluster[2,1,1024]")
    parser.add_argument(
        "--folder", type=Path, help="kept; answers that lie there already are taken as they are"
    )
    parser.add_argument("--also-duckdb", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="country-"))
    row: dict[str, Any] = {"answers": asked.answers, "master": asked.master}
    try:
        if not (files := sorted(folder.glob("*.parquet"))):
            row["generate_s"] = generate(asked.answers, folder, asked.parts)
            files = sorted(folder.glob("*.parquet"))
        row["parquet_mb"] = sum(file.stat().st_size for file in files) / 2**20
        with spark_answers([str(folder)], master=asked.master, settings=DRIVER) as table:
            began, before = perf_counter(), of_executors()
            counts = count_answers(table, COUNTING)
            row["spark_count_s"] = perf_counter() - began
            row["spark_processor_s"] = of_executors() - before
        if asked.also_duckdb:
            with parquet_answers(files) as table:
                began = perf_counter()
                again = count_answers(table, COUNTING)
                row["duckdb_count_s"] = perf_counter() - began
            row["same_to_the_last_unit"] = same(counts, again)
    finally:
        if asked.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    assert int(counts.n.sum()) == asked.answers
    began = perf_counter()
    cells = cell_totals(counts, [Reading.share("q1", [1, 2], [1, 2, 3, 4, 5])])
    design = design_of(cells, "school", "county")
    row |= {"cells": len(cells), "design_of_all_schools_s": perf_counter() - began}
    began = perf_counter()
    whole = rate_table(cells, design)
    row |= {"national_rate_s": perf_counter() - began, "rate": whole.value[0, 0], "se": whole.se[0, 0]}
    counties = counts.by("county", "school")
    began = perf_counter()
    one = counties.where(counties.keys["county"] == 17)
    cells = cell_totals(one, [Reading.share(name, [1, 2], [1, 2, 3, 4, 5]) for name in NAMES])
    rate_table(cells, design_of(cells, "school"), by_key(cells, "county"))
    row["table_of_one_county_ms"] = 1000 * (perf_counter() - began)
    text = json.dumps({"machine": machine(), "country": row}, indent=1, ensure_ascii=False)
    print(text)
    if asked.json:
        asked.json.parent.mkdir(exist_ok=True)
        asked.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
