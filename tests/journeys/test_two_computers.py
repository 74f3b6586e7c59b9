"""Operator and approver on two computers: every act of two by command, the file carried to and fro."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from survey.cli.main import main
from survey.scheme.plan import example_plan_text

WAVE = "two-desks"


class Computer:
    """One computer with its own data folder and its own passphrases."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        folder.mkdir()

    def run(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        """One command; what it printed as JSON."""
        result: Result = CliRunner().invoke(
            main,
            [*arguments, "--data", str(self.data), "--json"],
            env={"SURVEY_BASE_URL": "https://survey.example"},
        )
        assert result.exit_code == exit_code, (arguments, result.output, result.exception)
        return json.loads(result.stdout)

    def secret(self, name: str) -> str:
        """A file with a passphrase of this computer's own."""
        path = self.folder / name
        path.write_text(f"four plain words {name}\n")
        return str(path)


@pytest.fixture
def desks(tmp_path: Path) -> tuple[Computer, Computer]:
    bureau, approver = Computer(tmp_path / "bureau"), Computer(tmp_path / "approver")
    bureau.run("init")
    bureau.run("signer", "operator", "--passphrase-file", bureau.secret("operator"))
    keys = approver.run("signer", "approver", "--passphrase-file", approver.secret("approver"))
    bureau.run("signer", "approver", "--vkey", keys["vkey"], "--share-key", keys["share_key"])
    return bureau, approver


def test_the_approvers_key_never_leaves_the_approvers_computer(
    desks: tuple[Computer, Computer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau, approver = desks
    plan = tmp_path / "plan.yaml"
    plan.write_text(re.sub(r"^wave: .*$", f"wave: {WAVE}", example_plan_text(), flags=re.MULTILINE))
    frame = Path(__file__).parents[2] / "survey" / "sampling" / "data" / "county" / "frame.csv"
    monkeypatch.setenv("SURVEY_APPROVER_PASSPHRASE_FILE", approver.secret("approver"))

    def together(*act: str) -> dict[str, Any]:
        request = tmp_path / f"{act[0]}.request.json"
        command = (
            *act,
            "--operator-passphrase-file",
            bureau.secret("operator"),
            "--approver-request",
            str(request),
        )
        assert bureau.run(*command, exit_code=3)["awaiting"] == "approver"
        approver.run("sign", str(request))
        return bureau.run(*command)

    bureau.run("plan", str(plan))
    bureau.run("import", str(frame), "--wave", WAVE)
    bureau.run("draw", WAVE, "--seed", "7")
    signed = together("sign", WAVE)
    bureau.run("publish", WAVE)
    closed = together("close", WAVE)
    opened = together("open", WAVE)
    shares = {path.name for path in (bureau.data / "keys" / WAVE).glob("share-*")}

    assert signed["slips"] > 400 and closed["state"] == "closed" and opened["state"] == "opened"
    assert shares == {"share-operator.key", "share-approver.key"}
    assert not (bureau.data / "keys" / "_installation" / "approver.key").exists()
    assert not (bureau.data / "keys" / WAVE / "pending.key").exists()


def test_a_request_that_was_changed_on_the_way_is_not_signed_and_not_taken(
    desks: tuple[Computer, Computer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau, approver = desks
    plan = tmp_path / "plan.yaml"
    plan.write_text(re.sub(r"^wave: .*$", f"wave: {WAVE}", example_plan_text(), flags=re.MULTILINE))
    frame = Path(__file__).parents[2] / "survey" / "sampling" / "data" / "county" / "frame.csv"
    monkeypatch.setenv("SURVEY_APPROVER_PASSPHRASE_FILE", approver.secret("approver"))
    bureau.run("plan", str(plan))
    bureau.run("import", str(frame), "--wave", WAVE)
    bureau.run("draw", WAVE, "--seed", "7")
    request = tmp_path / "request.json"
    command = (
        "sign",
        WAVE,
        "--operator-passphrase-file",
        bureau.secret("operator"),
        "--approver-request",
        str(request),
    )
    bureau.run(*command, exit_code=3)
    whole = request.read_text()
    request.write_text(whole.replace('"threshold":"0.85"', '"threshold":"0.80"'))
    refused = approver.run("sign", str(request), exit_code=1)
    request.write_text(whole)
    approver.run("sign", str(request))
    answered = json.loads(request.read_text())
    other = (
        answered["line"][:-6]
        + ("AAAA" if answered["line"][-6:-2] != "AAAA" else "BBBB")
        + answered["line"][-2:]
    )
    request.write_text(
        json.dumps({**answered, "line": other}, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    )
    not_taken = bureau.run(*command, exit_code=1)

    assert refused["error"]["code"] == "signers.request"
    assert not_taken["error"]["code"] in ("signers.request", "certification.note_refused")
