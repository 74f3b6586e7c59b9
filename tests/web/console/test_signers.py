"""Two people make two keys at the console; one person never makes both."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from survey.cli.main import main
from survey.jobs.remote_signing import share_key
from survey.jobs.signers import create_signer, open_signers
from survey.settings import load_settings
from survey.storage.audit import list_audit
from survey.storage.database import open_database

from ..conftest import Site

WORDS = "a long passphrase of "


async def make(site: Site, role: str, words: str, again: str | None = None):  # type: ignore[no-untyped-def]
    fields = {"role": role, "passphrase": words, "again": again or words}
    return await site.send("/console/signers", fields)


async def test_each_makes_their_own_key_and_both_open(site: Site) -> None:
    await site.sign_in("jia", ("operator",))
    foreign = await make(site, "approver", WORDS + "mine")
    unlike = await make(site, "operator", WORDS + "jia", WORDS + "yi")
    short = await make(site, "operator", "short")
    own = await make(site, "operator", WORDS + "jia")
    twice = await make(site, "operator", WORDS + "jia")
    page = (await site.client.get("/console/signers")).text
    site.client.cookies.clear()
    await site.sign_in("yi", ("approver",))
    other = await make(site, "approver", WORDS + "yi")
    signers = open_signers(site.settings, {"operator": WORDS + "jia", "approver": WORDS + "yi"})
    log = [(entry.who, entry.object) for entry in await list_audit() if entry.what == "create_signer"]

    assert (foreign.status_code, unlike.status_code, short.status_code) == (403, 422, 422), short.text
    assert (own.status_code, twice.status_code, other.status_code) == (303, 409, 303)
    assert "请签发本人登录" in page
    assert signers.operator.name != signers.approver.name
    assert log == [("yi", "approver"), ("jia", "operator")]
    assert WORDS not in page


async def test_an_account_with_both_roles_makes_only_one_key(site: Site) -> None:
    await site.sign_in("both", ("operator", "approver"))
    first = await make(site, "operator", WORDS + "one")
    second = await make(site, "approver", WORDS + "two")

    assert first.status_code == 303
    assert second.status_code == 400
    assert "signers.same_person" in second.text


def test_the_command_leaves_an_entry_with_the_fingerprint_and_no_passphrase(tmp_path: Path) -> None:
    (tmp_path / "words").write_text(WORDS + "jia", encoding="utf-8")
    data = ("--data", str(tmp_path / "data"))
    made = CliRunner().invoke(main, ["signer", "operator", "--passphrase-file", str(tmp_path / "words"), "--json", *data])
    key = json.loads(made.stdout)
    far = create_signer(load_settings({}, data=tmp_path / "far"), "approver", WORDS + "yi")
    CliRunner().invoke(main, ["signer", "approver", "--vkey", far.vkey, "--share-key", share_key(far), *data])

    async def log() -> list[Any]:
        async with open_database(load_settings({}, data=tmp_path / "data")):
            return [(one.what, one.object, one.details) for one in await list_audit(limit=2)]

    acts = asyncio.run(log())

    assert acts[1] == ("create_signer", "operator", {"fingerprint": key["fingerprint"]})
    assert acts[0][:2] == ("register_signer", "approver")
    assert WORDS not in str(acts)
