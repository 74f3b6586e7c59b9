"""Bringing the school list in: tried first, every fault in its place, all or nothing."""

from datetime import timedelta
from typing import Any

import pytest

from survey.storage.frames import find_frame
from survey.storage.plans import load_wave

from ..conftest import NOW, SAME_ORIGIN, Site, county_frame


async def upload(site: Site, data: bytes, filename: str = "frame.csv") -> Any:
    """Try a file."""
    return await site.client.post(
        "/console/waves/county-a/frame",
        data={"form_key": await site.form_key()},
        files={"file": (filename, data)},
        headers=SAME_ORIGIN,
    )


@pytest.mark.parametrize("filename", ["frame.csv", "frame_gb18030.csv", "frame.xlsx"])
async def test_a_dry_run_shows_the_totals_and_keeps_nothing(site: Site, filename: str) -> None:
    await site.sign_in()
    await site.wave("county-a")
    reply = await upload(site, county_frame(filename), filename)

    assert reply.status_code == 200, reply.text
    assert "可以导入：56所学校" in reply.text
    assert "18\u202f137" in reply.text
    assert await find_frame("county-a") is None
    assert (await load_wave("county-a")).state == "draft"


async def test_a_confirmed_file_is_imported_as_a_whole(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    await upload(site, county_frame())
    reply = await site.send("/console/waves/county-a/frame/confirm")
    page = await site.client.get(reply.headers["location"])
    frame = await find_frame("county-a")

    assert reply.status_code == 303
    assert "已导入56所学校" in page.text
    assert frame is not None
    assert len(frame.schools) == 56


async def test_every_fault_stands_in_the_table_with_row_column_and_remedy(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    lines = county_frame().decode("utf-8-sig").splitlines()
    broken = [lines[0], lines[1], lines[1], lines[2][:3] + lines[2][4:], *lines[3:]]
    reply = await upload(site, "\n".join(broken).encode())
    sheet = await site.client.get("/console/waves/county-a/frame/faults.csv")
    confirm = await site.send("/console/waves/county-a/frame/confirm")

    assert reply.status_code == 422
    assert "没有导入" in reply.text
    assert "重复" in reply.text
    assert sheet.content.startswith("\ufeff工作表,行,列".encode())
    assert "attachment" in sheet.headers["content-disposition"]
    assert confirm.status_code == 422
    assert await find_frame("county-a") is None


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        ("frame.xlsx", b"PK\x03\x04 not really"),
        ("frame.csv", b"\xff\xff\xff\xff"),
        ("frame.csv", b""),
        ("frame.pdf", b"%PDF-1.7"),
    ],
)
async def test_a_file_that_is_no_frame_is_refused_in_words(site: Site, filename: str, data: bytes) -> None:
    await site.sign_in()
    await site.wave("county-a")
    reply = await upload(site, data, filename)

    assert reply.status_code in (400, 422), reply.text
    assert "Traceback" not in reply.text
    assert await find_frame("county-a") is None


async def test_names_in_a_file_never_become_markup(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    text = county_frame().decode("utf-8-sig")
    name = text.splitlines()[1].split(",")[1]
    reply = await upload(site, text.replace(name, "<script>alert(1)</script>", 1).encode(), "<img src=x>.csv")

    assert "<script>alert" not in reply.text
    assert "<img src=x>" not in reply.text


async def test_a_tried_file_is_forgotten_after_half_an_hour(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    await upload(site, county_frame())
    form_key = await site.form_key()
    site.clock.now = NOW + timedelta(minutes=31)
    reply = await site.client.post(
        "/console/waves/county-a/frame/confirm", data={"form_key": form_key}, headers=SAME_ORIGIN
    )

    assert reply.status_code == 409
    assert "console.import_forgotten" in reply.text


async def test_what_one_person_tried_another_cannot_confirm(site: Site) -> None:
    await site.sign_in("first")
    await site.wave("county-a")
    await upload(site, county_frame())
    site.client.cookies.clear()
    await site.sign_in("second")

    assert (await site.send("/console/waves/county-a/frame/confirm")).status_code == 409


async def test_ten_megabytes_are_the_most(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")

    assert (await upload(site, b"x" * (10 * 1024 * 1024 + 1))).status_code == 413
