"""Counties side by side from the console."""

from __future__ import annotations

import pypdfium2 as pdfium

from survey.jobs.revoke_statement import revoke_statement
from survey.jobs.signers import ROLES, open_signers
from survey.storage.certificates import list_certificates
from survey.storage.divisions import set_divisions
from survey.storage.results import load_results, save_results

from ..conftest import NOW, PASSWORD, Site

WAVE = "/console/waves/county-a"


async def test_the_certified_county_stands_with_interval_line_and_warnings(certified: Site) -> None:
    await certified.sign_in()
    page = (await certified.client.get("/console/counties")).text
    county = await certified.client.get("/console/counties/320704")

    assert "没有别的县可比" in page
    assert "按代码排列，不排名次" in page and "按先后排列" in county.text
    assert "没有名次" in page
    assert county.status_code == 200
    assert "历次满意度" in county.text


async def test_an_office_without_certificates_is_told_so(site: Site) -> None:
    await site.sign_in()

    assert "还没有已签发的结果" in (await site.client.get("/console/counties")).text
    assert (await site.client.get("/console/counties/999999")).status_code == 404


async def test_the_digest_says_only_what_certificates_name(certified: Site) -> None:
    await certified.sign_in()
    page = (await certified.client.get("/console/digest")).text
    pdf = await certified.client.get("/console/digest/pdf")
    word = await certified.client.get("/console/digest/docx")
    other = await certified.client.get("/console/digest/exe")
    results = await load_results("county-a")
    await save_results("county-a", {**results, "n": results["n"] + 1}, now=NOW)
    altered = await certified.client.get("/console/digest")

    assert "第3号" in page and results["figure"]["percent"] in page
    assert pdf.content.startswith(b"%PDF") and word.content.startswith(b"PK")
    assert other.status_code == 404
    assert "digest.other_results" in altered.text


async def test_a_figure_whose_certificate_was_revoked_is_compared_with_none_and_marked_on_paper(certified: Site) -> None:
    by = {"actor": "test", "now": NOW}
    signers = open_signers(certified.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    (issued,) = await list_certificates("county-a")
    await certified.sign_in()
    before = (await certified.client.get("/console/counties")).text
    await revoke_statement(certified.settings, certified.office, "county-a", issued.number, "计票表有误", signers, **by)
    figure = (await load_results("county-a"))["figure"]["percent"]
    page = (await certified.client.get("/console/counties")).text
    digest = (await certified.client.get("/console/digest")).text
    county = await certified.client.get("/console/counties/320704")
    report = pdfium.PdfDocument((await certified.client.get(f"{WAVE}/report/pdf")).content)
    cover = "".join(report[0].get_textpage().get_text_bounded().split())
    second = "".join(report[1].get_textpage().get_text_bounded().split())

    assert figure in before and figure not in page
    assert "证书已撤回" in page and "计票表有误" in page
    assert figure not in digest and county.status_code == 404
    assert "证书已撤回" in cover and "证书已撤回" in second and "正式" not in cover


async def test_the_digest_of_another_branch_is_empty(certified: Site) -> None:
    await certified.sign_in()
    await set_divisions("demo", ["3608"])

    assert "还没有已签发的结果" in (await certified.client.get("/console/digest")).text
    assert (await certified.client.get("/console/digest/pdf")).status_code == 404
