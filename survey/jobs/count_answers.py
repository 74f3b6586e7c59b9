"""Count answers where they lie, keep the counts, and make tables from counts kept before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survey.cases.answer_counts import AnswerCounts
from survey.errors import SurveyError
from survey.estimation.counted_table import CountSpec, counted_table, counting_of, read_count_spec
from survey.storage.answer_engines import (
    count_answers,
    load_counts,
    parquet_answers,
    postgres_answers,
    save_counts,
    spark_answers,
)


class NothingToCountError(SurveyError):
    """No place of answers was named, or several."""

    code = "count.nothing"
    kind = "invalid"


@dataclass(frozen=True)
class AnswerPlace:
    """Where the answers lie: Parquet files, for DuckDB or a Spark cluster; or a table in PostgreSQL."""

    files: tuple[Path, ...] = ()
    spark: str | None = None
    postgres: str | None = None
    table: str | None = None


def count_and_tabulate(
    spec_text: bytes, place: AnswerPlace, *, keep: Path | None = None, kept: Path | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, Any]:
    """The tables of a spec, as one document, from answers counted now or counts kept before.

    Args:
        keep: where to keep the counts.
        kept: counts kept before; then the answers are not touched.
        progress: told the share done and the step; an engine does not tell how far a pass is.

    Raises:
        SurveyError: named, from the spec, the engine, the counts or the analysis.
    """
    tell = progress or (lambda share, what: None)
    spec = read_count_spec(spec_text)
    tell(0.02, "读计数" if kept is not None else "数答卷")
    counts = load_counts(kept) if kept is not None else _counted(spec, place)
    if keep is not None:
        save_counts(keep, counts)
    tell(0.8, "算误差和区间")
    table = counted_table(spec, counts)
    tell(1.0, "完成")
    return table


def _counted(spec: CountSpec, place: AnswerPlace) -> AnswerCounts:
    """The counts of the answers, in one pass by their engine."""
    if bool(place.files) == (place.postgres is not None):
        raise NothingToCountError(
            "survey count", "要写Parquet文件，或者写--postgres和--table，只写一种", "看survey count --help"
        )
    if place.postgres is not None:
        if place.table is None:
            raise NothingToCountError("--postgres", "没有写数据表", "用--table写明表或视图的名字")
        opened = postgres_answers(place.postgres, place.table)
    elif place.spark is not None:
        opened = spark_answers([str(path) for path in place.files], master=place.spark)
    else:
        opened = parquet_answers(place.files)
    with opened as table:
        schema = table.schema()
        return count_answers(
            table, counting_of(spec, lambda name: name in schema and schema[name].is_string())
        )
