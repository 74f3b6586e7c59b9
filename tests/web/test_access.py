"""Sessions, one-time links, forms from elsewhere."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from survey.settings import load_settings
from survey.storage.accounts import issue_sign_in_link
from survey.storage.audit import list_audit
from survey.web.access import cookie_name, session_cookie

from .conftest import BASE, NOW, PASSWORD, SAME_ORIGIN, Site


async def test_signing_in_gives_a_new_session_whatever_id_the_browser_brought(site: Site) -> None:
    await site.person()
    site.client.cookies.set("session", "an-id-the-attacker-knows")
    reply = await site.client.post(
        "/console/sign-in",
        data={"name": "demo", "password": PASSWORD},
        headers=SAME_ORIGIN,
        follow_redirects=False,
    )
    given = reply.cookies["session"]
    site.client.cookies.clear()
    site.client.cookies.set("session", "an-id-the-attacker-knows")
    with_old = await site.client.get("/console/waves", follow_redirects=False)

    assert reply.status_code == 303
    assert len(given) >= 43
    assert given != "an-id-the-attacker-knows"
    assert with_old.status_code == 303


async def test_signing_in_again_ends_the_session_that_was_there(site: Site) -> None:
    await site.sign_in()
    first = site.client.cookies["session"]
    token = await issue_sign_in_link("demo", now=NOW)
    reply = await site.client.post(
        f"/console/sign-in/{token}",
        data={"form_key": await site.form_key()},
        headers=SAME_ORIGIN,
        follow_redirects=False,
    )
    second = reply.cookies["session"]
    site.client.cookies.clear()
    site.client.cookies.set("session", first)
    old = await site.client.get("/console/waves", follow_redirects=False)

    assert second != first
    assert old.status_code == 303


async def test_opening_a_one_time_link_spends_nothing_and_its_button_spends_it_once(site: Site) -> None:
    await site.person()
    token = await issue_sign_in_link("demo", now=NOW)
    for _ in range(50):
        for method in ("GET", "HEAD"):
            assert (await site.client.request(method, f"/console/sign-in/{token}")).status_code == 200
    first = await site.client.post(f"/console/sign-in/{token}", headers=SAME_ORIGIN, follow_redirects=False)
    site.client.cookies.clear()
    second = await site.client.post(f"/console/sign-in/{token}", headers=SAME_ORIGIN, follow_redirects=False)

    assert (first.status_code, first.headers["location"]) == (303, "/console/waves")
    assert second.status_code == 410
    assert "set-cookie" not in second.headers


async def test_a_session_ends_when_left_alone_and_when_signed_out(site: Site) -> None:
    await site.sign_in()
    site.clock.now = NOW + timedelta(hours=1, minutes=59)
    still = await site.client.get("/console/waves", follow_redirects=False)
    site.clock.now += timedelta(hours=2, minutes=1)
    idle = await site.client.get("/console/waves", follow_redirects=False)

    site.clock.now = NOW
    await site.sign_in("other")
    kept = site.client.cookies["session"]
    out = await site.send("/console/sign-out")
    site.client.cookies.set("session", kept)
    after = await site.client.get("/console/waves", follow_redirects=False)

    assert (still.status_code, idle.status_code) == (200, 303)
    assert 'session=""' in out.headers["set-cookie"] or "session=;" in out.headers["set-cookie"]
    assert after.status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.example"},
    ],
)
async def test_a_form_sent_by_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    await site.sign_in()
    fields = {"form_key": await site.form_key()}
    reply = await site.client.post("/console/sign-out", data=fields, headers=headers, follow_redirects=False)

    assert reply.status_code == 403
    assert "access.foreign_request" in reply.text


@pytest.mark.parametrize("fields", [{}, {"form_key": ""}, {"form_key": "0" * 64}, {"form_key": "零"}])
async def test_a_form_without_this_sessions_key_is_refused(site: Site, fields: dict[str, str]) -> None:
    await site.sign_in()
    reply = await site.client.post(
        "/console/sign-out", data=fields, headers=SAME_ORIGIN, follow_redirects=False
    )

    assert reply.status_code == 403
    assert "access.stale_form" in reply.text


async def test_a_wrong_password_waits_longer_each_time_for_this_address_only(site: Site) -> None:
    await site.person()
    wrong = {"name": "demo", "password": "not this one"}
    statuses = [
        (await site.client.post("/console/sign-in", data=wrong, headers=SAME_ORIGIN)).status_code
        for _ in range(7)
    ]
    right = {"name": "demo", "password": PASSWORD}
    too_soon = await site.client.post(
        "/console/sign-in", data=right, headers=SAME_ORIGIN, follow_redirects=False
    )
    site.clock.now = NOW + timedelta(minutes=11)
    later = await site.client.post(
        "/console/sign-in", data=right, headers=SAME_ORIGIN, follow_redirects=False
    )

    assert statuses == [422] * 5 + [429] * 2
    assert too_soon.status_code == 429
    assert int(too_soon.headers["retry-after"]) >= 1
    assert later.status_code == 303


async def test_an_unknown_name_and_a_wrong_password_read_alike(site: Site) -> None:
    await site.person()
    texts = []
    for name in ("demo", "nobody"):
        reply = await site.client.post(
            "/console/sign-in", data={"name": name, "password": "not this one"}, headers=SAME_ORIGIN
        )
        texts.append(reply.text.replace(name, "NAME"))

    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "place",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/console//x",
        "/console/\\x",
        "/s/x",
        "/console/sign-in",
    ],
)
async def test_signing_in_never_leads_to_another_site(site: Site, place: str) -> None:
    await site.person()
    reply = await site.client.post(
        "/console/sign-in",
        data={"name": "demo", "password": PASSWORD, "next": place},
        headers=SAME_ORIGIN,
        follow_redirects=False,
    )

    assert reply.headers["location"] == "/console/waves"


async def test_five_hundred_ways_to_ask_for_another_site_lead_nowhere_else(site: Site) -> None:
    await site.sign_in()
    begin = ("", "/console", "/console/", "/console/..", "https:", "http:/", "\t/", "\n", "%0d%0a", "javascript:", "/console/x?next=")
    middle = ("//", "/\\", "\\\\", "///", "/\t/", "/%2f", "/%5c", "@", "/.//", "/;/", "／／", "\u2028//")
    hosts = ("elsewhere.example", "elsewhere.example%2f.127.0.0.1:8000", "127.0.0.1:8000@elsewhere.example", "ｅlsewhere.example")
    probes = [one + way + host for one in begin for way in middle for host in hosts]
    led = set()
    for probe in probes:
        reply = await site.client.get("/console/sign-in", params={"next": probe}, follow_redirects=False)
        # As browsers read an address: without tabs and line ends, a backslash as a slash.
        address = reply.headers["location"].translate({ord("\t"): "", ord("\n"): "", ord("\r"): "", ord("\\"): "/"})
        led.add((reply.status_code, urlsplit(urljoin(f"{BASE}/console/sign-in", address))[:2]))

    assert len({*probes}) > 500
    assert led == {(303, ("http", "127.0.0.1:8000"))}


def test_on_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    settings = load_settings({}, data=tmp_path, base_url="https://survey.example")
    text = session_cookie(settings, "x").to_header(header="")

    assert cookie_name(settings) == "__Host-session"
    for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert part in text
    assert "Domain" not in text
    assert cookie_name(replace(settings, base_url="http://127.0.0.1:8000")) == "session"


async def test_setting_a_password_ends_every_other_session(site: Site) -> None:
    await site.sign_in()
    elsewhere = site.client.cookies["session"]
    reply = await site.send(
        "/console/account/password", {"password": "another long phrase", "again": "another long phrase"}
    )
    here = await site.client.get("/console/waves", follow_redirects=False)
    site.client.cookies.clear()
    site.client.cookies.set("session", elsewhere)
    there = await site.client.get("/console/waves", follow_redirects=False)

    assert reply.status_code == 303
    assert (here.status_code, there.status_code) == (200, 303)


async def test_the_log_names_who_signed_in_but_holds_no_password(site: Site) -> None:
    await site.sign_in()
    acts = await list_audit(limit=50)

    assert ("demo", "sign_in", "ok") in {(act.who, act.what, act.result) for act in acts}
    assert PASSWORD not in repr(acts)
