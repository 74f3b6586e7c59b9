"""C15: which systems are told of certificates, and what they acknowledged."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.send_webhooks import change_secret, register_webhook, stop_webhook, webhooks_of
from survey.storage.webhooks import list_messages
from survey.web.access import may, person_of, read_form
from survey.web.console.page import console_page
from survey.web.pages import AnyRequest
from survey.web.parts import LINES_ON_A_PAGE, part_of

EVENT_NAMES = {
    "certificate.issued": "证书签发",
    "certificate.superseded": "证书换发",
    "certificate.revoked": "证书撤回",
}
STATE_NAMES = {"waiting": "待送", "delivered": "已送达", "given_up": "已放弃"}


@get("/webhooks", guards=[may("webhooks.manage")])
async def show_webhooks(request: AnyRequest) -> Response[str]:
    """Every address of one's branch, and the newest messages to them."""
    return await _page(request)


@post("/webhooks", guards=[may("webhooks.manage")], status_code=200)
async def post_webhook(request: AnyRequest) -> Response[str]:
    """Register an address for one's own divisions; its secret is shown on this page alone."""
    app, person, form = request.app.state, person_of(request), await read_form(request)
    label, url = str(form.get("label", ""))[:200], str(form.get("url", ""))[:600].strip()
    try:
        _, secret = await register_webhook(
            app.settings, person.name, label, url, actor=person.name, now=app.now()
        )
    except SurveyError as refusal:
        fault = f"{refusal.thing}：{refusal.reason}。{refusal.remedy}。"
        return await _page(request, fault=fault, label=label, url=url, status=422)
    return await _page(request, secret=secret)


@post("/webhooks/{webhook:str}/renew", guards=[may("webhooks.manage")], status_code=200)
async def post_renew_webhook(request: AnyRequest, webhook: FromPath[str]) -> Response[str]:
    """Change an address's secret; the new one is shown on this page alone."""
    app, person = request.app.state, person_of(request)
    secret = await change_secret(app.settings, webhook, by=person, actor=person.name, now=app.now())
    return await _page(request, secret=secret, renewed=True)


@post("/webhooks/{webhook:str}/end", guards=[may("webhooks.manage")], status_code=303)
async def post_end_webhook(request: AnyRequest, webhook: FromPath[str]) -> Redirect:
    """Tell an address nothing more."""
    person = person_of(request)
    await stop_webhook(webhook, by=person, actor=person.name, now=request.app.state.now())
    return Redirect(path="/console/webhooks", status_code=303)


WEBHOOK_ROUTES = (show_webhooks, post_webhook, post_renew_webhook, post_end_webhook)


async def _page(
    request: AnyRequest,
    *,
    fault: str = "",
    secret: str = "",
    renewed: bool = False,
    label: str = "",
    url: str = "",
    status: int = 200,
) -> Response[Any]:
    hooks = await webhooks_of(person_of(request))
    return console_page(
        request,
        "webhooks.html",
        title="推送",
        crumbs=(("人员", "/console/people"),),
        command="survey webhook add 网址 --label 用途\nsurvey webhook list",
        status=status,
        fault=fault,
        secret=secret,
        renewed=renewed,
        label=label,
        url=url,
        webhooks=part_of(request, hooks, LINES_ON_A_PAGE),
        labels={hook.id: hook.label for hook in hooks},
        messages=await list_messages([hook.id for hook in hooks]),
        event_names=EVENT_NAMES,
        state_names=STATE_NAMES,
    )
