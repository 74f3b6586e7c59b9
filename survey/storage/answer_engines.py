"""Where answers lie in columns, and how they are counted there: DuckDB, PostgreSQL, Spark.

Enters: the place of the columns. Leaves: an Ibis table while it is open, and `AnswerCounts` from one
pass over it. The expression is `cases.counting_expression`, the same for all; only the counts come
back, so the answers never pass through this process's memory.

DuckDB is embedded and needs nothing beside the package. Spark and its Java come with the extra
`spark`. Counts are kept as Parquet, with what was counted written into the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from survey.cases.answer_counts import COUNTED, AnswerCounts, CountedItem, Counting
from survey.cases.counting_expression import counting_expression, counts_from_rows
from survey.errors import SurveyError

KEPT = b"survey.counting"
"""Where in the file's own notes it is written what was counted."""


class AnswersUnreadableError(SurveyError):
    """Columns of answers that are not there, cannot be opened, or that the engine stopped reading."""

    code = "storage.answers_unreadable"
    kind = "invalid"


class EngineMissingError(SurveyError):
    """An engine that is not installed."""

    code = "storage.engine_missing"
    kind = "refused"


@contextmanager
def parquet_answers(paths: Sequence[Path], *, threads: int | None = None) -> Iterator[ir.Table]:
    """Answers in Parquet files of one structure, read by DuckDB inside this process.

    Raises:
        AnswersUnreadableError: a file that is not there, or is no Parquet.
    """
    for path in paths:
        if not path.is_file():
            raise AnswersUnreadableError(f"文件{path.name}", "找不到", "核对文件的位置和名字")
    if not paths:
        raise AnswersUnreadableError("答卷文件", "一个也没有给", "写明至少一个Parquet文件")
    connection = ibis.duckdb.connect(**({} if threads is None else {"threads": threads}))
    try:
        with _refusing(f"文件{paths[0].name}", "核对它是不是完整的Parquet文件，各文件的列要相同"):
            table = connection.read_parquet([str(path) for path in paths], table_name="answers")
        yield table
    finally:
        connection.disconnect()


@contextmanager
def postgres_answers(url: str, table: str, *, schema: str | None = None) -> Iterator[ir.Table]:
    """Answers in a table or view of a PostgreSQL database, counted by its server.

    Raises:
        AnswersUnreadableError: no connection, or no such table.
    """
    with _refusing("PostgreSQL", "核对地址、用户和密码，确认数据库在运行"):
        raw = psycopg.connect(url)
    try:
        connection = ibis.postgres.from_connection(raw)
        with _refusing(f"数据表{table}", "核对表名，确认这个用户可以读它"):
            opened = connection.table(table, database=schema)
        yield opened
    finally:
        raw.close()


@contextmanager
def spark_answers(
    paths: Sequence[str], *, master: str = "local[*]", settings: dict[str, str] | None = None
) -> Iterator[ir.Table]:
    """Answers in Parquet files that a Spark cluster can reach, counted by its workers.

    Args:
        paths: files or folders, as the workers see them.
        master: the cluster's address; `local[*]` is this machine.
        settings: further Spark settings.

    Raises:
        EngineMissingError: Spark is not installed. AnswersUnreadableError: no such files.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as absent:
        raise EngineMissingError(
            "Spark", "没有安装", "运行 pip install 'county-survey[spark]'，并装好Java 17以上"
        ) from absent

    builder = SparkSession.builder.master(master).appName("survey count")
    # Overflow and bad casts must stop the pass and never become a silent null.
    chosen = {"spark.sql.ansi.enabled": "true", "spark.ui.enabled": "false", **(settings or {})}
    for name, value in chosen.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        session.sparkContext.setLogLevel("ERROR")
        connection = ibis.pyspark.connect(session)
        with _refusing("Spark的答卷文件", "核对位置，每个工作节点都要能读到"):
            session.read.parquet(*paths).createOrReplaceTempView("answers")
            table = connection.table("answers")
        yield table
    finally:
        session.stop()


def count_answers(table: ir.Table, counting: Counting) -> AnswerCounts:
    """The counts of an open table, in one pass by its engine.

    Raises:
        AnswersUnreadableError: the engine stopped. Those of `counting_expression` and `counts_from_rows`.
    """
    expression = counting_expression(table, counting)
    with _refusing("计数", "核对数据是否完整；权数合计过大时先除以1000"):
        rows = expression.to_pyarrow()
    return counts_from_rows(_columns(rows), counting)


def save_counts(path: Path, counts: AnswerCounts) -> None:
    """Write counts to a Parquet file, with what was counted."""
    columns: dict[str, Any] = {f"key_{at}": counts.keys[name] for at, name in enumerate(counts.counting.keys)}
    for name in COUNTED:
        column = getattr(counts, name)
        if column.ndim == 1:
            columns[name] = column
        else:
            columns |= {f"{name}_{at}": column[:, at] for at in range(column.shape[1])}
    counting = counts.counting
    told = {
        "keys": counting.keys,
        "items": [{"name": item.name, "options": item.options} for item in counting.items],
        "weight": counting.weight,
        "missing": counting.missing,
    }
    note = json.dumps(told, ensure_ascii=False).encode("utf-8")
    pq.write_table(pa.table(columns).replace_schema_metadata({KEPT: note}), path)


def load_counts(path: Path) -> AnswerCounts:
    """The counts that `save_counts` kept.

    Raises:
        AnswersUnreadableError: not there, or no file of counts. CountsError: counts that cannot be.
    """
    if not path.is_file():
        raise AnswersUnreadableError(f"计数文件{path.name}", "找不到", "核对位置，或者重新计数")
    with _refusing(f"计数文件{path.name}", "用survey count重新计数"):
        table = pq.read_table(path)
        told = json.loads((table.schema.metadata or {})[KEPT])
        counting = Counting(
            tuple(told["keys"]),
            tuple(CountedItem(item["name"], tuple(item["options"])) for item in told["items"]),
            told["weight"],
            tuple(told["missing"]),
        )
        columns = _columns(table)
        widths = {
            "answered": len(counting.items),
            "option_n": int(counting.starts[-1]),
            "option_weight": int(counting.starts[-1]),
        }
        counted = [
            np.column_stack([columns[f"{name}_{at}"] for at in range(widths[name])])
            if name in widths
            else columns[name]
            for name in COUNTED
        ]
        keys = {
            name: column.astype(str) if (column := columns[f"key_{at}"]).dtype == object else column
            for at, name in enumerate(counting.keys)
        }
    return AnswerCounts(counting, keys, *counted)


def _columns(table: pa.Table) -> dict[str, np.ndarray]:
    return {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}


@contextmanager
def _refusing(thing: str, remedy: str) -> Iterator[None]:
    """Whatever an engine raises becomes a refusal; each has its own kinds, and none of them is ours."""
    try:
        yield
    except SurveyError:
        raise
    except Exception as problem:
        # The first line says what; addresses and passwords stand in none of the engines' first lines.
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
        raise AnswersUnreadableError(thing, f"读不出来（{reason}）", remedy) from problem
