"""C11: three people certify, one after the other; each is asked who they are, and nobody takes two steps."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from survey.certification.verification import verify_file
from survey.jobs.certify_in_steps import certification_standing
from survey.jobs.signers import ROLES
from survey.storage.audit import list_audit
from survey.storage.certificates import list_certificates
from survey.storage.certification_steps import CertificationStep, add_step, list_steps
from survey.storage.results import load_results, load_results_digest
from survey.storage.second_factors import begin_second_factor, confirm_second_factor
from survey.storage.tables import CertificationSteps, Waves
from survey.web.pages import grouped_digest

from ..conftest import NOW, PASSWORD, SAME_ORIGIN, Site, running

PAGE = "/console/waves/county-a/certify"
KEY = {role: f"{PASSWORD} {role}" for role in ROLES}
PEOPLE = {"jia": "operator", "yi": "reviewer", "bing": "approver"}


@pytest.fixture
async def three(certified_folder: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """A certified wave that may be certified anew, and one person of each role."""
    shutil.copytree(certified_folder, tmp_path / "data")
    async with running(tmp_path / "data") as site:
        for name, role in PEOPLE.items():
            await site.person(name, (role,))
        await site.person("all", tuple(PEOPLE.values()))
        yield site


async def as_person(site: Site, name: str) -> None:
    site.client.cookies.clear()
    reply = await site.client.post(
        "/console/sign-in", data={"name": name, "password": PASSWORD}, headers=SAME_ORIGIN
    )
    assert reply.status_code == 200, reply.text


async def step(site: Site, name: str, what: str, **fields: str):
    await as_person(site, name)
    return await site.send(f"{PAGE}/{what}", {"password": PASSWORD, **fields})


async def prepare(site: Site, name: str = "jia"):
    return await step(site, name, "prepare", passphrase=KEY["operator"], reason="换了正确的校名")


async def test_three_people_certify_and_the_trail_names_them(three: Site) -> None:
    done = [(await prepare(three)).status_code]
    results, before = await load_results("county-a"), (await three.client.get(PAGE)).text
    digests = [await load_results_digest("county-a"), *results["digests"].values()]
    digests += [one.digest for one in await list_steps("county-a")]
    done.append((await step(three, "yi", "review")).status_code)
    done.append((await step(three, "bing", "sign", passphrase=KEY["approver"])).status_code)
    certificates = await list_certificates("county-a")
    trail = {entry.what: entry for entry in reversed(await list_audit(wave="county-a"))}
    page = (await three.client.get(PAGE)).text

    assert done == [303] * 3
    assert len(certificates) == 2
    assert verify_file(certificates[-1].data).ok
    assert [(one.step, one.person) for one in await list_steps("county-a")] == [
        ("prepare", "jia"), ("review", "yi"), ("sign", "bing"),
    ]  # fmt: skip
    assert trail["certify_wave"].details["reviewed_by"] == "yi"
    assert (trail["certify_prepare"].who, trail["certify_review"].who) == ("jia", "yi")
    assert "三步" in page and "换了正确的校名" in page
    assert f"交回{results['response']['used']}份" in before and "每一行都够" in before
    assert len(digests) > 7 and [one for one in digests if grouped_digest(one) not in before] == []


async def test_nobody_takes_two_steps_and_no_step_is_left_out(three: Site) -> None:
    early = await step(three, "bing", "sign", passphrase=KEY["approver"])
    await prepare(three, "all")
    twice = await step(three, "all", "review")
    page = (await three.client.get(PAGE)).text
    await step(three, "yi", "review")
    own = await step(three, "all", "sign", passphrase=KEY["approver"])

    assert (early.status_code, "certify.not_this_step" in early.text) == (409, True)
    assert (twice.status_code, "certify.two_steps" in twice.text) == (403, True)
    assert "要由另一个人来做" in page
    assert (own.status_code, "certify.two_steps" in own.text) == (403, True)
    assert len(await list_certificates("county-a")) == 1


async def test_a_reviewer_sends_back_with_a_reason_and_it_begins_again(three: Site) -> None:
    await prepare(three)
    silent = await step(three, "yi", "back", note=" ")
    told = await step(three, "yi", "back", note="应答率没有核对")
    page = (await three.client.get(PAGE)).text
    early = await step(three, "bing", "sign", passphrase=KEY["approver"])
    again = await prepare(three)

    assert (silent.status_code, told.status_code) == (422, 303)
    assert "应答率没有核对" in page and "退回了" in page
    assert early.status_code == 409
    assert again.status_code == 303
    assert (await certification_standing("county-a")).due == "review"


async def test_what_changed_since_the_review_goes_back_to_the_first_step(three: Site) -> None:
    await prepare(three)
    await step(three, "yi", "review")
    rows = await CertificationSteps.count()
    # The same answers stated on another day are another statement.
    prepared = (await certification_standing("county-a")).prepared
    assert prepared is not None
    other = {**prepared.document, "on": "2026-11-20"}
    await add_step("county-a", CertificationStep(2, "prepare", "jia", prepared.digest, other, NOW))
    await add_step("county-a", CertificationStep(2, "review", "yi", prepared.digest, {}, NOW))
    refused = await step(three, "bing", "sign", passphrase=KEY["approver"])

    assert rows == 2
    assert "certify.changed_since" in refused.text
    assert (await certification_standing("county-a")).due == "prepare"
    assert len(await list_certificates("county-a")) == 1


async def test_every_step_asks_again_for_password_and_one_time_code(three: Site) -> None:
    wrong = await step(three, "jia", "prepare", password="not mine", passphrase=KEY["operator"], reason="甲")
    secret = await begin_second_factor(three.settings, "jia")
    code = pyotp.TOTP(secret, interval=30)
    await confirm_second_factor(three.settings, "jia", code.at(NOW), now=NOW)
    three.clock.now = NOW + timedelta(minutes=1)
    three.client.cookies.clear()
    given = await three.client.post("/console/sign-in", data={"name": "jia", "password": PASSWORD}, headers=SAME_ORIGIN)
    token = given.text.split('name="step" value="', 1)[1].split('"', 1)[0]
    await three.client.post("/console/sign-in/code", data={"step": token, "code": code.at(three.clock.now), "next": "/console/waves"}, headers=SAME_ORIGIN)
    fields = {"password": PASSWORD, "passphrase": KEY["operator"], "reason": "甲"}
    missing = await three.send(f"{PAGE}/prepare", fields)
    used = await three.send(f"{PAGE}/prepare", {**fields, "code": code.at(three.clock.now)})
    three.clock.now += timedelta(minutes=1)
    right = await three.send(f"{PAGE}/prepare", {**fields, "code": code.at(three.clock.now)})
    refusals = [one.details for one in await list_audit(wave="county-a") if one.what == "certify_step"]

    assert "certify.not_yourself" in wrong.text and "not mine" not in wrong.text
    assert [missing.status_code, used.status_code, right.status_code] == [422, 422, 303]
    assert [one["why"] for one in refusals] == ["certify.not_yourself"] * 3


async def test_a_real_wave_is_not_certified_without_one_time_codes(three: Site) -> None:
    await Waves.update({Waves.demonstration: False}).where(Waves.wave == "county-a")
    refused = await prepare(three)

    assert (refused.status_code, "certify.no_second_factor" in refused.text) == (403, True)
    assert "先启用验证码" in (await three.client.get(PAGE)).text


async def test_a_foreign_key_signs_nothing(three: Site) -> None:
    other = await step(three, "jia", "prepare", passphrase=KEY["approver"], reason="甲")

    assert "certification.key_file" in other.text
    assert await list_steps("county-a") == ()
