"""Two counties on one installation: what belongs to no wave is found by its own county alone, under every id."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from survey.jobs.certify_in_steps import Standing
from survey.jobs.send_webhooks import register_webhook
from survey.storage.accounts import find_account, may_be_one_person
from survey.storage.certification_steps import CertificationStep
from survey.storage.database import Database
from survey.storage.divisions import set_divisions
from survey.storage.plan_drafts import add_draft, list_drafts
from survey.storage.sessions import list_sessions, start_session
from survey.storage.tables import WebhookMessages, Webhooks
from survey.storage.tokens import list_tokens

from .conftest import NOW, Site
from .rights import read_table

DESK = ("admin", "operator", "reviewer", "approver", "auditor")
ROUTES = {
    "draft": "/console/setup/{draft}",
    "name": "/console/people/account/{name}",
    "digest": "/console/people/sessions/{digest}",
    "token": "/console/people/tokens/{token}",
    "webhook": "/console/webhooks/{webhook}",
    "code": "/console/counties/{code}",
}
"""What an address may name beside a wave, and where; waves are walked in test_divisions.py."""


@dataclass
class Neighbours:
    """A site where an account of 360828 is signed in, and the ids of what 320704 has."""

    site: Site
    theirs: dict[str, str]


@pytest.fixture
async def neighbours(certified: Site) -> AsyncIterator[Neighbours]:
    site = certified
    await site.sign_in("wang", DESK)
    await set_divisions("wang", ["360828"])
    await site.person("li", DESK)
    await set_divisions("li", ["320704"])
    await start_session("li", now=NOW)
    await site.token("ledger:write", account="li")
    site.settings.__dict__["webhook_private"] = True
    hook, _ = await register_webhook(site.settings, "li", "省里的系统", "http://127.0.0.1:9/x", actor="li", now=NOW)
    message = {"event": "certificate.issued", "state": "waiting", "tries": 0, "outcome": "邻县的消息"}
    await WebhookMessages.insert(
        WebhookMessages(id="msg_1", webhook=hook, body="{}", created_at=NOW, due_at=NOW, **message)
    )
    draft = await add_draft("li", {"county_code": "320704", "title": "邻县的方案"}, now=NOW)
    yield Neighbours(
        site,
        {
            "draft": draft.draft,
            "name": "li",
            "digest": next(one.digest for one in await list_sessions("li", now=NOW)),
            "token": next(one.name for one in await list_tokens()),
            "webhook": hook,
            "code": "320704",
        },
    )


async def test_no_id_of_another_county_opens_anything_and_none_is_told_from_an_invented_one(
    neighbours: Neighbours,
) -> None:
    site, wrong, asked = neighbours.site, [], 0
    form_key = await site.form_key()
    for row in read_table():
        named = re.findall(r"{(\w+)}", row.path)
        if "wave" in named or not row.path.startswith(tuple(ROUTES.values())):
            continue
        replies = []
        for real in (True, False):
            path = row.path.replace("{step}", "1")
            for name in named:
                given = neighbours.theirs.get(name, "")
                path = path.replace(f"{{{name}}}", given if real else "f" * len(given) if name != "code" else "110101")
            fields = {"form_key": form_key, "role_admin": "1", "divisions": "360828"} if row.method == "POST" else None
            reply = await site.client.request(
                row.method, path, data=fields, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False
            )
            replies.append((reply.status_code, re.findall(r"<code>(\w+\.\w+)</code>", reply.text)))
        asked += 1
        if replies[0] != replies[1] or replies[0][0] != 404:
            wrong.append((row.method, row.path, replies))
    left = await find_account("li")

    assert wrong == []
    assert asked >= 14
    assert left is not None and left.active and left.roles == set(DESK) and left.divisions == {"320704"}
    assert [one.revoked_at for one in await list_tokens()] == [None]
    assert await Webhooks.exists().where(Webhooks.ended_at.is_null())
    assert len(await list_sessions("li", now=NOW)) == 1 and len(await list_drafts()) == 1


async def test_no_list_of_the_console_holds_what_is_another_countys(neighbours: Neighbours) -> None:
    site = neighbours.site
    pages = {
        path: (await site.client.get(path)).text
        for path in ("/console", "/console/waves", "/console/people", "/console/log", "/console/webhooks", "/console/health")
    }
    told = [
        (path, words)
        for path, text in pages.items()
        for words in ("省里的系统", "127.0.0.1:9", "邻县的", ">li<", "county-a", *neighbours.theirs.values())
        if words not in ("li", "320704") and words in text
    ]

    assert told == []


@pytest.mark.parametrize("roles", [("auditor",), ("contact",)])
async def test_a_token_never_opens_more_than_its_account_may(certified: Site, roles: tuple[str, ...]) -> None:
    await certified.person("zhao", roles)
    headers = await certified.token("ledger:read", "ledger:write", account="zhao")
    read = await certified.client.get("/api/v1/waves/county-a/ledger", headers=headers)
    entry = {"source": "fact", "problem": "食堂", "basis": "走访"}
    written = await certified.client.post(
        "/api/v1/waves/county-a/ledger", json=entry, headers={**headers, "Idempotency-Key": "k-1"}
    )

    assert read.status_code == (200 if roles == ("auditor",) else 403)
    assert written.status_code == 403 and written.json()["code"] == "access.not_allowed"


async def test_two_accounts_of_one_name_do_not_make_two_people(database: Database) -> None:
    from survey.storage.accounts import create_account

    for name, display in (("wang1", "王 某"), ("wang2", "王某"), ("zhang", "张某"), ("none", "")):
        await create_account(name, display, {"operator"}, now=NOW)
    standing = Standing(1, CertificationStep(1, "prepare", "wang1", "d", {}, NOW), None, None)

    assert [await standing.taken_by(name) for name in ("wang1", "wang2", "zhang", "none")] == ["prepare", "prepare", None, None]
    assert not await may_be_one_person("gone", "wang1")
