"""Rows of the security checklist that no other test holds: names, proxies, kinds of body, logs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from litestar.testing import AsyncTestClient

from survey.storage.tables import Certificates
from survey.web.app import create_app

from .ground import NOW, WAVE, Ground, form_body, ground

FORM = {"content-type": "application/x-www-form-urlencoded"}


@asynccontextmanager
async def public(laid: Ground, host: str = "survey.example") -> AsyncIterator[AsyncTestClient[Any]]:
    """The whole application behind its public https address."""
    app = create_app(laid.settings, laid.database, laid.office, now=lambda: NOW)
    async with AsyncTestClient(app, base_url=f"https://{host}") as client:
        client.follow_redirects = False
        yield client


@pytest.fixture
async def laid(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path / "data") as made:
        yield made


async def test_only_our_own_name_is_answered(laid: Ground) -> None:
    paths = ("/", "/console/sign-in", f"/s/{laid.code()}", "/healthz", "/api/v1/waves")
    statuses = {}
    for host in ("survey.example", "survey.example:443", "evil.example", "survey.example.evil.example", ""):
        async with public(laid) as client:
            replies = [await client.get(path, headers={"host": host}) for path in paths]
        statuses[host] = {reply.status_code == 421 for reply in replies}

    assert statuses.pop("survey.example") == statuses.pop("survey.example:443") == {False}
    assert set(map(frozenset, statuses.values())) == {frozenset({True})}


async def test_a_page_never_repeats_the_name_it_was_asked_by(laid: Ground) -> None:
    async with public(laid, "127.0.0.1") as client:
        for path in ("/", f"/s/{laid.code()}", "/s/thanks", "/v", "/nowhere"):
            reply = await client.get(path, headers={"x-forwarded-host": "evil.example"})

            assert "evil.example" not in reply.text + str(reply.headers)


async def test_both_answering_paths_carry_every_header_also_when_refused(laid: Ground) -> None:
    code = laid.code()
    async with public(laid) as client:
        replies = [
            await client.get(f"/s/{code}"),
            await client.head(f"/s/{code}"),
            await client.get("/s/222222222222"),
            await client.post(f"/s/{code}", content=b"x" * 70_000, headers=FORM),
            await client.post(f"/s/{code}", json={"k": 1}),
            await client.get("/o/none/none"),
        ]

    assert [reply.status_code for reply in replies] == [200, 200, 422, 413, 415, 404]
    for reply in replies:
        assert reply.headers["strict-transport-security"].startswith("max-age=31536000")
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["cache-control"] == "no-store" and reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["server"] == "survey" and "set-cookie" not in reply.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=x", "", "a/b"])
async def test_json_in_plain_clothes_is_no_form(laid: Ground, kind: str) -> None:
    code = laid.code()
    async with public(laid) as client:
        page = await client.get(f"/s/{code}")
        sent = await client.post(
            f"/s/{code}", content=form_body(page.text, {"PA20": "5"}), headers={"content-type": kind}
        )
        signing_in = await client.post(
            "/console/sign-in",
            content=b'{"name": "a", "password": "b"}',
            headers={"content-type": kind, "sec-fetch-site": "same-origin"},
        )
        again = await client.get(f"/s/{code}")

    assert sent.status_code == 415 and again.status_code == 200
    assert 400 <= signing_in.status_code < 500


@pytest.mark.parametrize(("from_address", "believed"), [("10.0.0.1", "203.0.113.7"), ("10.0.0.9", "10.0.0.9")])
async def test_only_a_known_proxy_is_believed_about_who_asks(from_address: str, believed: str) -> None:
    seen = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    headers = [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-host", b"evil.example")]
    scope = {"type": "http", "client": (from_address, 1), "headers": headers, "scheme": "http"}
    await wrap_asgi_with_proxy_headers(application, ["10.0.0.1"])(scope, None, None)

    assert seen == [believed]


async def test_no_log_holds_a_code_a_key_or_a_receipt(
    laid: Ground, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = laid.code()
    with caplog.at_level(logging.DEBUG):
        async with public(laid) as client:
            page = await client.get(f"/s/{code}")
            body = form_body(page.text, {"PA20": "5"})
            thanked = await client.post(f"/s/{code}", content=body, headers=FORM)

            async def broken(*_: object) -> None:
                raise RuntimeError(code)

            monkeypatch.setattr(laid.office, "find_slip", broken)
            failed = await client.get(f"/s/{code}")
    ours = "\n".join(one.getMessage() for one in caplog.records if one.name.startswith("survey"))
    receipt = thanked.headers["location"].rpartition("/")[2]

    assert failed.status_code == 500 and "incident" in ours
    assert code not in ours and receipt not in ours and "PA20" not in ours


async def test_when_the_pages_that_verify_fail_answers_are_taken_in_all_the_same(laid: Ground) -> None:
    app = create_app(laid.settings, laid.database, laid.office, now=lambda: NOW)
    await Certificates.raw("DROP TABLE certificates")
    address = f"/s/{laid.code()}"
    async with AsyncTestClient(app, base_url="https://survey.example", raise_server_exceptions=False) as client:
        client.follow_redirects = False
        verified = await client.get("/v", params={"number": "1", "code": "0000-0000-0000"})
        form = await client.get(address)
        sent = await client.post(address, content=form_body(form.text, {"PA20": "5"}), headers=FORM)
        thanks = await client.get(sent.headers["location"])

    assert verified.status_code == 500 and "事件编号" in verified.text
    assert (form.status_code, sent.status_code, thanks.status_code) == (200, 303, 200)
    assert len(await laid.office.leaves(WAVE)) == 1
