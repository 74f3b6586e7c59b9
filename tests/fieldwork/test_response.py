from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from survey import canonical
from survey.fieldwork.response import (
    OutsideDaysError,
    SubmissionKeyError,
    day_number,
    pace,
    record,
    submission_key,
)

WORKED = json.loads(
    (Path(__file__).parent.parent / "golden/trust/evidence_example.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("response", WORKED["responses"], ids=lambda response: str(response["index"]))
def test_records_of_the_worked_example_agree(response: dict[str, str]) -> None:
    told = json.loads(response["record_jcs"])
    made = record(told["answers"], day=told["day"], domain=told["domain"], wave=told["wave"])

    assert canonical.encode(made).decode() == response["record_jcs"]


def test_a_record_holds_no_time_no_code_and_no_address() -> None:
    made = record({"PA20": 4}, day=1, domain="1-P", wave="w-1", pace=1)

    assert set(made) == {"answers", "day", "domain", "v", "wave", "pace"}
    assert "pace" not in record({}, day=1, domain="1-P", wave="w-1")


@pytest.mark.parametrize(
    "text", [None, "", "8844", "g" * 32, "8844c668b3c006db85fc27406ece1bd8 ", "8" * 33, "８" * 32]
)
def test_a_submission_key_is_32_hexadecimal_digits(text: str | None) -> None:
    with pytest.raises(SubmissionKeyError):
        submission_key(text)


def test_the_first_day_is_day_one_and_none_comes_before() -> None:
    assert day_number(date(2026, 11, 24), date(2026, 11, 24)) == 1
    with pytest.raises(OutsideDaysError, match="2026-11-23"):
        day_number(date(2026, 11, 23), date(2026, 11, 24))


def test_pace_has_three_bands_by_the_item() -> None:
    assert [pace(seconds, 10) for seconds in (0, 19.9, 20, 300, 301)] == [0, 0, 1, 1, 2]
