"""A plan or a sample that is replaced before signing: the old sample never stays, and somebody says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from survey.canonical import encode
from survey.cli.main import main
from survey.jobs.draw_sample import ReasonMissingError, draw_wave
from survey.jobs.sign_plan import sign_plan
from survey.scheme.plan import example_plan_text, plan_digest, plan_document, read_plan
from survey.storage.audit import list_audit
from survey.storage.plans import load_plan, load_wave
from survey.storage.samples import load_sample
from survey.storage.states import WrongStateError

from .conftest import WAVE, Bureau, county_frame


async def test_drawing_again_needs_a_reason_which_the_log_keeps_with_the_earlier_seed(desk: Bureau) -> None:
    before = await load_sample(WAVE)
    with pytest.raises(ReasonMissingError):
        await draw_wave(WAVE, "7", reason="  ", **desk.by)
    kept = await load_sample(WAVE)
    await draw_wave(WAVE, "7", reason="名册漏了一所学校", **desk.by)
    entry = next(one for one in await list_audit(limit=5, wave=WAVE) if one.what == "draw_sample")
    await desk.act(sign_plan)
    with pytest.raises(WrongStateError):
        await draw_wave(WAVE, "8", reason="还想再抽", **desk.by)

    assert kept == before
    assert (entry.details["reason"], entry.details["earlier_seed"]) == ("名册漏了一所学校", before.seed)
    assert (await load_sample(WAVE)).seed == "7"


def test_a_plan_file_for_a_drawn_wave_asks_for_a_new_draw(tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*words, "--data", str(tmp_path / "data")])
        return done.exit_code, done.output

    def plan_file(**changes: object) -> str:
        plan = replace(read_plan(example_plan_text()), wave=WAVE, **changes)
        path = tmp_path / "plan.json"
        path.write_bytes(encode(plan_document(plan)))
        return str(path)

    (tmp_path / "frame.csv").write_bytes(county_frame())
    first = run("plan", plan_file())
    run("import", str(tmp_path / "frame.csv"), "--wave", WAVE)
    drawn = run("draw", WAVE, "--seed", "7")
    same = run("plan", plan_file())
    unmoved = run("waves")
    moved = run("plan", plan_file(office="万安县教育督导委员会办公室"))
    in_json = json.loads(run("plan", plan_file(office="万安县人民政府教育督导室"), "--json")[1])
    waves = run("waves")
    unsaid = run("draw", WAVE, "--seed", "8")
    again = run("draw", WAVE, "--seed", "8", "--reason", "换了承办单位")

    assert [one[0] for one in (first, drawn, same, moved, unsaid, again)] == [0, 0, 0, 0, 1, 0], again[1]
    assert "样本已抽" in unmoved[1]
    assert "要重抽" in moved[1] and "要重抽" not in first[1] + same[1]
    assert "--seed" in in_json.pop("redraw") and read_plan(encode(in_json)).wave == WAVE
    assert "名册已导入" in waves[1]
    assert "--reason" in unsaid[1]


async def test_the_log_keeps_the_plan_that_was_replaced(desk: Bureau) -> None:
    before = plan_digest(await load_plan(WAVE))
    await desk.draw(title="改过的标题")
    entry = next(one for one in await list_audit(limit=9, wave=WAVE) if one.what == "create_wave")

    assert entry.details["earlier_plan"] == before
    assert (await load_wave(WAVE)).state == "drawn"
