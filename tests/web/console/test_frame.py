"""Bringing the school list in: tried first, every fault in its place, all or nothing."""

import re
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

    example = await site.client.get("/console/waves/county-a/frame/example.xlsx")

    assert example.content == county_frame("frame.xlsx")
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


async def test_a_tried_file_waits_two_hours_and_is_then_forgotten(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    await upload(site, county_frame())
    form_key = await site.form_key()
    site.clock.now = NOW + timedelta(minutes=119)
    waiting = await site.client.get("/console/waves/county-a/frame/faults.csv")
    site.clock.now = NOW + timedelta(minutes=121)
    reply = await site.client.post(
        "/console/waves/county-a/frame/confirm", data={"form_key": form_key}, headers=SAME_ORIGIN
    )

    assert waiting.status_code == 200
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


def strange(names: dict[str, str]) -> bytes:
    """The county's list under headers that no synonym knows."""
    head, *rows = county_frame().decode("utf-8-sig").splitlines()
    return "\n".join([",".join(names.get(one, one) for one in head.split(",")), *rows]).encode()


async def test_headers_that_are_not_known_are_matched_by_hand_and_the_map_is_kept_for_next_time(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    data = strange({"学校代码": "国标码", "学校名称": "校（园）全称"})
    tried = await upload(site, data)
    places = [header for header in ("国标码", "校（园）全称") if header in tried.text]
    columns = "/console/waves/county-a/frame/columns"
    names = dict(re.findall(r'<label for="column_(\d+)">([^<]+)</label>', tried.text))
    at = {header: f"column.{number}" for number, header in names.items()}
    twice = await site.send(columns, {at["国标码"]: "code", at["校（园）全称"]: "code"})
    matched = await site.send(columns, {at["国标码"]: "code", at["校（园）全称"]: "name"})
    await site.send("/console/waves/county-a/frame/confirm", {"save_map_as": "年报"})
    again = (await site.client.get("/console/waves/county-a/frame")).text
    frame = await find_frame("county-a")

    assert tried.status_code == 422 and len(places) == 2 and "表头里没有“学校代码”" in tried.text
    assert twice.status_code == 422 and "都选了“学校代码”" in twice.text
    assert matched.status_code == 200 and "56行：可导入 56 · 有错 0" in " ".join(matched.text.split())
    assert frame is not None and len(frame.schools) == 56
    assert '<option value="年报">' in again


async def test_a_sheet_of_which_no_header_is_known_can_be_matched_too(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    head, *rows = county_frame().decode("utf-8-sig").splitlines()
    headers = head.split(",")
    tried = await upload(site, "\n".join([",".join(f"列{one}" for one in headers), *rows]).encode())

    assert tried.status_code == 422 and "没有找到表头" in tried.text
    assert "列学校代码" in tried.text and "照这样对应，再试读" in tried.text


async def test_the_count_of_rows_stands_above_the_faults(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    lines = county_frame().decode("utf-8-sig").splitlines()
    reply = await upload(site, "\n".join([*lines[:3], lines[2], *lines[3:]]).encode())

    assert "57行：可导入 56 · 有错 1" in " ".join(reply.text.split())
    assert "先导入没错的行：不可用" in reply.text


async def test_a_frame_that_voids_a_drawn_sample_asks_for_the_waves_name(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a", until="drawn")
    tried = await upload(site, county_frame())
    unsure = await site.send("/console/waves/county-a/frame/confirm")
    kept = (await load_wave("county-a")).state
    sure = await site.send("/console/waves/county-a/frame/confirm", {"confirm": "county-a"})

    assert "抽好的样本就作废" in tried.text
    assert unsure.status_code == 422 and "没有导入，什么也没有改" in unsure.text and kept == "drawn"
    assert sure.status_code == 303 and (await load_wave("county-a")).state == "framed"
