"""Counties side by side from the console."""

from __future__ import annotations

from ..conftest import Site


async def test_the_certified_county_stands_with_interval_line_and_warnings(certified: Site) -> None:
    await certified.sign_in()
    page = (await certified.client.get("/console/counties")).text
    county = await certified.client.get("/console/counties/320704")

    assert "没有别的县可比" in page
    assert "没有名次" in page
    assert county.status_code == 200
    assert "历次满意度" in county.text


async def test_an_office_without_certificates_is_told_so(site: Site) -> None:
    await site.sign_in()

    assert "还没有已签发的结果" in (await site.client.get("/console/counties")).text
    assert (await site.client.get("/console/counties/999999")).status_code == 404
