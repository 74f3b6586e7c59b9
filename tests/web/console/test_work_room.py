"""Long jobs: one of a wave and kind at a time, a page with its count, stopped where it is safe, a file to take."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from survey.jobs.signers import ROLES, create_signer
from survey.storage.audit import list_audit
from survey.storage.certificates import list_certificates
from survey.storage.database import Database
from survey.storage.plans import load_wave
from survey.storage.print_files import load_print_file, save_print_file
from survey.storage.results import load_results_digest
from survey.web.console import work_room
from survey.web.console.monitor import WrongNameError
from survey.web.console.work_room import MadeFile, StoppedError, Tell, Work, WorkingError, WorkRoom

from ..conftest import PASSWORD, Site, answer, running
from .test_certify import KEY, PEOPLE, as_person, prepare, step, three

__all__ = ["three"]
WAVE = "/console/waves/county-a"


async def idle(room: WorkRoom) -> None:
    """Wait until nothing is at work; the application runs in a loop of its own."""
    while room.at_work():
        await asyncio.sleep(0.02)


async def test_a_long_job_has_a_page_with_its_count_and_says_how_it_ended(site: Site) -> None:
    await site.sign_in()
    wave = await site.wave("county-a")
    go, room, page = asyncio.Event(), site.app.state.work_room, f"/console/waves/{wave}/work"

    async def long(tell: Tell) -> None:
        tell(0.4, "读答卷 4 / 10")
        await go.wait()

    async def refused(tell: Tell) -> None:
        await go.wait()
        raise WrongNameError(wave)

    none = (await site.client.get(page)).text
    begun = await room.begin(Work(wave, "开箱", "results", "signing", whole="开箱记录已经签下"), long, 0.01)
    running = (await site.client.get(page)).text
    twice = await site.send(f"/console/waves/{wave}/estimate")
    stopped = await site.send(f"/console/waves/{wave}/estimate/stop")
    at_work = (room.at_work(), begun.running)
    go.set()
    await room.end()
    done = (await site.client.get(page)).text
    go.clear()
    await room.begin(Work(wave, "开箱", "results", "signing"), refused, 0.01)
    go.set()
    await room.end()
    ended = (await site.client.get(page)).text

    assert "没有正在做的事" in none and begun.done
    assert "正在开箱：读答卷 4 / 10" in running and 'value="40"' in running and "job.js" in running
    assert "做到一半不能停。</strong>开箱记录已经签下" in running and "/stop" not in running
    assert twice.status_code == 409 and "正在开箱" in twice.text
    # What cannot be stopped goes on, whoever asks.
    assert stopped.status_code == 303 and at_work == (1, True)
    assert "开箱做好了" in done and f"/console/waves/{wave}/results" in done
    assert "没有做成，什么也没有改" in ended and f"/console/waves/{wave}/signing" in ended


async def test_whoever_waits_a_moment_never_meets_the_page_of_a_short_job(site: Site) -> None:
    await site.sign_in()
    wave = await site.wave("county-a")
    early = await site.send(f"/console/waves/{wave}/estimate")

    assert early.status_code == 409 and "正在" not in early.text
    assert site.app.state.work_room.work(wave) is None


async def test_of_one_wave_and_kind_one_job_runs_among_all_processes(database: Database, settings: object) -> None:
    go, one, other = asyncio.Event(), WorkRoom(), WorkRoom()

    async def waiting(tell: Tell) -> None:
        await go.wait()

    def work(wave: str, kind: str) -> Work:
        return Work(wave, kind, "", "", kind=kind)

    async def tried(room: WorkRoom, wave: str, kind: str) -> bool:
        try:
            return (await room.begin(work(wave, kind), waiting, 0.3)).running
        except WorkingError:
            return False

    begun = [await tried(one, "a", "pack"), await tried(one, "a", "pack"), await tried(one, "a", "move")]
    beside = [await tried(one, "a", "answers"), await tried(one, "b", "move"), await tried(one, "b", "pack")]
    elsewhere = await tried(other, "a", "pack")
    go.set()
    await asyncio.gather(one.end(), other.end())
    again = await one.begin(work("a", "pack"), waiting, 5)

    assert begun == [True, False, False]
    assert beside == [True, True, False]
    # On SQLite one process owns the data folder, so a second room is no other process.
    assert elsewhere is not bool(settings.database_url)  # type: ignore[attr-defined]
    assert again.done


async def test_computing_is_stopped_between_two_steps_and_nothing_of_it_is_kept(
    certified: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from survey.storage.tables import Waves

    await certified.sign_in()
    await Waves.update({Waves.state: "opened"}).where(Waves.wave == "county-a")
    before, room = await load_results_digest("county-a"), certified.app.state.work_room
    monkeypatch.setattr(work_room, "PATIENCE", 0.0)
    begun = await certified.send(f"{WAVE}/estimate")
    running = (await certified.client.get(f"{WAVE}/work")).text
    stop = await certified.send(f"{WAVE}/estimate/stop")
    await idle(room)
    page = (await certified.client.get(f"{WAVE}/work")).text
    acts = [entry.what for entry in await list_audit(wave="county-a", limit=3)]
    stands = (await load_wave("county-a")).state
    monkeypatch.setattr(work_room, "PATIENCE", 60.0)
    again = await certified.send(f"{WAVE}/estimate")

    assert (begun.headers["location"], stop.headers["location"]) == (f"{WAVE}/work",) * 2
    assert f'action="{WAVE}/estimate/stop"' in running and "不能停" not in running
    assert "计算停下了" in page and "什么也没有改" in page and 'class="summary"' not in page
    assert stands == "opened" and await load_results_digest("county-a") == before
    assert acts[0] == "stop_work" and "estimate_wave" not in acts[:1]
    assert again.headers["location"] == f"{WAVE}/results" and (await load_wave("county-a")).state == "estimated"


async def test_a_file_that_takes_long_is_taken_from_the_page_of_its_job(
    certified: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await certified.sign_in()
    room = certified.app.state.work_room
    at_once = await certified.send(f"{WAVE}/pack")
    monkeypatch.setattr(work_room, "PATIENCE", 0.0)
    begun = await certified.send(f"{WAVE}/pack")
    early = await certified.client.get(f"{WAVE}/pack/file")
    twice = await certified.send(f"{WAVE}/pack")
    await idle(room)
    page = (await certified.client.get(f"{WAVE}/pack")).text
    link = re.search(r'<a class="button" href="([^"]+)">下载', page)
    assert link is not None, page
    files = await asyncio.gather(*(certified.client.get(link[1]) for _ in range(2)))
    await certified.send(f"{WAVE}/pack")
    await certified.send(f"{WAVE}/pack/stop")
    await idle(room)
    stopped = (await certified.client.get(f"{WAVE}/pack")).text
    gone = await certified.client.get(f"{WAVE}/pack/file")
    acts = [entry.what for entry in await list_audit(wave="county-a", limit=5)]

    assert at_once.status_code == 200 and at_once.content == files[0].content == files[1].content
    assert int(at_once.headers["content-length"]) == len(at_once.content)
    assert "%E5%BB%BA%E6%A1%A3.zip" in files[0].headers["content-disposition"]
    assert len(ZipFile(BytesIO(files[0].content)).namelist()) > 40
    assert begun.status_code == 303 and begun.headers["location"] == f"{WAVE}/pack"
    assert early.status_code == gone.status_code == 404 and "console.no_made_file" in early.text
    assert twice.status_code == 409 and "正在装建档包" in twice.text
    assert "装建档包停下了" in stopped
    assert acts == ["stop_work", "download_made", "download_made", "pack_wave", "pack_wave"]


async def test_certifying_goes_on_without_whoever_began_and_its_page_says_why_it_is_whole(
    three: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = three.app.state.work_room
    monkeypatch.setattr(work_room, "PATIENCE", 0.0)
    begun = await prepare(three)
    running = (await three.client.get(f"{WAVE}/work")).text
    packing = await three.send(f"{WAVE}/pack")
    await idle(room)
    await step(three, "yi", "review")
    await idle(room)
    signing = await step(three, "bing", "sign", passphrase=KEY["approver"])
    room.stop("county-a")
    await idle(room)
    ended = (await three.client.get(f"{WAVE}/work")).text
    again = await step(three, "bing", "sign", passphrase=KEY["approver"])
    await idle(room)
    refused = (await three.client.get(f"{WAVE}/work")).text
    trail = [(entry.what, entry.details.get("why")) for entry in await list_audit(wave="county-a", limit=1)]
    folder = three.settings.out / "county-a"

    assert begun.headers["location"] == signing.headers["location"] == f"{WAVE}/work"
    assert "正在经办" in running and "说不清签没签" in running and "/stop" not in running
    assert packing.status_code == 409 and "正在经办" in packing.text
    # Told to stop, it is whole all the same.
    assert "签发做好了" in ended and f"{WAVE}/certificate" in ended
    assert len(await list_certificates("county-a")) == 2
    assert sorted(path.name for path in folder.iterdir()) == [
        "bundle.zip", "certificate.json", "certificate.pdf", "report.pdf",
    ]  # fmt: skip
    assert (folder / "certificate.json").read_bytes() == (await list_certificates("county-a"))[-1].data
    assert again.status_code == 303 and "certify.not_this_step" in refused and f"{WAVE}/certify" in refused
    assert trail == [("certify_step", "certify.not_this_step")]


async def test_only_who_may_begin_a_job_may_stop_it_or_take_its_file(certified: Site) -> None:
    go, room = asyncio.Event(), certified.app.state.work_room
    made = MadeFile.begin(certified.settings.data, "答卷.zip")

    async def answers(tell: Callable[[float, str], None]) -> None:
        await go.wait()
        tell(1, "")

    await certified.sign_in("lin", ("auditor",))
    work = Work("county-a", "导出答卷", "", "results", kind="answers", stop_at="answers/stop", right="answers.export")
    work.made = made
    await room.begin(work, answers, 0.0)
    asked = [await certified.client.get(f"{WAVE}/answers{tail}") for tail in ("", "/file")]
    asked.append(await certified.send(f"{WAVE}/answers/stop"))
    running = work.running and not work.stopping
    room.stop("county-a", "answers")
    go.set()
    await idle(room)

    assert [reply.status_code for reply in asked] == [403] * 3
    assert running and isinstance(work.refusal, StoppedError)
    assert [path for path in certified.settings.data.iterdir() if path.name.endswith(".zip")] == []


async def test_a_job_page_of_a_file_says_what_to_do_where_nothing_was_made(certified: Site) -> None:
    await certified.sign_in("bing", ("approver", "admin"))
    pages = {kind: (await certified.client.get(f"{WAVE}/{kind}")).text for kind in ("pack", "answers", "certify/request")}

    assert f'href="{WAVE}/certificate">去装建档包' in pages["pack"]
    assert f'href="{WAVE}/results">去导出答卷' in pages["answers"]
    assert f'href="{WAVE}/certify">去准备签名请求' in pages["certify/request"]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where the books are kept: in a file, or at a PostgreSQL server."""
    return request.getfixturevalue("postgres_url") if request.param == "postgres" else None


@pytest.fixture
async def office(url: str | None, tmp_path: Path) -> AsyncIterator[Site]:
    """A site over either database."""
    async with running(tmp_path / "data", url) as site:
        yield site


@pytest.mark.slow
async def test_a_wave_goes_its_whole_road_by_pages_of_jobs_alone(office: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_room, "PATIENCE", 0.0)
    room, road = office.app.state.work_room, []
    for role in ROLES:
        create_signer(office.settings, role, KEY[role])
    await office.wave(until="drawn")
    for name, role in PEOPLE.items():
        await office.person(name, (role,))
    await office.sign_in("all", ("admin", "operator", "approver"))

    async def gone(path: str, fields: dict[str, str] | None = None) -> None:
        reply = await office.send(f"{WAVE}/{path}", fields)
        await idle(room)
        page = (await office.client.get(reply.headers["location"])).text
        road.append((path, reply.headers["location"].rpartition("/")[2], "做好了" in page, (await load_wave("county-a")).state))

    await gone("signing", {"act": "签署方案", **KEY})
    codes = load_print_file(office.settings, "county-a")
    await office.send(f"{WAVE}/publish", {"confirm": "county-a"})
    save_print_file(office.settings, "county-a", codes)
    await answer(office.office, office.settings, "county-a")
    await gone("signing", {"act": "结束填写", "confirm": "county-a", **KEY})
    await gone("signing", {"act": "开箱", **KEY})
    await gone("estimate")
    for name, what, fields in (
        ("jia", "prepare", {"passphrase": KEY["operator"]}),
        ("yi", "review", {}),
        ("bing", "sign", {"passphrase": KEY["approver"]}),
    ):
        await as_person(office, name)
        await gone(f"certify/{what}", {"password": PASSWORD, **fields})
    await as_person(office, "all")
    await gone("pack")
    await gone("answers")
    files = [await office.client.get(f"{WAVE}/{kind}/file") for kind in ("pack", "answers")]

    assert road == [
        ("signing", "work", True, "planned"),
        ("signing", "work", True, "closed"),
        ("signing", "work", True, "opened"),
        ("estimate", "work", True, "estimated"),
        ("certify/prepare", "work", True, "estimated"),
        ("certify/review", "work", True, "estimated"),
        ("certify/sign", "work", True, "certified"),
        ("pack", "pack", True, "certified"),
        ("answers", "answers", True, "certified"),
    ]
    assert [ZipFile(BytesIO(file.content)).testzip() for file in files] == [None, None]
