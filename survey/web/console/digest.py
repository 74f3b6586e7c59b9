"""督查专报: one page or two for leaders, from certified figures of the own branch; page, PDF and DOCX."""

from litestar import Response, get
from litestar.params import FromPath

from survey.documents.digest import (
    FOLLOW_HEAD,
    RESULT_HEAD,
    TITLE,
    Digest,
    DigestLine,
    follow_rows,
    result_rows,
)
from survey.jobs.make_digest import SET, NothingCertifiedError, make_digest, render_digest
from survey.storage.divisions import waves_of
from survey.web.access import may, person_of
from survey.web.console.charts import dot_chart
from survey.web.console.page import console_page
from survey.web.errors import UnknownPageError
from survey.web.files import download
from survey.web.pages import CHINA, AnyRequest


@get("/digest", guards=[may("results.see")])
async def show_digest(request: AnyRequest) -> Response[str]:
    """What the file says, as a page that can be printed."""
    try:
        made: Digest | None = await _made(request)
    except NothingCertifiedError:
        made = None
    return console_page(
        request,
        "digest.html",
        title=TITLE,
        crumbs=(("各县", "/console/counties"),),
        command="survey digest --format pdf",
        made=made,
        results=(RESULT_HEAD, result_rows(made)) if made else None,
        follow=(FOLLOW_HEAD, follow_rows(made)) if made else None,
        chart=dot_chart("各县的满意度", [_dot(line) for line in made.lines], None, by_value=False) if made else None,
    )


@get("/digest/{kind:str}", guards=[may("results.see")])
async def download_digest(request: AnyRequest, kind: FromPath[str]) -> Response[bytes]:
    """The digest as PDF or DOCX."""
    if kind not in SET:
        raise UnknownPageError("督查专报", "没有这种格式", f"可以下载{'、'.join(SET)}")
    now = request.app.state.now().astimezone(CHINA)
    made = await _made(request)
    return download(await render_digest(made, kind, now=now), f"教育满意度督查专报_{now:%Y-%m-%d}.{kind}")


DIGEST_ROUTES = (show_digest, download_digest)


async def _made(request: AnyRequest) -> Digest:
    now = request.app.state.now().astimezone(CHINA)
    return await make_digest(await waves_of(person_of(request)), now=now)


def _dot(line: DigestLine) -> dict[str, object]:
    interval = {"lower": line.lower, "upper": line.upper} if line.lower and line.upper else None
    return {"name": line.county, "shown": line.shown, "percent": line.figure, "interval": interval}
