"""The launch checklist on its page: red lines hold the button back, people tick, two names publish."""

from __future__ import annotations

import re

from survey.jobs.launch_lines import LINES
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, create_signer, open_signers
from survey.storage.divisions import set_divisions
from survey.storage.plans import load_wave

from ..conftest import NOW, PASSWORD, Site

WAVE = "county-a"
LAUNCH = f"/console/waves/{WAVE}/launch"


async def signed(site: Site, **changes: object) -> None:
    await site.wave(WAVE, until="drawn", **changes)
    for role in ROLES:
        create_signer(site.settings, role, f"{PASSWORD} {role}")
    signers = open_signers(site.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    await sign_plan(site.settings, site.office, WAVE, signers, actor="test", now=NOW)


def states(page: str) -> dict[str, str]:
    """Item to state, as the page shows them."""
    return dict(re.findall(r'<li id="item-([a-z_]+)" class="line-([a-z]+)"', page))


async def test_a_real_wave_cannot_be_published_from_the_page_while_a_line_is_red(site: Site) -> None:
    await site.sign_in()
    await signed(site, demonstration=False, title="云台区调查")
    page = (await site.client.get(LAUNCH)).text
    forced = await site.send(f"/console/waves/{WAVE}/publish", {"confirm": WAVE})
    by_hand = {f"tick_{line.key}": "1" for line in LINES if line.asked}
    nameless = await site.send(LAUNCH, {**by_hand, "person": " "})
    ticked = await site.send(LAUNCH, {**by_hand, "person": "李<b>主任", "note": "两部安卓"})
    later = (await site.client.get(LAUNCH)).text

    assert len(states(page)) == 16
    assert 'name="confirm"' not in page
    assert 'href="#item-phones"' in page
    assert forced.status_code == 409
    assert "wave.launch_refused" in forced.text
    assert (await load_wave(WAVE)).state == "planned"
    assert nameless.status_code == 422
    assert 'id="tick_phones" name="tick_phones" value="1" checked' in nameless.text
    assert ticked.status_code == 303
    assert "李&lt;b&gt;主任确认：两部安卓" in later
    # The address of this installation leads to this machine only, and nobody took the papers.
    assert {key for key, state in states(later).items() if state == "red"} == {"address", "papers"}


async def test_a_demonstration_is_reminded_and_published_with_its_name(site: Site) -> None:
    await site.sign_in()
    await signed(site)
    page = (await site.client.get(LAUNCH)).text
    wrong = await site.send(f"/console/waves/{WAVE}/publish", {"confirm": "county-b"})
    done = await site.send(f"/console/waves/{WAVE}/publish", {"confirm": f" {WAVE} "})
    after = await site.client.get(LAUNCH)
    late = await site.send(LAUNCH, {"tick_phones": "1", "person": "李主任"})

    assert "red" not in states(page).values()
    assert "演示可以不做" in page
    assert (wrong.status_code, done.status_code) == (422, 303)
    assert "console.wrong_name" in wrong.text
    assert (await load_wave(WAVE)).state == "open"
    assert "已经发布过" in after.text
    assert late.status_code == 409


async def test_a_tick_can_be_taken_back_by_its_button(site: Site) -> None:
    await site.sign_in()
    await signed(site)
    await site.send(LAUNCH, {"tick_telephone": "1", "person": "李主任"})
    ticked = states((await site.client.get(LAUNCH)).text)["telephone"]
    back = await site.send(f"{LAUNCH}/untick", {"item": "telephone"})
    stranger = await site.send(f"{LAUNCH}/untick", {"item": "no-such"})

    assert ticked == "green"
    assert (back.status_code, stranger.status_code) == (303, 422)
    assert states((await site.client.get(LAUNCH)).text)["telephone"] == "amber"


async def test_who_may_look_tick_and_publish(site: Site) -> None:
    await signed(site)
    found = {}
    for role in ("auditor", "reviewer", "operator"):
        site.client.cookies.clear()
        await site.sign_in(f"{role}-a", (role,))
        page = await site.client.get(LAUNCH)
        tick = await site.send(LAUNCH, {"tick_phones": "1", "person": "甲"})
        publish = await site.send(f"/console/waves/{WAVE}/publish", {"confirm": "not-yet"})
        found[role] = (page.status_code, tick.status_code, publish.status_code, 'name="confirm"' in page.text)
    site.client.cookies.clear()
    await site.sign_in("far", ("admin",))
    await set_divisions("far", ["3608"])
    far = [(await site.client.get(LAUNCH)).status_code]
    for address in (LAUNCH, f"{LAUNCH}/untick", f"/console/waves/{WAVE}/publish"):
        far.append((await site.send(address)).status_code)

    assert found == {
        "auditor": (200, 403, 403, False),
        "reviewer": (200, 303, 403, False),
        "operator": (200, 303, 422, True),
    }
    assert far == [404] * 4


async def test_before_there_is_a_sample_the_page_says_what_is_missing(site: Site) -> None:
    await site.sign_in()
    await site.wave(WAVE)
    page = (await site.client.get(LAUNCH)).text

    assert states(page)["plan_signed"] == "red"
    assert "试填" in page
