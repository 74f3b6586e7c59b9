"""A whole country's answers, generated and counted by a Spark cluster with the product's own expression.

    python benchmarks/country.py [--answers 100000000] [--master 'local-cluster[2,1,1024]'] [--folder DIR]
                                 [--also-duckdb] [--json benchmarks/results/country.json]

Slow, on request. Spark writes the answers as Parquet (20 schools in each of 3 000 counties, three groups, ten
items of six options, silences, unequal weights), `survey count`'s expression counts them on the
cluster, and the table by county follows from the counts. With `--also-duckdb` the same files are
counted by DuckDB and must give the same counts to the last unit. Needs the extra `spark` and Java 17.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

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

DRIVER = {"spark.driver.memory": "3g", "spark.driver.maxResultSize": "3g"}
"""The counts of 180 000 cells are some 200 MB, and pass through the driver."""


def generate(answers: int, folder: str, master: str, parts: int) -> float:
    """Seconds it took Spark to write the answers: chance from hashes, so any cluster writes the same."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    builder = SparkSession.builder.master(master).config("spark.ui.enabled", "false")
    for name, value in DRIVER.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    began = perf_counter()

    def chance(salt: str) -> Any:
        """A number in 0…999 999 from the row's own number."""
        return f.pmod(f.xxhash64(f.col("id"), f.lit(salt)), f.lit(1_000_000))

    place = chance("place")
    rows = session.range(0, answers, numPartitions=parts).select(
        "id",
        (place % COUNTIES).cast("short").alias("county"),
        (f.floor(place / COUNTIES) % SCHOOLS).cast("short").alias("nth"),
        (chance("group") % 3).cast("tinyint").alias("grp"),
        (1 + chance("w") / 250_000).alias("w"),
        *(
            f.when(chance(name) < 700_000, 1)
            .when(chance(name) < 900_000, 2)
            .when(chance(name) < 940_000, 3)
            .when(chance(name) < 955_000, 4)
            .when(chance(name) < 965_000, 5)
            .when(chance(name) < 985_000, 8)
            .cast("tinyint")
            .alias(name)
            for name in NAMES
        ),
    )
    rows.select(
        "county",
        (f.col("county").cast("int") * SCHOOLS + f.col("nth")).alias("school"),
        "grp",
        "w",
        *NAMES,
    ).write.mode("overwrite").parquet(folder)
    took = perf_counter() - began
    session.stop()
    return took


def same(one: AnswerCounts, other: AnswerCounts) -> bool:
    """Whether two passes gave the same counts to the last unit."""
    return all(np.array_equal(column, other.keys[name]) for name, column in one.keys.items()) and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in COUNTED
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=100_000_000)
    parser.add_argument("--parts", type=int, default=64)
    parser.add_argument("--master", default="local-cluster[2,1,1024]")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--also-duckdb", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="country-"))
    row: dict[str, Any] = {"answers": asked.answers, "master": asked.master}
    try:
        row["generate_s"] = generate(asked.answers, str(folder), asked.master, asked.parts)
        files = sorted(folder.glob("*.parquet"))
        row["parquet_mb"] = sum(file.stat().st_size for file in files) / 2**20
        with spark_answers([str(folder)], master=asked.master, settings=DRIVER) as table:
            began = perf_counter()
            counts = count_answers(table, COUNTING)
            row["spark_count_s"] = perf_counter() - began
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
