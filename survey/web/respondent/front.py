"""The addresses everybody comes to, answered before the framework is asked.

At half past seven a county's parents open `/s/CODE`, send it and are thanked. Routing, dependency
injection and a response object cost the framework more than the form itself, so an ASGI
wrapper hands these requests straight to the functions that the framework's own routes call,
and lets every other address through. Pages, refusals and headers are the same either way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar, overload
from urllib.parse import parse_qsl

from litestar import Response
from litestar.types import ASGIApp

from survey.web.respondent.desk import Desk
from survey.web.respondent.form import slip_form, slip_sent
from survey.web.respondent.posters import poster_form, poster_sent
from survey.web.respondent.reply import Page, raw_headers
from survey.web.respondent.routes import trouble_page
from survey.web.respondent.thanks import receipt_page

NAMED = frozenset({"thanks", "dispute", "privacy", "accessibility"})
"""Pages under /s that are no slip's."""

T = TypeVar("T")

MOST_QUERY = 2_000
"""Bytes of a query that are read; a mangled link still opens, with its defaults."""


class Headers(Mapping[str, str]):
    """Headers as they came, looked through for the two or three that anybody asks for."""

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def __getitem__(self, wanted: str) -> str:
        found = self.get(wanted)
        if found is None:
            raise KeyError(wanted)
        return found

    @overload
    def get(self, wanted: str) -> str | None: ...

    @overload
    def get(self, wanted: str, default: T) -> str | T: ...

    def get(self, wanted: str, default: Any = None) -> Any:
        """The last of several, as in a mapping that was filled in order."""
        name = wanted.encode("latin-1")
        for one, value in reversed(self._raw):
            if one == name:
                return value.decode("latin-1")
        return default

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.decode("latin-1") for name, _ in self._raw))

    def __len__(self) -> int:
        return len({name for name, _ in self._raw})


class Visit:
    """One request as the ASGI server hands it over, taken apart only as far as it is looked at."""

    __slots__ = ("_receive", "_scope", "headers")

    def __init__(self, scope: Any, receive: Any) -> None:
        self._scope = scope
        self._receive = receive
        self.headers = Headers(scope["headers"])
        """Header values by lower-case name."""

    @property
    def query_params(self) -> dict[str, str]:
        """The address's own fields; of a repeated one the last."""
        query: bytes = self._scope.get("query_string", b"")
        return dict(parse_qsl(query[:MOST_QUERY].decode("latin-1"))) if query else {}

    @property
    def client(self) -> Any:
        """Who asks."""
        client = self._scope.get("client")
        return SimpleNamespace(host=client[0]) if client else None

    async def stream(self) -> AsyncIterator[bytes]:
        """The body as it arrives; a sender who hangs up has sent what came until then."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                return
            if chunk := message.get("body", b""):
                yield chunk
            more = message.get("more_body", False)


def with_front(application: ASGIApp, desk: Desk, always: tuple[tuple[bytes, bytes], ...] = ()) -> ASGIApp:
    """The application behind its front.

    Args:
        application: whatever answers all other addresses.
        desk: the desk that the answering pages share.
        always: headers that every response of this installation carries.
    """

    desk.always = always

    async def answered(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD", "POST"):
            await application(scope, receive, send)
            return
        parts = scope["path"].split("/")
        kind = parts[1] if len(parts) > 1 else ""
        slip = len(parts) == 3 and kind in ("s", "S") and parts[2] and parts[2].lower() not in NAMED
        poster = len(parts) == 4 and kind in ("o", "O") and parts[2] and parts[3]
        sent = scope["method"] == "POST"
        thanks = len(parts) == 4 and kind == "s" and parts[2] == "thanks" and "." not in parts[3] and not sent
        if not slip and not poster and not thanks:
            await application(scope, receive, send)
            return
        visit = Visit(scope, receive)
        try:
            if slip and scope["method"] == "GET" and not scope.get("query_string"):
                client = scope.get("client")
                found = await desk.ready.form(
                    parts[2], scope["headers"], client[0] if client else "", desk.waves.now(), desk.clock()
                )
                if found is not None:
                    await send({"type": "http.response.start", "status": 200, "headers": found[0]})
                    await send({"type": "http.response.body", "body": found[1]})
                    return
            if not desk.waves.are_read:
                await desk.waves.place()
            if slip:
                reply = await (slip_sent if sent else slip_form)(visit, desk, parts[2])
            elif thanks:
                reply = await receipt_page(visit, desk, parts[3])
            else:
                reply = await (poster_sent if sent else poster_form)(visit, desk, parts[2], parts[3])
        except Exception as failure:  # noqa: BLE001
            # A visitor gets a page and an incident number whatever happened; the log gets the rest.
            reply = trouble_page(desk, visit, failure)
        await _send(reply, visit, scope["method"] == "HEAD", always, send)

    return answered


async def _send(
    reply: Response[bytes], visit: Visit, head: bool, always: tuple[tuple[bytes, bytes], ...], send: Any
) -> None:
    if isinstance(reply, Page):
        reply.pack(visit)
    body = reply.content
    named = dict(reply.headers)
    address = named.pop("Location", None)  # holds a receipt, so it is kept in no cache
    headers = [*raw_headers(tuple(named.items())), *always, (b"content-length", str(len(body)).encode())]
    if address is not None:
        headers.append((b"location", address.encode("latin-1")))
    await send({"type": "http.response.start", "status": reply.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
