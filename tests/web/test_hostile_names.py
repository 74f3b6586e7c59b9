"""Hostile names of counties, waves, offices and schools: on every paper, in the digest, beside certified figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey.jobs.print_job import write_papers
from survey.jobs.render_papers import Wish, plan_papers
from survey.jobs.revoke_statement import revoke_statement
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import ROLES, open_signers
from survey.storage.certificates import list_certificates
from survey.storage.samples import load_sample
from survey.storage.tables import Waves
from survey.web.rights import SCOPES

from ..documents.test_hostile_words import has_glyphs
from . import hostile
from .conftest import NOW, PASSWORD, Site
from .hostile_doors import DONE, hostile_wave, plan_words
from .hostile_files import in_archive
from .test_hostile_strings import check

BY = {"actor": "test", "now": NOW}
FIGURES = (
    *("/console/waves", "/console/counties", "/console/counties/320704", "/console/digest", "/console/digest/pdf"),
    *("/console/digest/docx", DONE, f"{DONE}/results", f"{DONE}/results.csv", f"{DONE}/report", f"{DONE}/ledger.csv"),
    *("/api/v1/waves", "/api/v1/records", "/api/v1/waves/county-a/figure"),
)  # fmt: skip


@pytest.mark.slow
async def test_hostile_names_do_nothing_on_paper(certified: Site, tmp_path: Path) -> None:
    strings = tuple(text for text in plan_words(hostile.corpus(), 60) if has_glyphs(text))
    await hostile_wave(certified, strings[::7])
    signers = open_signers(certified.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    await sign_plan(certified.settings, certified.office, "county-b", signers, **BY)
    schools = (await load_sample("county-b")).schools
    made = []
    for school in (*schools[:12], None):
        # The whole county's forms and notices; slips and posters of some schools, whose names differ.
        parts = ("slips", "posters") if school else ("forms", "notices")
        job = await plan_papers(certified.settings, "county-b", Wish(parts, schools=(school,) if school else ()), now=NOW)
        write_papers(job, tmp_path / "papers.zip")
        made.append((tmp_path / "papers.zip").read_bytes())

    assert [fault for one in made for fault in in_archive(one)] == []


@pytest.mark.slow
async def test_hostile_names_and_reasons_do_nothing_beside_certified_figures(certified: Site) -> None:
    await certified.sign_in("jia", ("admin", "operator", "reviewer", "approver"))
    await certified.person("demo")
    headers = await certified.token(*SCOPES)
    words = plan_words(hostile.corpus(), 60)
    faults, shown = [], 0
    for text in words[::7]:
        await Waves.update({Waves.title: text, Waves.county: text}).where(Waves.wave == "county-a")
        for path in FIGURES:
            if "/digest/" in path and shown % 20:
                continue
            reply = await certified.client.get(path, headers=headers if path.startswith("/api") else {})
            faults += check(path, text, reply)
        shown += 1
    [issued] = await list_certificates("county-a")
    reason = next(text for text in words if text.startswith('"><') and text.isprintable())
    signers = open_signers(certified.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    await revoke_statement(certified.settings, certified.office, "county-a", issued.number, reason, signers, **BY)
    for path in (f"/v/{issued.number}", f"{DONE}/certificate", "/console/log", "/api/v1/records", "/api/v1/waves/county-a/certificate"):
        reply = await certified.client.get(path, headers=headers if path.startswith("/api") else {})
        faults += check(path, reason, reply)

    assert faults == []
    assert shown > 100
