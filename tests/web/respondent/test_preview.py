"""The preview: the same form and the same checks, and nothing is kept."""

from __future__ import annotations

import re
from pathlib import Path

from survey.jobs.preview_form import preview_links

from .ground import PUPIL, WAVE, form_body, ground
from .test_pages import FORM, visiting


async def test_a_preview_checks_everything_and_keeps_nothing(tmp_path: Path) -> None:
    async with ground(tmp_path / "data") as laid, visiting(laid) as client:
        links = {link.instrument: link for link in await preview_links(laid.settings, WAVE)}
        address = links["parents"].address.removeprefix(laid.settings.base_url)
        before = await laid.office.counters(WAVE)
        shown = await client.get(f"{address}?z=2&lang=en")
        faulty = await client.post(address, content=form_body(shown.text, {"PA01": "9"}), headers=FORM)
        larger = await client.post(
            f"{address}?z=1", content=form_body(shown.text, {"PA01": "2", "look": "1"}), headers=FORM
        )
        done = await client.post(address, content=form_body(shown.text, {"PA20": "5"}), headers=FORM)
        wrong = await client.post(address, content="wrong=1", headers=FORM)
        leaves = await laid.office.leaves(WAVE)
        counters = await laid.office.counters(WAVE)
        used = sum(count.used for count in await laid.office.participation(WAVE))

    assert "Preview: nothing is kept" in shown.text and 'class="z2' in shown.text
    assert faulty.status_code == 422 and "请从列出的选项里选" in faulty.text
    assert re.search(r'id="PA01-2" value="2" checked', larger.text) and "预览" in larger.text
    assert "预览结束" in done.text and wrong.status_code == 200
    assert (leaves, counters, used) == ([], before, 0)


async def test_a_preview_link_that_was_made_up_leads_nowhere(tmp_path: Path) -> None:
    async with ground(tmp_path / "data", "planned") as laid, visiting(laid) as client:
        links = await preview_links(laid.settings, WAVE)
        genuine = [await client.get(link.address.removeprefix(laid.settings.base_url)) for link in links]
        mark = links[0].address.rpartition("/")[2]
        made_up = [
            await client.get(f"/preview/{WAVE}/{links[0].group}/{links[0].stage}/{'0' * 16}"),
            await client.get(f"/preview/{WAVE}/{links[1].group}/{links[1].stage}/{mark}"),
            await client.get(f"/preview/nope/parent/all/{mark}"),
        ]
        code = laid.code(PUPIL)
        closed = await client.get(f"/s/{code}")

    assert [reply.status_code for reply in genuine] == [200] * len(links)
    assert all('id="f"' in reply.text for reply in genuine)
    assert [reply.status_code for reply in made_up] == [404, 404, 404]
    assert 'id="f"' not in closed.text
