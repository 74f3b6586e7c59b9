"""What every response carries and what every request body may cost.

A hook on the send side sees each response, also those of errors and unknown addresses that
never reach a middleware. A page that brings its own content policy (an answering page, with
the hashes of its inline style and script) keeps it; every other response gets the console's.
"""

import asyncio
import json
from time import monotonic
from typing import Any

from litestar.types import (
    ASGIApp,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Message,
    Receive,
    Scope,
    Send,
)

from survey.web.errors import PROBLEM_TYPE, SlowBodyError

CONSOLE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content policy of every page that does not bring its own: nothing inline, nothing foreign."""

ANSWER_LIMIT = 64 * 1024
"""Bytes of a body everywhere but where a file is handed in."""

FILE_LIMIT = 10 * 1024 * 1024
"""Bytes of a body where a file is handed in: a school frame, a workbook, a signed request."""

PACK_LIMIT = 64 * 1024 * 1024
"""Bytes of a body where somebody verifies: the evidence pack of a county of 200 000 slips, read from the disk."""

BODY_SECONDS = 10.0
"""Seconds a body may take to arrive; the server itself would wait for ever."""

FILE_SECONDS = 60.0
"""The same where a file is handed in."""

PACK_SECONDS = 300.0
"""The same where somebody verifies: 64 MB over a line of 2 Mbit/s."""

_OWN_MACHINE = ("127.0.0.1", "localhost", "[::1]")
"""Names under which the machine asks itself: health checks, a proxy that keeps no name."""

_FILE_PATHS = ("/console/", "/v")
VERIFY_PATH = "/v/file"

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-robots-tag", b"noindex"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", CONSOLE_POLICY.encode()),
)
_SERVER = (b"server", b"survey")
_STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def installation_headers(secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """What even a page with all headers of its own must carry: HSTS where the address is https.

    The server's name is ours, so that it tells no stranger which program and release reads HTTP.
    """
    return (_SERVER, _STRICT_TRANSPORT) if secure else (_SERVER,)


def send_headers(secure: bool) -> Any:
    """A send hook that adds the security headers which a response does not bring itself.

    Args:
        secure: the public address is https; only then may HSTS be promised.
    """
    wanted = (*_ALWAYS, *installation_headers(secure))

    async def add_headers(message: Message, _scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        present = {name for name, _ in headers}
        headers.extend((name, value) for name, value in wanted if name not in present)
        message["headers"] = headers

    return add_headers


def with_headers(application: ASGIApp, secure: bool) -> ASGIApp:
    """The application, every response of which carries the security headers, errors too."""
    add_headers = send_headers(secure)

    async def answered(scope: Any, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            await add_headers(message, scope)
            await send(message)

        await application(scope, receive, send_more)

    return answered


def with_deadline(application: ASGIApp) -> ASGIApp:
    """The application, with a body that trickles in slower than its deadline refused by 408."""

    async def limited(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await application(scope, receive, send)
            return
        seconds = _seconds(scope["path"])
        ends = monotonic() + seconds
        complete = False

        async def receive_in_time() -> Any:
            nonlocal complete
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(ends - monotonic(), 0.001))
            except TimeoutError as error:
                raise SlowBodyError(seconds) from error
            complete = not message.get("more_body", False)
            return message

        await application(scope, receive_in_time, send)

    return limited


def _seconds(path: str) -> float:
    """How long a body may take to arrive.

    >>> _seconds("/v/file"), _seconds("/console/sign-in"), _seconds("/s/x")
    (300.0, 60.0, 10.0)
    """
    if path == VERIFY_PATH:
        return PACK_SECONDS
    return FILE_SECONDS if path.startswith(_FILE_PATHS) else BODY_SECONDS


def with_known_host(application: ASGIApp, host: str | None) -> ASGIApp:
    """The application, for requests that name this installation; any other name is answered 421.

    Args:
        host: the public host name; None where the office reaches it by whatever address it has.
    """
    if host is None:
        return application
    known = {host.lower(), *_OWN_MACHINE}

    async def answered(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = [value for name, value in scope["headers"] if name == b"host"]
            if len(named) != 1 or _without_port(named[0].decode("latin-1").lower()) not in known:
                kind, body = misdirected(scope["path"])
                headers = [(b"content-type", kind), *_ALWAYS, _SERVER]
                await send(
                    HTTPResponseStartEvent(type="http.response.start", status=421, headers=headers)
                )
                await send(HTTPResponseBodyEvent(type="http.response.body", body=body, more_body=False))
                return
        await application(scope, receive, send)

    return answered


def misdirected(path: str) -> tuple[bytes, bytes]:
    """Media type and body for a request under a name that is not ours: words, or a problem for a program.

    >>> misdirected("/s")[1].decode(), json.loads(misdirected("/api/v1/waves")[1])["status"]
    ('请使用公布的网址。', 421)
    """
    if not path.startswith("/api/"):
        return b"text/plain; charset=utf-8", "请使用公布的网址。".encode()
    thing, reason, remedy = "网址", "不是公布的主机名", "请使用公布的网址"
    problem = {
        "type": f"{PROBLEM_TYPE}http.misdirected",
        "title": f"{thing}：{reason}",
        "status": 421,
        "detail": f"{thing}：{reason}。{remedy}。",
        "code": "http.misdirected",
        "remedy": remedy,
    }
    return b"application/problem+json", json.dumps(problem, ensure_ascii=False).encode()


def _without_port(host: str) -> str:
    """The name in a Host header.

    >>> _without_port("survey.example:8443"), _without_port("[::1]:8000")
    ('survey.example', '[::1]')
    """
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def with_head(application: ASGIApp) -> ASGIApp:
    """The application, answering HEAD like GET without the body: preview bots ask so."""

    async def answered(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await application(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        asked_as_get: Any = {**scope, "method": "GET"}
        await application(asked_as_get, receive, send_head)

    return answered
