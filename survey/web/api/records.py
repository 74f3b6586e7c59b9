"""Records for an existing inspection system, and the contract that says what stands in them.

Every digit is copied from the statement that two people signed. A figure is there only while its
certificate holds: before it was issued, and after it was taken back, the fields are left out.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from msgspec import UNSET

from survey.canonical import digest, sha256_hex
from survey.certification.certificate import take_apart
from survey.certification.signed_plan import DECISIONS
from survey.exact import percent_text
from survey.scheme.divisions import BadDivisionError, parent_of, plain_division
from survey.scheme.plan import Plan, scheme_of
from survey.storage.certificates import Certificate, list_certificates
from survey.storage.divisions import local_divisions
from survey.storage.plans import WaveRow, load_fielded_plan, load_wave
from survey.web.access import anyone, check_query, token_with
from survey.web.api.answers import answer
from survey.web.api.paging import page_asked, page_of
from survey.web.api.record_documents import (
    CONTRACT,
    Base,
    Evidence,
    ExactFigure,
    FigureRecord,
    Line,
    Place,
    RecordCertificate,
    RecordPage,
    Revocation,
    SaidWith,
    SchemeName,
    SignedInterval,
)
from survey.web.api.waves import own_waves
from survey.web.console.page import AFTER_OPENING
from survey.web.pages import AnyRequest, html
from survey.web.verify.standing import REVOKED, Standing, standing_of

SCHEMA, EXAMPLE = "figure-record.v1.schema.json", "figure-record.v1.example.json"
RECEIVING = "receive_webhook.py"
STATUS_NAMES = {"not_opened": "还没有开箱", "not_certified": "还没有签发", "certified": "已签发", "revoked": "已撤回"}
STANDARDS = {6: "GB/T 2260", 9: "GB/T 10114", 12: "statistical"}
"""By the digits of a code; any other is the office's own."""


@get("/records", guards=[token_with("figure:read")])
async def show_records(request: AnyRequest) -> Response[Any]:
    """A record of every wave of the token's branch, the newest first, a page at a time."""
    asked = page_asked(request)
    page, following = page_of(await own_waves(request), asked, lambda row: row.wave)
    local, base_url = await local_divisions(), request.app.state.settings.base_url
    items = [await _record(row, local, base_url) for row in page]
    return answer(request, RecordPage(items=items, next=following))


@get("/waves/{wave:str}/record", guards=[token_with("figure:read")])
async def show_record(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """The record of one wave."""
    check_query(request, frozenset())
    row = await load_wave(wave)
    return answer(request, await _record(row, await local_divisions(), request.app.state.settings.base_url))


@get("/contract/figure/v1", guards=[anyone])
async def show_contract(request: AnyRequest) -> Response[str]:
    """The contract in plain Chinese; its tables are drawn from the schema itself."""
    check_query(request, frozenset())
    return html(
        "shared/contract.html",
        schema=json.loads(schema_text()),
        example=shipped(EXAMPLE),
        receiving=shipped(RECEIVING),
        host=request.app.state.settings.base_url,
    )


@get("/contract/figure/v1.schema.json", guards=[anyone])
async def show_schema(request: AnyRequest) -> Response[bytes]:
    """The contract for programs."""
    check_query(request, frozenset())
    return Response(schema_text().encode(), media_type="application/schema+json")


@get("/contract/figure/v1.example.json", guards=[anyone])
async def show_example(request: AnyRequest) -> Response[bytes]:
    """A whole record, of the sample county, to build a reader against."""
    check_query(request, frozenset())
    return Response(shipped(EXAMPLE).encode(), media_type="application/json")


CONTRACT_ROUTES = (show_contract, show_schema, show_example)


@cache
def shipped(name: str) -> str:
    """The text of a file that comes with the contract."""
    return (files("survey.web.api") / "data" / name).read_text(encoding="utf-8")


def schema_text() -> str:
    """The JSON Schema of a record, as it is shipped."""
    return shipped(SCHEMA)


async def _record(row: WaveRow, local: dict[str, str], base_url: str) -> FigureRecord:
    plan = await load_fielded_plan(row.wave)
    issued = await list_certificates(row.wave) if row.state == "certified" else ()
    standing = await standing_of(issued[-1]) if issued else None
    return record_of(row, plan, issued, standing, local, base_url.rstrip("/"))


def record_of(
    row: WaveRow,
    plan: Plan,
    issued: tuple[Certificate, ...],
    standing: Standing | None,
    local: dict[str, str],
    base_url: str,
) -> FigureRecord:
    """A wave as the contract says it.

    Args:
        issued: its certificates, the newest last; none before the wave is certified.
        standing: of the newest.
        local: every local division with the one above it.
    """
    revoked = standing is not None and standing.state == REVOKED
    status = "revoked" if revoked else "certified" if issued else "not_certified" if row.state in AFTER_OPENING else "not_opened"
    return FigureRecord(
        contract=CONTRACT,
        wave=row.wave,
        title=row.title,
        county=row.county,
        division=place_of(plan.county_code, local),
        office=plan.office,
        scheme=SchemeName(id=plan.scheme, title=scheme_of(plan).title),
        demonstration=row.demonstration,
        opens_on=str(plan.opens_on),
        closes_on=str(plan.closes_on),
        status=status,
        status_name=STATUS_NAMES[status],
        certificate=_certificate(issued, revoked, base_url) if issued else UNSET,
        revocation=Revocation(reason=standing.reason) if standing is not None and revoked else UNSET,
        **(_numbers(issued[-1]) if status == "certified" else {}),
    )


def _numbers(certificate: Certificate) -> dict[str, Any]:
    """What the statement says of the figure; every text as it was signed."""
    parts = take_apart(certificate.data)
    said, decision = parts.statement, parts.plan["decision"]
    counts = said.get("counts") or ()
    numbers = {
        "figure": ExactFigure(
            name=said["figure_name"],
            numerator=said["figure"]["numerator"],
            denominator=said["figure"]["denominator"],
            share=said["figure"]["shown"],
            percent=percent_text(said["figure"]["shown"]).removesuffix("%"),
        ),
        "base": Base(
            valid=said["n"],
            effective_n=said.get("effective_n") or UNSET,
            slips=sum(one["slips"] for one in counts) if counts else UNSET,
            used=sum(one["used"] for one in counts) if counts else UNSET,
            response_rate_2=said.get("response_rate_2") or UNSET,
        ),
        "evidence": Evidence(class_=said["evidence_class"], level=said["level"]),
        "formula": said["formula"],
        "method_version": said["method_version"],
        "sentences": [SaidWith(code=one["code"], text=one["text"]) for one in said["sentences"]],
    }
    if said.get("standard_error"):
        numbers["standard_error"] = said["standard_error"]
    if said.get("interval"):
        numbers["interval"] = SignedInterval(**said["interval"])
    if said["threshold"] is not None:
        numbers["threshold"] = Line(
            value=said["threshold"],
            edge=str(DECISIONS[decision]),
            each_group=decision.startswith("every-group-"),
            reached=said["reached"],
        )
    return numbers


def _certificate(issued: tuple[Certificate, ...], revoked: bool, base_url: str) -> RecordCertificate:
    newest = issued[-1]
    statement = take_apart(newest.data).statement
    return RecordCertificate(
        number=newest.number,
        short=newest.short,
        statement_digest=digest(statement),
        file_digest=sha256_hex(newest.data),
        issued_on=statement["issued_on"],
        state="revoked" if revoked else "valid",
        page=f"{base_url}/v/{newest.number}",
        download=f"{base_url}/v/{newest.number}/certificate.json",
        replaced=[one.number for one in issued[:-1]],
    )


def place_of(code: str, local: dict[str, str]) -> Place:
    """A division with those above it that have a national code.

    >>> place_of("360828", {}).prefecture, place_of("kfq", {"KFQ": "3608"}).province, place_of("kfq", {}).province
    ('360800', '360000', UNSET)
    """
    standard = STANDARDS.get(len(code), "local") if code.isdigit() else "local"
    above: dict[int, str] = {}
    try:
        at: str | None = plain_division(code)
    except BadDivisionError:
        at = None
    for _ in range(32):
        if at is None:
            break
        if at.isdigit() and len(at) in (2, 4, 6):
            above[len(at)] = at.ljust(6, "0")
        at = parent_of(at, local)
    return Place(
        code=code,
        standard=standard,
        province=above.get(2, UNSET),
        prefecture=above.get(4, UNSET),
        county=above.get(6, UNSET),
    )
