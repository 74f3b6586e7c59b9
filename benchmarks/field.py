"""A wave to measure on: the example plan's parents, as many slips as asked for, open."""

from __future__ import annotations

import asyncio
import random
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from survey.canonical import encode
from survey.certification.sealing import box_public_key
from survey.fieldwork.invitation import issue
from survey.sampling.sample import DomainDraw, Sample
from survey.scheme.instrument import Instrument
from survey.scheme.plan import example_plan_text, instrument_of, plan_document, read_plan, scheme_of
from survey.settings import Settings
from survey.storage.database import open_database
from survey.storage.intake import About
from survey.storage.office import IntakeOffice
from survey.storage.plans import save_plan, set_state
from survey.storage.samples import save_sample

DOMAINS = 40


def a_plan(wave: str, sealed: bool):
    """The example plan under another name, running since yesterday."""
    today = datetime.now(UTC).date()
    document = plan_document(read_plan(example_plan_text()))
    dates = {
        "opens_on": today - timedelta(days=1),
        "closes_on": today + timedelta(days=14),
        "results_on": today + timedelta(days=30),
    }
    document.update({name: date.isoformat() for name, date in dates.items()})
    document.update({"wave": wave, "sealed": sealed, "base_url": "http://127.0.0.1:8000"})
    return read_plan(encode(document))


def draws(n_slips: int) -> tuple[DomainDraw, ...]:
    """Parents of forty primary schools."""
    return tuple(
        DomainDraw(
            domain=f"32070420{at:02d}-P",
            group="parent",
            school_code=f"32070420{at:02d}",
            school_name=f"云台区第{at + 1}中心小学",
            stratum="town/primary",
            place="town",
            stage="primary",
            eligible=n_slips,
            slips=n_slips // DOMAINS,
            psu_probability="1",
            instrument="parents",
        )
        for at in range(DOMAINS)
    )


async def lay_out(settings: Settings, wave: str, n_slips: int, *, sealed: bool) -> list[str]:
    """Make the wave, open it, and return the codes in random order."""
    now, sample = datetime.now(UTC), draws(n_slips)
    key = secrets.token_bytes(32)
    slips = issue([(draw.domain, draw.slips) for draw in sample], key, secrets.token_bytes)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        plan = a_plan(wave, sealed)
        await save_plan(plan, now=now)
        await set_state(wave, "draft", "framed", now=now)
        await save_sample(Sample(wave, "test", "0" * 64, "0" * 64, "0" * 64, (), sample, {}), now=now)
        box_key = box_public_key(secrets.token_bytes(32)) if sealed else None
        await office.create(
            About(wave, f"benchmark.example/{wave}", box_key, plan.opens_on),
            [(bytes.fromhex(slip.e), slip.domain) for slip in slips],
            slip_key=key,
            log_seed=secrets.token_bytes(32),
        )
        for before, after in (("framed", "drawn"), ("drawn", "planned"), ("planned", "open")):
            await set_state(wave, before, after, now=now)
        await office.set_state(wave, "planned", "open")
        await office.stop()
    codes = [slip.code for slip in slips]
    random.Random(7).shuffle(codes)
    return codes


def answers_to(instrument: Instrument) -> str:
    """One whole form as a browser sends it: the first option of every single choice."""
    return "&".join(
        f"{item.id}={item.options[0].value}"
        for item in instrument.items
        if item.kind == "single" and item.show_if is None
    )


def parents(wave: str, sealed: bool) -> Instrument:
    """What the wave's parents are asked."""
    plan = a_plan(wave, sealed)
    found = instrument_of(plan, scheme_of(plan), "parent", "primary")
    assert found is not None
    return found


if __name__ == "__main__":
    from survey.settings import load_settings

    folder, wave, count, sealed = sys.argv[1:5]
    made = load_settings(data=folder, least_free_share=0.0)
    codes = asyncio.run(lay_out(made, wave, int(count), sealed=sealed == "sealed"))
    (Path(folder) / f"{wave}.codes").write_text("\n".join(codes) + "\n")
