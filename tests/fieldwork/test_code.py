from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import SurveyError
from survey.fieldwork.code import (
    ALPHABET,
    CodeFormatError,
    check_sign,
    display,
    is_code,
    normalise,
    random_code,
)
from survey.fieldwork.invitation import (
    Invitation,
    SlipKeyError,
    TooManySlipsError,
    issue,
    shuffled,
    slip_digest,
    slip_leaf,
)

WORKED = json.loads(
    (Path(__file__).parent.parent / "golden/trust/evidence_example.json").read_text(encoding="utf-8")
)
KEY = bytes.fromhex(WORKED["slip_key_hex"])

codes = st.text(ALPHABET, min_size=11, max_size=11).map(lambda first: first + check_sign(first))


def replayable(seed: int):
    return random.Random(seed).randbytes


@pytest.mark.parametrize("slip", WORKED["slips"], ids=lambda slip: slip["token"])
def test_slips_of_the_worked_example_agree(slip: dict[str, str]) -> None:
    assert is_code(slip["token"])
    assert display(slip["token"]) == slip["printed"]
    assert normalise(slip["printed"].lower()) == slip["token"]
    assert slip_digest(KEY, slip["token"]) == slip["e_hex"]


def test_slip_leaves_of_the_worked_example_agree() -> None:
    ordered = sorted(WORKED["slips"], key=lambda slip: slip["e_hex"])

    assert [slip_leaf(slip["domain"], slip["e_hex"]).decode() for slip in ordered] == WORKED[
        "slip_leaf_data_jcs"
    ]


@given(codes)
def test_a_code_is_read_however_it_is_typed(code: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code)

    for typed in (
        code,
        code.lower(),
        display(code),
        display(code).replace("-", " "),
        f"  {code}\n",
        wide,
        wide.lower(),
        display(code).replace("-", "－"),
        display(code).replace("-", "—"),
    ):
        assert normalise(typed) == code


@given(codes, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_every_single_wrong_sign_is_caught(code: str, place: int, sign: str) -> None:
    wrong = code[:place] + sign + code[place + 1 :]
    if wrong == code:
        return

    with pytest.raises(CodeFormatError) as refusal:
        normalise(wrong)
    assert refusal.value.why == "check"


def test_every_swap_of_neighbours_is_caught_but_2_with_z() -> None:
    missed = set()
    for a, b in itertools.combinations(ALPHABET, 2):
        for place in range(11):
            first = ("3" * place + a + b + "3" * 11)[:11]
            code = first + check_sign(first)
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            if swapped != code and is_code(swapped):
                missed.add(frozenset((code[place], code[place + 1])))

    assert missed == {frozenset("2Z")}


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "length"),
        ("8WYJ", "length"),
        ("8WYJ-4VMN-K4499", "length"),
        ("8" * 500, "length"),
        ("8WYJ-4VMN-K44O", "sign"),
        ("8WYJ-4VMN-K441", "sign"),
        ("8WYJ-4VMN-L449", "sign"),
        ("填写码", "sign"),
        ("8WYJ-4VMN-K44\x00", "sign"),
        ("8WYJ-4VMN-K448", "check"),
    ],
)
def test_length_sign_and_check_are_told_apart(typed: str, why: str) -> None:
    with pytest.raises(CodeFormatError) as refusal:
        normalise(typed)

    assert refusal.value.why == why
    assert refusal.value.code == f"code.{why}"
    assert str(refusal.value).isprintable()


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_code_or_a_kind_refusal(typed: str) -> None:
    try:
        assert is_code(normalise(typed))
    except CodeFormatError as refusal:
        assert str(refusal).isprintable()


def test_random_codes_are_codes_and_use_every_sign_alike() -> None:
    made = [random_code(replayable(seed)) for seed in range(4000)]
    counts = [sum(code[:11].count(sign) for code in made) for sign in ALPHABET]

    assert all(is_code(code) for code in made)
    assert len(set(made)) == 4000
    assert max(counts) / min(counts) < 1.3


def test_bytes_that_would_favour_a_sign_are_thrown_away() -> None:
    stream = iter([bytes([255] * 12), bytes([252] * 12), bytes([251] * 12)])

    assert random_code(lambda n: next(stream))[:11] == "Z" * 11


def test_issued_slips_are_distinct_and_as_many_as_the_domains_want() -> None:
    invitations = issue([("1-P", 40), ("1-T", 9), ("2-P", 0)], KEY, replayable(1))

    assert [invitation.domain for invitation in invitations] == ["1-P"] * 40 + ["1-T"] * 9
    assert len({invitation.code for invitation in invitations}) == 49
    assert all(invitation.e == slip_digest(KEY, invitation.code) for invitation in invitations)


def test_the_same_bytes_issue_the_same_slips() -> None:
    assert issue([("1-P", 5)], KEY, replayable(7)) == issue([("1-P", 5)], KEY, replayable(7))
    assert issue([("1-P", 5)], KEY, replayable(7)) != issue([("1-P", 5)], KEY, replayable(8))


def test_a_code_never_shows_where_an_invitation_is_printed() -> None:
    invitation = Invitation("8WYJ4VMNK449", "1-P", "ab" * 32)

    assert "8WYJ" not in repr(invitation) and "8WYJ" not in str([invitation])


def test_a_short_key_a_wrong_code_and_too_many_slips_are_refused() -> None:
    with pytest.raises(SlipKeyError):
        slip_digest(b"short", "8WYJ4VMNK449")
    with pytest.raises(SurveyError):
        slip_digest(KEY, "8WYJ-4VMN-K449")
    with pytest.raises(TooManySlipsError):
        issue([("1-P", 3_000_000)], KEY, replayable(1))


def test_a_shuffle_keeps_every_entry_and_each_order_is_equally_likely() -> None:
    orders = [shuffled("abc", replayable(seed)) for seed in range(3000)]
    counts = {order: orders.count(order) for order in set(orders)}

    assert len(counts) == 6
    assert all(400 < n < 600 for n in counts.values())
