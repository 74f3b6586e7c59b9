"""Every command with `--json` on a certified wave: one JSON document on standard output, whatever became of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from survey.cli.main import VERBS, main
from survey.scheme.plan import example_plan_text

from .conftest import PASSWORD, county_frame

DONE, REFUSED, MISTYPED = 0, 1, 2
LINES: dict[str, tuple[int, str]] = {
    "init": (REFUSED, "accounts.already_set_up"),
    "account": (DONE, ""),
    "account desk --role admin": (DONE, ""),
    "division 360828-02 --under 360828 --name 第二": (DONE, ""),
    "signer operator --passphrase-file operator": (REFUSED, "signers.exists"),
    "token 督导系统": (DONE, ""),
    "token --list": (DONE, ""),
    "webhook list": (DONE, ""),
    "webhook end wh_none": (REFUSED, "webhook.unknown"),
    "webhook renew wh_none": (REFUSED, "webhook.unknown"),
    "migrate": (DONE, ""),
    "instrument template form.xlsx": (DONE, ""),
    "instrument check form.xlsx": (DONE, ""),
    "instrument convert form.xlsx xls.xlsx": (DONE, ""),
    "language list": (DONE, ""),
    "language export ug": (DONE, ""),
    "waves": (DONE, ""),
    "plan plan.yaml": (DONE, ""),
    "plan county-a": (DONE, ""),
    "import frame.csv --wave yuntai-2026-autumn": (DONE, ""),
    "import plan.yaml --wave yuntai-2026-autumn": (REFUSED, ""),
    "areas county-a": (DONE, ""),
    "design county-a --draw 公开 --operator-passphrase-file operator --approver-passphrase-file approver": (REFUSED, "storage.wrong_state"),
    "draw yuntai-2026-autumn": (DONE, ""),
    "draw yuntai-2026-autumn --seed 1": (DONE, ""),
    "canaries yuntai-2026-autumn": (DONE, ""),
    "sign yuntai-2026-autumn --operator-passphrase-file operator --approver-passphrase-file approver": (DONE, ""),
    "papers yuntai-2026-autumn": (DONE, ""),
    "slips yuntai-2026-autumn": (DONE, ""),
    "posters yuntai-2026-autumn": (DONE, ""),
    "check yuntai-2026-autumn": (DONE, ""),
    "publish yuntai-2026-autumn": (DONE, ""),
    "pause yuntai-2026-autumn": (DONE, ""),
    "resume yuntai-2026-autumn": (DONE, ""),
    "watch yuntai-2026-autumn": (DONE, ""),
    "head yuntai-2026-autumn": (DONE, ""),
    "callbacks yuntai-2026-autumn --draw 20": (DONE, ""),
    "alarms yuntai-2026-autumn": (DONE, ""),
    "leftovers yuntai-2026-autumn none.txt --counted-by 甲 --counted-by 乙": (REFUSED, "cli.unreadable_file"),
    "void yuntai-2026-autumn": (MISTYPED, "cli.usage"),
    "extend yuntai-2026-autumn": (MISTYPED, "cli.usage"),
    "close yuntai-2026-autumn": (REFUSED, "cli.aborted"),
    "open county-a --operator-passphrase-file operator --approver-passphrase-file approver": (REFUSED, "storage.wrong_state"),
    "estimate county-a": (DONE, ""),
    "estimate --example list": (DONE, ""),
    "flags county-a": (DONE, ""),
    "count none.parquet --spec none.yaml": (REFUSED, "cli.unreadable_file"),
    "certify county-a --operator-passphrase-file operator --approver-passphrase-file approver": (REFUSED, ""),
    "revoke county-a 1": (MISTYPED, "cli.usage"),
    "report county-a": (DONE, ""),
    "pack county-a": (DONE, ""),
    "export county-a": (DONE, ""),
    "ledger list county-a": (DONE, ""),
    "ledger findings county-a": (DONE, ""),
    "counties": (DONE, ""),
    "digest": (DONE, ""),
    "auditor-bundle county-a": (DONE, ""),
    "audit none.zip --planted none.json --sign out.json": (REFUSED, ""),
    "audit-trail verify": (DONE, ""),
    "audit-trail list": (DONE, ""),
    "due": (DONE, ""),
    "erase county-a": (REFUSED, "cli.aborted"),
    "backup here.age": (REFUSED, "backup.no_recipient"),
    "restore none.age --key none.txt": (REFUSED, "cli.unreadable_file"),
    "settings": (DONE, ""),
    "example caddy": (DONE, ""),
    "completion fish": (DONE, ""),
    "verify none.json": (MISTYPED, "cli.unreadable_file"),
    "validate none": (MISTYPED, ""),
}
"""What is given, its exit code, and the code of the refusal where one is named."""
ELSEWHERE = {"demo", "serve"}
"""Commands that go on until they are stopped; the journeys run them."""


@pytest.mark.long
def test_every_command_prints_one_json_document_whatever_became_of_it(
    certified_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(certified_folder, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVEY_DATA", str(tmp_path / "data"))
    (tmp_path / "plan.yaml").write_text(example_plan_text(), encoding="utf-8")
    (tmp_path / "frame.csv").write_bytes(county_frame())
    for role in ("operator", "approver"):
        (tmp_path / role).write_text(f"{PASSWORD} {role}\n", encoding="utf-8")
    CliRunner().invoke(main, ["account", "admin", "--role", "admin"])
    wrong = {}
    for line, (status, code) in LINES.items():
        told = CliRunner().invoke(main, [*line.split(), "--json"], input="")
        try:
            document = json.loads(told.stdout)
        except json.JSONDecodeError:
            wrong[line] = ("no JSON", told.exit_code, told.stdout[:200], told.stderr[-200:])
            continue
        said = document["error"]["code"] if status and isinstance(document, dict) and "error" in document else ""
        if told.exit_code != status or (code and said != code) or "Traceback" in told.stderr:
            wrong[line] = (told.exit_code, said, told.stdout[:200])

    assert {line.split()[0] for line in LINES} == set(VERBS) - ELSEWHERE
    assert wrong == {}
