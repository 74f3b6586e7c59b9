from __future__ import annotations

import pytest

from survey.errors import FaultsError
from survey.scheme.yaml_text import read_plain


def test_a_decimal_stays_the_text_that_was_written() -> None:
    value = read_plain("{a: 0.50, b: 1.5, c: -0.1, d: 3, e: [0.850]}", "x")

    assert value == {"a": "0.50", "b": "1.5", "c": "-0.1", "d": 3, "e": ["0.850"]}


def test_json_is_read_alike() -> None:
    assert read_plain('{"a": 0.50, "b": null, "c": true}', "x") == {"a": "0.50", "b": None, "c": True}


@pytest.mark.parametrize(
    "text", ["yes", "no", "on", "off", "1e3", "0x10", "010", "1_000", "2026-01-01", ".inf", "1:30"]
)
def test_only_plain_forms_become_more_than_text(text: str) -> None:
    assert read_plain(f"a: {text}", "x") == {"a": text}


@pytest.mark.parametrize(
    "text",
    [
        "a: &b 1\nc: *b",
        "a: 1\na: 2",
        '{"a": 1, "a": 2}',
        "a: !!python/object/apply:os.system [ls]",
        "a: [1,",
        "? [1, 2]\n: 3",
        "[" * 20 + "]" * 20,
        b"\xff\xfe\x00",
    ],
)
def test_what_could_mean_two_things_is_refused(text: str | bytes) -> None:
    with pytest.raises(FaultsError) as refusal:
        read_plain(text, "方案")

    assert refusal.value.thing == "方案"
    assert refusal.value.faults[0].code == "scheme.unreadable"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read_plain("\ufeffa: 一".encode(), "x") == {"a": "一"}


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(FaultsError, match="超过"):
        read_plain("a" * 1_000_001, "方案")


def test_deeply_nested_json_is_a_fault_and_no_crash() -> None:
    with pytest.raises(FaultsError):
        read_plain('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "方案")
