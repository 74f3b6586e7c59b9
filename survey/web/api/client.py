"""A small typed client of the API, for Python programs of other systems; standard library and msgspec.

Collections are read page after page as they are needed. A busy server (429, 503) and a lost connection are
tried again, as long as the server says by `Retry-After`, for two minutes in all; writes carry a key, so that
nothing is done twice. What was read is kept with its ETag and not sent again while it is unchanged.

>>> api = Client("https://survey.example", "survey_…")
>>> api.base_url
'https://survey.example/api/v1'
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

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
PATIENCE = 120.0
"""Seconds that a request waits in all for a server that is busy or cannot be reached."""
LONGEST_PAUSE = 30.0
"""Between two tries, where the server does not say how long: 1, 2, 4 … seconds, and no more than this."""
MOST_KEPT = 500
"""Answers kept with their ETag; the oldest go first."""


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


class AlteredFileError(SurveyError):
    """The certificate that was downloaded is not the one that the API named."""

    code = "client.altered_file"

    def __init__(self, number: int) -> None:
        super().__init__(f"证书第{number}号", "下载的文件和接口给的摘要不一致", "重新取一次；再不一致就告诉对方的管理员")


class _NoRedirect(HTTPRedirectHandler):
    """A redirect is a refusal: whoever followed it would hand the token to another address."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Client:
    """The API of one installation, read with one token.

    Args:
        address: as people reach it, such as `https://survey.example`.
        token: from an administrator, `survey_…`; its scopes decide what can be read.
        timeout: seconds for one try.
        patience: seconds to wait in all for a server that is busy or cannot be reached; 0 tries once.
    """

    def __init__(
        self,
        address: str,
        token: str,
        *,
        timeout: float = 30.0,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address.rstrip("/")
        self.base_url = f"{self._address}/api/v1"
        self._token = token
        self._timeout, self._patience, self._sleep = timeout, patience, sleep
        self._open = build_opener(_NoRedirect).open
        self._kept: dict[str, tuple[str, bytes]] = {}

    def waves(self) -> Iterator[Wave]:
        """Every wave, the newest first, page after page."""
        return (wave for page in self._pages("/waves", WavePage, 100) for wave in page.items)

    def records(self) -> Iterator[FigureRecord]:
        """The record of every wave, the newest first, page after page."""
        return (record for page in self._pages("/records", RecordPage, 100) for record in page.items)

    def record(self, wave: str) -> FigureRecord:
        """The record of one wave, as the contract for inspection systems says it."""
        return self._get(f"/waves/{_part(wave)}/record", FigureRecord)

    def wave(self, wave: str) -> Wave:
        """One wave."""
        return self._get(f"/waves/{_part(wave)}", Wave)

    def participation(self, wave: str) -> Participation:
        """How many answers have come."""
        return self._get(f"/waves/{_part(wave)}/participation", Participation)

    def figure(self, wave: str) -> Figure:
        """The satisfaction figure with everything needed to quote it."""
        return self._get(f"/waves/{_part(wave)}/figure", Figure)

    def areas(self, wave: str) -> Iterator[Part]:
        """The certified row of every responsibility area that the account may see, page after page."""
        pages = self._pages(f"/waves/{_part(wave)}/areas", AreaPage, 100)
        return (part for page in pages for part in page.items)

    def certificate(self, wave: str) -> Certificate:
        """Where the newest certificate is."""
        return self._get(f"/waves/{_part(wave)}/certificate", Certificate)

    def certificate_file(self, wave: str) -> bytes:
        """The newest certificate itself, as `survey verify` reads it; its digest was compared.

        Raises:
            AlteredFileError: what came is not what the API named.
        """
        named = self.certificate(wave)
        _, _, content = self._send(f"{self._address}{named.download}", {}, None)
        if hashlib.sha256(content).hexdigest() != named.file_digest:
            raise AlteredFileError(named.number)
        return content

    def frame(self, wave: str) -> FrameDocument:
        """The frame with all of its schools."""
        pages = list(self._pages(f"/waves/{_part(wave)}/frame", FrameDocument, 1000))
        return replace(pages[-1], schools=[school for page in pages for school in page.schools])

    def sample(self, wave: str) -> SampleDocument:
        """What was drawn, with all of its domains."""
        pages = list(self._pages(f"/waves/{_part(wave)}/sample", SampleDocument, 1000))
        return replace(pages[-1], domains=[domain for page in pages for domain in page.domains])

    def ledger(self, wave: str) -> Iterator[LedgerRow]:
        """Every problem of a wave, by number, page after page."""
        pages = self._pages(f"/waves/{_part(wave)}/ledger", LedgerPage, 100)
        return (row for page in pages for row in page.items)

    def entry(self, wave: str, number: int) -> LedgerRow:
        """One problem with its history."""
        return self._get(f"/waves/{_part(wave)}/ledger/{number}", LedgerRow)

    def take_up(self, wave: str, entry: NewEntry) -> LedgerRow:
        """Take a problem up."""
        return self._post(f"/waves/{_part(wave)}/ledger", entry, LedgerRow)

    def act(self, wave: str, number: int, act: NewAct, *, unchanged: bool = False) -> LedgerRow:
        """Do one act on a problem.

        Args:
            unchanged: only if the problem still is as `entry` has read it; otherwise refused (412).
        """
        path = f"/waves/{_part(wave)}/ledger/{number}"
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
        address = self.base_url + path
        status, headers, fresh = self._send(address, {"If-None-Match": etag} if etag else {}, None)
        if status == 304:
            return msgspec.json.decode(body, type=kind)
        if headers.get("etag"):
            self._kept.pop(path, None)
            self._kept[path] = (headers["etag"], fresh)
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return msgspec.json.decode(fresh, type=kind)

    def _post(
        self, path: str, document: msgspec.Struct, kind: type[T], more: Mapping[str, str] | None = None
    ) -> T:
        once = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_urlsafe(24)}
        headers = {**once, **(more or {})}
        _, _, body = self._send(self.base_url + path, headers, msgspec.json.encode(document))
        return msgspec.json.decode(body, type=kind)

    def _send(
        self, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body; asks again while the server is busy.

        Raises:
            RefusedError, UnreachableError.
        """
        sent = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", **headers}
        waited, pause = 0.0, 1.0
        while True:
            asked: float | None = None
            try:
                with self._open(Request(address, body, sent), timeout=self._timeout) as reply:
                    names = {name.lower(): value for name, value in reply.headers.items()}
                    return reply.status, names, reply.read()
            except HTTPError as error:
                if error.code == 304:
                    return 304, {}, b""
                problem: SurveyError = RefusedError(error.code, _problem(error.read()))
                if error.code not in (429, 503):
                    raise problem from error
                told = error.headers.get("Retry-After", "")
                asked = float(told) if told.isdigit() else None
            except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
                problem = UnreachableError(getattr(error, "reason", error))
            wait = pause if asked is None else max(asked, 1.0)
            if waited + wait > self._patience:
                raise problem
            self._sleep(wait)
            waited, pause = waited + wait, min(2 * pause, LONGEST_PAUSE)


def _part(wave: str) -> str:
    """A wave's name as one part of an address, whatever it holds."""
    return quote(wave, safe="")


def _problem(body: bytes) -> Problem | None:
    try:
        return msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        return None
