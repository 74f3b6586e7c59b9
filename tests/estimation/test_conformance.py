"""The installation computes as R does: every reference vector, one by one, from copies in golden/."""

from __future__ import annotations

import copy
import csv
import json
from functools import cache
from pathlib import Path

import pytest

from survey.estimation.conformance import check_vector, run_vectors, summary

REFERENCE = Path(__file__).resolve().parents[1] / "golden" / "reference"
TOPICS = {
    "calibration": 74,
    "domains": 38,
    "means": 57,
    "multistage": 49,
    "pps": 37,
    "proportions": 110,
    "replicates": 54,
    "responserates": 7,
    "samplesize": 50,
    "tests": 46,
}


@cache
def dataset(name: str) -> dict[str, list[str]]:
    with (REFERENCE / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return {column: [row[at] for row in rows] for at, column in enumerate(header)}


def vectors(topic: str) -> list[dict]:
    return json.loads((REFERENCE / "vectors" / f"{topic}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("topic", TOPICS)
def test_every_vector_of_the_topic_passes(topic):
    outcomes = list(run_vectors(vectors(topic), dataset))
    failed = [f"{outcome.id}: {outcome.detail}" for outcome in outcomes if not outcome.passed]

    assert not failed
    assert summary(outcomes) == {topic: (TOPICS[topic], 0)}


def spoiled(expected, factor=1.001):
    """The expectations one at a time with a number changed by a thousandth."""
    for key, value in expected.items():
        if key in ("rows", "domain", "levels", "vcov") or isinstance(value, bool | str) or not value:
            continue
        if isinstance(value, int | float):
            yield {**expected, key: value * factor + 1e-6}
    for at, row in enumerate(expected.get("rows", ())):
        for key, value in row.items():
            if isinstance(value, int | float) and value and key != "se_rake_r":
                changed = copy.deepcopy(expected)
                changed["rows"][at][key] = value * factor + 1e-6
                yield changed


@pytest.mark.parametrize("topic", ["means", "domains", "responserates", "samplesize"])
def test_a_vector_with_a_wrong_value_fails(topic):
    loose = 0
    for vector in vectors(topic)[::6]:
        for expected in spoiled(vector["expected"]):
            loose += check_vector({**vector, "expected": expected}, dataset).passed

    assert loose == 0


def test_an_unknown_operation_counts_as_failed():
    vector = {**vectors("means")[0], "operation": {"name": "divination"}}

    assert not check_vector(vector, dataset).passed


def test_an_expectation_that_nobody_computes_counts_as_failed():
    vector = vectors("means")[0]
    vector["expected"]["phase_of_the_moon"] = 1

    assert not check_vector(vector, dataset).passed


def test_a_missing_dataset_counts_as_failed_and_says_so():
    vector = {**vectors("means")[0], "dataset": "atlantis"}
    outcome = check_vector(vector, dataset)

    assert not outcome.passed
    assert "atlantis" in outcome.detail
