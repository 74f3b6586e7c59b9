"""An account of one responsibility area or one school, on every page: its own schools and nothing of the rest."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from survey.exact import percent_text
from survey.jobs.estimate_wave import results_document, wave_results
from survey.jobs.keep_ledger import take_up
from survey.jobs.place_schools import MOST_AREAS
from survey.storage.areas import assign_areas
from survey.storage.audit import list_audit
from survey.storage.divisions import save_local_division, set_divisions
from survey.storage.results import save_results
from survey.storage.samples import load_sample
from survey.storage.tables import Waves

from .conftest import NOW, SAME_ORIGIN, Site
from .console.test_every_page import MOST_BYTES

WAVE = "/console/waves/county-a"
FIRST, SECOND = "320704-01", "320704-02"


@dataclass
class Halves:
    """A certified wave whose drawn schools lie in two areas."""

    site: Site
    mine: list[tuple[str, str]]
    """Code and name of the first area's drawn schools."""
    others: list[tuple[str, str]]


@pytest.fixture
async def halves(certified: Site) -> AsyncIterator[Halves]:
    for code, name in ((FIRST, "第一督学责任区"), (SECOND, "第二督学责任区")):
        await save_local_division(code, "320704", name)
    sample = await load_sample("county-a")
    names = {draw.school_code: draw.school_name for draw in sample.domains if draw.school_code}
    schools = sorted((str(code), name) for code, name in names.items())
    mine, others = schools[: len(schools) // 2], schools[len(schools) // 2 :]
    placed = {code: FIRST for code, _ in mine} | {code: SECOND for code, _ in others}
    await assign_areas("county-a", placed)
    await take_up("county-a", "fact", "", "他区的课桌", "走访", about=SECOND, actor="test", now=NOW)
    await take_up("county-a", "fact", "", "本区的食堂", "走访", about=mine[0][0], actor="test", now=NOW)
    await take_up("county-a", "fact", "", "全县的编制", "走访", actor="test", now=NOW)
    yield Halves(certified, mine, others)


async def sign_in(site: Site, role: str, *divisions: str) -> None:
    await site.sign_in("li", (role,))
    await set_divisions("li", divisions)


async def test_an_area_sees_its_schools_on_every_page_that_opens(halves: Halves) -> None:
    site = halves.site
    await sign_in(site, "operator", FIRST)
    await Waves.update({Waves.state: "open"}).where(Waves.wave == "county-a")
    shown = {}
    for page in ("", "/monitor", "/schools", "/callbacks", "/ledger", "/areas", "/ledger.csv"):
        if page.startswith("/ledger"):
            await Waves.update({Waves.state: "certified"}).where(Waves.wave == "county-a")
        reply = await site.client.get(WAVE + page)
        assert reply.status_code == 200, page
        shown[page] = reply.text
    refused = {
        page: (await site.client.get(WAVE + page)).status_code
        for page in ("/frame", "/sample", "/results", "/results.csv", "/report", "/certify", "/certificate", "/board", "/papers", "/paper", "/setup", "/launch", "/signing")
    }
    listed = (await site.client.get("/console/waves")).text
    everything = "".join(shown.values()) + listed

    assert all(name in shown["/schools"] and name in shown["/monitor"] for _, name in halves.mine)
    assert [name for code, name in halves.others if code in everything] == []
    assert "county-a" in listed
    assert "本区的食堂" in shown["/ledger"]
    assert "他区的课桌" not in everything and "全县的编制" not in everything
    assert set(refused.values()) == {403}
    assert (await site.client.get(f"{WAVE}/ledger/1")).status_code == 404
    # The tabs lead nowhere that is closed.
    tabs = set(re.findall(rf'href="({WAVE}[^"#?]*)"', shown["/monitor"]))
    opened = {tab: (await site.client.get(tab)).status_code for tab in tabs}
    assert len(tabs) == 5 and set(opened.values()) == {200}, opened


async def test_an_area_keeps_its_own_problems_and_an_inspector_only_reads(halves: Halves) -> None:
    site = halves.site
    await sign_in(site, "operator", FIRST)
    entry = {"source": "fact", "problem": "操场不平", "basis": "走访"}
    replies = [
        (await site.send(f"{WAVE}/ledger", {**entry, "about": about})).status_code
        for about in (FIRST, halves.mine[0][0], "", SECOND, halves.others[0][0])
    ]
    act = (await site.send(f"{WAVE}/ledger/1", {"act": "change"})).status_code
    await site.sign_in("wang", ("auditor",))
    await set_divisions("wang", [FIRST])
    page = (await site.client.get(f"{WAVE}/ledger")).text
    read_only = (await site.send(f"{WAVE}/ledger", {**entry, "about": FIRST})).status_code

    assert replies == [303, 303, 422, 422, 422]
    assert act == 404
    assert "操场不平" in page and "登记别的问题" not in page
    assert read_only == 403


async def test_the_api_tells_an_area_of_its_schools_alone(halves: Halves) -> None:
    site = halves.site
    await site.person()
    whole = await site.token("participation:read", "frame:read", "ledger:read", "waves:read")
    frame = (await site.client.get("/api/v1/waves/county-a/frame", headers=whole)).json()
    every = (await site.client.get("/api/v1/waves/county-a/participation", headers=whole)).json()
    await set_divisions("demo", [FIRST])
    part = (await site.client.get("/api/v1/waves/county-a/participation", headers=whole)).json()
    ledger = (await site.client.get("/api/v1/waves/county-a/ledger", headers=whole)).json()
    closed = (await site.client.get("/api/v1/waves/county-a/frame", headers=whole)).status_code

    labels = {one["code"]: (one["area"], one["area_label"]) for one in frame["schools"]}
    assert labels[halves.mine[0][0]] == (FIRST, "第一督学责任区")
    assert [one["name"] for one in every["areas"]] == [FIRST, SECOND]
    assert [one["name"] for one in part["areas"]] == [FIRST]
    assert part["required"] == every["areas"][0]["required"] == part["areas"][0]["required"] < every["required"]
    assert [one["about"] for one in ledger["items"]] == [halves.mine[0][0]]
    assert closed == 403


async def test_results_by_area_have_intervals_stand_by_code_and_add_up(halves: Halves) -> None:
    site = halves.site
    document = results_document(await wave_results(site.office, "county-a"))
    await save_results("county-a", document, now=NOW)
    await site.sign_in()
    page = (await site.client.get(f"{WAVE}/results")).text
    rows = document["by_area"]

    assert [row["key"] for row in rows] == [FIRST, SECOND]
    assert all(row["interval"]["lower"] < row["shown"] < row["interval"]["upper"] for row in rows)
    assert sum(row["n"] + row["left_out"] for row in rows) == sum(row["n"] for row in document["by_stage"])
    assert "不排名次" in page and "第二督学责任区" in page


async def test_a_school_that_moves_after_the_computing_is_not_told_by_the_difference(halves: Halves) -> None:
    site = halves.site
    first = results_document(await wave_results(site.office, "county-a"))
    await save_results("county-a", first, now=NOW)
    await assign_areas("county-a", {halves.mine[0][0]: SECOND, halves.mine[1][0]: None})

    assert results_document(await wave_results(site.office, "county-a")) == first


async def test_an_area_sees_its_own_certified_row_and_no_other(halves: Halves) -> None:
    site = halves.site
    document = results_document(await wave_results(site.office, "county-a"))
    await save_results("county-a", document, now=NOW)
    own, other = document["by_area"]
    await sign_in(site, "auditor", FIRST)
    page = (await site.client.get(f"{WAVE}/area-results")).text
    closed = (await site.client.get(f"{WAVE}/results")).status_code
    await Waves.update({Waves.state: "estimated"}).where(Waves.wave == "county-a")
    unsigned = await site.client.get(f"{WAVE}/area-results")
    await Waves.update({Waves.state: "certified"}).where(Waves.wave == "county-a")
    await set_divisions("li", [halves.mine[0][0]])
    school = (await site.client.get(f"{WAVE}/area-results")).status_code

    assert own["percent"] in page and str(own["n_valid"]) in page and "第一督学责任区" in page
    assert percent_text(own["interval"]["lower"]) in page
    assert other["percent"] not in page and "第二督学责任区" not in page
    assert (closed, school) == (403, 403)
    assert unsigned.status_code == 409 and own["percent"] not in unsigned.text


async def test_the_api_and_the_pages_tell_an_area_the_same_rows(halves: Halves) -> None:
    site, api = halves.site, "/api/v1/waves/county-a"
    await save_results("county-a", results_document(await wave_results(site.office, "county-a")), now=NOW)
    await site.sign_in()
    tabs = (await site.client.get(f"{WAVE}/results")).text
    token = await site.token("areas:read", "figure:read")
    every = (await site.client.get(f"{api}/areas", headers=token)).json()
    figure = (await site.client.get(f"{api}/figure", headers=token)).json()
    await set_divisions("demo", [FIRST])
    own = await site.client.get(f"{api}/areas?limit=1", headers=token)
    again = await site.client.get(f"{api}/areas?limit=1", headers={**token, "If-None-Match": own.headers["etag"]})
    page = (await site.client.get(f"{WAVE}/area-results")).text
    closed = (await site.client.get(f"{api}/figure", headers=token)).status_code
    await Waves.update({Waves.state: "estimated"}).where(Waves.wave == "county-a")
    unsigned = await site.client.get(f"{api}/areas", headers=token)

    assert "/area-results" not in tabs and "/area-results" in page
    assert every["items"] == figure["areas"] and [one["name"] for one in every["items"]] == [FIRST, SECOND]
    assert own.json()["items"] == every["items"][:1] and own.json()["next"] is None and own.json()["certified"]
    assert own.json()["items"][0]["display"] in page
    assert (again.status_code, closed, unsigned.status_code) == (304, 403, 409)

async def test_a_contact_comes_to_the_pages_of_one_school_and_no_further(halves: Halves) -> None:
    site, (school, name) = halves.site, halves.mine[0]
    await site.sign_in("jiaowu", ("contact",))
    await set_divisions("jiaowu", [school])
    home = await site.client.get("/console", follow_redirects=False)
    page = (await site.client.get("/console/school")).text
    entered = await site.send("/console/school/county-a")
    own = await site.client.get("/school")
    refused = [
        (await site.client.get(path)).status_code
        for path in ("/console/waves", WAVE, f"{WAVE}/monitor", f"{WAVE}/ledger", "/console/people", "/console/counties")
    ]
    elsewhere = (await site.send("/console/school/county-b")).status_code

    assert home.headers["location"] == "/console/school"
    assert name in page and halves.mine[1][1] not in page
    assert entered.status_code == 303 and entered.headers["location"] == "/school"
    assert own.status_code == 200 and name in own.text
    assert set(refused) == {403}
    assert elsewhere == 404
    assert (await list_audit(limit=1))[0].what == "enter_school"


async def test_an_account_shut_or_moved_leaves_no_school_page_open(halves: Halves) -> None:
    site, (school, _) = halves.site, halves.mine[0]
    await site.sign_in("jiaowu", ("contact",))
    await set_divisions("jiaowu", [school])
    await site.send("/console/school/county-a")
    cookies = dict(site.client.cookies)
    await site.sign_in("admin", ("admin",))
    shut = await site.send("/console/people/account/jiaowu/shut")
    site.client.cookies.clear()
    site.client.cookies.update(cookies)

    assert shut.status_code == 303
    assert (await site.client.get("/school")).status_code == 401
    assert (await site.client.get("/console/school", follow_redirects=False)).status_code == 303


async def test_the_page_of_areas_places_schools_and_says_what_is_wrong(site: Site) -> None:
    await site.wave(until="framed")
    await site.sign_in()
    await save_local_division("360828-01", "360828", "别县的责任区")
    at = f"{WAVE}/areas"
    added = [(await site.send(f"{at}/new", {"name": name})).status_code for name in ("第一区", "第一区", "")]
    ticked = await site.send(at, {"area": FIRST, "s_3207042001": "1", "s_3207042002": "1", "act": "ticked"})
    foreign = await site.send(at, {"area": "360828-01", "s_3207042001": "1", "act": "ticked"})
    pasted = await site.send(at, {"act": "list", "lines": "3207042001,无\n123,第一区"})
    unmoved = (await site.client.get(f"{at}?area={FIRST}")).text
    none_before = await site.send(f"{at}/copy")
    whole = (await site.client.get(at)).text
    not_confirmed = await site.send(f"{at}/{FIRST}/end", {"confirm": "x"})
    ended = await site.send(f"{at}/{FIRST}/end", {"confirm": FIRST.lower()})
    page = (await site.client.get(at)).text

    assert added == [303, 422, 422]
    assert ticked.headers["location"].endswith("?done=placed&n=2")
    assert foreign.status_code == 422 and "areas.unknown" in foreign.text
    assert pasted.status_code == 422 and "第2行" in pasted.text
    assert unmoved.count("3207042001") and unmoved.count("3207042002")
    assert none_before.status_code == 409
    assert f"{at}/{FIRST}/end" in unmoved and f"{at}/{FIRST}/end" not in whole
    assert (not_confirmed.status_code, ended.status_code) == (422, 303)
    assert "已撤销，请把学校划到别的责任区" in page


async def test_a_county_has_as_many_areas_as_a_page_can_show(site: Site) -> None:
    await site.wave(until="framed")
    await site.sign_in()
    for n in range(1, MOST_AREAS):
        await save_local_division(f"320704-{n:02d}", "320704", f"第{n}督学责任区")
    added = [await site.send(f"{WAVE}/areas/new", {"name": name * 40}) for name in ("长", "多")]
    page = await site.client.get(f"{WAVE}/areas?area=320704-{MOST_AREAS}")

    assert [one.status_code for one in added] == [303, 422]
    assert f"已经有{MOST_AREAS}个责任区" in added[1].text
    assert f"/areas/320704-{MOST_AREAS}/end" in page.text and len(page.content) < MOST_BYTES


async def test_an_administrator_of_a_branch_manages_its_accounts_alone(site: Site) -> None:
    await save_local_division(FIRST, "320704", "第一督学责任区")
    for name, role in (("boss", "admin"), ("far", "operator")):
        await site.person(name, (role,))
    await set_divisions("far", ["36"])
    await site.sign_in("near", ("admin",))
    await set_divisions("near", ["3207"])
    new = {"name": "li", "display": "李督学", "role_auditor": "1"}
    made = await site.send("/console/people/new", {**new, "divisions": FIRST})
    wide = [
        (await site.send("/console/people/new", {**new, "name": f"x{at}", "divisions": codes})).status_code
        for at, codes in enumerate(("", "36", "3207 36", "32", "320704-77"))
    ]
    widened = (await site.send("/console/people/account/li", {"role_admin": "1", "divisions": ""})).status_code
    others = [
        (await site.send(f"/console/people/account/{name}{act}")).status_code
        for name in ("boss", "far")
        for act in ("", "/link", "/code", "/shut")
    ]
    own = [
        (await site.send(f"/console/people/account/near{act}", {"role_admin": "1", "divisions": ""})).status_code
        for act in ("", "/link", "/shut")
    ]
    changed = await site.send("/console/people/account/li", {"role_operator": "1", "divisions": "320704"})
    stale = await site.send(
        "/console/people/account/li", {"role_auditor": "1", "divisions": "320704", "seen": f"auditor|{FIRST}"}
    )
    listed = (await site.client.get("/console/people")).text
    [link] = re.findall(r"http://\S+/console/sign-in/[\w-]+", made.text)
    site.client.cookies.clear()
    let_in = await site.client.post(link, headers=SAME_ORIGIN, follow_redirects=False)

    assert made.status_code == 200
    assert wide == [403, 403, 403, 403, 422]
    assert (widened, set(others), set(own)) == (403, {404}, {403})
    assert changed.status_code == 303
    # What stands there now, and what this administrator chose, are both on the page; saving again is a choice.
    assert stale.status_code == 409 and "别的管理员改过它" in stale.text
    assert 'name="seen" value="operator|320704"' in stale.text and "<td>经办</td>" in stale.text
    assert 'name="role_auditor" value="1" checked' in stale.text
    assert "李督学" in listed and "boss" not in listed and "far" not in listed
    assert let_in.status_code == 303


@pytest.mark.parametrize(
    ("roles", "divisions"),
    [(("contact",), ""), (("contact",), "320704"), (("operator",), "3207042001"), (("contact", "operator"), "3207042001"), ((), "")],
)
async def test_a_contact_has_one_school_and_nobody_else_has(site: Site, roles: tuple[str, ...], divisions: str) -> None:
    await site.wave(until="framed")
    await site.sign_in()
    fields = {"name": "li", "display": "李", "divisions": divisions, **{f"role_{role}": "1" for role in roles}}
    refused = await site.send("/console/people/new", fields)
    good = await site.send("/console/people/new", {**fields, "role_operator": "", "role_contact": "1", "divisions": "3207042001"})

    assert refused.status_code == 422
    assert good.status_code == 200
