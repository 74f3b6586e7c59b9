"""Unified sign-in against a provider in a process of its own, over real HTTP; and tokens that must not pass."""

from __future__ import annotations

import base64
import hmac
import re
import socket
import socketserver
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pyotp
import pytest
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from survey.errors import SurveyError
from survey.jobs.manage_accounts import name_subject
from survey.jobs.sign_in_elsewhere import (
    Provider,
    ProviderUnreachableError,
    read_id_token,
    read_keys,
    read_metadata,
)
from survey.settings import SettingsError, effective_settings, load_settings
from survey.storage.accounts import deactivate_account, list_accounts
from survey.storage.audit import list_audit
from survey.storage.subjects import SubjectRefusedError, list_subjects

from .conftest import Site, running

CLIENT = "survey-desk"
SUBJECT = "248289761001"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider of its own process, built by others on Authlib's server."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            try:
                httpx.get(f"{address}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the provider did not start"
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where the accounts are kept: in a file, or at a PostgreSQL server."""
    return request.getfixturevalue("postgres_url") if request.param == "postgres" else None


@pytest.fixture
async def joined(url: str | None, issuer: str, tmp_path: Path) -> AsyncIterator[Site]:
    """A site whose unified sign-in leads to the provider; `demo` is registered there."""
    async with running(tmp_path / "data", url) as site:
        await join(site, issuer, tmp_path)
        yield site


async def join(site: Site, issuer: str, tmp_path: Path) -> None:
    """Let the site's unified sign-in lead to the provider."""
    secret = tmp_path / "client-secret"
    secret.write_text("not a word of ours\n", encoding="utf-8")
    settings = replace(
        site.settings, oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_client_secret_file=secret
    )
    site.settings = site.app.state.settings = settings
    site.app.state.provider = Provider(settings)
    site.clock.now = datetime.now(UTC)
    await site.person()
    await name_subject(settings, "demo", SUBJECT, actor="test", now=site.clock.now)


async def go(site: Site, next_page: str = "/console/account") -> str:
    """The provider's address that our button leads to."""
    reply = await site.client.get(
        "/console/sign-in/unified", params={"next": next_page}, follow_redirects=False
    )
    assert reply.status_code == 303, reply.text
    return str(reply.headers["location"])


def consent(address: str, subject: str = SUBJECT, **form: str) -> str:
    """The person signs in at the provider; the way back, with code and state."""
    reply = httpx.post(address, data={"sub": subject, **form}, follow_redirects=False)
    assert reply.status_code == 302, reply.text
    return str(reply.headers["location"])


async def back(site: Site, address: str) -> Any:
    parts = urlsplit(address)
    return await site.client.get(f"{parts.path}?{parts.query}", follow_redirects=False)


def changed(address: str, **query: str) -> str:
    """The address with other values in its query."""
    return f"{address.split('?')[0]}?{urlencode({**dict(parse_qsl(urlsplit(address).query)), **query})}"


async def is_in(site: Site) -> bool:
    return bool((await site.client.get("/console/waves", follow_redirects=False)).status_code == 200)


async def test_a_registered_person_comes_in_by_the_button_and_lands_where_they_wanted(joined: Site) -> None:
    page = (await joined.client.get("/console/sign-in")).text
    address = await go(joined)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    reply = await back(joined, consent(address))
    acts = [(one.who, one.what) for one in await list_audit(limit=5)]

    assert re.search(r'href="/console/sign-in/unified\?next=[^"]+">统一登录<', page)
    assert (query["response_type"], query["scope"], query["code_challenge_method"]) == (
        "code",
        "openid",
        "S256",
    )
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    assert (reply.status_code, reply.headers["location"]) == (303, "/console/account")
    assert await is_in(joined)
    assert ("demo", "sign_in") in acts


async def test_the_phones_code_is_still_asked_for(joined: Site) -> None:
    await back(joined, consent(await go(joined)))
    await joined.send("/console/account/code/begin", {})
    secret = re.search(r"密钥 <code>([A-Z2-7 ]+)</code>", (await joined.client.get("/console/account")).text)
    assert secret is not None
    maker = pyotp.TOTP(secret[1].replace(" ", ""))
    await joined.send("/console/account/code", {"code": maker.at(joined.clock.now)})
    joined.client.cookies.clear()
    reply = await back(joined, consent(await go(joined)))

    assert reply.status_code == 200
    assert 'name="step"' in reply.text
    assert not await is_in(joined)


async def test_an_unregistered_or_shut_account_stays_out_and_none_is_made(joined: Site) -> None:
    before = await list_accounts()
    stranger = await back(joined, consent(await go(joined), "999<script>"))
    await deactivate_account("demo", now=joined.clock.now)
    shut = await back(joined, consent(await go(joined)))
    refused = [one for one in await list_audit(limit=10) if one.what == "sign_in_unified"]

    assert (stranger.status_code, shut.status_code) == (403, 403)
    assert "没有登记" in stranger.text
    assert "<script>" not in stranger.text
    assert [one.name for one in await list_accounts()] == [one.name for one in before]
    assert not await is_in(joined)
    assert len(refused) == 2


async def test_a_way_back_is_good_once_in_the_browser_that_began_it_and_in_time(joined: Site) -> None:
    way = consent(await go(joined))
    cookie = joined.client.cookies["sign-in"]
    joined.client.cookies.clear()
    elsewhere = await back(joined, way)
    joined.client.cookies.set("sign-in", cookie)
    forged = await back(joined, changed(way, state="0" * 64))
    first = await back(joined, way)
    joined.client.cookies.clear()
    joined.client.cookies.set("sign-in", cookie)
    replayed = await back(joined, way)
    joined.client.cookies.clear()
    # The spent code under a new state: now it is the provider that refuses.
    spent = dict(parse_qsl(urlsplit(way).query))["code"]
    other = await back(joined, changed(consent(await go(joined)), code=spent))
    late_way = consent(await go(joined))
    joined.clock.now += timedelta(minutes=11)
    late = await back(joined, late_way)
    joined.client.cookies.set("sign-in", cookie[:-6] + "AAAAAA")
    tampered = await back(joined, way)

    assert first.status_code == 303
    replies = (elsewhere, forged, replayed, other, late, tampered)
    assert [reply.status_code for reply in replies] == [403] * 6
    assert not await is_in(joined)


async def test_another_nonce_another_client_a_refusal_and_another_issuer_open_nothing(joined: Site) -> None:
    nonce = await back(joined, consent(changed(await go(joined), nonce="of-another-sign-in")))
    client = await back(joined, consent(changed(await go(joined), client_id="another-system")))
    denied = await back(joined, consent(await go(joined), action="deny"))
    mixed = await back(joined, consent(await go(joined)) + "&iss=https%3A%2F%2Fevil.example")
    unknown = await joined.client.get("/console/sign-in/unified/back?foo=1", follow_redirects=False)

    assert [reply.status_code for reply in (nonce, client, mixed)] == [403] * 3
    assert denied.status_code == 403
    assert unknown.status_code == 400
    assert not await is_in(joined)


async def test_a_provider_that_is_silent_is_asked_once_in_half_a_minute(
    site: Site, issuer: str, tmp_path: Path
) -> None:
    asked: list[int] = []

    class HangUp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(1)

    server = socketserver.TCPServer(("127.0.0.1", 0), HangUp)
    Thread(target=server.serve_forever, daemon=True).start()
    await join(site, issuer, tmp_path)
    site.settings = site.app.state.settings = replace(
        site.settings, oidc_issuer=f"http://127.0.0.1:{server.server_address[1]}"
    )
    site.app.state.provider = Provider(site.settings)
    clicks = [await site.client.get("/console/sign-in/unified", follow_redirects=False) for _ in range(3)]
    page = (await site.client.get("/console/sign-in")).text
    asked_at_first = len(asked)
    site.clock.now += timedelta(seconds=31)
    await site.client.get("/console/sign-in/unified", follow_redirects=False)
    calm = (await site.client.get("/console/sign-in")).text
    server.shutdown()
    server.server_close()

    assert [reply.status_code for reply in clicks] == [503] * 3
    assert "连不上" in clicks[0].text and "半分钟内不再去问" in clicks[2].text
    assert "用密码登录" in clicks[0].text and "刚才连不上" in page and "刚才连不上" in calm
    assert (asked_at_first, len(asked)) == (1, 2)


async def test_an_address_of_another_site_is_not_gone_on_to(joined: Site) -> None:
    reply = await back(joined, consent(await go(joined, "https://evil.example/console/")))

    assert reply.headers["location"] == "/console/waves"


async def test_without_the_setting_there_is_no_button_and_no_page(site: Site) -> None:
    page = (await site.client.get("/console/sign-in")).text
    statuses = [
        (await site.client.get(f"/console/sign-in/unified{end}", follow_redirects=False)).status_code
        for end in ("", "/back")
    ]

    assert "统一登录" not in page
    assert statuses == [404, 404]


async def test_subjects_are_registered_by_an_administrator_one_person_each(joined: Site) -> None:
    await joined.sign_in("wang", ("operator",))
    inside = await joined.send("/console/people/subject", {"name": "wang", "subject": "1"})
    joined.client.cookies.clear()
    await joined.sign_in("boss", ("admin",))
    taken = await joined.send("/console/people/subject", {"name": "wang", "subject": SUBJECT})
    unknown = await joined.send("/console/people/subject", {"name": "nobody", "subject": "7"})
    odd = await joined.send("/console/people/subject", {"name": "wang", "subject": "王"})
    saved = await joined.send("/console/people/subject", {"name": "wang", "subject": '77"><b>'})
    page = (await joined.client.get("/console/people")).text
    held = await list_subjects(joined.settings.oidc_issuer or "")
    await joined.send("/console/people/subject", {"name": "wang", "subject": ""})
    with pytest.raises(SubjectRefusedError):
        await name_subject(joined.settings, "wang", SUBJECT, actor="t", now=joined.clock.now)

    assert [one.status_code for one in (inside, taken, unknown, odd, saved)] == [403, 422, 404, 422, 303]
    assert "<b>" not in page
    assert held == {"demo": SUBJECT, "wang": '77"><b>'}
    assert await list_subjects(joined.settings.oidc_issuer or "") == {"demo": SUBJECT}
    assert await list_subjects("https://another.example") == {}


AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ISSUER = "https://id.example"
KEY = jwk.RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig"})
KEYS = read_keys({"keys": [KEY.as_dict(private=False)]})
GOOD = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": SUBJECT,
    "nonce": "n",
    "iat": int(AT.timestamp()),
    "exp": int(AT.timestamp()) + 300,
}


def signed(claims: dict[str, Any], key: Any = KEY, **header: str) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one", **header}, claims, key, algorithms=["RS256"])


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def opens(token: str) -> bool:
    try:
        return read_id_token(token, KEYS, ISSUER, CLIENT, "n", now=AT) == SUBJECT
    except (SurveyError, JoseError):
        return False


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-system"},
        {"aud": ["another-system"]},
        {"aud": [CLIENT, "another-system"]},
        {"aud": [CLIENT, "another-system"], "azp": "another-system"},
        {"azp": "another-system"},
        {"aud": None},
        {"aud": 7},
        {"iss": "https://id.example/"},
        {"iss": None},
        {"nonce": "m"},
        {"nonce": None},
        {"nonce": ""},
        {"exp": int(AT.timestamp()) - 61},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": int(AT.timestamp()) + 120},
        {"iat": None},
        {"nbf": int(AT.timestamp()) + 120},
        {"sub": None},
        {"sub": ""},
        {"sub": 248289761001},
    ],
)
def test_a_token_with_one_claim_that_does_not_hold_opens_nothing(claims: dict[str, Any]) -> None:
    mixed = {name: value for name, value in {**GOOD, **claims}.items() if value is not None}

    assert opens(signed(GOOD))
    assert opens(signed({**GOOD, "aud": [CLIENT, "x"], "azp": CLIENT}))
    assert not opens(signed(mixed))


def test_a_token_that_the_provider_did_not_sign_opens_nothing() -> None:
    thief = jwk.RSAKey.generate_key(2048, parameters={"kid": "one"})
    good = signed(GOOD)
    head, body, mark = good.split(".")
    none = "eyJhbGciOiJub25lIn0." + body + "."
    bent = head + "." + body[:-2] + ("AA" if body[-2:] != "AA" else "BB") + "." + mark

    # The public key taken for a shared secret, as libraries once did.
    text = b64(b'{"alg":"HS256","kid":"one"}') + "." + body
    by_shared = text + "." + b64(hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256"))
    for token in (signed(GOOD, thief), signed(GOOD, kid="two"), by_shared, none, bent, "", "a.b.c", head):
        assert not opens(token), token


def test_a_provider_that_says_odd_things_of_itself_is_not_used() -> None:
    good = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/a",
        "token_endpoint": f"{ISSUER}/t",
        "jwks_uri": f"{ISSUER}/k",
    }
    odd = [
        {"issuer": f"{ISSUER}/"},
        {"token_endpoint": "http://id.example/t"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "https://user:pass@id.example/t"},
    ]

    assert read_metadata(good, ISSUER).token == f"{ISSUER}/t"
    for one in odd:
        with pytest.raises(ProviderUnreachableError):
            read_metadata({**good, **one}, ISSUER)
    for keys in ({}, {"keys": "x"}, {"keys": [{"kty": "oct", "k": "AAAA"}, 7, {"kty": "RSA"}]}):
        with pytest.raises(ProviderUnreachableError):
            read_keys(keys)


def test_the_settings_are_checked_at_start_and_the_secret_is_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t-of-the-client\n", encoding="utf-8")
    empty = tmp_path / "empty"
    empty.touch()
    good = {
        "SURVEY_OIDC_ISSUER": ISSUER,
        "SURVEY_OIDC_CLIENT_ID": CLIENT,
        "SURVEY_OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    told = effective_settings(load_settings(good, data=tmp_path))
    wrong = [
        {"SURVEY_OIDC_ISSUER": "http://id.example"},
        {"SURVEY_OIDC_ISSUER": "https://id.example?x"},
        {"SURVEY_OIDC_ISSUER": ""},
        {"SURVEY_OIDC_CLIENT_ID": ""},
        {"SURVEY_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "absent")},
        {"SURVEY_OIDC_CLIENT_SECRET_FILE": str(empty)},
    ]

    assert told["SURVEY_OIDC_ISSUER"] == ISSUER
    assert "s3cr3t" not in repr(told)
    for one in wrong:
        with pytest.raises(SettingsError):
            load_settings({**good, **one}, data=tmp_path)
