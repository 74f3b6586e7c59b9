"""我的学校: a school's contact with an account of their own chooses a wave and goes to the school's pages.

The pages are those that a one-time link opens; the account begins the same kind of session, bound
to its one school of one wave, and ends with it.
"""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.jobs.school_page import enter_school, own_waves
from survey.web.access import may, person_of
from survey.web.console.page import console_page
from survey.web.pages import AnyRequest
from survey.web.school.pages import school_cookie


@get("/school", guards=[may("school.enter")])
async def show_own_school(request: AnyRequest) -> Response[str]:
    """The waves in which the account's school was drawn."""
    return console_page(
        request,
        "own_school.html",
        title="我的学校",
        command="",
        waves=await own_waves(),
    )


@post("/school/{wave:str}", guards=[may("school.enter")], status_code=303)
async def post_own_school(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """进入: begin a session of the school's pages."""
    person, now = person_of(request), request.app.state.now()
    session_id = await enter_school(wave, person, now=now)
    return Redirect(path="/school", status_code=303, cookies=[school_cookie(request, session_id)])


OWN_SCHOOL_ROUTES = (show_own_school, post_own_school)
