"""The set-up pages without a browser: what is typed is kept, judged beside its field, and nobody else's."""

from __future__ import annotations

import re
from importlib.resources import files

from survey.scheme.plan import example_plan_text, plan_document, read_plan
from survey.scheme.plan_fields import fields_from
from survey.storage.divisions import set_divisions
from survey.storage.plan_drafts import list_drafts, load_draft
from survey.storage.plans import find_wave, load_plan, load_wave

from ..conftest import BASE, Site

STEP = "/console/setup/{draft}/{step}"


async def begun(site: Site, like: str = "") -> str:
    reply = await site.send("/console/setup", {"like": like})
    assert reply.status_code == 303, reply.text
    return str(reply.headers["location"].split("/")[3])


async def send(site: Site, draft: str, step: int, typed: dict[str, str], go: str = "next", **more):  # type: ignore[no-untyped-def]
    """A step sent as its page would send it: every field of the step, changed as typed."""
    address = STEP.format(draft=draft, step=step)
    page = (await site.client.get(address)).text
    shown = form_of(page)
    return await site.send(address, {**shown, "go": go, **typed}, **more)


def form_of(page: str) -> dict[str, str]:
    """What a browser would send of the page's step."""
    form = page.split('<form class="setup"', 1)[1].split("</form>", 1)[0]
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        given = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if given.get("type") in ("checkbox", "radio") and " checked" not in tag:
            continue
        if given.get("type") != "file" and "name" in given:
            fields[given["name"]] = given.get("value", "")
    for name, inside in re.findall(r'<select id="[^"]*" name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        fields[name] = chosen[1] if chosen else ""
    del fields["form_key"]
    return fields


async def test_seven_steps_of_typing_make_a_wave_and_lead_to_its_school_list(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site)
    office = {"county": "万安县", "county_code": "360828", "office": "万安县督导室", "telephone": "0796-1"}
    sizes = {"population.count": "300000", "population.year": "2020", "population.source": "七普"}
    confirmed = {
        "confirm.sample_size.population.census": "1",
        "confirm.figure.official_formula": "1",
        "confirm.person": "李主任",
    }
    typed = ({}, office, {}, {**sizes, "lists.deputy": "160", "lists.cppcc": "140"}, {}, confirmed, {})
    replies = [await send(site, draft, step, fields) for step, fields in enumerate(typed, start=1)]
    review = (await site.client.get(STEP.format(draft=draft, step=8))).text
    done = await site.send(f"/console/setup/{draft}/finish")
    plan = await load_plan("360828-202612")

    assert [reply.status_code for reply in replies] == [303] * 7, replies[1].text
    assert [reply.headers["location"][-1] for reply in replies] == list("2345678")
    assert "都填好了" in review
    assert done.headers["location"] == "/console/waves/360828-202612/frame"
    assert plan.title == "万安县义务教育优质均衡发展社会认可度调查（2026年秋）"
    assert plan.confirmed["figure.official_formula"] == "李主任"
    assert await list_drafts() == ()


async def test_a_wrong_step_is_kept_and_told_at_the_top_and_beside_the_field(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site)
    typed = {"county": "<b>万安", "county_code": "？", "base_url": "dc.example"}
    reply = await send(site, draft, 2, typed)
    page = (await site.client.get(STEP.format(draft=draft, step=2))).text
    elsewhere = await send(site, draft, 2, {"telephone": "1"}, go="5")

    assert reply.status_code == 422
    assert '<a href="#county_code">区划代码：' in reply.text
    assert 'id="county_code-wrong-1"' in reply.text
    assert 'aria-describedby="county_code-hint county_code-wrong-1" aria-invalid="true"' in reply.text
    assert 'value="&lt;b&gt;万安"' in page
    assert elsewhere.headers["location"] == STEP.format(draft=draft, step=5)
    assert (await load_draft(draft)).fields["base_url"] == "dc.example"


async def test_of_two_people_with_the_same_draft_the_second_sees_both_versions(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site)
    address = STEP.format(draft=draft, step=2)
    old = form_of((await site.client.get(address)).text)
    await send(site, draft, 2, {"county": "甲县"})
    stale = await site.send(address, {**old, "county": "乙县", "go": "next"})
    kept = (await load_draft(draft)).fields["county"]
    again = await site.send(address, {**form_of(stale.text), "go": "3"})

    assert stale.status_code == 409
    assert 'value="乙县"' in stale.text
    assert "已存的是：甲县" in stale.text
    assert kept == "甲县"
    assert again.status_code == 303
    assert (await load_draft(draft)).fields["county"] == "乙县"


async def test_the_second_button_leads_to_the_next_step_that_lacks_something(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site)
    office = {"county": "万安县", "county_code": "360828", "office": "万安县督导室", "telephone": "0796-1"}
    jump = await send(site, draft, 2, office, go="missing")
    past = await send(site, draft, 7, {}, go="missing")
    held = await send(site, draft, 4, {}, go="missing")

    assert jump.headers["location"] == STEP.format(draft=draft, step=4)
    assert past.headers["location"] == STEP.format(draft=draft, step=8)
    assert held.status_code == 422


async def test_another_scheme_brings_its_own_groups_and_days(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site)
    await send(site, draft, 1, {"scheme": "duties_evaluation_county"})
    page = (await site.client.get(STEP.format(draft=draft, step=3))).text
    fields = (await load_draft(draft)).fields

    assert "社会人士" in page
    assert "政协委员" not in page
    assert fields["mode.public"] == "open"
    assert fields["closes_on"] == "2026-12-12"


async def test_files_of_a_scheme_and_a_form_are_taken_or_their_faults_told(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site)
    own = (files("survey.scheme") / "data/schemes/self_monitoring.yaml").read_text(encoding="utf-8")
    own = own.replace("scheme: self_monitoring", "scheme: our_own").replace(
        "status: preset", "status: adopted"
    )
    broken = await send(
        site, draft, 1, {}, files={"scheme_file": ("方案.yaml", own.replace("left_out", "??"))}
    )
    silent = re.sub(r"\n +dont_know: left_out[^\n]*", "", own)
    unsaid = await send(site, draft, 1, {}, files={"scheme_file": ("方案.yaml", silent)})
    taken = await send(site, draft, 1, {}, files={"scheme_file": ("方案.yaml", own)})
    form = (files("survey.scheme") / "data/questionnaires/parents.yaml").read_text(encoding="utf-8")
    form = form.replace("id: parents", "id: issued", 1)
    issued = await send(site, draft, 1, {}, files={"instrument_file": ("问卷.yaml", form)})
    fields = (await load_draft(draft)).fields
    page = (await site.client.get(STEP.format(draft=draft, step=3))).text

    assert broken.status_code == 422
    assert "方案.yaml：" in broken.text
    assert unsaid.status_code == 422 and "方案.yaml：没有写“不了解”怎么算" in unsaid.text
    assert (taken.status_code, issued.status_code) == (303, 303)
    assert fields["scheme"] == "own"
    assert "issued（交来的问卷）" in page


async def test_changing_a_drawn_waves_plan_takes_it_back_before_the_draw(site: Site) -> None:
    await site.sign_in()
    wave = await site.wave("county-a", until="drawn")
    opened = await site.send(f"/console/waves/{wave}/setup")
    draft = opened.headers["location"].split("/")[3]
    same = await site.send(f"/console/waves/{wave}/setup")
    await send(site, draft, 2, {"telephone": "0518-1", "wave": "county-z"}, go="8")
    page = (await site.client.get(STEP.format(draft=draft, step=8))).text
    unnamed = [await site.send(f"/console/setup/{draft}/finish", {"confirm": name}) for name in ("", "county-z")]
    before = (await load_wave(wave)).state
    done = await site.send(f"/console/setup/{draft}/finish", {"confirm": wave})

    assert "抽好的样本就作废" in page and 'id="confirm"' in page
    assert [reply.status_code for reply in unnamed] == [422, 422] and before == "drawn"
    assert same.headers["location"] == opened.headers["location"]
    assert done.headers["location"] == f"/console/waves/{wave}/frame"
    assert (await load_plan(wave)).telephone == "0518-1"
    assert (await load_wave(wave)).state == "framed"
    assert await find_wave("county-z") is None


async def test_a_signed_plan_is_locked_and_says_so(site: Site) -> None:
    await site.sign_in()
    wave = await site.wave("county-a", until="drawn")
    await site.stand(wave, "planned")
    page = await site.client.get(f"/console/waves/{wave}/setup")
    refused = await site.send(f"/console/waves/{wave}/setup")

    assert "不能再改" in page.text
    assert refused.status_code == 409


async def test_no_draft_replaces_anothers_wave_or_plants_one_outside_the_branch(site: Site) -> None:
    await site.wave("county-a", until="framed")
    await site.sign_in("near", ("operator",))
    await set_divisions("near", ["3207"])
    taken = await begun(site, like="sample")
    await send(site, taken, 2, {"wave": "county-a"}, go="8")
    refused = await site.send(f"/console/setup/{taken}/finish")
    await send(site, taken, 2, {"wave": "county-b", "county_code": "110101"}, go="8")
    outside = await site.send(f"/console/setup/{taken}/finish")
    await send(site, taken, 2, {"county_code": "1234567"}, go="8")
    odd = await site.send(f"/console/setup/{taken}/finish")

    assert refused.status_code == outside.status_code == odd.status_code == 422
    assert "已经有别的调查在用" in refused.text
    assert "不在您管的区划里" in outside.text
    assert await find_wave("county-b") is None
    assert (await load_wave("county-a")).state == "framed"


async def test_a_draft_of_another_branch_does_not_exist(site: Site) -> None:
    await site.sign_in("one", ("operator",))
    draft = await begun(site)
    site.client.cookies.clear()
    await site.sign_in("two", ("operator",))
    await set_divisions("two", ["3608"])
    routes = [("GET", STEP.format(draft=draft, step=1))]
    routes += [("POST", f"/console/setup/{draft}/{end}") for end in ("1", "finish", "drop")]
    statuses = []
    for method, address in routes:
        reply = await (site.client.get(address) if method == "GET" else site.send(address))
        statuses.append(reply.status_code)
    listed = draft in (await site.client.get("/console/waves")).text
    site.client.cookies.clear()
    await site.sign_in("three", ("admin",))
    await site.wave("county-a")
    await set_divisions("three", ["3608"])
    other_wave = await site.send("/console/waves/county-a/setup")
    like = await site.send("/console/setup", {"like": "county-a"})

    assert statuses == [404] * 4
    assert not listed
    assert other_wave.status_code == like.status_code == 404


async def test_a_new_wave_like_an_earlier_one_asks_only_what_must_be_new(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    draft = await begun(site, like="county-a")
    fields = (await load_draft(draft)).fields
    earlier = fields_from(read_plan(example_plan_text()))
    page = (await site.client.get(STEP.format(draft=draft, step=8))).text

    assert fields["population.count"] == earlier["population.count"]
    assert fields["base_url"] == BASE
    assert "wave" not in fields
    assert "demonstration" not in fields
    assert page.count("第6步　") == 2
    assert "还有2处" in page


async def test_a_draft_is_dropped_only_with_the_box_ticked(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site)
    unsure = await site.send(f"/console/setup/{draft}/drop")
    sure = await site.send(f"/console/setup/{draft}/drop", {"sure": "1"})

    assert (unsure.status_code, sure.status_code) == (422, 303)
    assert await list_drafts() == ()


async def test_there_is_no_other_step(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site)
    statuses = [
        (await site.client.get(STEP.format(draft=draft, step=step))).status_code for step in (0, 9, 99)
    ]

    assert statuses == [404] * 3


async def test_every_page_of_the_set_up_is_small_and_asks_nothing_of_scripts(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site, like="sample")
    for step in range(1, 9):
        reply = await site.client.get(STEP.format(draft=draft, step=step))

        assert len(reply.content) < 60_000
        assert reply.text.count("<h1") == 1
        assert "<script" not in reply.text


async def test_the_sample_county_is_one_press_away(site: Site) -> None:
    await site.sign_in()
    draft = await begun(site, like="sample")
    done = await site.send(f"/console/setup/{draft}/finish")
    wave = done.headers["location"].split("/")[3]

    assert plan_document(await load_plan(wave))["demonstration"] is True
