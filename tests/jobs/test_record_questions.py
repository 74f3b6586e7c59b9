"""Recordings of questions: handed in before the plan is signed, pinned by it, and not moved after."""

from __future__ import annotations

import pytest

from survey import canonical
from survey.jobs.record_questions import EVIDENCE, pinned_recordings, record_questions
from survey.jobs.sign_plan import sign_plan
from survey.storage.evidence import load_evidence
from survey.storage.states import WrongStateError

from .conftest import Bureau
from .test_signed_plan import stored

MP3 = b"\xff\xf3\x44\xc4" + bytes(500)


async def test_a_signed_plan_pins_its_recordings_and_takes_no_other(desk: Bureau) -> None:
    first = await record_questions(desk.wave, {"SA01.mp3": MP3, "SA02.mp3": MP3}, **desk.by)
    second = await record_questions(desk.wave, {"SA02.mp3": MP3 + b"x"}, **desk.by)
    await desk.act(sign_plan)
    plan = canonical.decode((await load_evidence(desk.wave, "plan.json")).encode())
    listed = await load_evidence(desk.wave, EVIDENCE)
    pinned = await pinned_recordings(desk.wave)
    with pytest.raises(WrongStateError):
        await record_questions(desk.wave, {"SA01.mp3": MP3}, **desk.by)
    other = listed.replace('"SA02"', '"SA03"')
    await stored(desk.wave, EVIDENCE, other)
    moved = await pinned_recordings(desk.wave)

    assert first.names == ("SA01", "SA02") and "SA03" in first.silent
    assert second.names == ("SA02",) and "SA01" in second.silent
    assert plan["recordings_digest"] == canonical.sha256_hex(listed.encode())
    assert pinned == {"SA02": canonical.sha256_hex(MP3 + b"x")}
    assert moved == {}


async def test_a_plan_without_recordings_says_nothing_of_them(desk: Bureau) -> None:
    await desk.act(sign_plan)
    plan = canonical.decode((await load_evidence(desk.wave, "plan.json")).encode())

    assert "recordings_digest" not in plan
    assert await pinned_recordings(desk.wave) == {}
