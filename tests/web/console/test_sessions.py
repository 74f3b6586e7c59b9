"""Sessions one by one: listed with a device, ended by their owner, or by an administrator."""

from survey.storage.audit import list_audit
from survey.storage.tokens import list_tokens

from ..conftest import PASSWORD, SAME_ORIGIN, Site

PHONE = "Mozilla/5.0 (Linux; Android 14) Chrome/142.0 <script>alert(1)</script>"


async def sign_in_again(site: Site, name: str, agent: str = PHONE) -> str:
    """One more session of an account, on another device; its cookie."""
    site.client.cookies.clear()
    reply = await site.client.post(
        "/console/sign-in",
        data={"name": name, "password": PASSWORD},
        headers={**SAME_ORIGIN, "User-Agent": agent},
        follow_redirects=False,
    )
    return str(reply.cookies["session"])


def ends(page: str, start: str) -> list[str]:
    """The addresses of the page's buttons that end one session."""
    return [
        part.split('"', 1)[0]
        for part in page.split('action="')
        if part.startswith(start) and part.split('"', 1)[0].endswith("/end")
    ]


async def opens(site: Site, cookie: str) -> bool:
    site.client.cookies.clear()
    site.client.cookies.set("session", cookie)
    return bool((await site.client.get("/console/waves", follow_redirects=False)).status_code == 200)


async def test_one_session_is_ended_and_the_others_stay(site: Site) -> None:
    await site.sign_in()
    desk = site.client.cookies["session"]
    phone = await sign_in_again(site, "demo")
    site.client.cookies.clear()
    site.client.cookies.set("session", desk)
    page = (await site.client.get("/console/account")).text
    links = [link for link in ends(page, "/console/account/sessions/") if link.count("/") == 5]
    ended = await site.send(links[0])

    assert "Chrome，安卓" in page
    assert "alert(1)" not in page
    assert "127.0.0.1" not in page.split("正在登录的地方")[1].split("</table>")[0]
    assert len(links) == 1
    assert ended.status_code == 303
    assert await opens(site, desk)
    assert not await opens(site, phone)


async def test_nobody_ends_anothers_session_but_the_administrator(site: Site) -> None:
    await site.sign_in("wang", ("operator",))
    wang = site.client.cookies["session"]
    site.client.cookies.clear()
    await site.sign_in("boss", ("admin",))
    link = ends((await site.client.get("/console/people")).text, "/console/people/sessions/")[0]
    site.client.cookies.clear()
    await site.sign_in("li", ("operator", "auditor"))
    refused = await site.send(link)
    not_own = await site.send(link.replace("/people/", "/account/"))
    still = await opens(site, wang)
    site.client.cookies.clear()
    boss = await sign_in_again(site, "boss")
    site.client.cookies.set("session", boss)
    done = await site.send(link)

    assert (refused.status_code, not_own.status_code) == (403, 404)
    assert still
    assert done.status_code == 303
    assert not await opens(site, wang)
    assert ("boss", "end_session", "wang") in {(act.who, act.what, act.object) for act in await list_audit(50)}


async def test_a_token_taken_back_opens_nothing_and_the_log_says_who_took_it(site: Site) -> None:
    await site.sign_in()
    kept, ended = await site.token("waves:read"), await site.token("waves:read", "figure:read")
    name = next(one.name for one in await list_tokens() if len(one.scopes) == 2)
    first = await site.send(f"/console/people/tokens/{name}/end")
    second = await site.send(f"/console/people/tokens/{name}/end")
    codes = [(await site.client.get("/api/v1/waves", headers=one)).status_code for one in (kept, ended)]
    people, log = [(await site.client.get(f"/console/{page}")).text for page in ("people", "log")]
    older = (await site.client.get("/console/log?before=1")).text
    await site.sign_in("li", ("auditor",))
    refused = await site.send(f"/console/people/tokens/{name}/end")

    assert (first.status_code, second.status_code, refused.status_code) == (303, 404, 403)
    assert codes == [200, 401]
    assert "已收回" in people and people.count(">收回<") == 1
    assert "收回接口令牌" in log and "收回接口令牌" not in older and "序号1以前" in older


async def test_the_page_of_webhooks_shows_the_secret_once_and_refuses_inside_addresses(site: Site) -> None:
    await site.sign_in()
    inside = await site.send("/console/webhooks", {"label": "甲", "url": "https://10.0.0.1/x"})
    made = await site.send("/console/webhooks", {"label": '"><script>x', "url": "https://8.8.8.8/x?a=1&b"})
    again = (await site.client.get("/console/webhooks")).text
    link = ends(again, "/console/webhooks/wh_")[0]
    ended = await site.send(link)

    assert (inside.status_code, made.status_code, ended.status_code) == (422, 200, 303)
    assert "whsec_" in made.text
    assert "whsec_" not in again
    assert "<script>x" not in again
    assert "已停用" in (await site.client.get("/console/webhooks")).text
