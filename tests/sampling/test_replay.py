"""A stranger draws the sample again with a page of code that imports nothing of the product."""

from __future__ import annotations

import importlib.util
import json
from copy import deepcopy
from pathlib import Path
from types import ModuleType

import pytest
from county import county, county_plan, county_scheme

from survey.canonical import decode, encode
from survey.sampling.wave_sample import design_document, draw_sample, drawn_places

SCRIPT = Path(__file__).with_name("replay_draw.py")


@pytest.fixture(scope="module")
def stranger() -> ModuleType:
    spec = importlib.util.spec_from_file_location("replay_draw", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documents(seed: str) -> tuple[dict, dict]:
    design = design_document(county_plan(), county_scheme(), county())
    sample = draw_sample(county_plan(), county_scheme(), county(), seed).document()
    return decode(encode(design)), decode(encode(sample))


@pytest.mark.parametrize("seed", ["2026-42", "第26135期 07 11 19 22 30", "0"])
def test_a_stranger_replays_schools_and_slips_from_the_seed(stranger, seed):
    assert stranger.complaints(*documents(seed)) == []


def test_a_school_put_in_place_of_the_drawn_one_is_noticed(stranger):
    design, sample = documents("2026-42")
    moved = deepcopy(sample)
    stratum = next(s for s in design["strata"] if s["drawn"] < len(s["schools"]))
    drawn = {d["school_code"] for d in sample["domains"]}
    other = next(code for code in stratum["schools"] if code not in drawn)
    for domain in moved["domains"]:
        if domain["stratum"] == stratum["stratum"]:
            domain["school_code"] = other
            break

    assert stranger.complaints(design, moved)


def test_another_seed_or_design_is_noticed(stranger):
    design, sample = documents("2026-42")
    another = json.loads(json.dumps(design)) | {"wave": "another"}

    assert stranger.complaints(design, sample | {"seed": "2026-43"})
    assert any("design" in words for words in stranger.complaints(another, sample))


def test_a_stranger_finds_the_same_persons_on_a_list(stranger):
    design, sample = documents("2026-42")
    real = draw_sample(county_plan(), county_scheme(), county(), "2026-42")
    key, _, _ = stranger.replay(design, sample)
    draw = next(d for d in real.domains if 0 < d.slips < d.eligible)
    places = stranger.smallest(key, draw.domain, range(1, draw.eligible + 1), draw.slips)

    assert tuple(sorted(places)) == drawn_places(real, draw.domain)


def test_the_strangers_script_imports_nothing_of_the_product():
    text = SCRIPT.read_text(encoding="utf-8")

    assert "import survey" not in text and "from survey" not in text
