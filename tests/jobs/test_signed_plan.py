"""Nothing that the two signed may move: not in the stored plan, and not around it."""

from __future__ import annotations

import copy

import pytest

from survey import canonical
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.open_wave import open_wave
from survey.jobs.plan_rules import MOVES_THE_FIGURE, RuleMovedError
from survey.jobs.run_fieldwork import PlanNotSignedError, publish_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signed_papers import PlanAlteredError
from survey.storage.evidence import load_evidence, save_evidence
from survey.storage.tables import Evidence, Plans

from .conftest import NOW, Bureau

DEMANDED = {
    *("box_key", "decision", "domains", "estimator", "exclusions", "instrument_digest", "keys"),
    *("minimum_count", "scoring", "slip_key_digest", "slips_root", "threshold", "title", "type", "wave"),
    *("design_digest", "frame_digest", "weighting", "method_version", "opens_on", "closes_on"),
    *("objection_days", "destroy_after_days", "flags", "disclosure", "pools", "tables", "canaries"),
    *("honey", "spares", "callbacks", "pass_with_class_b", "verifier_digest"),
}
"""TRUST section 5."""


async def stored(wave: str, name: str, text: str) -> None:
    """Go around the guards, as only somebody with the database file in hand can."""
    await Evidence.raw("DROP TRIGGER IF EXISTS evidence_is_never_shortened")
    await Evidence.delete().where(Evidence.wave == wave, Evidence.name == name)
    await save_evidence(wave, name, text, now=NOW)


def changed(value: object) -> object:
    """Another value of the same kind."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    if isinstance(value, list):
        return value[:-1] if value else ["x"]
    assert isinstance(value, dict)
    return {**value, "added": 1}


async def test_every_field_of_the_plan_changed_after_signing_stops_certifying(estimated: Bureau) -> None:
    signed = await load_evidence(estimated.wave, "plan.json")
    document = canonical.decode(signed.encode())
    refused = []
    for key in document:
        altered = copy.deepcopy(document) | {key: changed(document[key])}
        await stored(estimated.wave, "plan.json", canonical.encode(altered).decode())
        with pytest.raises(PlanAlteredError):
            await estimated.act(certify_wave)
        refused.append(key)
    await stored(estimated.wave, "plan.json", signed)
    issued = await estimated.act(certify_wave)

    assert DEMANDED <= set(refused)
    assert issued.certificate.is_file()


@pytest.mark.parametrize("step", [publish_wave, close_wave, open_wave])
async def test_no_step_goes_on_from_a_plan_that_was_altered(desk: Bureau, step: object) -> None:
    await desk.go({publish_wave: "planned", close_wave: "open", open_wave: "closed"}[step])
    document = canonical.decode((await load_evidence(desk.wave, "plan.json")).encode())
    document["threshold"] = "0.84"
    await stored(desk.wave, "plan.json", canonical.encode(document).decode())

    with pytest.raises(PlanAlteredError):
        if step is publish_wave:
            await desk.publish()
        else:
            await desk.act(step)


async def test_a_wave_without_signed_plan_is_not_published(desk: Bureau) -> None:
    with pytest.raises(PlanNotSignedError):
        await publish_wave(desk.settings, desk.office, desk.wave, **desk.by)


async def test_a_rule_that_moved_around_the_plan_stops_certifying_by_name(
    estimated: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("survey.jobs.plan_rules.METHOD_VERSION", "999")
    with pytest.raises(RuleMovedError, match="method_version"):
        await estimated.act(certify_wave)
    monkeypatch.undo()
    row = await Plans.select(Plans.document).where(Plans.wave == estimated.wave)
    await Plans.update(
        {Plans.document: row[0]["document"].replace('"minimum_count":10', '"minimum_count":9')}
    ).where(Plans.wave == estimated.wave)
    with pytest.raises(RuleMovedError, match="minimum_count"):
        await estimated.act(certify_wave)

    assert "method_version" in MOVES_THE_FIGURE


async def test_a_signing_that_died_half_way_can_be_done_again(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("survey.jobs.sign_plan.save_print_file", power_cut)
    with pytest.raises(KeyboardInterrupt):
        await bureau.act(sign_plan)
    monkeypatch.undo()
    signed = await bureau.act(sign_plan)
    await bureau.publish()

    assert signed.slips == len(bureau.codes)
    assert (await bureau.office.find_slip(bureau.codes[0][0])) is not None
