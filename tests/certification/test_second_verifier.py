"""Two verifiers written apart must reach one verdict: on the worked wave, on waves, on mutants."""

from __future__ import annotations

import importlib.util
import json
import random
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from survey import canonical
from survey.certification.archive import pack, unpack
from survey.certification.certificate import build_certificate
from survey.certification.fields import FieldRefusedError
from survey.certification.signature import Signer
from survey.certification.signed_plan import read_plan
from survey.certification.table import group_figures, members_of, read_table
from survey.certification.verification import verify_file


@pytest.fixture(scope="module")
def second() -> ModuleType:
    path = Path(__file__).with_name("second_verifier.py")
    spec = importlib.util.spec_from_file_location("second_verifier", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example_certificate(example) -> bytes:
    return build_certificate(
        plan=json.loads(example["plan_jcs"]),
        plan_note=example["plan_note"],
        statement=json.loads(example["statement_jcs"]),
        statement_note=example["statement_note"],
        table=json.loads(example["table_jcs"]),
        closing_note=example["closing_checkpoint_note"],
        registry=None,
    )


def test_both_verifiers_accept_the_worked_wave(second, trust_example):
    data = example_certificate(trust_example)
    verdict = verify_file(data)

    assert second.complaints(data) == []
    assert verdict.exit_code == 0, verdict.summary
    assert verdict.facts["figure"] == "75.57%"


def test_the_second_verifier_imports_nothing_of_the_product():
    text = Path(__file__).with_name("second_verifier.py").read_text(encoding="utf-8")

    assert "import survey" not in text and "from survey" not in text


@pytest.mark.parametrize("estimator", ["weighted-parts/v1", "full-body/v1"])
def test_both_verifiers_agree_on_points_items_and_full_bodies_and_on_their_forgeries(
    second, wave_of, estimator
):
    wave = wave_of(11, weighted=True, estimator=estimator)
    forged = json.loads(wave.certificate)
    row = forged["table"][0]
    if estimator == "weighted-parts/v1":
        row["parts"]["parents/q01"]["x"] = "1/3"
    else:
        row["x"] -= 1

    for data in (wave.certificate, wave.bundle):
        assert verify_file(data).exit_code == 0, verify_file(data).summary
        assert second.complaints(data) == []
    assert verify_file(canonical.encode(forged)).exit_code == 1
    assert second.complaints(canonical.encode(forged))


@pytest.mark.parametrize("estimator", ["weighted-ratio/v1", "weighted-parts/v1", "full-body/v1"])
@pytest.mark.parametrize("decision", ["every-group-at-least-threshold", "every-group-above-threshold"])
def test_a_line_for_every_group_is_missed_when_one_group_misses_it(second, wave_of, estimator, decision):
    seen = set()
    for seed in range(6):
        wave = wave_of(seed, weighted=True, estimator=estimator, decision=decision, satisfied=0.86)
        plan = read_plan(wave.plan)
        rows = read_table(wave.table, estimator)
        groups = group_figures(rows, plan, members_of(rows, plan, wave.statement.get("pooled", {})))
        reached = all(
            one > plan.threshold if "above" in decision else one >= plan.threshold for one in groups.values()
        )
        seen.add(reached)
        turned = json.loads(wave.certificate)
        turned["statement"]["reached"] = not reached

        assert wave.statement["reached"] is reached
        assert verify_file(wave.certificate).exit_code == 0 and second.complaints(wave.certificate) == []
        assert verify_file(canonical.encode(turned)).exit_code == 1
    assert seen


@pytest.mark.parametrize(
    ("part", "reason"),
    [({"v": 3, "x": "4"}, "0到3"), ({"v": 9999, "x": "1"}, "整数"), ({"v": 3}, "缺少")],
)
def test_a_part_that_cannot_be_is_refused_by_its_field(part, reason):
    row = {"domain": "a", "group": "parent", "n": 5, "w": "2", "parts": {"q": part}}

    with pytest.raises(FieldRefusedError, match=reason):
        read_table([row], "weighted-parts/v1")


KINDS = [
    {},
    {"modes": {"T": "quota"}},
    {"modes": {"T": "open"}},
    {
        "modes": {"T": "quota"},
        "plan_changes": {"pass_with_class_b": True},
        "statement_changes": {"callbacks": 200},
    },
    {"plan_changes": {"decision": "point-estimate-above-threshold", "threshold": "0.8"}},
    {"plan_changes": {"decision": "no-threshold", "threshold": None}},
    {"plan_changes": {"box_key": None}},
    {"weighted": True, "estimator": "weighted-parts/v1"},
    {"weighted": True, "estimator": "full-body/v1"},
]
"""What a wave may be besides slips for all: quotas, open posters, other lines, unsealed."""


def agree_on_waves(second, wave_of, seeds) -> None:
    for seed in seeds:
        wave = wave_of(seed, **KINDS[seed % len(KINDS)])
        for data in (wave.certificate, wave.bundle):
            verdict = verify_file(data)

            assert verdict.exit_code == 0, (seed, verdict.summary)
            assert second.complaints(data) == [], seed


def test_both_accept_random_waves(second, wave_of):
    agree_on_waves(second, wave_of, range(len(KINDS)))


@pytest.mark.slow
def test_both_accept_a_thousand_random_waves(second, wave_of):
    agree_on_waves(second, wave_of, range(1000))


@pytest.mark.parametrize("decision", ["at-least", "above"])
@pytest.mark.parametrize("counts", [-1, 0, 1])
def test_both_decide_alike_one_count_below_at_and_above_the_line(second, wave_of, decision, counts):
    figure = wave_of(3).facts["figure"]
    line = Fraction(figure.numerator - counts, figure.denominator)
    changes = {
        "threshold": f"{line.numerator}/{line.denominator}",
        "decision": f"point-estimate-{decision}-threshold",
    }
    wave = wave_of(3, plan_changes=changes)
    turned = json.loads(wave.certificate)
    turned["statement"]["reached"] = not wave.statement["reached"]

    assert wave.statement["reached"] is (counts > 0 or (counts == 0 and decision == "at-least"))
    assert verify_file(wave.certificate).exit_code == 0 and second.complaints(wave.certificate) == []
    assert verify_file(canonical.encode(turned)).exit_code == 1
    assert second.complaints(canonical.encode(turned)) != []


def test_a_figure_of_849996_millionths_is_shown_as_8499_and_has_not_reached_85(second, wave_of):
    people = {"0000-P": 849_996, "0000-T": 150_004}
    wave = wave_of(5, weighted=False, void=False, schools=1, eligible=people, satisfied={"P": 1.0, "T": 0.0})
    # With this seed everybody has an opinion, so one domain is wholly satisfied and the other not at all.
    figure = wave.facts["figure"]
    verdict = verify_file(wave.certificate)
    raised = json.loads(wave.certificate)
    raised["statement"]["figure"]["shown"] = "0.8500"

    assert figure == Fraction(849_996, 10**6)
    assert (verdict.exit_code, verdict.facts["figure"], verdict.facts["reached"]) == (0, "84.99%", False)
    assert second.complaints(wave.certificate) == []
    assert verify_file(canonical.encode(raised)).exit_code == 1
    assert second.complaints(canonical.encode(raised)) != []


def with_counts(wave_of, seed: int, **changes: int):
    """The wave of a seed, its first domain's counts stated otherwise and signed by the two."""
    counts = json.loads(json.dumps(wave_of(seed).statement["counts"]))
    counts[0] |= {key: counts[0][key] + more for key, more in changes.items()}
    return wave_of(seed, statement_changes={"counts": counts})


@pytest.mark.parametrize(
    "key", ["eligible", "slips", "used", "voided", "disputed", "paper", "counted", "spares", "telephone"]
)
def test_a_count_that_is_not_the_lists_is_refused_and_named_though_the_two_signed_it(second, wave_of, key):
    more = 1000 if key in ("paper", "telephone") else 1
    wave = with_counts(wave_of, 7, **{key: more})
    verdict = verify_file(wave.bundle)
    false = verdict.first_false

    assert (verdict.exit_code, len([claim for claim in verdict.claims if claim.ok is False])) == (1, 1)
    assert false is not None and (false.file, false.field) == ("statement.json", f"counts[0].{key}")
    assert second.complaints(wave.bundle) != []


def test_counts_without_spares_and_telephone_are_read_as_older_statements_are(second, wave_of):
    later = ("spares", "telephone")
    counts = [
        {key: n for key, n in one.items() if key not in later} for one in wave_of(7).statement["counts"]
    ]
    wave = wave_of(7, statement_changes={"counts": counts})

    assert verify_file(wave.bundle).exit_code == 0
    assert second.complaints(wave.bundle) == []


def test_a_domain_left_out_of_the_counts_is_refused_by_both(second, wave_of):
    counts = wave_of(7).statement["counts"][1:]
    wave = wave_of(7, statement_changes={"counts": counts})

    assert verify_file(wave.bundle).first_false.field == "counts"
    assert second.complaints(wave.bundle) != []


@pytest.mark.parametrize("reason", ["X1", "X2", "X3"])
def test_a_single_answer_left_out_is_refused_by_both_though_the_two_signed_it(second, wave_of, reason):
    excluded = [(entry["index"], entry["reason"]) for entry in wave_of(7).statement["excluded"]]
    ordinary = min(set(range(len(wave_of(7).facts["leaves"]))) - set(dict(excluded)))
    wave = wave_of(7, statement_changes={"excluded": [*excluded, (ordinary, reason)]})
    verdict = verify_file(wave.bundle)

    assert verdict.exit_code == 1 and verdict.first_false.file in ("statement.json", "table.json")
    assert second.complaints(wave.bundle) != []


PUT_OFF = {"plan_changes": {"closes_on": "2026-12-05"}, "extended": ("2026-12-08", "2026-12-10")}


def test_extensions_stand_in_the_registry_between_plan_and_closing(second, wave_of):
    kept, late = wave_of(7, **PUT_OFF), wave_of(7, late=True, **PUT_OFF)
    refused = verify_file(late.bundle)

    assert verify_file(kept.bundle).exit_code == 0 and second.complaints(kept.bundle) == []
    assert refused.exit_code == 1 and "延期" in refused.first_false.line
    assert second.complaints(late.bundle) == ["extension out of order"]


@pytest.mark.parametrize(("signed", "stated"), [(199, 200), (0, 200), (200, 0)])
def test_callbacks_are_those_that_were_recorded_when_the_two_opened(second, wave_of, signed, stated):
    wave = wave_of(7, statement_changes={"callbacks": stated}, callbacks=signed)
    false = verify_file(wave.bundle).first_false

    assert false is not None and (false.file, false.field) == ("statement.json", "callbacks")
    assert second.complaints(wave.bundle) == ["call-backs after opening"]


def mutate(value, rng: random.Random):
    """The value with one place changed: a leaf replaced, an element dropped, doubled or swapped."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: mutate(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        kind = rng.random()
        if kind < 0.1:
            return value[:at] + value[at + 1 :]
        if kind < 0.2:
            return value[:at] + [value[at]] + value[at:]
        return [*value[:at], mutate(value[at], rng), *value[at + 1 :]]
    if isinstance(value, bool) or value is None:
        return rng.choice([True, False, None, 0])
    if isinstance(value, int):
        return value + rng.choice([-1, 1, 7])
    if isinstance(value, str) and value:
        at = rng.randrange(len(value))
        return value[:at] + rng.choice("0a9f./+ \n—") + value[at + 1 :]
    return rng.choice([[], {}, "", 0, None])


def agree_on_mutants(second, wave_of, count: int) -> None:
    rng = random.Random(count)
    for number in range(count):
        wave = wave_of(number % 10)
        if number % 2:
            original = wave.certificate
            data = canonical.encode(mutate(json.loads(original), rng))
        else:
            original = wave.bundle
            files, _ = unpack(original)
            name = rng.choice(sorted(files))
            if name.endswith(".json"):
                files[name] = canonical.encode(mutate(json.loads(files[name]), rng))
            else:
                at = rng.randrange(len(files[name]))
                files[name] = files[name][:at] + bytes([rng.randrange(256)]) + files[name][at + 1 :]
            data = pack(files)
        first, other = verify_file(data), second.complaints(data)

        assert (first.exit_code == 0) == (other == []) == (data == original), (number, first.lines(), other)


def test_both_refuse_the_same_mutants(second, wave_of):
    agree_on_mutants(second, wave_of, 120)


@pytest.mark.slow
def test_both_refuse_ten_thousand_mutants(second, wave_of):
    agree_on_mutants(second, wave_of, 10_000)


def test_a_signer_who_is_not_the_planned_one_is_refused_by_both(second, small_wave):
    parts = json.loads(small_wave.certificate)
    stranger = Signer("survey.example/operator", bytes(31) + b"\x07")
    text, _, block = parts["statement_note"].rpartition("\n\n")
    lines = block.splitlines(keepends=True)
    parts["statement_note"] = text + "\n\n" + stranger.sign(text + "\n") + lines[1]
    data = canonical.encode(parts)

    assert verify_file(data).exit_code == 1
    assert second.complaints(data) != []
