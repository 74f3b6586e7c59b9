"""The pages of a wave: what they show, when, and what they never show."""

import ast
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from survey.followup.ledger import ACTS
from survey.storage.plans import load_wave
from survey.storage.results import save_results
from survey.storage.samples import find_sample
from survey.storage.tables import Waves
from survey.web.act_words import act_text, detail_text
from survey.web.console import waves

from ..conftest import NOW, Site
from ..examples import results_document
from .commands import commands_of, refused

DRAWN_PAGES = ("", "/frame", "/sample", "/papers")


async def test_an_empty_console_says_what_to_do_first(site: Site) -> None:
    await site.sign_in()
    page = await site.client.get("/console/waves")

    assert "还没有调查" in page.text


async def test_the_list_names_every_wave_with_its_next_step(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a")
    await site.wave("county-b", until="drawn")
    page = (await site.client.get("/console/waves")).text

    assert "/console/waves/county-a/frame" in page
    assert "/console/waves/county-b/signing" in page
    assert "演示数据" in page


@pytest.mark.parametrize("path", DRAWN_PAGES)
async def test_every_page_of_a_wave_has_one_heading_a_way_back_and_its_command(site: Site, path: str) -> None:
    await site.sign_in()
    await site.wave("county-a", until="drawn")
    reply = await site.client.get(f"/console/waves/county-a{path}")
    page = reply.text

    assert reply.status_code == 200
    assert page.count("<h1") == 1
    assert 'class="skip"' in page
    assert 'aria-label="当前位置"' in page
    assert "数据截至" in page
    assert commands_of(page) != []
    assert [why for line in commands_of(page) if (why := refused(line))] == []
    assert "<strong>演示数据</strong>" in page
    assert "<script" not in page
    assert " style=" not in page
    assert len(reply.content) < 120_000


async def test_a_wave_that_is_no_demonstration_does_not_say_so(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a", demonstration=False, title="云台区调查")

    assert "演示数据" not in (await site.client.get("/console/waves/county-a")).text


async def test_drawing_needs_a_seed_and_drawing_again_a_reason(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a", until="framed")
    empty = await site.send("/console/waves/county-a/sample", {"seed": "  "})
    first = await site.send("/console/waves/county-a/sample", {"seed": "2026137"})
    silent = await site.send("/console/waves/county-a/sample", {"seed": "2026138"})
    drawn = await find_sample("county-a")
    again = await site.send("/console/waves/county-a/sample", {"seed": "2026138", "reason": "名册改过"})
    log = (await site.client.get("/console/log")).text

    assert (empty.status_code, first.status_code, silent.status_code) == (422, 303, 422)
    assert drawn is not None
    assert drawn.seed == "2026137"
    assert again.status_code == 303
    assert "名册改过" in log
    assert 'value="2026138"' in silent.text and "没有抽样，什么也没有改" in silent.text
    listed = await site.client.get("/console/waves/county-a/sample/schools.csv")
    lines = listed.content.decode("utf-8-sig").splitlines()
    sample = await find_sample("county-a")
    assert len(lines) == 1 + len(sample.domains)
    assert sum(int(line.rpartition(",")[2]) for line in lines[1:]) == sample.slips_total


@pytest.mark.parametrize("state", ["drawn", "planned", "open", "paused", "closed"])
async def test_before_opening_no_page_shows_a_satisfaction_figure(site: Site, state: str) -> None:
    await site.sign_in()
    await site.wave("county-a", until="drawn")
    await site.stand("county-a", "open" if state == "paused" else state)
    await save_results("county-a", results_document(), now=NOW)
    for path in ("/results", "/results.csv"):
        reply = await site.client.get(f"/console/waves/county-a{path}")

        assert reply.status_code == 409
        assert "88" not in re.sub(r"<[^>]+>", "", reply.text)


async def test_results_stand_with_their_doubt_and_the_other_formulas(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a", until="drawn")
    await site.stand("county-a", "estimated")
    await save_results("county-a", results_document(), now=NOW)
    page = (await site.client.get("/console/waves/county-a/results")).text

    assert "88.43%" in page
    assert "82.12%到90.41%之间" in page
    assert "达到85%以上（含85%）。<strong>区间跨过85%</strong>" in page
    assert "只算“非常满意”" in page
    assert "61.02%" in page
    assert '<svg class="chart"' in page
    assert "不是国家组织的认定调查" in page
    assert "<script>" not in page


async def test_a_withheld_row_shows_neither_count_nor_figure(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a", until="drawn")
    await site.stand("county-a", "estimated")
    await save_results("county-a", results_document(), now=NOW)
    page = (await site.client.get("/console/waves/county-a/results")).text
    row = page.split('<th scope="row">校长</th>', 1)[1].split("</tr>", 1)[0]
    sheet = (await site.client.get("/console/waves/county-a/results.csv")).text

    assert "不显示" in row
    assert "%" not in row
    assert "人群,校长,,,,,," in sheet
    assert "演示数据" in sheet


async def test_volunteers_get_a_banner_and_neither_line_nor_interval(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a", until="drawn")
    await site.stand("county-a", "estimated")
    volunteers = {**results_document(), "evidence_class": "C", "interval": None, "reached": None}
    await save_results("county-a", volunteers, now=NOW)
    page = (await site.client.get("/console/waves/county-a/results")).text

    assert "自愿参加，不能代表全体" in page
    assert "之间（把握" not in page
    assert 'class="line"' not in page
    assert "要求：" not in page


async def test_a_page_of_an_unknown_wave_says_so(site: Site) -> None:
    await site.sign_in()
    for path in ("", "/frame", "/sample", "/papers", "/monitor", "/results", "/certificate"):
        reply = await site.client.get(f"/console/waves/nowhere{path}")

        assert reply.status_code == 404, path
        assert "没有找到" in reply.text


async def test_publishing_asks_for_the_waves_name(site: Site) -> None:
    await site.sign_in()
    await site.wave("county-a", until="drawn")
    wrong = await site.send("/console/waves/county-a/publish", {"confirm": "county-b"})
    early = await site.send("/console/waves/county-a/publish", {"confirm": "county-a"})

    assert (wrong.status_code, early.status_code) == (422, 409)
    assert (await load_wave("county-a")).state == "drawn"


async def test_the_log_says_that_its_chain_is_whole(site: Site) -> None:
    await site.sign_in()
    page = (await site.client.get("/console/log")).text

    assert "没有缺改" in page
    assert "登录" in page


@pytest.mark.parametrize(("kind", "begins"), [("pdf", b"%PDF-1.7"), ("docx", b"PK"), ("xlsx", b"PK")])
async def test_the_report_comes_in_every_format(certified: Site, kind: str, begins: bytes) -> None:
    await certified.sign_in()
    reply = await certified.client.get(f"/console/waves/county-a/report/{kind}")

    assert reply.status_code == 200
    assert reply.content.startswith(begins)
    name = unquote(reply.headers["content-disposition"].partition("filename*=UTF-8''")[2])
    assert re.fullmatch(rf"云台区_county-a_满意度(报告|结果表)_v1\.{kind}", name), name
    assert (await certified.client.get("/console/waves/county-a/report/exe")).status_code == 404


async def test_the_list_asks_the_database_no_more_for_many_waves_than_for_few(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, engine = [0], type(site.database.engine)
    real = engine.run_querystring

    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked[-1] += 1
        return await real(self, *args, **kwargs)

    monkeypatch.setattr(engine, "run_querystring", counted)
    await site.sign_in()
    for number in range(15):
        wave = await site.wave(f"county-{number}", until="drawn" if number in (0, 3, 6) else "draft")
        state = ("open", "closed", "estimated")[number % 9 // 3]
        if number in (0, 3, 6):
            await site.stand(wave, state)
        elif number > 8:
            await Waves.update({Waves.state: state}).where(Waves.wave == wave)
        if number in (8, 14):
            await site.client.get("/console/waves")
            asked.append(0)
            assert (await site.client.get("/console/waves")).text.count('<th scope="row">') == number + 1
            asked.append(0)

    page = (await site.client.get("/console/waves")).text
    rows = {one.partition("</code>")[0].rpartition(">")[2]: one for one in page.split('<th scope="row">')[1:]}
    cell = re.compile(r'data-name="需要">(?:<[^>]+>)?([^<]+)<')
    needed = {name: cell.findall(row)[0] for name, row in rows.items()}

    assert 0 < asked[1] == asked[3] < 12
    # What a wave needs is known from its drawing on, and does not go when it is estimated.
    assert [name for name in ("county-0", "county-3", "county-6") if not 300 < int(needed[name]) < 490] == []
    assert needed["county-1"] == "–"


async def test_waves_are_listed_in_pages_each_of_which_stays_light(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waves, "ON_A_PAGE", 5)
    await site.sign_in()
    bare = len((await site.client.get("/console/waves")).content)
    for number in range(12):
        await site.wave(f"county-{number}", title=f"第{number}次调查" + "很长的标题" * 9)
    pages = [await site.client.get(f"/console/waves?page={page}") for page in ("1", "2", "3", "99", "x")]
    listed = [set(re.findall(r"第(\d+)次调查很", page.text.partition("<table")[2])) for page in pages]
    fifty = bare + (len(pages[0].content) - bare) * 10

    assert [len(one) for one in listed] == [5, 5, 2, 2, 5]
    assert len(listed[0] | listed[1] | listed[2]) == 12
    assert 'rel="next"' in pages[1].text
    assert 'rel="next"' not in pages[2].text
    assert fifty < 120_000


def test_every_act_that_the_log_keeps_has_words() -> None:
    told = set()
    for path in Path("survey").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "record_audit(" in text:
            calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
            named = [node.args[1] for node in calls if getattr(node.func, "id", "") == "record_audit"]
            told |= {act.value for act in named if isinstance(act, ast.Constant)}
    told |= {f"{act}_message" for act in ("release", "withhold", "send_back")} | {"grant_spares", "decline_spares"}
    told |= {f"ledger_{act}" for act in ACTS}

    assert len(told) > 70
    assert [act for act in sorted(told) if act_text(act) == act] == []


def test_every_detail_that_the_log_keeps_has_a_name() -> None:
    names = set()
    for path in Path("survey").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text if "record_audit(" in text else "")
        for function in (one for one in ast.walk(tree) if isinstance(one, ast.AsyncFunctionDef)):
            parts = list(ast.walk(function))
            calls = [one for one in parts if isinstance(one, ast.Call) and "record_audit" in ast.unparse(one.func)]
            given = [word.value for call in calls for word in call.keywords if word.arg == "details"]
            kept = {one.id for one in given if isinstance(one, ast.Name)}
            for one in parts:
                if isinstance(one, ast.Assign | ast.AnnAssign | ast.AugAssign) and one.value is not None:
                    targets = one.targets if isinstance(one, ast.Assign) else [one.target]
                    given += [one.value for target in targets if ast.unparse(target) in kept]
                    names |= {
                        target.slice.value
                        for target in targets
                        if isinstance(target, ast.Subscript) and ast.unparse(target.value) in kept
                    }
            names |= {
                key.value
                for one in given
                for inner in ast.walk(one)
                if isinstance(inner, ast.Dict)
                for key in inner.keys
                if isinstance(key, ast.Constant)
            }

    assert len(names) > 40
    assert sorted(name for name in names if detail_text(name) == name) == []


async def test_a_refusal_inside_keeps_the_way_on_and_outside_tells_nobody_who_is_in(site: Site) -> None:
    stranger = await site.client.get("/console/waves/no-such-wave", follow_redirects=False)
    await site.sign_in()
    inside = await site.client.get("/console/waves/no-such-wave")
    outside = await site.client.get("/v/no-such-page")

    assert stranger.status_code == 303
    assert inside.status_code == 404
    assert 'aria-label="主要"' in inside.text and "退出" in inside.text
    assert outside.status_code == 404 and "退出" not in outside.text
