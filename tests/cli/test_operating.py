"""Settings that name all their faults, examples that their own programs accept, completion, `--json` everywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unicodedata import east_asian_width

import click
import pytest
import yaml
from click.testing import CliRunner

from survey.cli.main import EXIT_CODES, SECTIONS, VERBS, main
from survey.cli.operating import EXAMPLES, example_text
from survey.cli.passphrases import AWAITING
from survey.settings import VARIABLES, SettingsError, effective_settings, load_settings, unknown_variables


def test_all_faulty_settings_are_named_at_once_with_variable_reason_and_remedy(tmp_path: Path) -> None:
    faulty = {
        "SURVEY_DATA": str(tmp_path),
        "SURVEY_PORT": "eighty",
        "SURVEY_BASE_URL": "survey.example",
        "SURVEY_DATABASE_URL": "mysql://x/y",
        "SURVEY_DATABASE_CONNECTIONS": "3",
        "SURVEY_TRUSTED_PROXIES": "*",
        "SURVEY_LAST_HEADS": str(tmp_path / "heads"),
        "SURVEY_LOG": "xml",
        "SURVEY_BACKUP_RECIPIENT": "somebody",
    }
    with pytest.raises(SettingsError) as refused:
        load_settings(faulty)

    assert {fault.item for fault in refused.value.faults} == set(faulty) - {"SURVEY_DATA"}
    assert all(fault.problem and fault.remedy for fault in refused.value.faults)


def test_the_settings_in_force_are_printed_without_the_databases_password(tmp_path: Path) -> None:
    for url in ("postgresql://who:s3cret@db/x", "postgresql://db/x?user=who&password=s3cret"):
        shown = CliRunner().invoke(
            main,
            ["settings", "--json", "--data", str(tmp_path)],
            env={"SURVEY_DATABASE_URL": url, "SURVEY_DATABSE": "1"},
        )
        told = json.loads(shown.output)

        assert "s3cret" not in shown.output and "who" in shown.output
        assert "SURVEY_DATABSE" in told["unknown"]


def test_every_variable_is_shown_or_belongs_to_a_signer(tmp_path: Path) -> None:
    shown = set(effective_settings(load_settings({}, data=tmp_path)))

    assert set(VARIABLES) - shown == {"SURVEY_OPERATOR_PASSPHRASE_FILE", "SURVEY_APPROVER_PASSPHRASE_FILE"}
    assert unknown_variables(dict.fromkeys(VARIABLES, "x")) == ()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_that_is_here_reads_its_completion(shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell]).output
    if shutil.which(shell):
        read = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
        assert read.returncode == 0, read.stderr

    assert "SURVEY_COMPLETE" in script


def test_completion_offers_every_command() -> None:
    offered = CliRunner().invoke(
        main, [], env={"_SURVEY_COMPLETE": "bash_complete", "COMP_WORDS": "survey ", "COMP_CWORD": "1"}, prog_name="survey"
    ).output

    assert set(VERBS) <= {line.partition(",")[2] for line in offered.splitlines()}


def test_the_help_shows_every_command_once_under_a_head_on_lines_that_fit() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    wide = [line for line in shown.splitlines() if sum(2 if east_asian_width(sign) in "WF" else 1 for sign in line) > 80]
    named = re.findall(r"^  ([a-z][a-z-]*) {2,}\S", shown.partition("Options:")[2].partition("\n\n")[2], re.MULTILINE)

    assert named == list(VERBS) and wide == []
    assert all(f"\n{head}\n" in shown for head in SECTIONS)
    assert all(f"{code} " in EXIT_CODES for code in (0, 1, 2, AWAITING))


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (["wach", "--json"], 2, "cli.usage"),
        (["watch", "--json"], 2, "cli.usage"),
        (["language", "export", "--json"], 2, "cli.usage"),
        (["close", "county-a", "--json"], 1, "cli.aborted"),
        (["estimate", "--json"], 1, "cli.nothing_to_estimate"),
    ],
)
def test_whoever_asked_for_json_gets_it_for_a_mistyped_command_too(given: list[str], status: int, code: str) -> None:
    told = CliRunner().invoke(main, given, input="", env={"SURVEY_OPERATOR_PASSPHRASE_FILE": ""})

    assert (told.exit_code, json.loads(told.stdout)["error"]["code"]) == (status, code)


@pytest.mark.parametrize("given", [["--keys"], ["--schema"], ["--example", "list"], ["--example", "nhes_2019"]])
def test_what_estimate_tells_of_itself_is_json_when_asked(given: list[str]) -> None:
    told = CliRunner().invoke(main, ["estimate", *given, "--json"])

    assert told.exit_code == 0 and json.loads(told.stdout)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        found += commands(command, (*path, name)) if isinstance(command, click.Group) else [((*path, name), command)]
    return found


def test_every_command_prints_json_when_asked() -> None:
    silent = [
        " ".join(path)
        for path, command in commands(main)
        if not any("--json" in parameter.opts for parameter in command.params)
    ]
    # `verify` hands its arguments on to the one-file verifier, which reads --json itself.
    read = CliRunner().invoke(main, ["verify", "--json", "no-such-file"])

    assert silent == ["verify"]
    assert read.exit_code == 2 and json.loads(read.stdout)


def test_every_command_refuses_in_json_when_the_settings_are_faulty(tmp_path: Path) -> None:
    """Commands that need nothing but settings and names: one document, with the code of the refusal."""
    wrong = []
    for path, command in commands(main):
        needed = [one for one in command.params if isinstance(one, click.Argument) and one.required]
        if any(not isinstance(one.type, click.types.StringParamType) or one.nargs != 1 for one in needed):
            continue
        if any(one.required for one in command.params if isinstance(one, click.Option)):
            continue
        told = CliRunner().invoke(
            main,
            [*path, *("no-such-wave" for _ in needed), "--json", "--data", str(tmp_path)],
            env={"SURVEY_PORT": "eighty"},
            input="",
        )
        if told.exit_code == 0:
            json.loads(told.stdout)
        elif isinstance(told.exception, SystemExit) and told.exit_code == 1 and "Abort" not in told.stderr:
            if "error" not in json.loads(told.stdout):
                wrong.append((path, told.stdout))
        elif told.exit_code not in (1, 2):
            wrong.append((path, told.exception))

    assert wrong == []


def test_the_compose_example_keeps_the_password_in_a_file_and_no_history_of_changes() -> None:
    compose = yaml.safe_load(example_text("compose.yaml"))
    database, app = compose["services"]["database"], compose["services"]["survey"]

    assert "POSTGRES_PASSWORD" not in database["environment"] and "wal_level=minimal" in database["command"]
    assert app["read_only"] and app["cap_drop"] == ["ALL"] and app["user"] != "0:0"
    assert set(app["environment"]) <= set(VARIABLES)


@pytest.mark.parametrize(
    ("program", "example", "words"),
    [
        ("caddy", "Caddyfile", ["validate", "--adapter", "caddyfile", "--config"]),
        ("docker-compose", "compose.yaml", ["config", "-q"]),
    ],
)
def test_the_program_an_example_is_for_accepts_it(tmp_path: Path, program: str, example: str, words: list[str]) -> None:
    if not shutil.which(program):
        pytest.skip(f"needs {program}")
    (tmp_path / example).write_text(example_text(example), encoding="utf-8")
    (tmp_path / "db_password.txt").touch()
    command = [program, *words, example] if program == "caddy" else [program, "-f", example, *words]
    verdict = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(tmp_path)}
    )

    assert verdict.returncode == 0, verdict.stderr


def test_fish_completes_a_command_with_its_meaning(tmp_path: Path) -> None:
    if not shutil.which("fish"):
        pytest.skip("needs fish")
    ours = tmp_path / "survey"
    ours.write_text(f'#!/bin/sh\nexec {sys.executable} -m survey "$@"\n', encoding="utf-8")
    ours.chmod(0o755)
    offered = subprocess.run(
        ["fish", "-c", "survey completion fish | source; complete -C 'survey back'"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)},
    ).stdout  # fmt: skip

    assert offered.startswith("backup\t备份")


def test_systemd_accepts_its_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    units = []
    for name in EXAMPLES["systemd"]:
        # The one thing this machine has not is the installed program.
        text = example_text(name).replace("/opt/survey/bin/survey", "/bin/true")
        (tmp_path / name).write_text(text, encoding="utf-8")
        units.append(str(tmp_path / name))
    verdict = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )

    complaints = [line for line in verdict.stderr.splitlines() if "survey" in line]
    assert complaints == [] and verdict.returncode == 0
