"""Call-backs by pages: the list is given once, a call is recorded once, nothing said is shown again."""

from __future__ import annotations

import csv
import io

from ..conftest import Site

PAGE = "/console/waves/county-a/callbacks"


async def test_a_list_is_drawn_and_a_call_recorded_by_the_form(site: Site) -> None:
    await site.wave(until="drawn")
    await site.stand("county-a", "open")
    await site.sign_in()
    bad = await site.send(f"{PAGE}/draw", {"n": "0"})
    drawn = await site.send(f"{PAGE}/draw", {"n": "3"})
    rows = list(csv.DictReader(io.StringIO(drawn.content.decode("utf-8-sig"))))
    again = await site.send(f"{PAGE}/draw", {"n": "3"})
    call = {"ticket": rows[0]["回访号"], "outcome": "interviewed", "day": "2026-11-24", "answer": "1"}
    wrong = await site.send(PAGE, {**call, "answer": "66"})
    done = await site.send(PAGE, call)
    twice = await site.send(PAGE, call)
    page = (await site.client.get(PAGE)).text

    assert bad.status_code == 422 and 'href="#n"' in bad.text
    assert drawn.headers["Content-Disposition"].startswith("attachment") and len(rows) >= 12
    assert again.status_code == 409 and "只抽一次" in again.text
    assert wrong.status_code == 422 and 'href="#answer"' in wrong.text and 'role="alert"' in wrong.text
    assert "已登记一次回访" in done.text and done.status_code == 200
    assert twice.status_code == 422 and "已经登记过" in twice.text
    assert "1<small>人" in page and not any(row["回访号"] in page for row in rows)
