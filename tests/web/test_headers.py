"""Security headers on every response, errors too; bodies limited in size and in time."""

import asyncio
from typing import Any

import pytest

from survey.settings import load_settings
from survey.web.errors import SlowBodyError
from survey.web.headers import ANSWER_LIMIT, send_headers, with_deadline

from .conftest import SAME_ORIGIN, Site

PAGES = (
    "/",
    "/healthz",
    "/nowhere",
    "/console",
    "/console/sign-in",
    "/console/sign-in/unknown",
    "/v",
    "/v/99",
    "/v?unknown=1",
    "/log/none/heads",
    "/api/v1/waves",
    "/api/v1/nothing",
    "/static/console/console.css",
    "/static/../pyproject.toml",
    "/s",
    "/s/thanks",
)


async def test_every_response_carries_the_security_headers(site: Site) -> None:
    missing = []
    for path in PAGES:
        for method in ("GET", "HEAD", "DELETE"):
            reply = await site.client.request(method, path, follow_redirects=False)
            headers = reply.headers
            if (
                headers.get("x-content-type-options") != "nosniff"
                or headers.get("referrer-policy") != "no-referrer"
                or headers.get("cross-origin-opener-policy") != "same-origin"
                or "default-src 'none'" not in headers.get("content-security-policy", "")
                or "frame-ancestors 'none'" not in headers["content-security-policy"]
            ):
                missing.append((method, path, reply.status_code))

    assert missing == []


async def test_dynamic_pages_are_never_stored(site: Site) -> None:
    replies = {
        path: (await site.client.get(path, follow_redirects=False)).headers["cache-control"] for path in PAGES
    }

    assert {value for path, value in replies.items() if "/static/console" not in path} == {"no-store"}


async def test_public_pages_set_no_cookie(site: Site) -> None:
    for path in PAGES:
        reply = await site.client.get(path, follow_redirects=False)

        assert "set-cookie" not in reply.headers, path


@pytest.mark.parametrize(("secure", "promised"), [(True, True), (False, False)])
async def test_strict_transport_is_promised_on_https_only(secure: bool, promised: bool) -> None:
    message: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
    await send_headers(secure)(message, {})
    names = {name for name, _ in message["headers"]}

    assert (b"strict-transport-security" in names) is promised


async def test_a_page_keeps_its_own_content_policy() -> None:
    own = (b"Content-Security-Policy", b"default-src 'none'; style-src 'sha256-x'")
    message: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": [own]}
    await send_headers(False)(message, {})
    policies = [value for name, value in message["headers"] if name.lower() == b"content-security-policy"]

    assert policies == [own[1]]


async def test_a_body_beyond_the_limit_is_refused_by_size(site: Site) -> None:
    reply = await site.client.post(
        "/console/sign-in", data={"name": "x" * (ANSWER_LIMIT + 1)}, headers=SAME_ORIGIN
    )

    assert reply.status_code == 413
    assert "default-src" in reply.headers["content-security-policy"]


async def test_a_body_that_trickles_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey.web.headers.BODY_SECONDS", 0.05)

    async def reads_all(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass

    async def trickles() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/s/x"}
    with pytest.raises(SlowBodyError):
        await with_deadline(reads_all)(scope, trickles, None)  # type: ignore[arg-type]


def test_settings_of_the_test_site_are_http() -> None:
    assert load_settings({}, base_url="http://127.0.0.1:8000").base_url.startswith("http:")
