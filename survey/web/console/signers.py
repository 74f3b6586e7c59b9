"""The two signing keys: whether they are there, and the form in which a signer makes their own."""

from litestar import Response, get, post
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.own_key import keys_made, make_own_key, register_own_key
from survey.jobs.signers import APPROVER, TITLES, signs_elsewhere
from survey.web.access import may, person_of, read_form
from survey.web.console.page import console_page
from survey.web.errors import status_of
from survey.web.pages import AnyRequest


@get("/signers", guards=[may("wave.sign")])
async def show_signers(request: AnyRequest) -> Response[str]:
    """Which keys are there, and a form for one's own."""
    return _page(request)


@post("/signers", guards=[may("signer.make")], status_code=303)
async def post_signer(request: AnyRequest) -> Response[str] | Redirect:
    """Make the key of one's own role."""
    app, form = request.app.state, await read_form(request)
    given = {name: str(form.get(name, "")) for name in ("role", "passphrase", "again")}
    try:
        await make_own_key(
            app.settings,
            person_of(request),
            given["role"],
            given["passphrase"],
            given["again"],
            now=app.now(),
        )
    except SurveyError as refusal:
        return _page(request, refusal)
    return Redirect(path="/console/signers", status_code=303)


@post("/signers/elsewhere", guards=[may("signer.make")], status_code=303)
async def post_signer_elsewhere(request: AnyRequest) -> Response[str] | Redirect:
    """Register the public halves of an approver's key that lies on a computer of their own."""
    app, form = request.app.state, await read_form(request)
    vkey, share = (str(form.get(name, ""))[:1000] for name in ("vkey", "share_key"))
    try:
        await register_own_key(app.settings, person_of(request), vkey, share, now=app.now())
    except SurveyError as refusal:
        return _page(request, refusal)
    return Redirect(path="/console/signers", status_code=303)


SIGNER_ROUTES = (show_signers, post_signer, post_signer_elsewhere)


def _page(request: AnyRequest, refusal: SurveyError | None = None) -> Response[str]:
    made = keys_made(request.app.state.settings)
    mine = person_of(request).roles
    return console_page(
        request,
        "signers.html",
        title="签名密钥",
        crumbs=(("调查", "/console/waves"),),
        command="survey signer operator\nsurvey signer approver",
        status=status_of(refusal) if refusal else 200,
        refusal=refusal,
        made=made,
        titles=TITLES,
        elsewhere=APPROVER if signs_elsewhere(request.app.state.settings) else "",
        mine=[role for role, there in made.items() if role in mine and not there],
    )
