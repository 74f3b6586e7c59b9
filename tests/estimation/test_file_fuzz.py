"""Whatever is thrown at the reader of files and of specs, a refusal or a result comes out, never a traceback."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.cases.case_table import read_case_table
from survey.cases.column_expression import read_formula
from survey.errors import SurveyError
from survey.estimation.analysis.run import analyse
from survey.estimation.analysis.sample import sample_of
from survey.estimation.analysis.spec import columns_needed, read_spec

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))
COLUMNS = ("school", "stratum", "w", "q", "x")


def reckon(cases: bytes, spec: bytes | str) -> dict[str, Any]:
    """What the job does, without files."""
    read = read_spec(spec)
    columns = read_case_table(cases, "cases.csv", wanted=columns_needed(read), encoding=read.cases.encoding)

    def beside(name: str) -> Any:
        return read_case_table(b"margin,category,total\nq,1,5\nq,2,5\n", name)

    document = analyse(read, sample_of(read, columns, beside))
    json.dumps(document, allow_nan=False)
    return document


words = st.one_of(
    st.sampled_from(["a", "b", "1", "2", "3", "-1", "0", "", "NaN", "inf", "1e308", "-0.0", "满意", "是", " ", "1.0", '"', "'"]),
    st.text(max_size=6),
    st.floats(allow_nan=True, allow_infinity=True).map(str),
)  # fmt: skip
tables = st.lists(st.tuples(*(words for _ in COLUMNS)), min_size=0, max_size=12)
names = st.sampled_from([*COLUMNS, "y", "a", "nowhere"])
scalars = st.one_of(
    names, words, st.integers(-3, 10), st.floats(-2, 5).map(lambda v: round(v, 3)), st.booleans(), st.none()
)
some_names = st.one_of(names, st.lists(names, max_size=3))


def mapping(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=parts)


where = st.dictionaries(names, st.one_of(scalars, st.lists(scalars, max_size=2)), max_size=2)
totals = st.dictionaries(words, st.one_of(st.integers(-1, 20), scalars), max_size=3)
margin = mapping(by=some_names, totals=totals)
step = mapping(
    nonresponse=mapping(responded=where, cells=some_names, minimum=scalars, propensity=mapping(numeric=some_names, categorical=some_names, classes=scalars)),
    poststratify=mapping(by=some_names, totals=totals, file=scalars),
    rake=mapping(margins=st.lists(margin, max_size=2), file=scalars, use=some_names, rescale=scalars),
    calibrate=mapping(distance=st.sampled_from(["linear", "raking", "logit"]), bounds=st.lists(scalars, max_size=3), population=scalars, totals=totals, margins=st.lists(margin, max_size=2), one_factor_per=scalars),
    trim=mapping(upper=scalars, lower=scalars, strict=scalars, times_median=scalars, groups=some_names),
)  # fmt: skip
item = mapping(
    column=names, columns=some_names, id=scalars,
    statistic=st.sampled_from(["proportion", "mean", "total", "ratio", "quantile", "distribution"]),
    satisfied=st.lists(words, max_size=2), points=totals, dont_know=mapping(options=st.lists(words, max_size=2), counts=st.sampled_from(["left_out", "not_satisfied", "middle"])),
    silent=st.sampled_from(["leave_base", "leave_sample", "not_satisfied", "refuse"]), missing=st.lists(words, max_size=2),
    denominator=names, answers_stand_for=some_names,
)  # fmt: skip
design = mapping(
    stages=st.lists(mapping(strata=some_names, units=names, population=scalars), max_size=2),
    pps=mapping(probability=names, method=st.sampled_from(["brewer", "overton", "hartley_rao", "poisson", "joint"])),
    replicates=mapping(columns=some_names, kind=st.sampled_from(["JK1", "JKn", "BRR", "Fay", "other"]), fay=scalars, scale=scalars),
    make_replicates=mapping(kind=st.sampled_from(["JK1", "JKn", "BRR", "Fay", "bootstrap", "successive_differences"]), count=st.integers(2, 6), seed=scalars),
    lonely_psu=st.sampled_from(["fail", "remove", "certainty", "adjust", "average"]),
)  # fmt: skip
specs = st.fixed_dictionaries(
    {"title": words, "items": st.lists(item, max_size=2)},
    optional={
        "design": design,
        "base_weights": st.lists(mapping(weight=names, probability=names, population=scalars, constant=scalars, total=scalars, within=some_names), max_size=2),
        "weighting": st.lists(step, max_size=2),
        "domains": st.lists(mapping(by=some_names, where=where, name=words), max_size=2),
        "composites": st.lists(mapping(id=words, parts=st.lists(mapping(of=names, share=scalars, where=where), max_size=2)), max_size=1),
        "comparisons": st.lists(mapping(item=names, by=names, against=scalars), max_size=1),
        "lines": st.lists(mapping(of=names, at_least=scalars), max_size=1),
        "interval": mapping(method=st.sampled_from(["korn_graubard", "logit", "wilson", "beta", "asin", "likelihood", "mean"]), level=scalars, z=scalars),
        "cases": mapping(missing=st.lists(words, max_size=2), sample=where),
        "derive": st.dictionaries(st.sampled_from(["y", "x", "满意"]), st.one_of(words, st.sampled_from(["q + 1", "first(x, q)", "q / x", "log(x)", "same(q, x)", "if(q > 1, x)", "school == 'a'"])), max_size=1),
        "published": mapping(rate=names, n=names, key=some_names),
        "quality": mapping(items=some_names),
        "disclosure": mapping(minimum_count=scalars),
    },
)  # fmt: skip
good_items = st.fixed_dictionaries(
    {"column": st.sampled_from(["q", "x"])},
    optional={"statistic": st.sampled_from(["mean", "total", "quantile", "distribution"])},
)
nearly = st.fixed_dictionaries(
    {"title": st.just("t"), "items": st.lists(good_items, min_size=1, max_size=1), "base_weights": st.just([{"weight": "w"}]), "disclosure": st.just({"minimum_count": 1})},
    optional={"design": design, "weighting": st.lists(step, max_size=1), "domains": st.just([{"by": "stratum"}]), "interval": mapping(level=st.sampled_from([0.9, 0.99]))},
)  # fmt: skip


def as_csv(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    import csv

    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", errors="replace")


def survives(cases: bytes, spec: dict[str, Any]) -> None:
    try:
        reckon(cases, yaml.safe_dump(spec, allow_unicode=True))
    except SurveyError as refusal:
        assert "." in refusal.code


good_rows = st.lists(
    st.tuples(
        st.sampled_from("abcd"), st.sampled_from("12"), st.sampled_from(["1", "2.5", "0"]), st.sampled_from(["1", "2", ""]), st.sampled_from(["3", "4.5", "-1"])
    ),
    min_size=1,
    max_size=14,
)  # fmt: skip


@QUICK
@given(st.one_of(st.binary(max_size=300), st.builds(lambda head, tail: head + tail, st.sampled_from([b"PAR1", b"$FL2", b"$FL3", b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"\xef\xbb\xbf"]), st.binary(max_size=200)), st.binary(max_size=100).map(gzip.compress)))  # fmt: skip
def test_any_bytes_are_a_table_or_a_refusal(data: bytes) -> None:
    try:
        columns = read_case_table(data, "x")
    except SurveyError:
        return

    assert all(len(column) == len(columns) > 0 for column in columns.columns.values())


@QUICK
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_any_text_is_a_spec_or_a_refusal(text: str | bytes) -> None:
    with pytest.raises(SurveyError):
        read_spec(text)


@QUICK
@given(st.text(alphabet=st.sampled_from("qx`()+-*/<>=,.'10 andornotif\\\n中"), max_size=40))
def test_any_formula_gives_numbers_or_a_refusal(text: str) -> None:
    columns = read_case_table(b"q,x,w\n1,2,3\n4,,0\n", "x")
    try:
        values = read_formula("y", text).column(columns).numbers()
    except SurveyError:
        return

    assert len(values) == 2 and not np.isinf(values).any()


@QUICK
@given(tables, specs)
def test_any_spec_on_any_table_gives_a_result_or_a_refusal(
    rows: list[tuple[str, ...]], spec: dict[str, Any]
) -> None:
    survives(as_csv(rows), spec)


@QUICK
@given(good_rows, nearly)
def test_nearly_right_specs_give_a_result_or_a_refusal(
    rows: list[tuple[str, ...]], spec: dict[str, Any]
) -> None:
    survives(as_csv(rows), spec)


@pytest.mark.slow
@LONG
@given(good_rows, st.one_of(nearly, specs))
def test_many_specs_give_a_result_or_a_refusal(rows: list[tuple[str, ...]], spec: dict[str, Any]) -> None:
    survives(as_csv(rows), spec)
