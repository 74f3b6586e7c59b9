"""Steps towards a certificate keep their order and are never changed, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from survey.scheme.plan import example_plan_text, read_plan
from survey.storage.certification_steps import CertificationStep, add_step, list_steps
from survey.storage.database import Database
from survey.storage.plans import save_plan
from survey.storage.tables import CertificationSteps

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


async def test_steps_keep_their_order_and_cannot_be_changed(database: Database) -> None:
    plan = read_plan(example_plan_text())
    await save_plan(plan, now=NOW)
    steps = [
        CertificationStep(1, step, who, "d" * 64, {"note": "看过"}, NOW)
        for step, who in (("prepare", "jia"), ("send_back", "yi"), ("prepare", "jia"))
    ]
    for one in steps:
        await add_step(plan.wave, one)

    assert list(await list_steps(plan.wave)) == steps
    with pytest.raises(Exception, match="append-only"):
        await CertificationSteps.update({CertificationSteps.person: "bing"}, force=True)
    with pytest.raises(Exception, match="append-only"):
        await CertificationSteps.delete(force=True)
