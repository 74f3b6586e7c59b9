"""The figure from R equals the certificate's, for every estimator; and R refuses another figure."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from survey.certification.r_script import COUNTS_FILE, SCRIPT_FILE, r_files
from survey.certification.signed_plan import read_plan
from survey.certification.table import members_of, read_table

KINDS = [
    {"weighted": False},
    {"weighted": True},
    {"weighted": True, "estimator": "weighted-parts/v1"},
    {"weighted": True, "estimator": "full-body/v1"},
]


def has_r() -> bool:
    if shutil.which("Rscript") is None:
        return False
    asked = ["Rscript", "-e", "quit(status = !requireNamespace('survey', quietly = TRUE))"]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


def unpacked(wave, folder: Path, *, shown: str | None = None, reached: bool | None = None) -> Path:
    """What R needs of a bundle, in a folder of its own."""
    plan = read_plan(wave.plan)
    rows = read_table(wave.table, plan.estimator)
    pooled = {name: tuple(inside) for name, inside in wave.statement["pooled"].items()}
    folder.mkdir()
    for name, data in r_files(rows, plan, members_of(rows, plan, pooled)).items():
        (folder / name).write_bytes(data)
    statement = json.loads(json.dumps(wave.statement))
    statement["figure"]["shown"] = shown or statement["figure"]["shown"]
    statement["reached"] = statement["reached"] if reached is None else reached
    text = json.dumps(statement, ensure_ascii=False, separators=(",", ":"))
    (folder / "statement.json").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.skipif(not has_r(), reason="R with the package survey is not installed")
def test_r_recomputes_the_figure_to_the_shown_digits_and_stops_at_another(wave_of, tmp_path):
    waves = [wave_of(seed, schools=6, **kind) for seed, kind in enumerate(KINDS * 2, 20)]
    # A group of one row, as deputies of a county are.
    waves += [wave_of(5, schools=1, void=False, **kind) for kind in KINDS]
    # The figure reaches 85 % and the teachers do not: held as one, and held each.
    apart = {
        "weighted": True,
        "schools": 6,
        "issued": (20, 30),
        "void": False,
        "satisfied": {"P": 1.0, "T": 0.7},
    }
    one, each = (
        wave_of(40, **apart, decision=f"{who}-at-least-threshold")
        for who in ("point-estimate", "every-group")
    )
    waves += [one, each]
    folders = [unpacked(wave, tmp_path / str(at)) for at, wave in enumerate(waves)]
    wrong = [
        unpacked(waves[0], tmp_path / "wrong", shown="0.0001"),
        unpacked(each, tmp_path / "turned", reached=True),
    ]
    # One R for all: loading the package takes longer than computing.
    program = f"""
    for (at in 0:{len(folders) - 1}) {{ setwd(file.path("{tmp_path}", at)); source("{SCRIPT_FILE}") }}
    for (folder in c("{wrong[0]}", "{wrong[1]}")) {{
      setwd(folder); refused <- inherits(try(source("{SCRIPT_FILE}"), silent = TRUE), "try-error")
      cat("refused", refused, "\\n")
    }}
    """
    done = subprocess.run(
        ["Rscript", "-e", program], check=False, capture_output=True, text=True, timeout=120
    )
    lines = [line.split() for line in done.stdout.splitlines()]

    said = {word: [line for line in lines if line[0] == word] for word in ("figure", "decision", "refused")}

    assert done.returncode == 0, done.stderr
    assert [line[1] for line in said["figure"][: len(waves)]] == [
        w.statement["figure"]["shown"] for w in waves
    ]
    assert (one.statement["reached"], each.statement["reached"]) == (True, False)
    assert said["decision"][len(waves) - 2 : len(waves)] == [
        ["decision", "point-estimate-at-least-threshold", "true", "statement", "true"],
        ["decision", "every-group-at-least-threshold", "false", "statement", "false"],
    ]
    assert said["refused"] == [["refused", "TRUE"]] * 2


def test_the_counts_are_exact_text_of_the_table(wave_of):
    wave = wave_of(21, weighted=True, schools=4)
    plan = read_plan(wave.plan)
    rows = read_table(wave.table, plan.estimator)
    pooled = {name: tuple(inside) for name, inside in wave.statement["pooled"].items()}
    lines = r_files(rows, plan, members_of(rows, plan, pooled))[COUNTS_FILE].decode().splitlines()

    assert lines[0] == "row,stratum,group,share,part,part_share,w,x,v"
    assert [line.split(",")[0] for line in lines[1:]] == [row["domain"] for row in wave.table]
    assert [list(map(Fraction, line.split(",")[6:])) for line in lines[1:]] == [
        [Fraction(row["w"]), row["x"], row["v"]] for row in wave.table
    ]
