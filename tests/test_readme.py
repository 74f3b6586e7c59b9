"""The README is a contract: its two commands, every command and every setting are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from survey.cli.main import VERBS

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_the_readme_opens_with_its_two_commands() -> None:
    first, second = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[:2]

    assert README.startswith("```sh\n")
    assert first == "pip install . && survey demo\n"
    assert second == "pip install '.[test]' && pytest\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_is_in_the_readme(verb: str) -> None:
    assert re.search(rf"\bsurvey {verb}\b", README)


def test_every_command_of_the_readme_exists() -> None:
    named = set(re.findall(r"`survey ([a-z][a-z-]*)", README)) | set(re.findall(r"^survey ([a-z][a-z-]*)", README, re.MULTILINE))

    assert named <= set(VERBS)


def test_every_setting_is_in_the_readme_and_every_setting_of_the_readme_is_read() -> None:
    read = set()
    for path in (CHECKOUT / "survey").rglob("*.py"):
        read |= set(re.findall(r"SURVEY_[A-Z_]+[A-Z]", path.read_text(encoding="utf-8")))
    read |= {f"SURVEY_{role}_PASSPHRASE_FILE" for role in ("OPERATOR", "APPROVER")}
    read -= {name for name in read if name.endswith("_PASSPHRASE") or name == "SURVEY_TEST_POSTGRES"}
    told = set(re.findall(r"SURVEY_[A-Z_]+[A-Z]", README))

    assert told == read
