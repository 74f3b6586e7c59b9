"""One expression, four ways to run it, and the same counts to the last unit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from random_columns import COUNTING, random_columns

from survey.arrays import RangeError
from survey.cases.answer_counts import (
    COUNTED,
    AnswerCounts,
    ColumnTypeError,
    CountedItem,
    Counting,
    CountsError,
    MissingColumnError,
    MissingKeyError,
)
from survey.cases.counting import count_columns
from survey.storage.answer_engines import (
    AnswersUnreadableError,
    count_answers,
    load_counts,
    parquet_answers,
    postgres_answers,
    save_counts,
    spark_answers,
)

SEEDS = (1, 2, 3)


def same(one: AnswerCounts, other: AnswerCounts) -> bool:
    return (
        one.counting == other.counting
        and all(np.array_equal(column, other.keys[name]) for name, column in one.keys.items())
        and all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COUNTED)
    )


def arrow(columns) -> pa.Table:
    """The columns as Arrow holds them; floats keep NaN beside true nulls, as files from the world do."""
    q1 = columns["q1"]
    mixed = [None if np.isnan(value) and at % 2 else value for at, value in enumerate(q1.tolist())]
    return pa.table(
        {name: pa.array(column) for name, column in columns.items() if name not in ("q1", "q2")}
        | {"q1": pa.array(mixed, pa.float64()), "q2": pa.array(columns["q2"].tolist(), pa.string())}
    )


def written(folder: Path, columns, parts: int = 1) -> list[Path]:
    table = arrow(columns)
    size = -(-len(table) // parts) or 1
    paths = []
    for part in range(parts):
        paths.append(folder / f"part-{part}.parquet")
        pq.write_table(table.slice(part * size, size), paths[-1])
    return paths


def into_postgres(url: str, table: pa.Table) -> None:
    kinds = {"int64": "bigint", "int8": "smallint", "double": "float8", "bool": "boolean", "string": "text"}
    fields = ", ".join(f'"{field.name}" {kinds[str(field.type)]}' for field in table.schema)
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE answers ({fields})")
        with connection.cursor().copy("COPY answers FROM STDIN") as copy:
            for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
                copy.write_row(row)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("threads", "parts"), [(1, 1), (2, 3)])
def test_duckdb_counts_what_numpy_counts(tmp_path, seed, threads, parts):
    columns = random_columns(seed)
    with parquet_answers(written(tmp_path, columns, parts), threads=threads) as table:
        counts = count_answers(table, COUNTING)
        plain = count_answers(table, replace(COUNTING, weight=None))

    assert same(counts, count_columns(columns, COUNTING))
    assert same(plain, count_columns(columns, replace(COUNTING, weight=None)))


def test_postgres_counts_what_numpy_counts(postgres_url):
    columns = random_columns(4)
    into_postgres(postgres_url, arrow(columns))
    with postgres_answers(postgres_url, "answers") as table:
        counts = count_answers(table, COUNTING)

    assert same(counts, count_columns(columns, COUNTING))


@pytest.mark.slow
def test_a_spark_cluster_counts_what_numpy_counts(tmp_path):
    pytest.importorskip("pyspark")
    for seed in SEEDS:
        columns = random_columns(seed)
        paths = [str(path) for path in written(tmp_path, columns, 3)]
        with spark_answers(paths, master="local-cluster[2,1,1024]") as table:
            counts = count_answers(table, COUNTING)

        assert same(counts, count_columns(columns, COUNTING))


def test_counts_kept_in_a_file_come_back_as_they_were(tmp_path):
    counts = count_columns(random_columns(5), COUNTING)
    save_counts(tmp_path / "counts.parquet", counts)

    assert same(load_counts(tmp_path / "counts.parquet"), counts)


def test_kept_counts_that_were_altered_are_refused(tmp_path):
    path = tmp_path / "counts.parquet"
    save_counts(path, count_columns(random_columns(5), COUNTING))
    table = pq.read_table(path)
    at = table.column_names.index("n")
    pq.write_table(table.set_column(at, "n", pa.array(-table["n"].to_numpy())), path)

    with pytest.raises(CountsError, match="负数"):
        load_counts(path)


def test_answers_that_are_nan_without_a_single_null_are_missing_all_the_same(tmp_path):
    # DuckDB 2.0 takes a file's least and largest value at their word: they leave NaN out.
    answers = np.array([1.0, np.nan, 2.0, np.nan, np.inf])
    asked = Counting(("k",), (CountedItem("q", (1, 2)),))
    pq.write_table(pa.table({"k": np.zeros(5, int), "q": answers}), tmp_path / "a.parquet")
    with parquet_answers([tmp_path / "a.parquet"]) as table:
        counts = count_answers(table, asked)

    assert counts.answered.tolist() == [[3]]
    assert same(counts, count_columns({"k": np.zeros(5, int), "q": answers}, asked))


@pytest.mark.parametrize("spoilt", [np.nan, -1.0, np.inf, 1e9, None])
def test_weights_that_are_none_are_refused_by_the_engine_too(tmp_path, spoilt):
    columns = random_columns(6)
    table = arrow(columns)
    weights = [spoilt if at in (7, 11) else value for at, value in enumerate(columns["weight"].tolist())]
    pq.write_table(
        table.set_column(table.column_names.index("weight"), "weight", pa.array(weights, pa.float64())),
        tmp_path / "a.parquet",
    )

    with parquet_answers([tmp_path / "a.parquet"]) as opened, pytest.raises(RangeError, match="2份"):
        count_answers(opened, COUNTING)


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [("place", None, pa.string()), ("place", "", pa.string()), ("school", None, pa.int64())],
)
def test_answers_that_belong_nowhere_are_refused_by_the_engine_too(tmp_path, key, value, kind):
    columns = random_columns(6)
    table = arrow(columns)
    labels = [value if at < 3 else one for at, one in enumerate(columns[key].tolist())]
    pq.write_table(
        table.set_column(table.column_names.index(key), key, pa.array(labels, kind)), tmp_path / "a.parquet"
    )

    with parquet_answers([tmp_path / "a.parquet"]) as opened:
        with pytest.raises(MissingKeyError, match="3份") as refused:
            count_answers(opened, COUNTING)
        assert key in str(refused.value)


def test_columns_of_the_wrong_kind_are_refused_before_anything_is_read(tmp_path):
    with parquet_answers(written(tmp_path, random_columns(7))) as table:
        with pytest.raises(MissingColumnError, match="q9"):
            count_answers(table, replace(COUNTING, items=(CountedItem("q9", (1,)),)))
        with pytest.raises(ColumnTypeError, match="q2"):
            count_answers(table, replace(COUNTING, items=(CountedItem("q2", (1, 2)),)))
        with pytest.raises(ColumnTypeError, match="place"):
            count_answers(table, replace(COUNTING, weight="place"))
        with pytest.raises(CountsError, match="又是选项"):
            replace(COUNTING, items=(CountedItem("q1", (1, 9)),))


def test_what_cannot_be_opened_is_refused_by_name(tmp_path, postgres_url):
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and nothing more")
    for path in (tmp_path / "absent.parquet", tmp_path / "torn.parquet"):
        with pytest.raises(AnswersUnreadableError, match=path.name), parquet_answers([path]):
            pass
        with pytest.raises(AnswersUnreadableError, match=path.name):
            load_counts(path)
    with pytest.raises(AnswersUnreadableError, match="没有给"), parquet_answers([]):
        pass
    with pytest.raises(AnswersUnreadableError, match="no_such"), postgres_answers(postgres_url, "no_such"):
        pass
    with pytest.raises(AnswersUnreadableError), postgres_answers("postgresql://127.0.0.1:1/none", "answers"):
        pass
