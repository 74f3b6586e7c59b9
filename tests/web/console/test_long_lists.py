"""No page grows with what is kept: long lists come in pages, and plain links lead through all of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

from survey.followup.ledger import Act, new_entry
from survey.storage.accounts import create_account
from survey.storage.certification_steps import CertificationStep, add_step
from survey.storage.current import transaction
from survey.storage.ledger import add_entry
from survey.storage.plan_drafts import add_draft
from survey.storage.samples import load_sample
from survey.storage.school_contacts import (
    SchoolSession,
    ask_spares,
    issue_school_link,
    save_handout,
    spend_school_link,
)
from survey.storage.sessions import start_session
from survey.storage.tokens import create_token
from survey.storage.webhooks import save_webhook

from ..conftest import NOW, Site
from .test_every_page import MOST_BYTES, WAVE

MANY = 130
LISTS = {
    "ledger": f"/console/waves/{WAVE}/ledger",
    "account": "/console/people",
    "token": "/console/people",
    "session": "/console/people",
    "webhook": "/console/webhooks",
    "draft": "/console/waves",
    "spare": f"/console/waves/{WAVE}/schools",
    "handout": "/school",
    "act": f"/console/waves/{WAVE}/ledger/{MANY + 1}",
    "step": f"/console/waves/{WAVE}/certify",
}


async def fill(site: Site) -> None:
    """So many lines in every list that people can make longer, each called by the list and a number."""
    school = next(iter((await load_sample(WAVE)).schools))
    await site.person("demo")
    token = await issue_school_link(WAVE, school, "教务主任", now=NOW)
    session_id = await spend_school_link(token, now=NOW)
    assert session_id is not None
    site.client.cookies["school"] = session_id
    async with transaction():
        for n in range(MANY):
            await add_entry(new_entry(WAVE, n + 1, "fact", f"fact-{n}", f"[ledger{n}]", "依据" * 100, who="lin", now=NOW))
            await create_account(f"p{n}", f"[account{n}]", ("auditor",), now=NOW)
            await create_token("demo", f"[token{n}]", ("waves:read",), NOW + timedelta(days=1), now=NOW)
            await start_session("demo", now=NOW, device=f"[session{n}]")
            await save_webhook("demo", f"[webhook{n}]", f"https://example.org/{n}", now=NOW)
            await add_draft("demo", {"title": f"[draft{n}]", "county": "县", "county_code": "320704"}, now=NOW)
            who = SchoolSession(WAVE, school, "教务主任", "")
            await ask_spares(who, "parent", 1, f"[spare{n}]", now=NOW)
            await save_handout(who, "parent", f"[handout{n}]", 1, NOW.date())
            back = {"note": f"[step{n}]" + "退" * 390}
            await add_step(WAVE, CertificationStep(2, "send_back", "lin", "d" * 64, back, NOW))
        one = new_entry(WAVE, MANY + 1, "text", "text", "走廊太窄", "依据", who="lin", now=NOW)
        acts = (Act(NOW, "lin", "change", "to_mend", f"[act{n}]" + "改" * 1990) for n in range(MANY))
        await add_entry(replace(one, history=(*one.history, *acts)))


async def walked(site: Site, path: str, name: str) -> tuple[list[str], list[int]]:
    """The lines of one list found by following its next links, and the bytes of every page on the way."""
    found: list[str] = []
    sizes: list[int] = []
    page = path
    while page:
        reply = await site.client.get(page)
        assert reply.status_code == 200, page
        sizes.append(len(reply.content))
        lines = re.findall(rf"<t[hd][^>]*>(?:<a[^>]*>)?\[({name}\d+)\]", reply.text)
        # Several lists of one page have their links each; the next one of this list stands after its lines.
        after = reply.text[reply.text.rindex(f"[{lines[-1]}]") :] if lines else ""
        section = after.partition("<table")[0]
        link = re.search(r'<a href="([^"#]+)[^"]*" rel="next">', section)
        back = re.search(r'rel="prev"', section)
        assert bool(back) == (page != path), page
        found += lines
        page = unescape(link[1]) if link else ""
    return found, sizes


async def test_every_long_list_is_walked_by_plain_links_and_no_page_is_heavy(certified: Site) -> None:
    await certified.sign_in("jia", ("admin", "operator", "reviewer", "approver"))
    await fill(certified)
    walks = {name: await walked(certified, path, name) for name, path in LISTS.items()}
    filtered = (await certified.client.get(f"{LISTS['ledger']}?state=to_mend&page=2")).text
    beyond = await certified.client.get("/console/people?tokens=99999&page=2")
    unknown = await certified.client.get("/console/people?toknes=2")

    # The newest step stands first, so that whoever opens the page sees where it stands.
    assert [walks[name][0][0] for name in ("act", "step")] == ["act129", "step129"]
    for name, (found, sizes) in walks.items():
        assert sorted(found) == sorted(f"{name}{n}" for n in range(MANY)), name
        assert len(sizes) > 2 and max(sizes) < MOST_BYTES, (name, sizes)
    assert 'href="/console/waves/county-a/ledger?state=to_mend&amp;page=3" rel="next"' in filtered
    assert beyond.status_code == 200 and "[token129]" in beyond.text
    assert unknown.status_code == 400
