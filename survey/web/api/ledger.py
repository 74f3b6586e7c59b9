"""The problem ledger for other systems: read it, take a problem up, act on one; each write once."""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from survey.errors import Fault, FaultsError
from survey.followup.ledger import ACTS, LedgerEntry
from survey.jobs.keep_ledger import act_on_entry, ledger_of, take_up
from survey.jobs.once import once
from survey.storage.ledger import load_entry
from survey.storage.plans import load_wave
from survey.web.access import check_query, token_of, token_with
from survey.web.api.answers import JSON, answer, check_match, etag_of, json_body
from survey.web.api.documents import LedgerAct, LedgerPage, LedgerRow, NewAct, NewEntry
from survey.web.api.paging import page_asked, page_of
from survey.web.errors import WebError
from survey.web.pages import CHINA, AnyRequest

KEY = re.compile(r"[\x21-\x7e]{1,100}", re.ASCII)


class KeyMissingError(WebError):
    """A write without an Idempotency-Key could be done twice by a retry."""

    code = "api.idempotency_key_missing"
    status = 400

    def __init__(self) -> None:
        super().__init__("写入", "没有Idempotency-Key", "给每次写入一个新的键；重试时用同一个键，就只做一次")


class NotJsonError(WebError):
    """The body of a write is not the JSON that is described."""

    code = "api.not_json"
    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__("发来的内容", reason, "按OpenAPI的描述写成JSON")


@get("/waves/{wave:str}/ledger", guards=[token_with("ledger:read")])
async def show_ledger(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """The problems of a wave, by number, a page at a time."""
    asked = page_asked(request)
    page, following = page_of(await ledger_of(wave), asked, lambda one: str(one.number))
    return answer(request, LedgerPage(wave=wave, items=[ledger_row(one) for one in page], next=following))


@get("/waves/{wave:str}/ledger/{number:int}", guards=[token_with("ledger:read")])
async def show_entry(request: AnyRequest, wave: FromPath[str], number: FromPath[int]) -> Response[Any]:
    """One problem with its history."""
    check_query(request, frozenset())
    await load_wave(wave)
    return answer(request, ledger_row(await load_entry(wave, _number(number))))


@post("/waves/{wave:str}/ledger", guards=[token_with("ledger:write")], status_code=201)
async def post_entry(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """登记: take a problem up."""
    check_query(request, frozenset())
    body = await json_body(request)
    return await _once(request, body, lambda actor: _take_up(request, wave, body, actor), status=201)


@post("/waves/{wave:str}/ledger/{number:int}/acts", guards=[token_with("ledger:write")], status_code=200)
async def post_act(request: AnyRequest, wave: FromPath[str], number: FromPath[int]) -> Response[Any]:
    """One act on a problem."""
    check_query(request, frozenset())
    body = await json_body(request)
    return await _once(
        request, body, lambda actor: _act(request, wave, _number(number), body, actor), status=200
    )


LEDGER_API = (show_ledger, show_entry, post_entry, post_act)


def ledger_row(entry: LedgerEntry) -> LedgerRow:
    """An entry as the API says it."""
    return LedgerRow(
        number=entry.number,
        state=entry.state,
        state_name=entry.state_name,
        source=entry.source,
        source_key=entry.source_key,
        problem=entry.problem,
        basis=entry.basis,
        unit=entry.unit,
        person=entry.person,
        due_on=None if entry.due_on is None else entry.due_on.isoformat(),
        measures=entry.measures,
        about=entry.about,
        version=entry.version,
        history=[
            LedgerAct(
                at=act.at.isoformat(),
                who=act.who,
                act=act.act,
                state=act.state,
                note=act.note,
                evidence=act.evidence,
            )
            for act in entry.history
        ],
    )


def _number(number: int) -> int:
    """A number that the database can hold; a larger one is nobody's."""
    return min(number, 2**31 - 1)


async def _take_up(request: AnyRequest, wave: str, body: bytes, actor: str) -> LedgerRow:
    given = _read(body, NewEntry)
    app = request.app.state
    return ledger_row(
        await take_up(
            wave,
            given.source,
            given.source_key,
            given.problem,
            given.basis,
            about=given.about,
            actor=actor,
            now=app.now(),
        )
    )


async def _act(request: AnyRequest, wave: str, number: int, body: bytes, actor: str) -> LedgerRow:
    given = _read(body, NewAct)
    if given.act not in ACTS:
        fault = Fault(
            "followup.unknown_act", f"没有“{given.act}”这一步", f"写{'、'.join(ACTS)}之一", item="act"
        )
        raise FaultsError(f"台账第{number}号", (fault,))
    try:
        due_on = None if given.due_on is None else date.fromisoformat(given.due_on)
    except ValueError as error:
        fault = Fault(
            "followup.not_a_date", f"时限“{given.due_on[:20]}”不是日期", "写成2026-12-31这样", item="due_on"
        )
        raise FaultsError(f"台账第{number}号", (fault,)) from error
    version = given.version
    if "if-match" in request.headers:
        seen = await load_entry(wave, number)
        check_match(request, ledger_row(seen))
        # The act goes on from what was compared, so nothing can come between.
        version = seen.version if version is None else version
    entry = await act_on_entry(
        wave,
        number,
        given.act,
        actor=actor,
        now=request.app.state.now().astimezone(CHINA),
        version=version,
        note=given.note,
        evidence=given.evidence,
        unit=given.unit,
        person=given.person,
        measures=given.measures,
        due_on=due_on,
    )
    return ledger_row(entry)


def _read(body: bytes, kind: Any) -> Any:
    try:
        given = msgspec.json.decode(body, type=kind, strict=True)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotJsonError(f"不合描述（{str(error)[:160]}）") from error
    json.loads(body, object_pairs_hook=_single)
    return given


def _single(pairs: list[tuple[str, Any]]) -> None:
    """Refuse a name that stands twice, of which two readers could see two values."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise NotJsonError("同一个字段写了两次")


async def _once(
    request: AnyRequest, body: bytes, work: Callable[[str], Awaitable[LedgerRow]], *, status: int
) -> Response[Any]:
    """Do a write once for each key of a token; a retry gets the first reply again.

    Raises:
        KeyMissingError: no key that could be remembered.
    """
    key = request.headers.get("idempotency-key", "")
    if not KEY.fullmatch(key):
        raise KeyMissingError
    token = await token_of(request)
    asked = hashlib.sha256(b"\0".join([request.scope["path"].encode(), body])).hexdigest()

    async def reply() -> bytes:
        return msgspec.json.encode(await work(token.account))

    document, replayed = await once(token.digest, key, asked, reply, now=request.app.state.now())
    headers = {"ETag": etag_of(document), **({"Idempotency-Replayed": "true"} if replayed else {})}
    return Response(document, status_code=status, media_type=JSON, headers=headers)
