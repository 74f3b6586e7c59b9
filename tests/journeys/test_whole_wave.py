"""A whole wave of the sample county, from the school frame to a certificate a stranger checks."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from survey import canonical
from survey.certification.verification import verify_file
from survey.cli.demo import LIVE_WAVE, demonstrate
from survey.cli.main import main
from survey.settings import load_settings

from .conftest import SEED, Demonstration

SAME_ON_BOTH = ("schools", "schools_drawn", "strata", "slips", "answers", "figure", "figure_shown",
                "standard_error", "interval", "threshold", "decision", "groups")  # fmt: skip


def statement_of(one: Demonstration) -> dict:
    return canonical.decode(Path(one.report["certificate"]).read_bytes())["statement"]


def test_the_sample_county_ends_in_a_certified_figure(on_sqlite: Demonstration) -> None:
    report = on_sqlite.report
    verdict = verify_file(Path(report["certificate"]).read_bytes())

    assert report["schools"] == 56
    assert report["slips"] > report["answers"] > 300
    assert 0.5 < float(report["figure_shown"]) < 1
    assert float(report["interval"]["lower"]) < float(report["figure_shown"]) < float(report["interval"]["upper"])
    assert float(report["standard_error"]) > 0
    assert report["threshold"] == "0.85"
    assert verdict.exit_code == 0, verdict.lines()


def test_postgresql_gives_the_same_figure_to_the_last_digit(
    on_sqlite: Demonstration, on_postgres: Demonstration
) -> None:
    ours, theirs = statement_of(on_sqlite), statement_of(on_postgres)

    assert {key: on_sqlite.report[key] for key in SAME_ON_BOTH} == {
        key: on_postgres.report[key] for key in SAME_ON_BOTH
    }
    assert ours["figure"] == theirs["figure"]
    assert ours["case_file_digest"] == theirs["case_file_digest"]
    assert verify_file(Path(on_postgres.report["bundle"]).read_bytes()).exit_code == 0


@pytest.mark.long
def test_the_same_seed_gives_the_same_figure_on_another_day_and_address(
    on_sqlite: Demonstration, tmp_path: Path
) -> None:
    settings = load_settings({}, data=tmp_path / "again", base_url="https://survey.example", least_free_share=0.0)
    again = asyncio.run(demonstrate(settings, SEED, quiet=True))

    assert {key: again[key] for key in SAME_ON_BOTH} == {key: on_sqlite.report[key] for key in SAME_ON_BOTH}


@pytest.mark.long
def test_another_seed_draws_other_schools(on_sqlite: Demonstration, tmp_path: Path) -> None:
    settings = load_settings({}, data=tmp_path / "other", least_free_share=0.0)
    other = asyncio.run(demonstrate(settings, "8", quiet=True))

    assert other["figure_shown"] != on_sqlite.report["figure_shown"]


def test_the_command_refuses_a_certificate_after_any_one_byte_is_changed(
    on_sqlite: Demonstration, tmp_path: Path
) -> None:
    original = Path(on_sqlite.report["certificate"]).read_bytes()
    accepted = [
        place
        for place in range(0, len(original), 61)
        if verify_file(original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :]).exit_code == 0
    ]
    altered = tmp_path / "altered.json"
    altered.write_bytes(original.replace(b'"reached":', b'"reacheD":', 1))
    refused = CliRunner().invoke(main, ["verify", str(altered)])
    held = CliRunner().invoke(main, ["verify", on_sqlite.report["certificate"]])

    assert accepted == []
    assert refused.exit_code == 1
    assert "✗" in refused.output and "Traceback" not in refused.output
    assert held.exit_code == 0


@pytest.mark.slow
def test_no_single_byte_of_the_certificate_can_change_unnoticed(on_sqlite: Demonstration) -> None:
    original = Path(on_sqlite.report["certificate"]).read_bytes()
    accepted = [
        place
        for place in range(len(original))
        if verify_file(original[:place] + bytes([original[place] ^ 4]) + original[place + 1 :]).exit_code == 0
    ]

    assert accepted == []


def test_the_poster_archive_holds_a_file_for_every_drawn_school(on_sqlite: Demonstration) -> None:
    with zipfile.ZipFile(on_sqlite.report["posters"]) as archive:
        names = archive.namelist()

    assert len([name for name in names if name[:10].isdigit()]) == on_sqlite.report["schools_drawn"]
    assert all(name.endswith(".pdf") for name in names)


def test_codes_are_kept_nowhere_once_the_wave_is_open(on_sqlite: Demonstration) -> None:
    code = on_sqlite.report["live_code"].encode()
    folder = on_sqlite.settings.data
    # The folder `out` stands for the printed heap: paper is where codes belong.
    holding = [
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and folder / "out" not in path.parents and code in path.read_bytes()
    ]

    assert holding == []
    assert not list(on_sqlite.settings.print_files.glob(f"{LIVE_WAVE}*"))


def test_a_certified_wave_tells_its_tables_another_formula_and_its_flags(on_sqlite: Demonstration) -> None:
    def told(*command: str) -> str:
        return CliRunner().invoke(main, [*command, "--data", str(on_sqlite.settings.data)]).output

    wave = on_sqlite.report["wave"]
    whole = told("estimate", wave, "--by", "place,school", "--formula", "top_two_over_all")

    assert on_sqlite.report["figure"] in whole and "乡村：" in whole
    assert "小学 家长：" in whole and "最好两项÷全部答卷" in whole
    assert "没有这种算法" in told("estimate", wave, "--formula", "nothing")
    assert "没有这种分组" in told("estimate", wave, "--by", "person")
    assert "I10" in told("flags", wave) or "没有提示" in told("flags", wave)


def test_the_command_prints_one_json_document_and_runs_outside_the_checkout(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "survey", "demo", "--no-serve", "--json", "--seed", SEED, "--data", "wave"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    other = subprocess.run([*command[:-4], "--seed", "9", "--data", "wave"], cwd=tmp_path, capture_output=True, text=True, check=False)
    report = json.loads(first.stdout)

    assert report["demonstration"] is True
    assert json.loads(again.stdout)["figure"] == report["figure"]
    assert other.returncode == 1
    assert json.loads(other.stdout)["error"]["code"] == "demo.folder_in_use"
    assert all(Path(report[key]).is_file() for key in ("posters", "slips_pdf", "certificate", "bundle", "sheet"))
