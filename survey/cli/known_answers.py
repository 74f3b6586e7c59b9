"""Send a known answer the way a phone does: fetch the form of a slip, fill it, post it, keep the receipt.

An address and a canary enter; the receipt leaves. It needs nothing of the server but its
answering pages, so the holder of a list can run it from another machine.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from typing import Any

from survey.errors import SurveyError
from survey.fieldwork.planted import Canary

PATIENCE_SECONDS = 30
LONGEST_PAGE = 4 * 1024 * 1024


class CanaryRefusedError(SurveyError):
    """The answering side did not take a known answer in."""

    code = "planted.refused"
    kind = "refused"

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"{place}的一份核对答卷",
            f"没有交上去（{reason}）",
            "看一看调查是否正在填答、网址是否写对；交上去的已存进清单",
        )


class _Hidden(HTMLParser):
    """The hidden fields of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a hidden input."""
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Redirects are answers to be read, not followed."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""


def send_over(site: str) -> Any:
    """A way to send canaries to one site.

    Args:
        site: the address people reach, such as `https://survey.example`.
    """
    parts = urllib.parse.urlsplit(site)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CanaryRefusedError(site, "网址要写完整，如 https://survey.example")
    opener = urllib.request.build_opener(_StayHere)

    async def send(one: Canary) -> str:
        return await asyncio.to_thread(_send, opener, site.rstrip("/"), one)

    return send


def _send(opener: Any, site: str, one: Canary) -> str:
    address = f"{site}/s/{one.code}"
    status, body, where = _ask(opener, address, None, one.domain)
    if status != 200:
        raise CanaryRefusedError(one.domain, f"打开填写页得到{status}")
    page = _Hidden()
    page.feed(body.decode("utf-8", "replace"))
    fields = [(name, page.fields.get(name, "")) for name in ("k", "s", "v")]
    fields += [(name, value) for name, values in one.form.items() for value in values]
    status, _, where = _ask(opener, address, urllib.parse.urlencode(fields).encode(), one.domain)
    receipt = where.rpartition("/thanks/")[2].partition("?")[0] if "/thanks/" in where else ""
    if status != 303 or not receipt:
        raise CanaryRefusedError(one.domain, f"提交得到{status}")
    return receipt


def _ask(opener: Any, address: str, data: bytes | None, place: str) -> tuple[int, bytes, str]:
    """Status, body and Location of one request."""
    try:
        with opener.open(urllib.request.Request(address, data=data), timeout=PATIENCE_SECONDS) as reply:
            return reply.status, reply.read(LONGEST_PAGE), reply.headers.get("Location", "")
    except urllib.error.HTTPError as reply:
        return reply.code, b"", reply.headers.get("Location", "")
    except (urllib.error.URLError, OSError) as error:
        raise CanaryRefusedError(place, f"连不上{type(error).__name__}") from error
