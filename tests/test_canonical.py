"""Canonical JSON: the RFC 8785 vectors that integers allow, and every refusal TRUST names."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import canonical
from survey.canonical import MAX_INTEGER, NotCanonicalError

GOLDEN = Path(__file__).parent / "golden" / "trust"

integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
texts = st.text(st.characters(exclude_categories=("Cs",)))
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def load(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", load("jcs_documents.json")["vectors"], ids=lambda case: case["name"])
def test_reference_document_is_written_canonically_unless_it_holds_a_fraction(case):
    value = json.loads(case["input_text"])
    if case["name"] == "values":
        with pytest.raises(NotCanonicalError):
            canonical.encode(value)
    else:
        whole = json.loads(case["input_text"], parse_float=lambda text: int(float(text)))

        assert canonical.encode(whole).hex() == case["canonical_utf8_hex"]


def test_every_float_is_refused_and_integers_are_written_as_ecmascript_does():
    for bits, text in load("jcs_numbers.json")["vectors"]:
        number = struct.unpack(">d", bytes.fromhex(bits))[0]
        with pytest.raises(NotCanonicalError):
            canonical.encode(number)
        if number.is_integer() and abs(number) <= MAX_INTEGER:
            assert canonical.encode(int(number)).decode() == text


@pytest.mark.parametrize("bits", load("jcs_numbers.json")["must_be_refused"])
def test_infinities_and_nan_are_refused(bits):
    with pytest.raises(NotCanonicalError):
        canonical.encode(struct.unpack(">d", bytes.fromhex(bits))[0])


@given(values)
def test_what_is_written_reads_back_as_itself(value):
    assert canonical.decode(canonical.encode(value)) == value


@given(st.dictionaries(texts, integers, min_size=2, max_size=6))
def test_the_order_of_keys_never_matters(value):
    backwards = dict(reversed(value.items()))

    assert canonical.encode(backwards) == canonical.encode(value)


@given(st.binary(max_size=40))
def test_any_bytes_are_either_canonical_or_refused(data):
    try:
        value = canonical.decode(data)
    except NotCanonicalError:
        return

    assert canonical.encode(value) == data


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"a":2}',
        "1.0",
        "1e2",
        "-0",
        "9007199254740992",
        "-9007199254740992",
        "9" * 5000,
        "NaN",
        "Infinity",
        '"\\ud800"',
        '{"\\udfff":1}',
        '{ "a":1}',
        '{"b":1,"a":2}',
        '"\\u0041"',
        '"\\/"',
        '"\\u001F"',
        "[1]\n",
        " 1",
        "",
        "[" * 18 + "]" * 18,
        "[" * 100_000,
        "\ufeff1",
    ],
)
def test_a_text_that_is_not_canonical_is_refused(text):
    with pytest.raises(NotCanonicalError):
        canonical.decode(text.encode("utf-8", "surrogatepass"))


def test_bytes_that_are_not_utf8_and_files_too_large_are_refused():
    for data, limit in ((b'"\xff"', 100), (b'"aaaaaaaaaa"', 5)):
        with pytest.raises(NotCanonicalError):
            canonical.decode(data, limit)


def test_sixteen_levels_are_accepted_and_seventeen_refused():
    deep: Any = 1
    for _ in range(16):
        deep = [deep]

    assert canonical.decode(canonical.encode(deep)) == deep
    with pytest.raises(NotCanonicalError):
        canonical.encode([deep])


def test_keys_are_sorted_by_utf16_units_not_by_code_points():
    # U+10000 is written D800 DC00 in UTF-16 and so comes before U+FFFF.
    assert canonical.encode({"\uffff": 1, "\U00010000": 2}).decode() == '{"\U00010000":2,"\uffff":1}'


@pytest.mark.parametrize("value", [1.0, {1: 2}, {"a": b"x"}, {"a": {1, 2}}, "\ud800", object()])
def test_a_value_without_canonical_form_is_refused(value):
    with pytest.raises(NotCanonicalError):
        canonical.encode(value)
