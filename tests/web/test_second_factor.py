"""One-time codes at sign-in: asked for after the password, each good once, with a way back in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from survey.storage.accounts import issue_sign_in_link
from survey.storage.sessions import find_session, start_session

from .conftest import NOW, PASSWORD, SAME_ORIGIN, Site


async def enrol(site: Site) -> tuple[pyotp.TOTP, list[str]]:
    """Sign in, scan, confirm; the maker of codes and the recovery codes shown."""
    await site.sign_in()
    return await confirm(site)


async def confirm(site: Site) -> tuple[pyotp.TOTP, list[str]]:
    """Scan and confirm where one is signed in."""
    assert "密钥 <code>" not in (await site.client.get("/console/account")).text
    await site.send("/console/account/code/begin", {})
    page = (await site.client.get("/console/account")).text
    found = re.search(r"密钥 <code>([A-Z2-7 ]+)</code>", page)
    assert found is not None
    maker = pyotp.TOTP(found[1].replace(" ", ""))
    reply = await site.send("/console/account/code", {"code": maker.at(site.clock.now)})
    assert reply.status_code == 200, reply.text
    return maker, re.findall(r"<li><code>([0-9A-Z-]{14})</code>", reply.text)


async def password(site: Site) -> Any:
    site.client.cookies.clear()
    fields = {"name": "demo", "password": PASSWORD}
    return await site.client.post(
        "/console/sign-in", data=fields, headers=SAME_ORIGIN, follow_redirects=False
    )


async def code(site: Site, page: str, text: str) -> Any:
    step = re.search(r'name="step" value="([^"]+)"', page)
    assert step is not None
    fields = {"step": step[1], "code": text, "next": "/console/waves"}
    return await site.client.post(
        "/console/sign-in/code", data=fields, headers=SAME_ORIGIN, follow_redirects=False
    )


async def test_the_password_alone_no_longer_opens_the_console(site: Site) -> None:
    maker, _ = await enrol(site)
    first = await password(site)
    inside = await site.client.get("/console/waves", follow_redirects=False)
    site.clock.now += timedelta(minutes=1)
    second = await code(site, first.text, maker.at(site.clock.now))

    assert first.status_code == 200
    assert "set-cookie" not in first.headers
    assert inside.status_code == 303
    assert second.status_code == 303
    assert (await site.client.get("/console/waves")).status_code == 200


async def test_a_code_is_good_once_also_the_one_that_confirmed(site: Site) -> None:
    maker, _ = await enrol(site)
    used = await code(site, (await password(site)).text, maker.at(NOW))
    site.clock.now += timedelta(minutes=1)
    page = (await password(site)).text
    fresh = maker.at(site.clock.now)
    once, twice = await code(site, page, fresh), await code(site, page, fresh)

    assert [used.status_code, once.status_code, twice.status_code] == [422, 303, 422]


async def test_a_recovery_code_opens_once_and_one_time_links_do_not_pass_the_phone(site: Site) -> None:
    _, recovery = await enrol(site)
    token = await issue_sign_in_link("demo", now=NOW)
    site.client.cookies.clear()
    by_link = await site.client.post(
        f"/console/sign-in/{token}", headers=SAME_ORIGIN, data={}, follow_redirects=False
    )
    opened = await code(site, by_link.text, recovery[3].lower())
    again = await code(site, (await password(site)).text, recovery[3])

    assert len(set(recovery)) == 10
    assert by_link.status_code == 200
    assert [opened.status_code, again.status_code] == [303, 422]


@pytest.mark.parametrize(
    "change", [lambda step: step[:-1] + "x", lambda step: "0" * 64 + step[64:], lambda step: ""]
)
async def test_a_step_that_the_server_did_not_give_opens_nothing(site: Site, change: Any) -> None:
    maker, _ = await enrol(site)
    page = (await password(site)).text
    site.clock.now += timedelta(minutes=1)
    step = re.search(r'name="step" value="([^"]+)"', page)
    assert step is not None
    reply = await code(site, page.replace(step[1], change(step[1]) or "-"), maker.at(site.clock.now))

    assert reply.status_code == 410


async def test_the_step_ends_after_five_minutes_and_wrong_codes_wait(site: Site) -> None:
    maker, _ = await enrol(site)
    page = (await password(site)).text
    tries = [(await code(site, page, "000000")).status_code for _ in range(7)]
    site.clock.now += timedelta(minutes=6)
    late = await code(site, page, maker.at(site.clock.now))

    assert tries[:5] == [422] * 5
    assert 429 in tries
    assert late.status_code == 410


async def test_a_lost_phone_is_forgotten_by_one_of_its_codes(site: Site) -> None:
    _, recovery = await enrol(site)
    wrong = await site.send("/console/account/code/end", {"code": "AAAA-BBBB-CCCC"})
    right = await site.send("/console/account/code/end", {"code": recovery[0]})

    assert [wrong.status_code, right.status_code] == [422, 303]
    assert (await password(site)).status_code == 303


async def test_turning_the_code_on_ends_every_session_of_a_password_alone(site: Site) -> None:
    await site.sign_in()
    elsewhere = await start_session("demo", now=NOW)
    before = dict(site.client.cookies)
    await confirm(site)
    here = await site.client.get("/console/account")

    assert await find_session(elsewhere, now=NOW) is None
    assert await find_session(before["session"], now=NOW) is None
    assert here.status_code == 200 and site.client.cookies["session"] != before["session"]


async def test_the_database_alone_makes_no_code(site: Site) -> None:
    from survey.storage.tables import SecondFactors

    maker, _ = await enrol(site)
    rows = await SecondFactors.select()

    assert maker.secret not in str(rows)
    assert (site.settings.keys / "_installation" / "one_time_codes.key").stat().st_mode & 0o077 == 0
