"""Answers collected elsewhere: columns are mapped once, the table is the command's, nothing is certified."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from survey.cli.main import main
from survey.jobs.estimate_file import NEVER_CERTIFIED
from survey.jobs.map_columns import ColumnMap, UnreadableMapError, read_map
from survey.storage.plans import list_waves

from ..conftest import SAME_ORIGIN, Site

SPEC = """title: 城关小学家长满意度
base_weights:
  - constant: 1
items:
  - column: 总评
    satisfied: [满意, 基本满意]
    dont_know: {options: [不了解], counts: left_out}
lines:
  - of: 总评
    at_least: 0.85
""".encode()
ANSWERS = ["满意"] * 60 + ["基本满意"] * 28 + ["不满意"] * 8 + ["不了解"] * 4


def workbook(header: str = "12、您对学校总体满意吗？") -> bytes:
    book = Workbook()
    book.active.append(["序号", header, "=1+1"])
    for number, answer in enumerate(ANSWERS, 1):
        book.active.append([number, answer, "x"])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


async def hand_in(site: Site, cases: bytes, **more: tuple[str, bytes]):
    files = {"cases": ("问卷星.xlsx", cases), "spec": ("spec.yaml", SPEC), **more}
    data = {"form_key": await site.form_key(), "example": ""}
    return await site.client.post("/console/outside", data=data, files=files, headers=SAME_ORIGIN)


async def test_a_workbook_is_mapped_and_gives_the_table_of_the_command(site: Site, tmp_path: Path) -> None:
    await site.sign_in()
    asked = (await hand_in(site, workbook())).text
    unmapped = await site.send("/console/outside/table", {"column_0": ""})
    page = (await site.send("/console/outside/table", {"column_0": "12、您对学校总体满意吗？"})).text
    saved = (await site.client.get("/console/outside/map.json")).content
    pdf, xlsx, csv = [
        await site.client.get(f"/console/outside/{name}") for name in ("report.pdf", "results.xlsx", "results.csv")
    ]
    for name, content in (("a.xlsx", workbook()), ("map.json", saved), ("spec.yaml", SPEC)):
        (tmp_path / name).write_bytes(content)
    done = CliRunner().invoke(
        main,
        ["estimate", "--cases", str(tmp_path / "a.xlsx"), "--spec", str(tmp_path / "spec.yaml"), "--map", str(tmp_path / "map.json"), "--no-files", "--json"],
    )  # fmt: skip
    told = json.loads(done.output)

    assert "哪一列是哪一项" in asked and "12、您对学校总体满意吗？" in asked
    assert unmapped.status_code == 422
    assert "91.66%" in page and NEVER_CERTIFIED in page
    assert told["rows"][0]["percent"] == "91.66%"
    assert told["certifiable"] is False and NEVER_CERTIFIED in told["notes"]
    assert pdf.content.startswith(b"%PDF") and xlsx.content.startswith(b"PK") and csv.status_code == 200
    assert await list_waves() == ()


async def test_a_saved_map_is_chosen_beforehand_and_a_missing_column_is_named(site: Site) -> None:
    await site.sign_in()
    saved = ColumnMap({"总评": "12、您对学校总体满意吗？"}).encoded()
    known = (await hand_in(site, workbook(), map=("map.json", saved))).text
    gone = await hand_in(site, workbook("Q12"), map=("map.json", saved))
    foreign = await hand_in(site, workbook(), map=("map.json", b'{"columns": 1}'))
    broken = await hand_in(site, b"PK\x03\x04 no workbook")

    assert "<option selected>12、您对学校总体满意吗？</option>" in known
    assert "selected" not in gone.text
    assert "column_map.unreadable" in foreign.text
    assert broken.status_code == 422


async def test_what_a_person_uploads_is_nobody_elses(site: Site) -> None:
    await site.sign_in()
    await hand_in(site, workbook())
    await site.send("/console/outside/table", {"column_0": "12、您对学校总体满意吗？"})
    site.client.cookies.clear()
    await site.sign_in("other", ("operator",))
    theirs = await site.client.get("/console/outside/results.csv")

    assert theirs.status_code == 409
    assert "12、" not in (await site.client.get("/console/outside")).text


async def test_a_spec_that_names_another_file_reads_none_of_the_servers(site: Site) -> None:
    await site.sign_in()
    spec = SPEC + "cases:\n  join:\n    - {file: /etc/passwd, on: 总评, columns: [x]}\n".encode()
    await hand_in(site, workbook(), spec=("spec.yaml", spec))
    reply = await site.send("/console/outside/table", {"column_0": "12、您对学校总体满意吗？"})

    assert reply.status_code != 200
    assert "root:" not in reply.text


def test_a_map_round_trips_and_nothing_else_is_taken_for_one() -> None:
    one = ColumnMap({"总评": "Q1", "学校": "Q1"})

    assert read_map(one.encoded()) == one
    assert one.applied("Q1,Q2\n满意,3\n".encode(), "a.csv").decode() == "总评,学校,Q2\r\n满意,满意,3\r\n"
    for other in (b"", b"[]", b"{}", b'{"columns": {"a": 1}, "type": "survey/column-map/v1"}'):
        with pytest.raises(UnreadableMapError):
            read_map(other)
