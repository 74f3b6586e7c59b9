"""One line a request of console, API and verification, with an identifier of its own.

The front answers people's forms before this is reached, so answering costs nothing here.
"""

import logging
import secrets
from collections import Counter
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Send

log = logging.getLogger("survey.request")
_request: ContextVar[str] = ContextVar("request", default="")
SILENT = frozenset({"s", "o", "b", "check", "preview", "school", "static", "health", "healthz", "ready", "metrics"})
"""First parts of addresses that write no line: people who answer, and machines that ask all day."""


def current_request() -> str:
    """The identifier of the request that this task works for; empty outside of one."""
    return _request.get()


def with_request_log(application: ASGIApp, answered_with: Counter[str]) -> ASGIApp:
    """The application, each request with an identifier, told back in `x-request-id`.

    Args:
        answered_with: how often with which class of status (`2xx` …), counted here.
    """

    async def answered(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        name = secrets.token_hex(6)
        kept, began, status = _request.set(name), perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", name.encode())]
            await send(message)

        try:
            await application(scope, receive, noted)
        finally:
            answered_with[f"{status // 100}xx"] += 1
            if scope["path"].split("/", 2)[1].lower() not in SILENT:
                log.info(
                    "request",
                    extra={
                        "fields": {
                            "method": scope["method"],
                            "route": str(scope.get("path_template") or "-"),
                            "status": status,
                            "ms": round((perf_counter() - began) * 1000, 1),
                        }
                    },
                )
            _request.reset(kept)

    return answered
