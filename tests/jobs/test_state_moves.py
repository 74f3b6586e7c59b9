"""A process killed between books and intake: nobody can send to a wave the books call shut, and a start mends it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from survey.jobs.close_wave import close_wave
from survey.jobs.run_fieldwork import InHandError, pause_wave, publish_wave, resume_wave, settle_waves
from survey.settings import Settings
from survey.storage.audit import list_audit
from survey.storage.plans import load_wave
from survey.storage.postgres_engine import PoolEngine
from survey.storage.print_files import has_print_file

from .conftest import LONG, NOW, WAVE, Bureau, bureau_at

DIES = """
import asyncio, os, signal, sys
from datetime import datetime
from survey.jobs import run_fieldwork
from survey.settings import load_settings
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice

verb, wave, data, url, at, step = sys.argv[1:]

def die(place, before):
    async def dying(*given, **more):
        if not before:
            await move(*given, **more)
        os.kill(os.getpid(), signal.SIGKILL)
    move = getattr(place, "set_state")
    return dying

async def main():
    settings = load_settings({}, data=data, database_url=url or None, least_free_share=0.0)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        place = office if step.endswith("intake") else run_fieldwork
        place.set_state = die(place, step.startswith("before"))
        given = (settings, office) if verb == "publish_wave" else (office,)
        await getattr(run_fieldwork, verb)(*given, wave, actor="test", now=datetime.fromisoformat(at))

asyncio.run(main())
"""
CUTS = [
    ("publish_wave", "before intake", "open"),
    pytest.param("publish_wave", "after books", "open", marks=pytest.mark.slow),
    ("pause_wave", "before books", "paused"),
    pytest.param("pause_wave", "after intake", "paused", marks=pytest.mark.slow),
    pytest.param("resume_wave", "before intake", "paused", marks=pytest.mark.slow),
]
"""Which verb is killed, just before or after which of its two steps, and what the next start makes of the wave."""
UNTIL = {"publish_wave": "planned", "pause_wave": "open", "resume_wave": "open"}


@pytest.mark.parametrize("settings", LONG, indirect=True)
@pytest.mark.parametrize(("verb", "step", "settled"), CUTS)
async def test_a_move_killed_half_way_takes_no_answer_and_is_settled_at_the_next_start(
    settings: Settings, verb: str, step: str, settled: str
) -> None:
    async with bureau_at(settings) as bureau:
        await bureau.draw()
        await bureau.go(UNTIL[verb])
        if verb == "resume_wave":
            await pause_wave(bureau.office, WAVE, **bureau.by)
    died = await asyncio.to_thread(kill, settings, verb, step)
    async with bureau_at(settings) as bureau:
        cut = await both(bureau)
        done = await settle_waves(settings, bureau.office, now=NOW)
        after = await both(bureau)
        again = await settle_waves(settings, bureau.office, now=NOW)
        acts = [(one.what, one.details) for one in await list_audit(limit=3, wave=WAVE)]
        printed = has_print_file(settings, WAVE)

    assert died == -signal.SIGKILL
    assert cut[0] == "open" and cut[1] in ("planned", "paused")
    assert (done, after, again) == ((WAVE,), (settled, settled), ())
    assert ("settle_wave", {"books": cut[0], "intake": cut[1]}) in acts
    assert not printed


async def test_whoever_was_cut_off_gives_the_same_verb_again(desk: Bureau) -> None:
    """The kill is the test's above; here each verb meets what it leaves, without a start between."""
    from survey.storage.plans import set_state

    await desk.go("planned")
    await set_state(WAVE, "planned", "open", now=NOW)
    await publish_wave(desk.settings, desk.office, WAVE, **desk.by)
    published = await both(desk)
    await desk.office.set_state(WAVE, "open", "paused")
    await pause_wave(desk.office, WAVE, **desk.by)
    paused = await both(desk)
    await set_state(WAVE, "paused", "open", now=NOW)
    await resume_wave(desk.office, WAVE, **desk.by)
    resumed = await both(desk)
    await desk.office.set_state(WAVE, "open", "closed")
    await settle_waves(desk.settings, desk.office, now=NOW)
    closing = await both(desk)
    with pytest.raises(Exception, match="已结束"):
        await resume_wave(desk.office, WAVE, **desk.by)
    await desk.act(close_wave)

    assert published == resumed == ("open", "open")
    assert paused == ("paused", "paused")
    assert closing == ("paused", "closed")
    assert await both(desk) == ("closed", "closed")


@pytest.mark.long
@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
async def test_what_a_living_process_has_in_hand_is_left_to_it(settings: Settings) -> None:
    from survey.storage.plans import set_state

    other = PoolEngine(settings.database_url, 1)
    async with bureau_at(settings) as bureau:
        await bureau.draw()
        await bureau.go("planned")
        async with other.hold(f"survey.move.{WAVE}") as alone:
            await set_state(WAVE, "planned", "open", now=NOW)
            left = await settle_waves(settings, bureau.office, now=NOW)
            with pytest.raises(InHandError):
                await publish_wave(settings, bureau.office, WAVE, **bureau.by)
            meanwhile = await both(bureau)
        settled = await settle_waves(settings, bureau.office, now=NOW)
        after = await both(bureau)

    assert alone
    assert (left, meanwhile) == ((), ("open", "planned"))
    assert (settled, after) == ((WAVE,), ("open", "open"))


async def both(bureau: Bureau) -> tuple[str, str]:
    """What the books say and what the intake does."""
    return (await load_wave(WAVE)).state, await bureau.office.state(WAVE)


def kill(settings: Settings, verb: str, step: str) -> int:
    """Give the verb in a process that dies at that step."""
    given = [verb, WAVE, str(settings.data), settings.database_url or "", NOW.isoformat(), step]
    root = Path(__file__).parents[2]
    return subprocess.run([sys.executable, "-c", DIES, *given], cwd=root, check=False, timeout=120).returncode
