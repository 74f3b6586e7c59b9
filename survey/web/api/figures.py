"""The figure of a wave, as text, with everything needed to quote it; nothing before opening."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from survey.canonical import digest
from survey.errors import SurveyError
from survey.exact import percent_text
from survey.storage.branch import everywhere
from survey.storage.certificates import Certificate, list_certificates
from survey.storage.plans import WaveRow, load_wave
from survey.storage.results import area_rows, find_results, load_results_digest
from survey.web.access import check_query, token_with
from survey.web.api.answers import answer
from survey.web.api.certificates import NotCertifiedError
from survey.web.api.documents import AreaPage, Figure, Interval, Part, Seal, Threshold, Way
from survey.web.api.paging import page_asked, page_of
from survey.web.console.page import AFTER_OPENING
from survey.web.pages import AnyRequest
from survey.web.verify.standing import REVOKED, Standing, standing_of, statement_in


class NotOpenedError(SurveyError):
    """No figure exists before the box is opened, for nobody."""

    code = "api.not_opened"
    kind = "conflict"

    def __init__(self, state_name: str) -> None:
        super().__init__("满意度", f"现在是“{state_name}”，结束并由两人开箱以前没有满意度", "计算以后再来取")


@get("/waves/{wave:str}/figure", guards=[token_with("figure:read")])
async def show_figure(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """The estimated or certified figure of a wave."""
    check_query(request, frozenset())
    row = await load_wave(wave)
    results = await find_results(wave) if row.state in AFTER_OPENING else None
    if results is None:
        raise NotOpenedError(row.state_name)
    issued = await list_certificates(wave)
    standing = await standing_of(issued[-1]) if issued else None
    kept = await load_results_digest(wave)
    return answer(request, figure_document(row, results, standing, kept))


@get("/waves/{wave:str}/areas", guards=[token_with("areas:read")])
async def show_areas(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """The rows of the responsibility areas that the token's account may see, once the wave is certified."""
    asked = page_asked(request)
    row = await load_wave(wave)
    if row.state != "certified":
        raise NotCertifiedError(row.state_name)
    with everywhere():
        issued = await list_certificates(wave)
        kept = await load_results_digest(wave)
    standing = await standing_of(issued[-1]) if issued else None
    page, following = page_of(await area_rows(wave), asked, lambda one: one["key"] or "-", of=kept)
    document = AreaPage(
        wave=wave,
        demonstration=row.demonstration,
        certified=standing is not None and standing.state != REVOKED,
        items=[_part(one) for one in page],
        next=following,
    )
    return answer(request, document)


def figure_document(
    row: WaveRow, results: dict[str, Any], standing: Standing | None, results_digest: str
) -> Figure:
    """A results document as the API says it; digits are copied, never computed.

    Args:
        standing: of the newest certificate, None before there is one.
        results_digest: of the document as it was kept.
    """
    figure, response = results["figure"], results.get("response") or {}
    return Figure(
        wave=row.wave,
        title=row.title,
        county=row.county,
        demonstration=row.demonstration,
        certified=standing is not None and standing.state != REVOKED,
        figure=figure["shown"],
        percent=percent_text(figure["shown"]),
        standard_error=results.get("se"),
        interval=_interval(results),
        threshold=_threshold(results),
        answers=results.get("n"),
        valid=results.get("n_valid"),
        dont_know=(results.get("dont_know") or {}).get("shown"),
        conservative=(results.get("conservative") or {}).get("shown"),
        cautions=list(results.get("cautions") or ()),
        tipping=(results.get("tipping") or {}).get("words") or None,
        response_rate_2=response.get("rate"),
        evidence_class=results.get("evidence_class"),
        formula=results["formula_in_words"],
        sentences=[sentence["zh"] for sentence in results.get("sentences") or ()],
        groups=_parts(results, "by_group"),
        stages=_parts(results, "by_stage"),
        places=_parts(results, "by_place"),
        areas=_parts(results, "by_area"),
        dimensions=_parts(results, "by_dimension"),
        other_formulas=[
            Way(name=way["way"], label=way["name"], value=way.get("shown"))
            for way in results.get("another_formula") or ()
        ],
        method_version=results.get("method_version"),
        results_digest=results_digest,
        seal=_seal(standing.certificate, standing) if standing is not None and standing.certificate else None,
    )


def _interval(row: dict[str, Any]) -> Interval | None:
    interval = row.get("interval")
    if not interval:
        return None
    return Interval(level=interval.get("level", "0.95"), lower=interval["lower"], upper=interval["upper"])


def _threshold(results: dict[str, Any]) -> Threshold | None:
    if results.get("threshold") is None:
        return None
    return Threshold(value=results["threshold"], edge=results["edge"], reached=results.get("reached"))


def _parts(results: dict[str, Any], key: str) -> list[Part]:
    return [_part(row) for row in results.get(key) or ()]


def _part(row: dict[str, Any]) -> Part:
    hidden = bool(row.get("withheld"))
    return Part(
        name=row["key"],
        label=row["name"],
        n=None if hidden else row.get("n"),
        figure=None if hidden else row.get("shown"),
        display=row.get("display") or row.get("percent") or "不显示",
        interval=None if hidden else _interval(row),
        withheld=hidden,
    )


def _seal(certificate: Certificate, standing: Standing) -> Seal:
    statement = statement_in(certificate.data)
    return Seal(
        number=certificate.number,
        short=certificate.short,
        statement_digest=digest(statement) if statement is not None else None,
        state="revoked" if standing.state == REVOKED else "valid",
        download=f"/v/{certificate.number}/certificate.json",
        verify=f"/v/{certificate.number}",
    )
