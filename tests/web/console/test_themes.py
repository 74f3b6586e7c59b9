"""C9: themes of released messages: counted, small counts withheld, exported, taken up by the ledger."""

from __future__ import annotations

import pytest

from survey.storage.audit import list_audit
from survey.storage.board import add_message, find_message, propose_message, release_message
from survey.storage.ledger import list_entries

from ..conftest import NOW, Site

BOARD = "/console/waves/county-a/board"


@pytest.fixture
async def board(certified: Site) -> Site:
    """A certified wave with 24 released messages on fees, 11 on food, 3 on others, and one still held."""
    kinds = [("收费", "parent")] * 24 + [("安全和食宿", "parent")] * 11 + [("其他", "teacher")] * 3
    for number, (theme, group) in enumerate(kinds):
        name = f"{number:032x}"
        await add_message("county-a", name, group, f"原话{number}", on=NOW.date())
        await propose_message("county-a", name, "=1+1" if number == 0 else f"清理{number}", theme, "jia")
        await release_message("county-a", name, "yi")
    await add_message("county-a", "f" * 32, "parent", "还没有放行的话", on=NOW.date())
    await certified.sign_in("bing", ("operator", "reviewer"))
    return certified


async def test_small_counts_are_withheld_and_cannot_be_computed(board: Site) -> None:
    page = (await board.client.get(BOARD)).text
    file = (await board.client.get(f"{BOARD}.csv")).content.decode("utf-8-sig")
    counts = file.split("\r\n\r\n")[0]

    assert counts.splitlines() == ["主题,条数,占已放行的", "收费,24,63.15%", "安全和食宿,不显示,", "其他,<10,"]
    assert "63.15%" in page and "不代表多少人这样想" in page
    assert "收费,家长,'=1+1" in file and "其他,,清理35" in file
    assert "原话" not in file and "还没有放行" not in file


async def test_a_theme_is_changed_by_a_named_person_and_only_of_a_released_text(board: Site) -> None:
    first, held = f"{0:032x}", "f" * 32
    done = await board.send(f"{BOARD}/{first}/theme", {"theme": "其他"})
    refused = await board.send(f"{BOARD}/{held}/theme", {"theme": "其他"})
    unknown = await board.send(f"{BOARD}/{first}/theme", {"theme": "<b>"})
    [act] = [one for one in await list_audit(wave="county-a") if one.what == "theme_message"]

    assert (done.status_code, refused.status_code, unknown.status_code) == (303, 409, 422)
    assert (await find_message("county-a", first)).theme == "其他"  # type: ignore[union-attr]
    assert (act.who, act.details["before"], act.details["after"]) == ("bing", "收费", "其他")


async def test_a_theme_is_offered_to_the_ledger_once(board: Site) -> None:
    before = (await board.client.get("/console/waves/county-a/ledger")).text
    fields = {"source": "text", "source_key": "theme:收费", "problem": "“收费”有24条", "basis": "两人放行的留言"}
    taken = await board.send("/console/waves/county-a/ledger", fields)
    after = (await board.client.get("/console/waves/county-a/ledger")).text

    assert "“收费”有24条，占63.15%" in before and "“其他”有" not in before
    assert taken.status_code == 303
    assert 'value="theme:收费"' not in after
    assert [entry.source for entry in await list_entries("county-a")] == ["text"]
