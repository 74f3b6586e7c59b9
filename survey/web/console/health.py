"""C15, health: what is well and what is not, with reason and remedy; and what falls due when."""

from litestar import Response, get

from survey.jobs.check_health import BAD, OF_WAVE, OK, WATCH, check_health
from survey.jobs.due_list import STATES, due_list
from survey.storage.plans import list_waves
from survey.web.access import may, person_of
from survey.web.console.page import console_page
from survey.web.pages import AnyRequest
from survey.web.parts import LINES_ON_A_PAGE, part_of

WORDS = {OK: "正常", WATCH: "留意", BAD: "要处理"}


@get("/health", guards=[may("health.see")])
async def show_console_health(request: AnyRequest) -> Response[str]:
    """Every line, the worst first, and the list of what falls due; of waves those of one's branch."""
    app = request.app.state
    lines = await check_health(app.settings, app.office, now=app.now(), with_due=False)
    if person_of(request).divisions:
        own = {f"{OF_WAVE}{row.wave}" for row in await list_waves()}
        lines = tuple(line for line in lines if not line.key.startswith(OF_WAVE) or line.key in own)
    order = (BAD, WATCH, OK)
    return console_page(
        request,
        "health.html",
        title="运行情况",
        command="survey backup 备份文件 --to age1公钥\nsurvey due\nsurvey settings",
        lines=sorted(lines, key=lambda line: order.index(line.state)),
        words=WORDS,
        bad=sum(line.state == BAD for line in lines),
        watch=sum(line.state == WATCH for line in lines),
        due=part_of(request, await due_list(app.settings, now=app.now()), LINES_ON_A_PAGE),
        due_words=STATES,
    )


HEALTH_PAGES = (show_console_health,)
