"""Answers altered as they are taken in: sixty canaries find five in a hundred of them (T22)."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from survey.canonical import decode, sha256_hex
from survey.certification.receipt import make_receipt
from survey.certification.sealing import commitment, key_digest, leaf, open_box, record_bytes, seal, slip_leaf
from survey.certification.signature import Signer
from survey.certification.signed_plan import SignedPlan, build_plan, read_plan
from survey.certification.transparency_log import sign_head, tree_root
from survey.fieldwork.planted import Planted, plant
from survey.fieldwork.response import record
from survey.jobs.plant_answers import FoundCanaries, find_canaries
from survey.sampling.frame_file import read_frame, sample_county
from survey.sampling.wave_sample import draw_sample
from survey.scheme.plan import example_plan_text, instrument_of, scheme_of
from survey.scheme.plan import read_plan as read_wave_plan

OTHERS = 240
ALTERED = 0.05


@pytest.fixture(scope="module")
def county():
    plan = read_wave_plan(example_plan_text())
    scheme = scheme_of(plan)
    sample = draw_sample(plan, scheme, read_frame(sample_county("frame.csv"), "frame.csv").frame, "1")
    return sample, {d.domain: instrument_of(plan, scheme, d.group, d.stage) for d in sample.domains}


def signed_plan(wave: str, planted: Planted, log: Signer) -> SignedPlan:
    domains = sorted({one.domain for one in planted.canaries})
    document = build_plan(
        wave=wave,
        title="改动试验",
        domains=[{"domain": name, "eligible": 99, "mode": "slip", "slips": 99} for name in domains],
        keys=[
            log.vkey,
            *(Signer(f"survey.example/{role}", bytes([at]) * 32).vkey for at, role in enumerate("ab", 1)),
        ],
        estimator="stratified-mean/v1",
        decision="no-threshold",
        threshold=None,
        minimum_count=10,
        scoring={},
        instrument_digest="0" * 64,
        slip_key_digest="0" * 64,
        slips_root=sha256_hex(slip_leaf("none", "0" * 64)),
        box_key=None,
        canaries={"count": len(planted.canaries), "list_digest": planted.list_digest},
    )
    return read_plan(document)


def other_answers(answers: dict, instrument) -> dict:
    """The answers as a tamperer leaves them: the overall opinion turned into the best one, or the worst."""
    item = instrument.overall_item
    best, worst = (item.answer_scale.scored[end].value for end in (0, -1))
    return {**answers, item.id: worst if answers.get(item.id) == best else best}


def fielded(county, rng: random.Random, altered: float) -> tuple[FoundCanaries, int]:
    """One wave with its canaries among other answers; what is found after opening, and how many were altered."""
    sample, instruments = county
    planted = plant(sample, instruments, rng.randbytes)
    log = Signer(f"survey.example/{sample.wave}", rng.randbytes(32))
    plan = signed_plan(sample.wave, planted, log)
    sent = [(at, one.domain, dict(one.answers)) for at, one in enumerate(planted.canaries)]
    sent += [(None, d, dict(a)) for _, d, a in (rng.choice(sent) for _ in range(OTHERS))]
    rng.shuffle(sent)
    leaves, boxes, keys, touched = [], {}, [], 0
    for canary, domain, answers in sent:
        kept = answers
        if rng.random() < altered:
            kept = other_answers(answers, instruments[domain])
            touched += canary is not None
        content = record_bytes(record(kept, day=1, domain=domain, wave=sample.wave), pad=False)
        salt, key = rng.randbytes(32), rng.randbytes(16)
        c = commitment(salt, content)
        boxes[c.hex()] = seal(content, salt, None, None)
        keys.append(key)
        leaves.append(leaf(c, domain, key_digest(key)))
    head = sign_head(log.name, len(leaves), tree_root(leaves), [log])
    receipts = {
        canary: make_receipt(leaves[at], keys[at], at, head).text
        for at, (canary, _, _) in enumerate(sent)
        if canary is not None
    }
    held = replace(
        planted,
        canaries=tuple(replace(one, receipt=receipts[at]) for at, one in enumerate(planted.canaries)),
    )
    opened = [(c, decode(open_box(box, bytes.fromhex(c), None)[1])) for c, box in boxes.items()]
    return find_canaries(plan, held, leaves, opened), touched


def caught(county, waves: int, altered: float) -> int:
    """In how many waves the canaries tell, each of them exactly where one was touched."""
    rng, told = random.Random(22), 0
    for _ in range(waves):
        found, touched = fielded(county, rng, altered)
        told += bool(found.different)

        assert sum(found.different.values()) == touched
        assert len(found.excluded) == 60 - touched and not found.missing
    return told


def test_a_wave_is_caught_where_a_canary_was_touched_and_an_honest_one_never(county):
    assert caught(county, 10, 0.0) == 0
    assert caught(county, 25, ALTERED) >= 20


@pytest.mark.slow
def test_a_thousand_waves_with_five_percent_altered_are_caught_as_theory_says(county):
    told = caught(county, 1000, ALTERED)
    print(f"1000 waves, 5% altered at intake, 60 canaries: {told} caught (theory 954)")

    assert told >= 940
