"""The counts on the list of waves are those of each wave's own page, on both databases."""

from __future__ import annotations

from survey.jobs.participation import needed_answers, participation
from survey.scheme.plan import GroupPlan
from survey.storage.plans import load_plan
from survey.storage.return_counts import ReturnCounts

from .conftest import NOW, WAVE, Bureau


async def test_many_waves_are_counted_at_once_as_each_is_by_itself(bureau: Bureau) -> None:
    await bureau.go("open")
    await bureau.answer()
    counts = ReturnCounts(bureau.office)
    seen = await participation(bureau.office, WAVE, now=NOW)
    used = await counts.of({WAVE: False, "no-such-wave": False})
    needed = await needed_answers({WAVE: await load_plan(WAVE)})

    assert used == {WAVE: seen.whole.used}
    assert needed == {WAVE: seen.whole.need}
    assert seen.whole.used > 300


async def test_answers_over_a_full_quota_are_left_out(bureau: Bureau) -> None:
    plan = await load_plan(WAVE)
    posters = tuple(
        GroupPlan(group=entry.group, instruments=entry.instruments, from_grade=entry.from_grade, mode="quota")
        if entry.group == "teacher"
        else entry
        for entry in plan.groups
    )
    await bureau.draw(groups=posters)
    await bureau.go("open")
    await bureau.answer()
    seen = await participation(bureau.office, WAVE, now=NOW)

    assert await ReturnCounts(bureau.office).of({WAVE: True}) == {WAVE: seen.whole.used}
