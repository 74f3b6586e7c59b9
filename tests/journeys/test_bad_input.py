"""What the command line says to clumsy and hostile input: thing, reason, remedy; nothing half-done."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from survey.cli.main import main
from survey.sampling.frame_file import sample_county
from survey.scheme.plan import example_plan_text

WAVE = "yuntai-2026-autumn"
Survey = Callable[..., Result]


@pytest.fixture
def survey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Survey:
    """The command over a data folder of this test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVEY_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SURVEY_DATABASE_URL", raising=False)

    def call(*words: str) -> Result:
        return CliRunner().invoke(main, list(words))

    return call


@pytest.fixture
def framed(survey: Survey, tmp_path: Path) -> Survey:
    """The same, with two signers, the sample county's plan and its frame."""
    for role in ("operator", "approver"):
        (tmp_path / role).write_text(f"{role}-passphrase\n")
        assert survey("signer", role, "--passphrase-file", role).exit_code == 0
    (tmp_path / "plan.yaml").write_text(example_plan_text(), encoding="utf-8")
    (tmp_path / "frame.csv").write_bytes(sample_county("frame.csv"))
    assert survey("plan", "plan.yaml").exit_code == 0
    assert survey("import", "frame.csv", "--wave", WAVE).exit_code == 0
    return survey


def refusal(result: Result) -> dict:
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return json.loads(result.stdout)["error"]


def state(survey: Survey) -> str:
    return json.loads(survey("waves", "--json").stdout)["waves"][0]["state"]


def test_a_plan_is_told_in_words_and_whoever_cannot_sign_yet_is_told_how(survey: Survey, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(example_plan_text(), encoding="utf-8")
    told = survey("plan", "plan.yaml").stdout
    (tmp_path / "operator").write_text("operator-passphrase\n")
    words = ("sign", WAVE, "--operator-passphrase-file", "operator", "--approver-passphrase-file", "operator", "--json")
    said = refusal(survey(*words))

    assert f"调查：{WAVE}" in told and "  家长：parents，抽人" in told and "人大代表160人" in told
    assert not re.search(r"[{}']|None|True", told)
    assert said["code"] == "signers.missing" and "survey signer operator" in said["remedy"]


def test_a_plan_whose_dates_run_backwards_is_refused_at_its_field(survey: Survey, tmp_path: Path) -> None:
    text = example_plan_text().replace("closes_on: 2026-12-05", "closes_on: 2026-10-05")
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    said = refusal(survey("plan", "plan.yaml", "--json"))

    assert [fault["item"] for fault in said["faults"]] == ["closes_on"]
    assert json.loads(survey("waves", "--json").stdout) == {"waves": []}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2", b"wave: 7\n" * 3, b"\x00" * 50])
def test_a_file_that_is_no_plan_is_refused(survey: Survey, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plan.yaml").write_bytes(content)
    said = refusal(survey("plan", "plan.yaml", "--json"))

    assert said["faults"]


def test_every_fault_of_a_frame_comes_at_once_and_the_earlier_frame_stays(framed: Survey, tmp_path: Path) -> None:
    rows = sample_county("frame.csv").decode("utf-8-sig").splitlines()
    rows[2] = rows[2].replace("3207042002", "320704200")
    rows[3] = rows[3].replace(",220,", ",999,")
    rows[5] = rows[5].replace(rows[5][:10], "3207042001")
    (tmp_path / "bad.csv").write_text("\n".join(rows), encoding="utf-8")
    said = refusal(framed("import", "bad.csv", "--wave", WAVE, "--json"))
    dry = framed("import", "bad.csv", "--wave", WAVE, "--dry-run", "--json")

    assert [(fault["row"], fault["column"]) for fault in said["faults"]] == [
        (3, "学校代码"),
        (4, "城乡分类码"),
        (6, "学校代码"),
    ]
    lines = [
        framed("import", "bad.csv", "--wave", WAVE, "--json-lines", *more)
        for more in ((), ("--dry-run",))
    ]
    assert dry.exit_code == 1
    assert json.loads(dry.stdout)["imported"] is False
    for told in lines:
        faults = [json.loads(line) for line in told.stdout.splitlines() if '"fault"' in line]
        assert told.exit_code == 1
        assert [(one["row"], one["column"]) for one in faults] == [(3, "学校代码"), (4, "城乡分类码"), (6, "学校代码")]
    assert framed("draw", WAVE, "--json").exit_code == 0
    assert state(framed) == "framed"


def test_a_column_map_is_read_from_a_file_and_a_name_nobody_saved_is_refused(
    framed: Survey, tmp_path: Path
) -> None:
    text = sample_county("frame.csv").decode("utf-8-sig").replace("学校名称", "所在单位全称", 1)
    (tmp_path / "other.csv").write_text(text, encoding="utf-8")
    (tmp_path / "map.toml").write_text('name = "所在单位全称"\n', encoding="utf-8")
    (tmp_path / "bad.toml").write_text('nom = "所在单位全称"\n', encoding="utf-8")
    without = framed("import", "other.csv", "--wave", WAVE, "--dry-run")
    mapped = framed("import", "other.csv", "--wave", WAVE, "--map", "map.toml", "--dry-run", "--json")
    unknown = refusal(framed("import", "other.csv", "--wave", WAVE, "--map", "去年的", "--json"))
    wrong = refusal(framed("import", "other.csv", "--wave", WAVE, "--map", "bad.toml", "--json"))

    assert without.exit_code == 1
    assert json.loads(mapped.stdout)["columns"]["name"] == "所在单位全称"
    assert unknown["code"] == wrong["code"] == "cli.column_map" and "nom" in wrong["reason"]


def test_steps_taken_in_the_wrong_order_change_nothing(framed: Survey) -> None:
    two = ("--operator-passphrase-file", "operator", "--approver-passphrase-file", "approver")
    codes = {
        "sign": refusal(framed("sign", WAVE, *two, "--json"))["code"],
        "slips": refusal(framed("slips", WAVE, "--json"))["code"],
        "publish": refusal(framed("publish", WAVE, "--json"))["code"],
        "close": refusal(framed("close", WAVE, *two, "--json"))["code"],
        "open": refusal(framed("open", WAVE, *two, "--json"))["code"],
        "estimate": refusal(framed("estimate", WAVE, "--json"))["code"],
        "certify": refusal(framed("certify", WAVE, *two, "--json"))["code"],
    }

    assert all("." in code for code in codes.values())
    assert state(framed) == "framed"


def test_one_person_cannot_sign_for_two(framed: Survey, tmp_path: Path) -> None:
    framed("draw", WAVE, "--seed", "5")
    wrong = refusal(
        framed("sign", WAVE, "--operator-passphrase-file", "operator",
               "--approver-passphrase-file", "operator", "--json")
    )  # fmt: skip

    assert wrong["code"] == "certification.key_file"
    assert state(framed) == "drawn"
    assert not list((tmp_path / "data" / "print").glob("*"))


def test_an_unknown_wave_is_named(framed: Survey) -> None:
    said = refusal(framed("draw", "nowhere-2026", "--json"))

    assert "nowhere-2026" in said["thing"]


def test_a_port_in_use_is_named_with_the_next_one(survey: Survey) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        said = refusal(survey("serve", "--port", str(port), "--json"))

    assert said["code"] == "serve.port_in_use"
    assert str(port + 1) in said["remedy"]


def test_a_data_folder_that_cannot_be_one_is_refused(survey: Survey, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refusal(survey("waves", "--data", str(tmp_path / "file"), "--json"))

    assert said["code"] == "settings.folder_not_writable"


@pytest.mark.long
def test_a_database_that_does_not_answer_is_said_in_words(survey: Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURVEY_DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    said = refusal(survey("waves", "--json"))

    assert said["thing"] == "数据库"


def test_garbage_is_no_certificate(survey: Survey, tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(bytes(range(256)))
    unreadable = survey("verify", "garbage")
    missing = survey("verify", "nowhere.json")

    assert unreadable.exit_code == missing.exit_code == 2
    assert "Traceback" not in unreadable.output + missing.output
