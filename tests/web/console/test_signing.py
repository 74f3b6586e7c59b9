"""The two take a wave from its sample to its certificate by pages alone."""

import asyncio
import re
from io import BytesIO
from zipfile import ZipFile

from survey.cases.flag import Flag
from survey.jobs.draw_sample import draw_wave
from survey.jobs.signers import ROLES, create_signer
from survey.storage.plans import load_wave
from survey.storage.results import load_results
from survey.web.console.flags import alarm_words, rule_lines
from survey.web.console.print_room import PrintJob

from ..conftest import PASSWORD, Site

BOTH = {role: f"{PASSWORD} {role}" for role in ROLES}
SIGNING = "/console/waves/county-a/signing"
FLAGS = "/console/waves/county-a/flags"


async def test_from_sample_to_certificate_by_pages_alone(site: Site) -> None:
    await site.sign_in()
    await site.wave(until="drawn")
    for role in ROLES:
        create_signer(site.settings, role, BOTH[role])
    statuses = [(await site.send(SIGNING, {"act": "签署方案", **BOTH})).status_code]
    slips = await site.client.get("/console/waves/county-a/papers")
    wish = {"part_slips": "1", "part_posters": "1", "part_forms": "1", "part_notices": "1", "size": "a5"}
    papers, school = "/console/waves/county-a/papers", _school(slips.text)
    picked = (await site.client.get(f"{papers}?s.{school}=1")).text
    wrong = await site.send(papers, {"schools": school, **wish}, files=_classes(school, "很多"))
    unknown = await site.send(papers, {"schools": school, "language": "ug", **wish})
    listed = {"schools": school, "language": "en", **wish}
    begun = await site.send(papers, listed, files=_classes(school, "1"))
    job = await _finished(site, "county-a")
    page = (await site.client.get("/console/waves/county-a/papers/job")).text
    made = await site.client.get("/console/waves/county-a/papers/papers.zip")
    log = (await site.client.get("/console/log")).text
    statuses.append((await site.send("/console/waves/county-a/publish", {"confirm": "county-a"})).status_code)
    early = (await site.client.get("/console/waves/county-a/monitor")).text
    later = "/console/waves/county-a/extension"
    put_off = [
        await site.send(later, {"until": until, **BOTH}) for until in ("明天", "2026-12-01", "2026-12-09")
    ]
    told = [(await site.client.get(page)).text for page in (later, "/console/waves", "/console/waves/county-a")]
    gone = await site.send("/console/waves/county-a/papers", {"part_slips": "1"})
    erased = await site.client.get("/console/waves/county-a/papers/papers.zip")
    await site.app.state.office.note_wrong_school("county-a", f"{school}-P")
    monitor = (await site.client.get("/console/waves/county-a/monitor")).text
    left = {"lines": f"{school}-P,2\n9999-P,1", "second": "乙", "confirm": "county-a"}
    statuses.append((await site.send("/console/waves/county-a/pause")).status_code)
    refused = await site.send("/console/waves/county-a/leftovers", left)
    unsure = await site.send("/console/waves/county-a/leftovers", {**left, "confirm": "x"})
    alone = await site.send("/console/waves/county-a/leftovers", {**left, "second": ""})
    voided = await site.send("/console/waves/county-a/leftovers", {**left, "lines": f"{school}-P,2"})
    quiet = (await site.client.get(FLAGS)).text
    whole = {"school": school, "group": "teacher", "reason": "教导处代填，已查实", "confirm": "county-a", **BOTH}
    nobody = await site.send(f"{FLAGS}/void", {**whole, "school": "1" * 10})
    unnamed = await site.send(f"{FLAGS}/void", {**whole, "confirm": ""})
    forged = await site.send(f"{FLAGS}/void", {**whole, "approver": "not this"})
    statuses.append((await site.send(f"{FLAGS}/void", whole)).status_code)
    listed_there = (await site.client.get(FLAGS)).text
    withdrawn = (await site.client.get(papers)).text
    for act, more in (("结束填写", {"confirm": "county-a"}), ("开箱", {})):
        statuses.append((await site.send(SIGNING, {"act": act, **BOTH, **more})).status_code)

    late = await site.send(f"{FLAGS}/void", whole)

    assert statuses == [303] * 6
    assert [reply.status_code for reply in put_off] == [400, 400, 303]
    assert "“明天”不是日期" in put_off[0].text and 'value="2026-12-01"' in put_off[1].text
    assert "原定2026年12月5日" in told[0] and "至 2026-12-09" in told[1] and "至2026年12月9日（原定" in told[2]
    assert "没有警报" in quiet and "作废这一组" in quiet
    assert [reply.status_code for reply in (nobody, unnamed, forged, late)] == [422, 422, 422, 409]
    assert "样本里没有这一组" in nobody.text and "教导处代填，已查实" in unnamed.text and "not this" not in forged.text
    assert "已经作废的组" in listed_there and "教导处代填，已查实" in listed_there
    assert "不是这所学校" in monitor
    assert "查不到的填写码，近一小时" in monitor and "查看发放情况" in monitor
    assert [reply.status_code for reply in (refused, unsure, alone, voided)] == [422, 422, 422, 200]
    assert "第2行" in refused.text and f"{school}-P,2" in refused.text
    assert "作废了2张" in voided.text
    assert wrong.status_code == 422 and "第2行" in wrong.text and "张数" in wrong.text
    for page_again in (picked, wrong.text):
        assert "只印1所" in page_again and f'name="schools" value="{school}"' in page_again
    assert wrong.text.count('value="1" checked') == 1 + 4 and '<option value="a5" selected>' in wrong.text
    assert "已经作废的填写码" in withdrawn
    assert unknown.status_code == 422 and "签过的计划里没有这种语言" in unknown.text
    assert begun.status_code == 303
    assert "下载压缩包" in page and "用纸（单面）" in page
    names = ZipFile(BytesIO(made.content)).namelist()
    assert len(names) == job.finished.files + 1
    assert {name.split("/")[0] for name in names} == {
        "1_纸条_只由督导部门印", "2_海报", "3_纸质问卷", "4_告知", "0_打印清单.csv"
    }  # fmt: skip
    assert "下载打印文件" in log and "排印" in log
    assert erased.status_code == 404
    assert "&lt;10" in early
    assert "结束前不显示满意度" in early
    assert gone.status_code == 409
    assert (await load_wave("county-a")).state == "opened"


def _classes(school: str, count: str) -> dict[str, tuple[str, bytes]]:
    """A list of classes as an office uploads it."""
    return {"classes": ("班级.csv", f"学校代码,人员,班级,张数\n{school},家长,三年级2班,{count}\n".encode())}


async def _finished(site: Site, wave: str) -> PrintJob:
    """The print job of a wave, once it is done."""
    job = site.app.state.print_room.job(wave)
    while job.running:
        await asyncio.sleep(0.05)
    return job


def _school(page: str) -> str:
    """The first school offered on the papers page."""
    return re.search(r'name="s.(\d{10})"', page)[1]  # type: ignore[index]


async def test_a_certified_wave_offers_its_files_and_its_results(certified: Site) -> None:
    await certified.sign_in()
    page = (await certified.client.get("/console/waves/county-a/certificate")).text
    pdf = await certified.client.get("/console/waves/county-a/certificate/certificate.pdf")
    key = await certified.client.get("/console/waves/county-a/certificate/..%2f..%2fsurvey.db")
    results = (await certified.client.get("/console/waves/county-a/results")).text
    monitor = (await certified.client.get("/console/waves/county-a/monitor")).text
    flags = (await certified.client.get(FLAGS)).text
    figure = re.search(r'class="figure">(.*?)<', results)

    facts = (await load_results("county-a"))["facts"]
    block = results.partition('<details class="card" id="facts">')[2].partition("</details>")[0]

    assert block.count("<tbody>") == len(facts) and f"（{len(facts)}题）" in block
    assert block.count("不显示</td>") == sum(bool(row.get("withheld")) for row in facts) > 0
    for row in facts:
        assert all(share["display"] in block and share["zh"] in block for share in row["shares"]), row["item"]
    assert "第3号证书" in page
    assert pdf.content.startswith(b"%PDF")
    assert key.status_code == 404
    assert figure
    assert figure[1] in page
    assert results.count('<svg class="chart"') == 6
    assert "填写已经结束" in monitor
    assert "去掉被标记的组" in flags and f"<dd>{figure[1]}</dd>" in flags
    assert "I5 有人告诉怎么选" in flags and "被告诉了、自己不说的人" in flags and "答“有”的" in flags
    assert "作废这一组" not in flags


async def test_a_wrong_passphrase_changes_nothing(site: Site) -> None:
    await site.sign_in()
    await site.wave(until="drawn")
    without = await site.client.get(SIGNING)
    for role in ROLES:
        create_signer(site.settings, role, BOTH[role])
    wrong = await site.send(SIGNING, {"act": "签署方案", **BOTH, "approver": "not this"})
    other_act = await site.send(SIGNING, {"act": "签发证书", **BOTH})
    seen = re.search(r'name="seen" value="(\w{64})"', (await site.client.get(SIGNING)).text)[1]  # type: ignore[index]
    await draw_wave("county-a", "20261125", reason="重抽", actor="yi", now=site.clock())
    unread = await site.send(SIGNING, {"act": "签署方案", **BOTH, "seen": seen})

    assert "还没有经办和签发的签名密钥" in without.text
    assert "要签的方案" in without.text and "490张纸条" in without.text and "达到85%以上" in without.text
    assert "签署以后方案不能再改，先看这" in without.text and "网址是正式的" in without.text
    assert wrong.status_code == 422
    assert "什么也没有改" in wrong.text
    assert "not this" not in wrong.text
    assert other_act.status_code == 409
    # Another one drew again while the page stood open: nobody signs what nobody read.
    assert unread.status_code == 409 and "console.plan_moved" in unread.text and "种子 20261125" in unread.text
    assert (await load_wave("county-a")).state == "drawn"


async def test_one_person_cannot_sign_for_both(site: Site) -> None:
    await site.sign_in()
    await site.wave(until="drawn")
    for role in ROLES:
        create_signer(site.settings, role, PASSWORD)
    reply = await site.send(SIGNING, {"act": "签署方案", **dict.fromkeys(ROLES, PASSWORD)})

    assert reply.status_code == 400
    assert "signers.same_person" in reply.text


async def test_the_figure_of_the_api_is_the_figure_of_the_page(certified: Site) -> None:
    await certified.sign_in()
    page = (await certified.client.get("/console/waves/county-a/results")).text
    api = (
        await certified.client.get(
            "/api/v1/waves/county-a/figure", headers=await certified.token("figure:read")
        )
    ).json()
    taken_part = (
        await certified.client.get(
            "/api/v1/waves/county-a/participation", headers=await certified.token("participation:read")
        )
    ).json()

    assert f'class="figure">{api["percent"]}<' in page
    assert api["certified"] is True
    assert api["seal"]["verify"] == "/v/3"
    assert int(taken_part["returned"]) == api["answers"]


def test_rules_stand_by_how_many_groups_met_them_and_the_one_on_coaching_always() -> None:
    met = [{"indicator": "I7", "domain": domain} for domain in ("A-P", "B-P")]
    first, second = rule_lines(met, {"A-P": "甲小学 家长"})

    assert (first["indicator"], first["n"], first["where"]) == ("I7", 2, "甲小学 家长、B-P")
    assert (second["indicator"], second["n"], second["where"]) == ("I5", 0, "")
    assert first["blind"] and second["honest"]


def test_an_alarm_of_a_running_wave_tells_no_small_count() -> None:
    alarm = Flag("I1", "A-P", "3", "2", "5份里有3份被声明“没填过”", "alarm")

    assert alarm_words(alarm, exact=False) == "声明“没填过”的<10份，多于2份的界限"
    assert alarm_words(alarm, exact=True) == "5份里有3份被声明“没填过”"
