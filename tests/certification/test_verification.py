"""What the verifier says of genuine, altered, hostile and meaningless files."""

from __future__ import annotations

import io
import json
import random
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey import canonical
from survey.certification.archive import ArchiveRefusedError, pack, unpack
from survey.certification.crockford import in_groups
from survey.certification.signature import Signer
from survey.certification.signed_plan import read_plan
from survey.certification.table import TableRow, decide
from survey.certification.verification import verify_bundle, verify_file
from survey.errors import SurveyError

GOLDEN = Path(__file__).parents[1] / "golden" / "certificates"
EXPECTED = json.loads((GOLDEN / "expected" / "verdicts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_golden_certificate(name):
    verdict = verify_file((GOLDEN / f"{name}.json").read_bytes())
    false = verdict.first_false
    found = {
        "exit_code": verdict.exit_code,
        "claim": false.name if false else None,
        "field": false.field if false else None,
    }

    assert found == EXPECTED[name]


def assert_flips_are_refused(data: bytes, places, masks) -> None:
    for at in places:
        for mask in masks:
            verdict = verify_file(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :])

            assert verdict.exit_code in (1, 2), at
            assert verdict.exit_code == 2 or verdict.first_false.file, at


def test_flipping_a_byte_of_a_certificate_is_noticed(small_wave):
    rng = random.Random(1)
    places = rng.sample(range(len(small_wave.certificate)), 150)

    assert_flips_are_refused(small_wave.certificate, places, [rng.choice([1, 2, 0x20, 0x80])])


@pytest.mark.slow
def test_flipping_any_byte_of_a_certificate_is_noticed(small_wave):
    assert_flips_are_refused(small_wave.certificate, range(len(small_wave.certificate)), [1, 0x20, 0x80])


def test_flipping_a_byte_of_a_bundle_is_noticed(small_wave):
    rng = random.Random(2)
    places = rng.sample(range(len(small_wave.bundle)), 100)

    assert_flips_are_refused(small_wave.bundle, places, [1])


@pytest.mark.slow
def test_flipping_any_byte_of_a_bundle_is_noticed(small_wave):
    assert_flips_are_refused(small_wave.bundle, range(len(small_wave.bundle)), [1])


def test_a_byte_changed_inside_a_file_of_a_bundle_names_that_file(small_wave):
    files, _ = unpack(small_wave.bundle)
    for name, content in files.items():
        at = small_wave.bundle.index(content)
        data = small_wave.bundle[:at] + bytes([content[0] ^ 1]) + small_wave.bundle[at + 1 :]
        verdict = verify_file(data)

        assert verdict.exit_code == 1 and verdict.first_false.file == name


@pytest.mark.parametrize("name", ["slips.jsonl", "leaves.jsonl", "heads.txt", "registry.json", "slip_key"])
def test_a_bundle_packed_again_after_a_change_is_refused(small_wave, name):
    files, _ = unpack(small_wave.bundle)
    for at in range(0, len(files[name]), 97):
        content = files[name][:at] + bytes([files[name][at] ^ 2]) + files[name][at + 1 :]
        verdict = verify_file(pack({**files, name: content}))

        assert verdict.exit_code == 1 and verdict.first_false.file == name, (at, verdict.summary)


def test_every_file_of_a_bundle_is_needed_and_no_other_is_welcome(small_wave):
    files, _ = unpack(small_wave.bundle)

    assert verify_bundle(files).exit_code == 0
    for name in files:
        rest = {other: data for other, data in files.items() if other != name}
        verdict = verify_bundle(rest)
        assert verdict.exit_code == 1, name
    stray = verify_bundle({**files, "readme.txt": b"hello"})
    assert stray.exit_code == 1 and stray.first_false.file == "readme.txt"


def test_leaves_removed_added_or_swapped_are_refused(small_wave):
    files, _ = unpack(small_wave.bundle)
    lines = files["leaves.jsonl"].splitlines(keepends=True)
    changed = {
        "removed": lines[:3] + lines[4:],
        "swapped": [lines[1], lines[0], *lines[2:]],
        "added": [*lines, lines[0].replace(b'"c":"', b'"c":"0', 1)[:-1] + b"\n"],
        "doubled": [*lines, lines[0]],
    }
    for kind, leaves in changed.items():
        verdict = verify_bundle({**files, "leaves.jsonl": b"".join(leaves)})

        assert verdict.exit_code == 1, kind


def test_a_head_s_signature_outside_the_sample_is_checked_on_request(wave_of):
    wave = wave_of(3, schools=140)
    files, _ = unpack(wave.bundle)
    assert len(wave.facts["heads"]) > 400
    text = files["heads.txt"].decode()
    # The second head is not in the sample; another valid-looking signature takes its place.
    stranger = wave.signers["operator"]
    second = wave.facts["heads"][1]
    forged = (
        second.split("\n\n")[0]
        + "\n\n"
        + stranger.sign("x\n").replace("survey.example/operator", wave.signers["log"].name)
    )
    verdicts = [
        verify_file(pack({**files, "heads.txt": text.replace(second, forged).encode()}), check_all=check)
        for check in (False, True)
    ]

    assert [verdict.exit_code for verdict in verdicts] == [1, 1]
    assert all(verdict.first_false.file == "heads.txt" for verdict in verdicts)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_get_a_verdict(data):
    for start in (b"", b"PK\x03\x04", b"{"):
        assert verify_file(start + data).exit_code == 2


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(place=st.integers(0, 10**6), value=plain)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_any_place_of_a_certificate_gets_a_verdict(small_wave, place, value):
    document = json.loads(small_wave.certificate)
    spots = []

    def walk(part):
        for key in part if isinstance(part, dict) else range(len(part)):
            spots.append((part, key))
            if isinstance(part[key], dict | list):
                walk(part[key])

    walk(document)
    part, key = spots[place % len(spots)]
    same = canonical.encode(part[key]) == canonical.encode(value)
    part[key] = value
    verdict = verify_file(canonical.encode(document))

    assert (verdict.exit_code == 0) == same


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"PK",
        b"PK\x05\x06" + bytes(18),
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"type":"survey/certificate/v1"',
        b"9" * 100_000,
    ],
)
def test_meaningless_bytes_are_unreadable_and_say_so(data):
    verdict = verify_file(data)

    assert verdict.exit_code == 2
    assert verdict.lines()[-1] == "结论：读不懂这个文件。"


def test_a_certificate_of_nulls_proves_nothing():
    empty = dict.fromkeys(
        ["closing_note", "plan", "plan_note", "registry", "statement", "statement_note", "table"]
    )
    verdicts = [
        verify_file(canonical.encode({**empty, "type": "survey/certificate/v1"})),
        verify_bundle(dict.fromkeys(["plan.json", "statement.json", "table.json"], b"null")),
        verify_bundle({}),
    ]

    assert all(verdict.exit_code for verdict in verdicts)


def test_a_zip_of_another_making_is_refused_without_unpacking_it(small_wave):
    files, _ = unpack(small_wave.bundle)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("bomb", bytes(50_000_000))
    verdict = verify_file(buffer.getvalue())

    assert verdict.exit_code == 2
    assert "原样" in verdict.claims[0].detail


def test_an_ordinary_zip_reader_reads_our_bundle(small_wave):
    files, faults = unpack(small_wave.bundle)
    with zipfile.ZipFile(io.BytesIO(small_wave.bundle)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert faults == [] and pack(files) == small_wave.bundle


@pytest.mark.parametrize("name", ["../x", "/x", "", "a b", "目录"])
def test_a_bundle_takes_no_strange_file_names(name):
    with pytest.raises((ArchiveRefusedError, UnicodeEncodeError)):
        pack({name: b""})


def test_trusted_keys_decide_who_signed(small_wave):
    own = [small_wave.signers[role].vkey for role in ("operator", "approver")]
    other = Signer("survey.example/operator", bytes(32)).vkey
    codes = {
        "nobody": verify_file(small_wave.certificate),
        "the two": verify_file(small_wave.certificate, own),
        "another": verify_file(small_wave.certificate, [other, own[1]]),
        "malformed": verify_file(small_wave.certificate, ["not a key"]),
    }

    assert [verdict.exit_code for verdict in codes.values()] == [0, 0, 1, 2]
    assert any(claim.name == "签名人" and claim.ok is None for claim in codes["nobody"].claims)


def test_the_printed_plan_code_is_compared(small_wave):
    code = verify_file(small_wave.certificate).facts["plan_code"]

    assert verify_file(small_wave.certificate, plan_code=code.lower()).exit_code == 0
    assert verify_file(small_wave.certificate, plan_code=in_groups("0" * 26)).exit_code == 1


def test_a_verdict_always_says_what_it_does_not_prove(small_wave):
    for data in (small_wave.certificate, small_wave.bundle):
        open_claims = [claim.name for claim in verify_file(data).claims if claim.ok is None]

        assert {"方案码", "签名人", "答卷内容", "是谁填的"} <= set(open_claims)


def test_a_verdict_is_plain_json(small_wave):
    document = verify_file(small_wave.bundle).document()

    assert json.loads(json.dumps(document))["exit_code"] == 0
    assert document["number"] == small_wave.facts["number"]


@pytest.mark.parametrize(
    ("mode", "callbacks", "reached"),
    [("slip", 0, True), ("quota", 199, None), ("quota", 200, True), ("open", 200, None)],
)
def test_an_open_poster_never_passes_and_a_quota_only_with_its_callbacks(
    small_wave, mode, callbacks, reached
):
    plan = read_plan(
        {
            **small_wave.plan,
            "domains": [{"domain": "0000-P", "eligible": 40, "mode": mode, "slips": 9}],
            "pass_with_class_b": True,
        }
    )
    rows, members = [TableRow("0000-P", 9, 9, 9)], {"0000-P": ("0000-P",)}

    assert decide(Fraction(1), plan, rows, members, callbacks) is reached


def test_a_figure_at_the_line_reaches_at_least_but_not_above(small_wave):
    rows, members = [TableRow("0000-P", 20, 17, 20)], {"0000-P": ("0000-P",)}
    found = []
    for decision in ("point-estimate-at-least-threshold", "point-estimate-above-threshold"):
        plan = read_plan({**small_wave.plan, "decision": decision})
        found.append([decide(Fraction(n, 10**6), plan, rows, members) for n in (849_996, 850_000, 850_001)])

    assert found == [[False, True, True], [False, False, True]]


def test_refusals_carry_stable_codes():
    with pytest.raises(SurveyError) as refusal:
        unpack(b"PK\x03\x04")

    assert refusal.value.code == "certification.archive_refused"
