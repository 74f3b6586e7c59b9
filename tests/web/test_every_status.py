"""Every refusal that answering pages, the desk, the verifier and the API can give, provoked: words, way out, headers."""

from __future__ import annotations

import re
import sqlite3
from secrets import token_bytes
from typing import Any

import pytest

from survey.fieldwork.code import random_code
from survey.storage.intake import BusyError
from survey.storage.print_files import load_print_file
from survey.web.headers import ANSWER_LIMIT, FILE_LIMIT, PACK_LIMIT
from survey.web.ration import Ration
from survey.web.rights import SCOPES

from .conftest import SAME_ORIGIN, Site

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json", "idempotency-key": "k1"}
DRAFT, DONE, API = "/console/waves/county-c", "/console/waves/county-a", "/api/v1/waves"
PAGES: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "console, an unknown parameter": (400, "GET", "/console/people?x=1", {}),
    "verifier, an unknown parameter": (400, "GET", "/v?x=1", {}),
    "console, a field that comes twice": (400, "POST", "/console/sign-in", {"content": b"name=a&name=b", "headers": {**FORM, **SAME_ORIGIN}}),
    "console, another site's form": (403, "POST", "/console/sign-in", {"data": {"name": "x"}, "headers": {"sec-fetch-site": "cross-site"}}),
    "console, a form of another session": (403, "POST", f"{DONE}/ledger", {"data": {"form_key": "x"}, "headers": SAME_ORIGIN}),
    "anywhere": (404, "GET", "/nowhere", {}),
    "console, no such wave": (404, "GET", "/console/waves/none", {}),
    "verifier, no such certificate": (404, "GET", "/v/99", {}),
    "verifier, by another method": (405, "DELETE", "/v", {}),
    "answering, by another method": (405, "DELETE", "/s", {}),
    "a form, by another method": (405, "PUT", "/s/7KQ4M2XH9DTS", {}),
    "console, by another method": (405, "PUT", "/console/waves", {}),
    "console, too early": (409, "GET", f"{DRAFT}/monitor", {}),
    "console, a link that was used": (410, "POST", "/console/sign-in/nothing", {"data": {}, "headers": SAME_ORIGIN}),
    "console, too much": (413, "POST", f"{DONE}/ledger", {"content": b"a=" + b"a" * FILE_LIMIT, "headers": {**FORM, **SAME_ORIGIN}}),
    "verifier, too much": (413, "POST", "/v/file", {"content": b"a" * (PACK_LIMIT + 1_000_000), "headers": {"content-type": "multipart/form-data; boundary=x"}}),
    "console, what is missing": (422, "POST", f"{DONE}/ledger", {"data": {"source": "fact", "problem": "", "basis": ""}}),
    "school, nobody signed in": (401, "GET", "/school", {}),
}
"""What is asked, and the status; a page answers it."""
ANSWERS: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "no such poster": (404, "GET", "/o/none/none", {}),
    "no such thanks": (404, "GET", "/s/thanks/none", {}),
    "no form": (400, "POST", "/s", {"content": b"code=%ff", "headers": FORM}),
    "a form without its key": (400, "POST", "/s/{slip}", {"content": b"PA20=5", "headers": FORM}),
    "too much": (413, "POST", "/s/{slip}", {"content": b"PA25=" + b"a" * ANSWER_LIMIT, "headers": FORM}),
    "no form but JSON": (415, "POST", "/s/{slip}", {"content": b"{}", "headers": {"content-type": "application/json"}}),
    "a code with a slip of the finger": (422, "POST", "/s", {"content": b"code=7KQ4M2XH9DTS", "headers": FORM}),
    "no such code": (422, "GET", "/s/{code}", {}),
}
"""The same for whoever answers; the page speaks to a parent and shows no code."""
PROBLEMS: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "no token": (401, "GET", API, {}),
    "an unknown parameter": (400, "GET", f"{API}?x=1", {}),
    "bytes that are no JSON": (400, "POST", f"{API}/county-a/ledger", {"content": b"{", "headers": JSON}),
    "no such wave": (404, "GET", f"{API}/none", {}),
    "no such address": (404, "GET", "/api/v1/nowhere", {}),
    "by another method": (405, "DELETE", API, {}),
    "too early": (409, "GET", f"{API}/county-c/figure", {}),
    "a reader that takes no JSON": (406, "GET", API, {"headers": {"accept": "text/csv"}}),
    "another's version": (412, "POST", f"{API}/county-a/ledger/1/acts", {"json": {"act": "start"}, "headers": {**JSON, "if-match": '"x"'}}),
    "too much": (413, "POST", f"{API}/county-a/ledger", {"content": b'"' + b"a" * 1_100_000 + b'"', "headers": JSON}),
    "another kind of content": (415, "POST", f"{API}/county-a/ledger", {"content": b"a", "headers": {**JSON, "content-type": "text/plain"}}),
    "content that is packed": (415, "POST", f"{API}/county-a/ledger", {"content": b"a", "headers": {**JSON, "content-encoding": "gzip"}}),
    "content of no kind": (415, "POST", f"{API}/county-a/ledger", {"content": b"a", "headers": {"idempotency-key": "k3"}}),
    "what is missing": (422, "POST", f"{API}/county-a/ledger", {"json": {"source": "fact", "problem": " ", "basis": " "}, "headers": {**JSON, "idempotency-key": "k2"}}),
    "a right that is missing": (403, "GET", f"{API}/county-a/ledger", {}),
}


def unguarded(reply: Any) -> list[str]:
    """Which of the headers that keep a page safe a reply lacks."""
    said = reply.headers
    held = {
        "nosniff": said.get("x-content-type-options") == "nosniff",
        "referrer": said.get("referrer-policy") == "no-referrer",
        "opener": said.get("cross-origin-opener-policy") == "same-origin",
        "policy": "default-src 'none'" in said.get("content-security-policy", ""),
        "not kept": said.get("cache-control") == "no-store",
    }
    return [name for name, holds in held.items() if not holds]


def page_faults(reply: Any, status: int) -> list[str]:
    """What a person who met a refusal would miss on its page."""
    text = re.sub(r"<(style|script)\b.*?</\1>", "", reply.text, flags=re.DOTALL)
    held = {
        f"status {reply.status_code}": reply.status_code == status,
        "a page": reply.headers["content-type"].startswith("text/html") and 'lang="zh' in text,
        "one heading, in Chinese": len(re.findall(r"<h1[^>]*>[^<]*[一-鿿][^<]*", text)) == 1,
        "the code": bool(re.search(r"<code>[a-z_]+\.[a-z_]+</code>", text)),
        "a way out": bool(re.search(r'<a [^>]*href="/|<form', text)),
        "nothing of ours": not re.search(r"Traceback|Error\b|sqlite|/site-packages/|SELECT ", text),
    }
    return [name for name, holds in held.items() if not holds] + unguarded(reply) + unsaid(reply)


def answer_faults(reply: Any, status: int) -> list[str]:
    """What a parent who met a refusal would miss on its page."""
    text = re.sub(r"<(style|script)\b.*?</\1>", "", reply.text, flags=re.DOTALL)
    held = {
        f"status {reply.status_code}": reply.status_code == status,
        "a page": reply.headers["content-type"].startswith("text/html") and 'lang="zh' in text,
        "one heading, in Chinese": [bool(re.search("[一-鿿]", one)) for one in re.findall("<h1.*?</h1>", text)] == [True],
        "what to do": bool(re.search(r"<a [^>]*href=\"/|<form|请[^<]{2,}", text)),
        "no cookie": "set-cookie" not in reply.headers,
        "nothing of ours": not re.search(r"Traceback|Error\b|sqlite|/site-packages/|SELECT |[a-z]+\.[a-z]+_[a-z_]+", text),
    }
    return [name for name, holds in held.items() if not holds] + unguarded(reply) + unsaid(reply)


def unsaid(reply: Any) -> list[str]:
    """Which header that HTTP owes the asker with this status is not there, or says nothing."""
    owed = {
        401: ("www-authenticate", "Bearer"),
        405: ("allow", "[A-Z]"),
        415: ("accept", "application/"),
        429: ("retry-after", r"[1-9]\d*$"),
        503: ("retry-after", r"[1-9]\d*$"),
    }.get(reply.status_code)
    if owed is None or (reply.status_code in (401, 415) and reply.headers["content-type"].startswith("text/html")):
        return []
    name, form = owed
    return [] if re.match(form, reply.headers.get(name, "")) else [name]


def problem_faults(reply: Any, status: int) -> list[str]:
    """What a program would miss."""
    if reply.headers["content-type"] != "application/problem+json":
        return [f"status {reply.status_code} as {reply.headers['content-type']}"]
    told = reply.json()
    held = {
        f"status {reply.status_code}": reply.status_code == told.get("status") == status,
        "a type": told.get("type") == f"urn:survey:problem:{told.get('code')}",
        "a title and a detail in Chinese": all(re.search("[一-鿿]", told.get(name, "")) for name in ("title", "detail", "remedy")),
        "a way out for a program": not re.search("页面|按钮|首页|表单", told.get("remedy", "")),
        "nothing of ours": not re.search(r"Traceback|sqlite|/site-packages/|SELECT ", reply.text),
    }
    return [name for name, holds in held.items() if not holds] + unguarded(reply) + unsaid(reply)


async def ask(site: Site, method: str, path: str, given: dict[str, Any], headers: dict[str, str]) -> Any:
    sent = {**headers, **given.get("headers", {})}
    more = {name: value for name, value in given.items() if name != "headers"}
    return await site.client.request(method, path, headers=sent, follow_redirects=False, **more)


async def test_every_refusal_is_a_page_or_a_problem_with_its_reason_and_the_way_out(certified: Site) -> None:
    await certified.wave("county-c")
    await certified.person("demo")
    full, little = await certified.token(*SCOPES), await certified.token("waves:read")
    wrong: dict[str, list[str]] = {}
    await certified.sign_in("jia", ("admin", "operator", "reviewer", "approver"))
    kept = await certified.send(f"{DONE}/ledger", {"source": "fact", "problem": "课桌不够", "basis": "第3页"})
    for name, (status, method, path, given) in PAGES.items():
        if status == 422:
            reply = await certified.send(path, given["data"])
        else:
            reply = await ask(certified, method, path, given, {"accept": "text/html"})
        wrong |= {name: found} if (found := page_faults(reply, status)) else {}
    certified.client.cookies.clear()
    code, [(slip, _), *_] = random_code(token_bytes), load_print_file(certified.settings, "county-a")
    for name, (status, method, path, given) in ANSWERS.items():
        reply = await ask(certified, method, path.format(code=code, slip=slip), given, {"accept": "text/html"})
        wrong |= {f"answering, {name}": found} if (found := answer_faults(reply, status)) else {}
    for name, (status, method, path, given) in PROBLEMS.items():
        reply = await ask(certified, method, path, given, {401: {}, 403: little}.get(status, full))
        wrong |= {name: found} if (found := problem_faults(reply, status)) else {}

    assert kept.status_code == 303
    assert wrong == {}


async def test_whoever_asks_too_often_or_meets_a_busy_house_is_told_when_to_come_again(
    certified: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise BusyError("磁盘快满了", retry_after=7)

    await certified.sign_in("jia")
    await certified.person("demo")
    headers = await certified.token(*SCOPES)
    wrongly = {"data": {"name": "jia", "password": "no"}, "headers": {**SAME_ORIGIN, "accept": "text/html"}}
    signing_in = [await certified.client.post("/console/sign-in", **wrongly) for _ in range(6)][-1]
    typed = [await certified.client.get(f"/s/{random_code(token_bytes)}") for _ in range(31)][-1]
    certified.app.state.ration = Ration(at_once=2, a_second=0.1)
    asked = [await certified.client.get(API, headers=headers) for _ in range(3)]
    measured = await certified.client.get("/metrics", headers=headers)
    certified.app.state.ration = Ration()
    monkeypatch.setattr(certified.office, "find_slip", full)
    for page in ("api", "console"):
        monkeypatch.setattr(f"survey.web.{page}.waves.waves_of", full)
    busy = await certified.client.post(f"/s/{random_code(token_bytes)}", content=b"PA20=5", headers=FORM)
    told = await certified.client.get(API, headers=headers)
    desk = await certified.client.get("/console/waves", headers={"accept": "text/html"})

    assert page_faults(signing_in, 429) == answer_faults(typed, 429) == []
    assert [one.status_code for one in asked[:2]] == [200, 200]
    assert problem_faults(asked[2], 429) == problem_faults(measured, 429) == []
    assert (asked[2].json()["code"], asked[2].headers["retry-after"]) == ("api.too_often", "10")
    assert answer_faults(busy, 503) == problem_faults(told, 503) == page_faults(desk, 503) == []
    assert {one.headers["retry-after"] for one in (busy, told, desk)} == {"7"}


@pytest.mark.parametrize("table", ["waves", "accounts"])
async def test_a_database_that_is_broken_is_an_incident_and_tells_nothing_of_itself(certified: Site, table: str) -> None:
    await certified.sign_in("jia", ("admin", "operator", "reviewer", "approver"))
    await certified.person("demo")
    headers = await certified.token(*SCOPES)
    with sqlite3.connect(certified.settings.data / "survey.db") as file:
        file.execute("PRAGMA foreign_keys = OFF")
        file.execute(f"ALTER TABLE {table} RENAME TO gone")
    page = await certified.client.get("/console/waves", headers={"accept": "text/html"})
    problem = await certified.client.get(API, headers=headers)

    assert page_faults(page, 500) == []
    assert problem_faults(problem, 500) == []
    assert re.search(r"事件编号 <code>[0-9a-f]{8}</code>", page.text)
    assert re.fullmatch("[0-9a-f]{8}", problem.json()["incident"])
