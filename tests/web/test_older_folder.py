"""A data folder of an older release: its books are brought up, its intakes opened, and everything goes on."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from survey.storage.audit import verify_audit
from survey.storage.migration import waiting_migrations
from survey.storage.plans import list_waves

from .conftest import running

FOLDER = Path(__file__).parent / "data" / "folder_of_migration_12.tar.xz"
"""What `survey demo --seed 20261124` of commit a253b05 left on 26 November 2026, the last one before migration 13: a
certified wave of simulated answers, without its intake, and one that takes answers; two migrations of the intake were
to come too. Keys and codes in it open nothing but this."""
CODE = "5MSNX693DSXB"
"""A slip of the wave that takes answers."""


async def test_a_folder_of_an_older_release_is_brought_up_and_goes_on(tmp_path: Path) -> None:
    shutil.unpack_archive(FOLDER, tmp_path / "data")
    async with running(tmp_path / "data") as site:
        site.clock.now = datetime(2026, 11, 26, 2, tzinfo=UTC)
        waiting = await waiting_migrations()
        states = {row.wave: row.state for row in await list_waves()}
        entries = await verify_audit()
        before = sum(one.used for one in await site.office.participation("demo-county-live"))
        form = await site.client.get(f"/s/{CODE}")
        hidden = re.findall(r'<input type="hidden" name="([kvs])" value="([^"]*)"', form.text)
        chosen = dict(re.findall(r'<input type="radio"[^>]*? name="([A-Z]+\d+)"[^>]*? value="([^"]+)"', form.text))
        sent = await site.client.post(f"/s/{CODE}", data={**chosen, **dict(hidden)})
        after = sum(one.used for one in await site.office.participation("demo-county-live"))
        public = await site.client.get("/v/3")
        await site.sign_in("jia", ("admin", "operator", "reviewer", "approver"))
        seen = {
            page: (await site.client.get(f"/console/waves/{page}")).status_code
            for page in (
                *(f"demo-county/{name}" for name in ("results", "areas", "certify", "certificate", "ledger")),
                *(f"demo-county-live/{name}" for name in ("monitor", "schools", "launch", "paper", "callbacks")),
            )
        }
        kept = await site.send("/console/waves/demo-county/ledger", {"source": "fact", "problem": "课桌不够", "basis": "第3页"})

    assert waiting == []
    assert states == {"demo-county": "certified", "demo-county-live": "open"}
    assert entries > 10
    assert form.status_code == 200 and sent.status_code == 200
    assert after == before + 1
    assert public.status_code == 200 and "92.03%" in public.text
    assert {page: status for page, status in seen.items() if status != 200} == {}
    assert kept.status_code == 303
