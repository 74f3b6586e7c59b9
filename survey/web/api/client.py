"""A small typed client of the API, for Python programs of other systems; standard library and msgspec.

>>> api = Client("https://survey.example", "survey_…")
>>> api.base_url
'https://survey.example/api/v1'
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import msgspec
from msgspec.structs import replace

from survey.errors import SurveyError
from survey.web.api.documents import (
    AreaPage,
    Certificate,
    Figure,
    FrameDocument,
    LedgerPage,
    LedgerRow,
    NewAct,
    NewEntry,
    Part,
    Participation,
    Problem,
    SampleDocument,
    Wave,
    WavePage,
)
from survey.web.api.record_documents import FigureRecord, RecordPage

T = TypeVar("T")
P = TypeVar("P", WavePage, RecordPage, AreaPage, FrameDocument, SampleDocument, LedgerPage)
TRIES = 4
"""A busy or unreachable server is asked again after 1, 2 and 4 seconds."""


class RefusedError(SurveyError):
    """The server refused; `status` and `problem` say what it said."""

    code = "client.refused"

    def __init__(self, status: int, problem: Problem | None) -> None:
        self.status, self.problem = status, problem
        said = problem.title if problem else f"状态{status}"
        super().__init__("接口", said, problem.remedy if problem else "看一看地址和令牌")


class UnreachableError(SurveyError):
    """The server could not be reached."""

    code = "client.unreachable"
    kind = "busy"

    def __init__(self, reason: object) -> None:
        super().__init__("接口", f"连不上（{reason}）", "看一看地址和网络")


class Client:
    """The API of one installation, read with one token.

    Writes carry an Idempotency-Key of their own, so that a retry after a lost reply does nothing twice.
    """

    def __init__(self, address: str, token: str, *, timeout: float = 30.0) -> None:
        self.base_url = f"{address.rstrip('/')}/api/v1"
        self._token = token
        self._timeout = timeout
        self._kept: dict[str, tuple[str, bytes]] = {}

    def waves(self) -> Iterator[Wave]:
        """Every wave, the newest first, page after page."""
        return (wave for page in self._pages("/waves", WavePage, 100) for wave in page.items)

    def records(self) -> Iterator[FigureRecord]:
        """The record of every wave, the newest first, page after page."""
        return (record for page in self._pages("/records", RecordPage, 100) for record in page.items)

    def record(self, wave: str) -> FigureRecord:
        """The record of one wave, as the contract for inspection systems says it."""
        return self._get(f"/waves/{quote(wave)}/record", FigureRecord)

    def wave(self, wave: str) -> Wave:
        """One wave."""
        return self._get(f"/waves/{quote(wave)}", Wave)

    def participation(self, wave: str) -> Participation:
        """How many answers have come."""
        return self._get(f"/waves/{quote(wave)}/participation", Participation)

    def figure(self, wave: str) -> Figure:
        """The satisfaction figure with everything needed to quote it."""
        return self._get(f"/waves/{quote(wave)}/figure", Figure)

    def areas(self, wave: str) -> Iterator[Part]:
        """The certified row of every responsibility area that the account may see, page after page."""
        pages = self._pages(f"/waves/{quote(wave)}/areas", AreaPage, 100)
        return (part for page in pages for part in page.items)

    def certificate(self, wave: str) -> Certificate:
        """Where the newest certificate is."""
        return self._get(f"/waves/{quote(wave)}/certificate", Certificate)

    def frame(self, wave: str) -> FrameDocument:
        """The frame with all of its schools."""
        pages = list(self._pages(f"/waves/{quote(wave)}/frame", FrameDocument, 1000))
        return replace(pages[-1], schools=[school for page in pages for school in page.schools])

    def sample(self, wave: str) -> SampleDocument:
        """What was drawn, with all of its domains."""
        pages = list(self._pages(f"/waves/{quote(wave)}/sample", SampleDocument, 1000))
        return replace(pages[-1], domains=[domain for page in pages for domain in page.domains])

    def ledger(self, wave: str) -> Iterator[LedgerRow]:
        """Every problem of a wave, by number, page after page."""
        pages = self._pages(f"/waves/{quote(wave)}/ledger", LedgerPage, 100)
        return (row for page in pages for row in page.items)

    def entry(self, wave: str, number: int) -> LedgerRow:
        """One problem with its history."""
        return self._get(f"/waves/{quote(wave)}/ledger/{number}", LedgerRow)

    def take_up(self, wave: str, entry: NewEntry) -> LedgerRow:
        """Take a problem up."""
        return self._post(f"/waves/{quote(wave)}/ledger", entry, LedgerRow)

    def act(self, wave: str, number: int, act: NewAct, *, unchanged: bool = False) -> LedgerRow:
        """Do one act on a problem.

        Args:
            unchanged: only if the problem still is as `entry` has read it; otherwise refused (412).
        """
        path = f"/waves/{quote(wave)}/ledger/{number}"
        seen = self._kept[path][0] if unchanged else None
        return self._post(f"{path}/acts", act, LedgerRow, {"If-Match": seen} if seen else {})

    def _pages(self, path: str, kind: type[P], limit: int) -> Iterator[P]:
        """A collection page after page, each asked for when it is needed."""
        cursor: str | None = ""
        while cursor is not None:
            query = urlencode({"limit": limit, **({"cursor": cursor} if cursor else {})})
            page = self._get(f"{path}?{query}", kind)
            yield page
            cursor = page.next

    def _get(self, path: str, kind: type[T]) -> T:
        etag, body = self._kept.get(path, ("", b""))
        status, headers, fresh = self._send(path, {"If-None-Match": etag} if etag else {}, None)
        if status == 304:
            return msgspec.json.decode(body, type=kind)
        if headers.get("etag"):
            self._kept[path] = (headers["etag"], fresh)
        return msgspec.json.decode(fresh, type=kind)

    def _post(
        self, path: str, document: msgspec.Struct, kind: type[T], more: Mapping[str, str] | None = None
    ) -> T:
        once = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_urlsafe(24)}
        headers = {**once, **(more or {})}
        _, _, body = self._send(path, headers, msgspec.json.encode(document))
        return msgspec.json.decode(body, type=kind)

    def _send(
        self, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body; asks again while the server is busy.

        Raises:
            RefusedError, UnreachableError.
        """
        sent = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", **headers}
        problem: SurveyError = UnreachableError("没有试")
        for attempt in range(TRIES):
            if attempt:
                time.sleep(2 ** (attempt - 1))
            try:
                with urlopen(Request(self.base_url + path, body, sent), timeout=self._timeout) as reply:
                    names: dict[str, Any] = {name.lower(): value for name, value in reply.headers.items()}
                    return reply.status, names, reply.read()
            except HTTPError as error:
                if error.code == 304:
                    return 304, {}, b""
                problem = RefusedError(error.code, _problem(error.read()))
                if error.code not in (429, 503):
                    raise problem from error
            except (URLError, TimeoutError, ConnectionError) as error:
                problem = UnreachableError(getattr(error, "reason", error))
        raise problem


def _problem(body: bytes) -> Problem | None:
    try:
        return msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        return None
