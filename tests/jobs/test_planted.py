"""Canaries and honey slips in a whole wave: kept back, sent like any answer, found again, never counted."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from survey import canonical
from survey.certification.receipt import parse_receipt
from survey.certification.verification import verify_file
from survey.fieldwork.planted import Canary, Planted, PlantedListError
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.open_wave import CanaryListMissingError, open_wave
from survey.jobs.plant_answers import erase_held, find_alarms, make_list, send_canaries, take_codes
from survey.jobs.receive_response import Received, receive_response
from survey.jobs.run_fieldwork import HeldCodesError
from survey.jobs.sign_plan import sign_plan
from survey.settings import Settings

from .conftest import LONG, NOW, Bureau


@pytest.fixture(params=LONG)
def settings(request: pytest.FixtureRequest) -> Settings:
    return request.getfixturevalue(f"{request.param}_settings")


async def planted_wave(bureau: Bureau) -> Planted:
    """An open wave with eight canaries sent and four honey slips kept."""
    planted = await make_list(bureau.wave, canaries=8, honey=4, **bureau.by)
    await bureau.act(sign_plan, planted=planted.announce())
    with pytest.raises(HeldCodesError):
        await bureau.publish()
    planted = await take_codes(bureau.settings, planted, **bureau.by)
    erase_held(bureau.settings, bureau.wave)
    await bureau.publish()
    await bureau.answer()
    return await send_canaries(planted, lambda one: sent(bureau, one))


async def sent(bureau: Bureau, one: Canary) -> str:
    slip = await bureau.office.find_slip(one.code)
    received = await receive_response(
        bureau.office, bureau.wave, slip, secrets.token_bytes(16), one.answers, now=NOW, pace=1
    )
    assert isinstance(received, Received)
    return received.receipt


async def test_known_answers_are_left_out_and_nothing_else_is(bureau: Bureau) -> None:
    planted = await planted_wave(bureau)
    codes = {code for code, _ in bureau.codes}
    closed = await bureau.act(close_wave)
    alarms = await find_alarms(bureau.settings, bureau.office, bureau.wave, planted, **bureau.by)
    with pytest.raises(CanaryListMissingError):
        await bureau.act(open_wave)
    with pytest.raises(PlantedListError):
        await bureau.act(open_wave, planted=replace(planted, salt="0" * 64))
    opened = await bureau.act(open_wave, planted=planted)
    results = await estimate_wave(bureau.office, bureau.wave, **bureau.by)
    certified = await bureau.act(certify_wave)
    statement = canonical.decode(certified.certificate.read_bytes())["statement"]
    verdict = verify_file(certified.bundle.read_bytes())

    assert not codes & {one.code for one in planted.canaries}
    assert alarms == []
    assert opened["canaries"] == 8 and opened["canaries_different"] == 0
    assert [entry["reason"] for entry in statement["excluded"]] == ["X1"] * 8
    assert results["n"] == closed["responses"] - 8
    assert sum(row["used"] for row in results["counts"]) == results["n"]
    assert sum(row["slips"] for row in results["counts"]) == len(bureau.codes)
    assert verdict.ok, verdict.lines()


async def test_a_used_honey_slip_and_a_lost_canary_raise_alarms(desk: Bureau) -> None:
    planted = await planted_wave(desk)
    domain, code = planted.honey[0]
    await sent(desk, Canary(domain, planted.canaries[0].answers, code))
    elsewhere = replace(parse_receipt(planted.canaries[0].receipt), leaf_hash=bytes(32))
    lost = replace(planted.canaries[0], receipt=elsewhere.text)
    alarms = await find_alarms(
        desk.settings,
        desk.office,
        desk.wave,
        replace(planted, canaries=(lost, *planted.canaries[1:])),
        **desk.by,
    )

    assert sorted(alarm.indicator for alarm in alarms) == ["I2", "I3"]
    assert {alarm.domain for alarm in alarms} == {domain, lost.domain}


async def test_an_altered_canary_is_told_and_is_not_left_out(desk: Bureau) -> None:
    planted = await planted_wave(desk)
    await desk.act(close_wave)
    # The list's digest is the plan's, so the list is the measure and the record what differs.
    shifted = planted.canaries[1].receipt
    swapped = (
        replace(planted.canaries[0], receipt=shifted),
        replace(planted.canaries[1], receipt=planted.canaries[0].receipt),
        *planted.canaries[2:],
    )
    opened = await desk.act(open_wave, planted=replace(planted, canaries=swapped))

    assert (opened["canaries"], opened["canaries_different"]) == (6, 2)
