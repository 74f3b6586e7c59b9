"""Columns of a Parquet or an SPSS file, as the same texts that a CSV would give.

Enters: bytes. Leaves: `Columns` with the labels and user-missing values that an SPSS file brings,
or faults. A number becomes the shortest text that reads back as the same number, so that nothing
is lost on the way; a NaN that is not a null stays "nan", and whoever uses the column refuses it.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from survey.columns import Column, Columns, number_text
from survey.errors import Fault


def read_parquet(data: bytes, wanted: Collection[str] | None) -> tuple[Columns | None, tuple[Fault, ...]]:
    """The wanted columns of a Parquet file (all when None), or its faults."""
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        names = list(file.schema_arrow.names)
        if faults := _twice(names):
            return None, faults
        kept = [name for name in names if wanted is None or name in wanted]
        table = file.read(columns=kept)
        n = file.metadata.num_rows
        if n == 0:
            return None, (_no_rows(),)
        columns: dict[str, Column] = {}
        nested = []
        for name in kept:
            made = _arrow_column(name, table.column(name))
            if made is None:
                kind = str(table.column(name).type)
                nested.append(
                    Fault(
                        "cases.nested", f"是{kind}类型，不是一格一个值", "把它拆成普通的列再存", column=name
                    )
                )
            else:
                columns[name] = made
    except (arrow.ArrowException, OSError, ValueError, KeyError, RuntimeError) as error:
        return None, (
            Fault(
                "cases.parquet_broken",
                f"Parquet文件读不出来（{type(error).__name__}）",
                "重新导出这个文件再算",
            ),
        )
    return (None, tuple(nested)) if nested else (Columns(columns, n, tuple(names)), ())


def _arrow_column(name: str, chunked: Any) -> Column | None:
    import pyarrow as arrow

    if arrow.types.is_nested(chunked.type):
        return None
    if arrow.types.is_dictionary(chunked.type):
        chunked = chunked.cast(chunked.type.value_type)
    coded = chunked.combine_chunks().dictionary_encode()
    if isinstance(coded, arrow.ChunkedArray):
        coded = coded.combine_chunks()
    code = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
    return _joined(name, code, ["", *(_text(value) for value in coded.dictionary.to_pylist())])


def _joined(name: str, code: np.ndarray, texts: list[str], **more: Any) -> Column:
    """The column with equal texts joined under one code."""
    plain: dict[str, int] = {}
    moved = np.array([plain.setdefault(text, len(plain)) for text in texts], dtype=np.int64)
    return Column(name, moved[code], tuple(plain), **more)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    return str(value).strip()


def read_sav(
    data: bytes, wanted: Collection[str] | None, encoding: str | None
) -> tuple[Columns | None, tuple[Fault, ...]]:
    """The wanted columns of an SPSS file (.sav, .zsav) with labels and user-missing values, or its faults.

    Source: pyreadstat (ReadStat); user-missing ranges as SPSS's MISSING VALUES gives them.
    """
    import pyreadstat

    try:
        values, meta = pyreadstat.read_sav(
            io.BytesIO(data),
            output_format="dict",
            user_missing=True,
            disable_datetime_conversion=True,
            encoding={"utf-8": "UTF-8", "gb18030": "GB18030", None: None}[encoding],
        )
    except Exception as error:  # noqa: BLE001 - a C parser met by hostile bytes may raise anything.
        return None, (
            Fault(
                "cases.sav_broken",
                f"SPSS文件读不出来（{type(error).__name__}）",
                "用SPSS或问卷平台重新导出再算",
            ),
        )
    names = list(meta.column_names)
    if faults := _twice(names):
        return None, faults
    if not meta.number_rows:
        return None, (_no_rows(),)
    columns = {}
    for name in names:
        if wanted is not None and name not in wanted:
            continue
        labels = {
            _text(float(key) if isinstance(key, int) and not isinstance(key, bool) else key): str(label)
            for key, label in meta.variable_value_labels.get(name, {}).items()
        }
        texts, code = _coded(np.asarray(values[name]))
        column = _joined(name, code, texts, labels=labels, title=meta.column_names_to_labels.get(name) or "")
        # Reading gives ranges only; the library's annotation also names what its writer takes.
        ranges = [one for one in meta.missing_ranges.get(name, []) if isinstance(one, dict)]
        columns[name] = column.without([text for text in column.distinct if _is_user_missing(text, ranges)])
    return Columns(columns, int(meta.number_rows), tuple(names)), ()


def _coded(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Distinct texts and codes of an SPSS column; its system-missing value is NaN or None."""
    if values.dtype.kind in "fiu":
        numbers = values.astype(np.float64)
        absent = np.isnan(numbers)
        found, inner = np.unique(numbers[~absent], return_inverse=True)
        code = np.zeros(len(numbers), dtype=np.int64)
        code[~absent] = inner.reshape(-1) + 1
        return ["", *(number_text(float(value)) for value in found)], code
    table: dict[str, int] = {}
    texts = ["" if isinstance(v, float) and np.isnan(v) else _text(v) for v in values.tolist()]
    code = np.array([table.setdefault(text, len(table)) for text in texts], dtype=np.int64)
    return list(table), code


def _is_user_missing(text: str, ranges: Sequence[Mapping[str, Any]]) -> bool:
    for one in ranges:
        low, high = one["lo"], one["hi"]
        if isinstance(low, str):
            if text == low.strip():
                return True
            continue
        try:
            if low <= float(text) <= high:
                return True
        except ValueError:
            continue
    return False


def _twice(names: list[str]) -> tuple[Fault, ...]:
    return tuple(
        Fault("cases.header_twice", f"有{names.count(name)}列都叫这个名字", "给每一列不同的名字", column=name)
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    )


def _no_rows() -> Fault:
    return Fault("cases.no_rows", "文件里一条记录也没有", "核对是不是选错了文件")
