"""Anyone may check: by number and signs, or by handing in a file; nothing is kept, nothing is set."""

import asyncio
import json
import re
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest

from survey.jobs.pack_wave import pack_wave
from survey.storage.certificates import list_certificates, save_certificate
from survey.storage.evidence import save_evidence
from survey.web.verify import routes
from survey.web.verify.heads import HOUR, HeadsBoard

from ..conftest import NOW, Site


async def hand_in(site: Site, data: bytes, name: str = "certificate.json") -> Any:
    """Hand in a file, as a stranger's browser does."""
    return await site.client.post("/v/file", files={"file": (name, data)})


def heading(text: str) -> str:
    """The page's h1."""
    return re.search(r"<h1>(.*?)</h1>", text, re.DOTALL)[1]  # type: ignore[index]


async def test_number_and_signs_find_the_figure_with_what_must_be_said(certified: Site) -> None:
    (issued,) = await list_certificates()
    spaced = f"{issued.short[:4].lower()} {issued.short[4:8]}-{issued.short[8:]}"
    page = await certified.client.get("/v", params={"number": str(issued.number), "code": spaced})

    assert page.status_code == 200
    assert heading(page.text) == "一致"
    assert "演示数据" in page.text
    assert "没有上级核查人" in page.text
    assert re.search(r'class="figure">\d\d\.\d\d%', page.text)
    assert "set-cookie" not in page.headers


async def test_the_printed_addresses_lead_to_the_certificate_in_either_case(certified: Site) -> None:
    (issued,) = await list_certificates()
    for path in (
        f"/v/{issued.number}",
        f"/V/{issued.number}",
        f"/V/{issued.short}",
        f"/v/{issued.short.lower()}",
    ):
        assert heading((await certified.client.get(path)).text) == "一致", path


@pytest.mark.parametrize("code", ["", "0000-0000-0000", "<script>alert(1)</script>"])
async def test_a_number_with_wrong_signs_is_not_registered(certified: Site, code: str) -> None:
    (issued,) = await list_certificates()
    page = await certified.client.get("/v", params={"number": str(issued.number), "code": code})

    assert page.status_code == 404
    assert heading(page.text) == "没有登记"
    assert not re.search(r"\d\d\.\d\d%", page.text)
    assert "<script>" not in page.text


async def test_a_certificate_handed_in_matches_claim_by_claim(certified: Site) -> None:
    (issued,) = await list_certificates()
    page = await hand_in(certified, issued.data)

    assert heading(page.text) == "一致"
    assert page.text.count("成立：") > 8
    assert "不成立：" not in page.text


async def test_the_public_bundle_matches_too_and_is_public(certified: Site) -> None:
    (issued,) = await list_certificates()
    bundle = await certified.client.get(f"/v/{issued.number}/bundle.zip")
    page = await hand_in(certified, bundle.content, "bundle.zip")

    assert bundle.status_code == 200
    assert heading(page.text) == "一致"


async def test_an_evidence_pack_is_read_in_place_and_a_changed_file_of_it_is_named(certified: Site) -> None:
    made, changed = BytesIO(), BytesIO()
    await pack_wave(certified.settings, "county-a", made, actor="test", now=NOW)
    page = await hand_in(certified, made.getvalue(), "建档.zip")
    source = ZipFile(made)
    with ZipFile(changed, "w") as target:
        for one in source.infolist():
            content = source.read(one)
            target.writestr(one, content + b"x" if one.filename.endswith("_口径.txt") else content)
    altered = await hand_in(certified, changed.getvalue(), "建档.zip")

    assert heading(page.text) == "一致" and "交来的是建档包" in page.text
    assert heading(altered.text) == "内容被改过" and "口径.txt" in altered.text
    assert 'class="figure"' not in altered.text


async def test_a_pack_beyond_ten_megabytes_is_read_one_at_a_time_and_a_few_wait(
    certified: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = BytesIO()
    await pack_wave(certified.settings, "county-a", made, actor="test", now=NOW)
    reading = certified.app.state.reading
    monkeypatch.setattr(type(reading), "LARGE", len(made.getvalue()) - 1)
    pages = await asyncio.gather(*(hand_in(certified, made.getvalue(), "建档.zip") for _ in range(3)))
    (issued,) = await list_certificates()
    with reading.place("99999999"), reading.place(None), reading.place("²"):
        busy = await hand_in(certified, made.getvalue(), "建档.zip")
        small = await hand_in(certified, issued.data)
    free = await hand_in(certified, made.getvalue(), "建档.zip")

    assert [heading(page.text) for page in (*pages, small, free)] == ["一致"] * 5
    assert busy.status_code == 503 and busy.headers["retry-after"] == "60"
    assert "verify.busy" in busy.text and "survey verify" in busy.text


@pytest.mark.parametrize(
    ("limit", "name"), [("MOST_UNPACKED", "a/b.txt"), ("PACK_LIMIT", "a/09/bundle.zip")], ids=["all", "bundle"]
)
async def test_a_pack_that_unfolds_to_too_much_is_not_unfolded(
    site: Site, limit: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, limit, 1_000_000)
    content = bytes(1_000_001)
    bomb = BytesIO()
    with ZipFile(bomb, "w", ZIP_DEFLATED) as target:
        for path, inside in {"a/SHA256SUMS": b"", "a/09/bundle.zip": b"", name: content}.items():
            target.writestr(path, inside)
    page = await hand_in(site, bomb.getvalue(), "建档.zip")

    assert len(bomb.getvalue()) < 10_000
    assert page.status_code == 200 and heading(page.text) == "读不懂这个文件"


async def test_an_altered_figure_is_noticed_and_its_place_named(certified: Site) -> None:
    (issued,) = await list_certificates()
    altered = issued.data.replace(b'"n":', b'"n":1', 1)
    page = await hand_in(certified, altered)

    assert altered != issued.data
    assert heading(page.text) == "内容被改过"
    assert "不成立：" in page.text
    assert 'class="figure"' not in page.text


async def test_a_consistent_certificate_of_somewhere_else_is_not_registered(
    certified_folder: Path, site: Site
) -> None:
    page = await hand_in(site, (certified_folder / "out" / "county-a" / "certificate.json").read_bytes())

    assert heading(page.text) == "没有登记"
    assert "不是本站签发的" in page.text
    assert 'class="figure"' not in page.text


@pytest.mark.parametrize("data", [b"", b"{}", b"PK\x03\x04", b"\xff" * 100, b"[" * 50_000, b"%PDF-1.7"])
async def test_a_file_of_another_kind_is_said_to_be_unreadable(site: Site, data: bytes) -> None:
    page = await hand_in(site, data)

    assert page.status_code == 200
    assert heading(page.text) == "读不懂这个文件"


@pytest.mark.parametrize("method", [ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
@pytest.mark.parametrize("name", ["statement.json", "a/SHA256SUMS"])
async def test_an_altered_zip_of_any_packing_is_said_to_be_unreadable(site: Site, method: int, name: str) -> None:
    made = BytesIO()
    with ZipFile(made, "w", method) as target:
        target.writestr(name, f'{{"a":"{sha256(b"").hexdigest() * 20}"}}')
    data = made.getvalue()
    pages = [
        await hand_in(site, bytes((*data[:at], data[at] ^ 0xFF, *data[at + 1 :])))
        for at in range(0, len(data), max(len(data) // 40, 1))
    ]

    assert {page.status_code for page in pages} == {200}
    assert {heading(page.text) for page in pages} == {"读不懂这个文件"}


async def test_a_replaced_certificate_names_its_successor(certified: Site) -> None:
    (issued,) = await list_certificates()
    await save_certificate(issued.number + 5, issued.wave, "AAAAAAAAAAAA", issued.data, now=NOW)
    page = await certified.client.get(f"/v/{issued.number}")

    assert heading(page.text) == "已被第2版代替"
    assert f"第{issued.number + 5}号证书" in page.text


async def test_a_revoked_certificate_says_so_and_shows_no_figure(certified: Site) -> None:
    from survey.canonical import digest

    (issued,) = await list_certificates()
    statement = json.loads(issued.data)["statement"]
    await save_evidence(
        issued.wave, "revocation.note", f"x/revocation\nsha256:{digest(statement)}\nreason: 错\n", now=NOW
    )
    page = await certified.client.get(f"/v/{issued.number}")
    await certified.sign_in()
    desk = [(await certified.client.get(f"/console/waves/{issued.wave}{at}")).text for at in ("", "/certificate")]

    assert heading(page.text) == "已撤回"
    assert 'class="figure"' not in page.text
    assert "结果证书已经撤回" in desk[0] and "看证书" not in desk[0]
    assert "理由：错" in desk[1] and "<s>" in desk[1]


async def test_after_closing_every_head_of_the_log_is_public(certified: Site) -> None:
    heads = await certified.client.get("/log/county-a/heads")
    unknown = await certified.client.get("/log/nowhere/heads")

    assert heads.headers["content-type"].startswith("text/plain")
    assert heads.text.startswith("127.0.0.1/county-a\n")
    assert unknown.status_code == 404


def test_heads_of_a_running_wave_are_renewed_no_oftener_than_their_period() -> None:
    board = HeadsBoard()
    board.post("county-a", NOW, ("one",))

    assert board.posted("county-a", NOW, HOUR) == ("one",)
    assert board.posted("county-a", NOW + HOUR, HOUR) is None
    assert board.posted("other", NOW, HOUR) is None
