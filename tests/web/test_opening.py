"""A server answers the addresses everybody comes to before the rest of it is put together."""

from __future__ import annotations

import asyncio
from pathlib import Path

from httpx import ASGITransport, AsyncClient

from survey.web.opening import Opening

from .respondent.ground import NOW, PARENT, form_body, ground

FORM = {"content-type": "application/x-www-form-urlencoded"}


async def test_a_form_is_given_out_while_the_console_waits_for_the_application(tmp_path: Path) -> None:
    async with ground(tmp_path / "data") as laid:
        opening = Opening(laid.settings, laid.office, now=lambda: NOW)
        async with AsyncClient(transport=ASGITransport(opening), base_url="https://survey.example") as client:
            address = f"/s/{laid.codes[PARENT][0]}"
            form = await client.get(address)
            sent = await client.post(address, content=form_body(form.text, {"PA20": "5"}), headers=FORM)
            thanks = await client.get(sent.headers["location"])
            waits = asyncio.create_task(client.get("/console/sign-in"))
            done, _ = await asyncio.wait({waits}, timeout=0.2)

            elsewhere = await client.get(address, headers={"host": "other.example"})
            await opening.complete(laid.database)
            inside = await client.get("/console/sign-in", headers={"host": "other.example"})

            assert (elsewhere.status_code, inside.status_code) == (421, 421)
            assert (form.status_code, sent.status_code, thanks.status_code) == (200, 303, 200)
            assert done == set()
            assert (await waits).status_code == 200
        await opening.close()
