"""C10 results: the figure with its doubt, by group, stage, place and dimension, and by other formulas.

Everything shown was estimated by `estimate_wave` and is text already; nothing is computed or
rounded here. Before the wave is opened there is no results document, so there is no page.
"""

import csv
import io
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from survey.cases.few_answers import FEW_ANSWERS
from survey.columns import plain_cell
from survey.documents.report import ABOUT_FACTS
from survey.errors import SurveyError
from survey.estimation.fact_table import is_told
from survey.jobs.export_answers import export_answers
from survey.storage.certificates import list_certificates
from survey.storage.plans import load_plan, load_wave
from survey.storage.results import area_rows, find_results
from survey.storage.samples import find_sample
from survey.web.access import may, person_of
from survey.web.console.charts import balance_bars, dot_chart, option_bars
from survey.web.console.page import AFTER_OPENING, GROUPS, console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.console.works import ANSWERS, make
from survey.web.files import download

SCHOOLS_SHOWN = 60
"""Rows of schools on one page, each with its dot."""
BREAKDOWNS = (
    ("by_group", "人群"),
    ("by_stage", "学段"),
    ("by_place", "城乡"),
    ("by_area", "督学责任区"),
    ("by_dimension", "方面"),
)
_ROW: dict[str, Any] = dict.fromkeys(
    ("withheld", "coded", "n", "n_valid", "shown", "percent", "display", "interval", "dont_know", "cautions")
)
_WHOLE: dict[str, Any] = dict.fromkeys(
    (
        *(
            "interval",
            "threshold",
            "line_in_words",
            "decision",
            "evidence_class",
            "evidence_words",
            "reached",
        ),
        *("se", "dont_know", "conservative", "response", "another_formula", "beside", "items", "flags"),
        *("sentences", "notes", "must_say", "certifiable", "not_certifiable_because"),
        *("cautions", "tipping", "item_nonresponse", "one_sided"),
    )
)
_WAY: dict[str, Any] = dict.fromkeys(("formula", "note", "percent", "plain", "shown", "reached"))
"""What a page looks for; a results document may leave any of it out."""
from survey.web.pages import AnyRequest
from survey.web.parts import LINES_ON_A_PAGE, part_of
from survey.web.verify.standing import is_revoked


class NotOpenedError(SurveyError):
    """Nobody may see a satisfaction figure before the box is opened."""

    code = "console.not_opened"
    kind = "conflict"

    def __init__(self, state_name: str) -> None:
        super().__init__(
            "满意度",
            f"现在是“{state_name}”，还没有算出满意度",
            "照“概况”的次序做：结束填写、两人开箱、计算，再来看",
        )


class NotCertifiedError(SurveyError):
    """A responsibility area is told of figures that were signed, and of no other."""

    code = "console.not_certified"
    kind = "conflict"

    def __init__(self, state_name: str) -> None:
        super().__init__("责任区结果", f"现在是“{state_name}”，还没有签发证书", "签发以后再来看")


@get("/waves/{wave:str}/results", guards=[may("results.see")])
async def show_results(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The figure, its interval and its line; every breakdown; the same answers by other formulas."""
    row = await load_wave(wave)
    if row.state not in AFTER_OPENING:
        raise NotOpenedError(row.state_name)
    stored = await find_results(wave)
    results = filled(stored) if stored else None
    threshold, certificates = _line(results), await list_certificates(wave)
    bars = option_bars(results["items"], threshold) if results else None
    return console_page(
        request,
        "results.html",
        title="结果",
        crumbs=wave_crumbs(row),
        command=f"survey estimate {wave} --json",
        row=row,
        tabs=tabs_of(row, "/results"),
        plan=await load_plan(wave),
        results=results,
        ways=[way for way in results["another_formula"] if way["shown"]] if results else (),
        no_ways=[way for way in results["another_formula"] if not way["shown"]] if results else (),
        group_names=GROUPS,
        domain_names=await _domain_names(wave),
        breakdowns=[
            (
                heading,
                results[key],
                dot_chart(f"各{heading}的满意度", results[key], threshold, by_value=key != "by_area"),
            )
            for key, heading in BREAKDOWNS
            if results and results.get(key)
        ],
        bars=bars,
        second_view=balance_bars(bars) if bars else None,
        facts=[(row, is_told(row)) for row in (results.get("facts") or ())] if results else (),
        about_facts=ABOUT_FACTS,
        few=FEW_ANSWERS,
        flags=part_of(request, results["flags"] if results else (), LINES_ON_A_PAGE, "flags"),
        certificates=certificates,
        withdrawn=await is_revoked(certificates),
    )


@get("/waves/{wave:str}/results/schools", guards=[may("results.see")])
async def show_school_results(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """Drawn schools side by side, by code: each with its interval and how it stands to its county."""
    row = await load_wave(wave)
    results = await find_results(wave) if row.state in AFTER_OPENING else None
    if results is None:
        raise NotOpenedError(row.state_name)
    shown = part_of(request, results.get("by_school") or [], SCHOOLS_SHOWN)
    threshold = _line(filled(results))
    groups = list(dict.fromkeys(line["group"] for line in shown.lines))
    tables = {group: [{**_ROW, **line} for line in shown.lines if line["group"] == group] for group in groups}
    return console_page(
        request,
        "results_schools.html",
        title="各校的结果",
        crumbs=(*wave_crumbs(row), ("结果", f"/console/waves/{wave}/results")),
        command=f"survey estimate {wave} --json",
        row=row,
        tabs=tabs_of(row, "/results"),
        shown=shown,
        tables=[
            (GROUPS.get(group, group), lines, dot_chart(f"各校{GROUPS.get(group, group)}的满意度", lines, threshold, by_value=False))
            for group, lines in tables.items()
        ],
        volunteers=results["evidence_class"] == "C",
    )


@get("/waves/{wave:str}/results.csv", guards=[may("results.see")])
async def download_results(request: AnyRequest, wave: FromPath[str]) -> Response[bytes]:
    """The breakdowns as a sheet; what is withheld on the page is withheld here."""
    row = await load_wave(wave)
    results = await find_results(wave) if row.state in AFTER_OPENING else None
    if results is None:
        raise NotOpenedError(row.state_name)
    return download(results_sheet(results), f"{row.county}_{row.wave}_结果.csv")


@get("/waves/{wave:str}/area-results", guards=[may("results.of_area")])
async def show_area_results(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The rows of the responsibility areas that one may see, once the wave is certified; no school alone."""
    row = await load_wave(wave)
    if row.state != "certified":
        raise NotCertifiedError(row.state_name)
    return console_page(
        request,
        "area_results.html",
        title="责任区结果",
        crumbs=wave_crumbs(row),
        command=f"survey estimate {wave} --json",
        row=row,
        tabs=tabs_of(row, "/area-results"),
        rows=[{**_ROW, **one} for one in await area_rows(wave)],
    )


@post("/waves/{wave:str}/answers", guards=[may("answers.export")], status_code=200)
async def post_export(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """The answers for analysis, confidential; a POST, because it is kept in the audit trail."""
    app, row, by = request.app.state, await load_wave(wave), person_of(request).name
    return await make(
        request, row, ANSWERS,
        lambda file, tell: export_answers(app.office, wave, file, actor=by, now=app.now(), progress=tell),
    )  # fmt: skip


RESULT_ROUTES = (show_results, show_school_results, show_area_results, download_results, post_export)


async def _domain_names(wave: str) -> dict[str, str]:
    """Each domain as people call it: the school and the group."""
    sample = await find_sample(wave)
    return {
        draw.domain: f"{draw.school_name} {GROUPS.get(draw.group, draw.group)}"
        for draw in (sample.domains if sample else ())
    }


def filled(results: dict[str, Any]) -> dict[str, Any]:
    """A results document in which every key a page looks for is present, as None where it was absent."""
    parts = {key: [{**_ROW, **row} for row in results.get(key) or ()] for key in (*dict(BREAKDOWNS), "items")}
    ways = {key: [{**_WAY, **way} for way in results.get(key) or ()] for key in ("another_formula", "beside")}
    return {**_WHOLE, **results, **parts, **ways}


def results_sheet(results: dict[str, Any]) -> bytes:
    """The figure and its breakdowns as CSV; no cell can begin a formula."""
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(["分类", "名称", "答卷", "有效", "满意度", "区间下限", "区间上限", "说明"])
    whole = {**results, **results["figure"], "name": results["figure"]["name"], "dont_know": None}
    for heading, rows in (
        ("总体", [whole]),
        *((heading, results.get(key) or []) for key, heading in BREAKDOWNS),
    ):
        for row in rows:
            sheet.writerow([plain_cell(cell) for cell in (heading, *_cells(row))])
    if results.get("demonstration"):
        sheet.writerow(["演示数据", "答卷是模拟的，不能引用"])
    return text.getvalue().encode("utf-8-sig")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if row.get("withheld"):
        return str(row["name"]), "", "", "", "", "", "不足10份，或会推算出不足10份的，不显示"
    interval = row.get("interval") or {"lower": "", "upper": ""}
    counts = (str(row.get("n", "")), str(row.get("n_valid", "")))
    bounds = (str(row["display"] if row.get("coded") else row["shown"]), interval["lower"], interval["upper"])
    return (str(row["name"]), *counts, *bounds, "；".join(row.get("cautions") or ()))


def _line(results: dict[str, Any] | None) -> str | None:
    """The threshold to draw; a wave of volunteers has none."""
    if results is None or results.get("evidence_class") == "C":
        return None
    return results.get("threshold")
