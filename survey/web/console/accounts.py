"""C15 one account: create it, give it roles and divisions, a one-time link, or shut it; by administrators.

An administrator who is limited to some divisions finds and makes only accounts of that branch,
and nobody changes an account of their own. A link is shown once; only its digest is kept.
"""

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.manage_accounts import (
    AccountUnknownError,
    change_account,
    forget_code,
    may_manage,
    new_account,
    reopen_account,
    seen_of,
    shut_account,
    sign_in_address,
)
from survey.storage.accounts import Account, find_account
from survey.storage.areas import list_areas
from survey.storage.second_factors import has_second_factor
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.page import console_page
from survey.web.errors import status_of
from survey.web.pages import AnyRequest
from survey.web.rights import ROLES, WHAT_ROLES_DO

DONE = {
    "changed": "已改好。这个账号的登录都已结束，下一次登录就是新的角色和区划。",
    "shut": "已停用，它的登录、链接和令牌都已结束。",
    "opened": "已重新启用。要用密码，或者发一个一次性登录链接。",
    "code": "已去掉一次性验证码。下一次登录不用验证码，请本人马上重新启用。",
}


@get("/people/new", guards=[may("people.manage")])
async def show_new_account(request: AnyRequest) -> Response[str]:
    """The form for a new account."""
    return await _new_page(request)


@post("/people/new", guards=[may("people.manage")], status_code=200)
async def post_new_account(request: AnyRequest) -> Response[str]:
    """新建: the account, and its one-time link, shown this once."""
    app, person = request.app.state, person_of(request)
    form = {key: str(value) for key, value in (await read_form(request)).items()}
    name = form.get("name", "").strip()
    by: dict[str, Any] = {"by": person, "actor": person.name, "now": app.now()}
    try:
        await new_account(name, form.get("display", "").strip()[:60], _roles(form), _divisions(form), **by)
        link = await sign_in_address(app.settings, name, **by)
    except SurveyError as refusal:
        return await _new_page(request, refusal=refusal, typed=form)
    return await _account_page(request, await _load(request, name), link=link)


@get("/people/account/{name:str}", guards=[may("people.manage")])
async def show_account_of(request: AnyRequest, name: FromPath[str]) -> Response[str]:
    """One account, and what can be done with it."""
    done = check_query(request, frozenset({"done"})).get("done", "")
    return await _account_page(request, await _load(request, name), done=DONE.get(done, ""))


@post("/people/account/{name:str}", guards=[may("people.manage")], status_code=303)
async def post_account(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
    """改角色和区划: its sessions end, so that nobody goes on with the old ones."""
    account, form = await _load(request, name), await read_form(request)
    fields = {key: str(value) for key, value in form.items()}
    try:
        await change_account(
            account.name, _roles(fields), _divisions(fields), seen=fields.get("seen"), **_by(request)
        )
    except SurveyError as refusal:
        return await _account_page(request, await _load(request, name), refusal=refusal, typed=fields)
    return _done(name, "changed")


@post("/people/account/{name:str}/link", guards=[may("people.manage")], status_code=200)
async def post_link_for(request: AnyRequest, name: FromPath[str]) -> Response[str]:
    """A one-time sign-in link, shown this once."""
    account = await _load(request, name)
    try:
        link = await sign_in_address(request.app.state.settings, account.name, **_by(request))
    except SurveyError as refusal:
        return await _account_page(request, account, refusal=refusal)
    return await _account_page(request, account, link=link)


@post("/people/account/{name:str}/code", guards=[may("people.manage")], status_code=303)
async def post_forget_code(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
    """去掉验证码: the phone is lost."""
    account = await _load(request, name)
    return await _do(request, account, forget_code(account.name, **_by(request)), "code")


@post("/people/account/{name:str}/shut", guards=[may("people.manage")], status_code=303)
async def post_shut(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
    """停用."""
    account = await _load(request, name)
    return await _do(request, account, shut_account(account.name, **_by(request)), "shut")


@post("/people/account/{name:str}/open", guards=[may("people.manage")], status_code=303)
async def post_reopen(request: AnyRequest, name: FromPath[str]) -> Response[Any]:
    """重新启用."""
    account = await _load(request, name)
    return await _do(request, account, reopen_account(account.name, **_by(request)), "opened")


ACCOUNT_ROUTES = (
    show_new_account,
    post_new_account,
    show_account_of,
    post_account,
    post_link_for,
    post_forget_code,
    post_shut,
    post_reopen,
)


def _by(request: AnyRequest) -> dict[str, Any]:
    person = person_of(request)
    return {"by": person, "actor": person.name, "now": request.app.state.now()}


def _done(name: str, what: str) -> Redirect:
    return Redirect(path=f"/console/people/account/{quote(name, safe='')}?done={what}", status_code=303)


async def _do(request: AnyRequest, account: Account, deed: Any, what: str) -> Response[Any]:
    try:
        await deed
    except SurveyError as refusal:
        return await _account_page(request, account, refusal=refusal)
    return _done(account.name, what)


async def _load(request: AnyRequest, name: str) -> Account:
    """The account, for an administrator of its branch.

    Raises:
        AccountUnknownError: not there, or in another branch.
    """
    account = await find_account(name)
    if account is None or not await may_manage(person_of(request), account):
        raise AccountUnknownError(name)
    return account


def _roles(form: dict[str, str]) -> list[str]:
    return [role for role in ROLES if form.get(f"role_{role}")]


def _divisions(form: dict[str, str]) -> list[str]:
    for sign in "、，,；;":
        form = {**form, "divisions": form.get("divisions", "").replace(sign, " ")}
    return form["divisions"][:400].split()


async def _new_page(
    request: AnyRequest, *, refusal: SurveyError | None = None, typed: dict[str, str] | None = None
) -> Response[str]:
    person = person_of(request)
    return console_page(
        request,
        "account_new.html",
        title="新建账号",
        crumbs=(("人员", "/console/people"),),
        command="survey account 用户名 --display 姓名 --role operator --division 360828",
        status=status_of(refusal) if refusal else 200,
        refusal=refusal,
        typed={"name": "", "display": "", "divisions": " ".join(sorted(person.divisions)), **(typed or {})},
        **await _choices(),
    )


async def _account_page(
    request: AnyRequest,
    account: Account,
    *,
    link: str = "",
    done: str = "",
    refusal: SurveyError | None = None,
    typed: dict[str, str] | None = None,
) -> Response[str]:
    now = {f"role_{role}": "1" for role in account.roles} | {"divisions": " ".join(sorted(account.divisions))}
    return console_page(
        request,
        "account_of.html",
        title=f"账号 {account.name}",
        crumbs=(("人员", "/console/people"),),
        command=f"survey account {account.name}\n"
        f"survey account {account.name} --set-role operator --division 360828\n"
        f"survey account {account.name} --disable",
        status=status_of(refusal) if refusal else 200,
        account=account,
        seen=seen_of(account),
        own=account.name == person_of(request).name,
        link=link,
        done=done,
        refusal=refusal,
        has_code=await has_second_factor(account.name),
        typed=typed or now,
        **await _choices(),
    )


async def _choices() -> dict[str, Any]:
    return {
        "role_names": ROLES,
        "what_roles_do": WHAT_ROLES_DO,
        "areas": [one for one in await list_areas() if one.ended_on is None],
    }
