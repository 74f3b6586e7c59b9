"""`survey count` on a file and on a database: the same table as the rows themselves give."""

from __future__ import annotations

import json

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from survey.cli.main import main
from survey.estimation.means import mean
from survey.sampling.design import Design
from survey.weighting.calibration import rake
from survey.weighting.margins import Margin

SPEC = """
title: 全县家长满意度
stratum: 层
units: [学校]
by: [性别, 村]
weight: 权数
missing: [拒答]
rake: {性别: {男: 5210, 女: 4990}}
items:
  - {column: 总体, options: [满意, 基本满意, 不满意, 不了解], satisfied: [满意, 基本满意],
     base: [满意, 基本满意, 不满意], label: 总体评价}
  - {column: 课业, options: [1, 2, 3], satisfied: [1, 2]}
"""


@pytest.fixture
def columns():
    rng = np.random.default_rng(7)
    n = 3000
    school = rng.integers(0, 30, n)
    return {
        "层": np.array(["城区", "镇区", "乡村"])[school % 3],
        "学校": school,
        "性别": np.array(["男", "女"])[rng.integers(0, 2, n)],
        "村": np.where(np.arange(n) < 4, "石桥", np.where(school < 15, "河东", "河西")),
        "权数": rng.uniform(1, 4, n),
        "总体": rng.choice(
            ["满意", "基本满意", "不满意", "不了解", "拒答"], n, p=[0.5, 0.3, 0.1, 0.06, 0.04]
        ),
        "课业": rng.choice([1, 2, 3], n, p=[0.6, 0.3, 0.1]),
    }


def told(*arguments: str) -> dict:
    result = CliRunner().invoke(main, ["count", *map(str, arguments), "--json"])
    return json.loads(result.output)


def test_a_parquet_file_gives_the_table_its_rows_give_and_so_do_the_counts_kept(tmp_path, columns):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")
    made = told(tmp_path / "a.parquet", "--spec", tmp_path / "s.yaml", "--keep", tmp_path / "c.parquet")
    again = told("--kept", tmp_path / "c.parquet", "--spec", tmp_path / "s.yaml")
    design = Design(columns["权数"], strata=(columns["层"],), psu=(columns["学校"],))
    raked = rake(columns["权数"], [Margin("性别", columns["性别"], {"男": 5210, "女": 4990})])
    y = np.where(
        np.isin(columns["总体"], ["不了解", "拒答"]), np.nan, np.isin(columns["总体"], ["满意", "基本满意"])
    )
    rows = mean(y, raked.applied_to(design), domain=columns["性别"] == "女", skip_missing=True)
    one = next(row for row in made["rows"] if row["domain"] == "女" and row["id"] == "总体")

    assert again == made
    assert made["answers"] == 3000
    assert one["value"] == pytest.approx(rows.value, rel=1e-10)
    assert one["se"] == pytest.approx(rows.se, rel=1e-8)
    assert (one["n"], one["df"]) == (rows.n, rows.df)
    assert one["shown"] == f"{int(rows.value * 10000) / 10000:.4f}"


def test_a_group_of_four_is_withheld_with_one_that_would_give_it_away(tmp_path, columns):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")
    made = told(tmp_path / "a.parquet", "--spec", tmp_path / "s.yaml")
    villages = [
        row for row in made["rows"] if row["domain"] in ("石桥", "河东", "河西") and row["id"] == "课业"
    ]

    assert sum(bool(row.get("withheld")) for row in villages) == 2
    assert next(row for row in villages if row["domain"] == "石桥")["value"] is None


def test_a_postgres_table_gives_the_table_a_file_gives(tmp_path, columns, postgres_url):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            'CREATE TABLE "答卷" ("层" text, "学校" int, "性别" text, "村" text, "权数" float8, "总体" text, "课业" int)'
        )
        with connection.cursor().copy('COPY "答卷" FROM STDIN') as copy:
            for row in zip(*(column.tolist() for column in columns.values()), strict=True):
                copy.write_row(row)

    assert told("--postgres", postgres_url, "--table", "答卷", "--spec", tmp_path / "s.yaml") == told(
        tmp_path / "a.parquet", "--spec", tmp_path / "s.yaml"
    )


def test_refusals_have_codes(tmp_path, columns):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    file, spec = tmp_path / "a.parquet", tmp_path / "s.yaml"

    def refused(text: str, *arguments: object) -> str:
        spec.write_text(text, encoding="utf-8")
        return told(*arguments, "--spec", spec)["error"]["code"]

    assert refused(SPEC) == "count.nothing"
    assert refused(SPEC, "--postgres", "postgresql://x/y") == "count.nothing"
    assert refused(SPEC, tmp_path / "none.parquet") == "storage.answers_unreadable"
    assert refused(SPEC.replace("units: [学校]", "units: [校]"), file) == "cases.missing_column"
    assert refused(SPEC.replace("[1, 2, 3]", "[1, 2, 三]"), file) == "cases.counts"
    assert refused(SPEC.replace("missing: [拒答]", "missing: []"), file) == "cases.unlisted_answer"
    assert refused(SPEC.replace("女: 4990", "女: 4990, 未知: 3"), file) == "weighting.margin_empty"
    assert refused(SPEC.replace("satisfied: [1, 2]", "satisfied: [1, 9]"), file) == "survey.faults"
    assert refused("title: x\nunits: []\nitems: []\n", file) == "survey.faults"
