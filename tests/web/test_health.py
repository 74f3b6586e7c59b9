"""Health, readiness and metrics: true, quick to ask, and silent about results and people."""

from __future__ import annotations

import importlib.util
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from survey.jobs import check_health as health
from survey.jobs.due_list import due_list
from survey.storage.audit import record_audit
from survey.storage.backups import BackupRow, save_backup
from survey.storage.intake import StorageFullError
from survey.storage.webhooks import (
    EVENTS,
    PAUSES,
    announce,
    claim_message,
    end_webhook,
    save_webhook,
    settle_message,
)

from .conftest import NOW, Site

spec = importlib.util.spec_from_file_location(
    "fielding", Path(__file__).parents[1] / "storage" / "fielding.py"
)
fielding = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fielding)


async def lines(site: Site) -> dict[str, health.HealthLine]:
    return {line.key: line for line in await health.check_health(site.settings, site.office, now=site.clock())}


async def figures(site: Site) -> dict[str, float]:
    reply = await site.client.get("/metrics", headers=await site.token("metrics:read"))
    assert reply.status_code == 200
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


async def test_a_well_platform_is_ready_and_tells_strangers_one_word_each(site: Site) -> None:
    reply = await site.client.get("/ready")

    assert (await site.client.get("/health")).text == "ok"
    assert reply.status_code == 200 and reply.json() == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok", "intake": "ok", "disk": "ok", "clock": "ok"},
    }


async def test_a_full_disk_is_not_ready_and_recovers_by_itself(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StorageFullError

    monkeypatch.setattr(site.office, "check_disk", full)
    seen = (await lines(site))["disk"]
    reply = await site.client.get("/ready")
    monkeypatch.undo()

    assert seen.state == "bad" and seen.remedy
    assert reply.status_code == 503 and reply.json()["checks"]["disk"] == "bad" and "retry-after" in reply.headers
    assert (await lines(site))["disk"].state == "ok"


async def test_a_clock_that_was_set_back_is_noticed(site: Site) -> None:
    await record_audit("test", "create_wave", "x", now=NOW)
    site.clock.now = NOW - timedelta(hours=1)

    assert (await lines(site))["clock"].state == "bad"


async def test_a_database_that_cannot_be_written_is_not_ready(site: Site) -> None:
    assert site.database.engine is not None
    await site.database.engine.run_ddl("PRAGMA busy_timeout=20")
    stranger = sqlite3.connect(site.settings.database_file, isolation_level=None)
    stranger.execute("BEGIN EXCLUSIVE")
    try:
        seen = await lines(site)
    finally:
        stranger.close()

    assert seen["database"].state == "bad" and not health.is_ready(tuple(seen.values()))


async def test_the_age_of_the_last_backup_is_told(site: Site) -> None:
    none = (await lines(site))["backup"]
    await save_backup(BackupRow("d" * 64, NOW - timedelta(hours=3), 10, 7))
    fresh = (await lines(site))["backup"]
    site.clock.now = NOW + timedelta(days=3)
    old = (await lines(site))["backup"]

    assert (none.state, fresh.state, old.state) == ("watch", "ok", "watch")
    assert "3小时" in fresh.seen and old.remedy


async def test_readiness_is_looked_at_once_however_often_it_is_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    real = health.check_health

    async def counted(*given: object, **named: object) -> object:
        nonlocal looks
        looks += 1
        return await real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("survey.web.health.check_health", counted)
    for _ in range(50):
        await site.client.get("/ready")

    assert looks == 1


async def test_metrics_need_a_token_of_their_own_scope(site: Site) -> None:
    await site.person()
    bare = await site.client.get("/metrics")
    other = await site.client.get("/metrics", headers=await site.token("figure:read", "participation:read"))

    assert (bare.status_code, other.status_code) == (401, 403)


async def test_metrics_count_what_was_kept_and_refused_and_name_no_wave(site: Site) -> None:
    await site.person()
    slips = await fielding.begin(site.office, 5, wave="marker-wave")
    key = bytes(32)
    for one in (
        fielding.entry(slips[0], key),
        fielding.entry(slips[0], key),
        fielding.entry(slips[0]),
        fielding.entry(slips[1]),
    ):
        await site.office.submit("marker-wave", one)
    await site.office.set_state("marker-wave", "open", "paused")
    await site.office.submit("marker-wave", fielding.entry(slips[2]))
    told = await figures(site)
    text = (await site.client.get("/metrics", headers=await site.token("metrics:read"))).text

    assert told["survey_posts_acknowledged_total new"] == 2
    assert told["survey_posts_acknowledged_total repeated"] == 1
    assert told["survey_posts_refused_total AlreadyUsed"] == told["survey_posts_refused_total NotOpen"] == 1
    assert told["survey_commit_entries_sum"] == 5 and told["survey_commit_seconds_sum"] > 0
    assert told["survey_queue_depth"] == told["survey_background_jobs"] == 0
    assert told["process_resident_memory_bytes"] > 10_000_000 and told["survey_disk_free_bytes"] > 0
    assert "marker" not in text and "0001-P" not in text


async def test_what_was_refused_and_what_did_not_arrive_is_counted_and_told(site: Site) -> None:
    await site.person()
    await site.wave("county-a")
    hook = await save_webhook("demo", "督导系统", "https://system.example/x", now=NOW)
    gone = await save_webhook("demo", "旧的", "https://old.example/x", now=NOW)
    for event in EVENTS:
        await announce(event, "county-a", {"number": 1}, now=NOW)
    await end_webhook(gone.id, now=NOW)
    claimed = await claim_message(now=NOW)
    assert claimed is not None
    await settle_message(claimed, "HTTP 500", delivered=False, now=NOW)
    while (claimed := await claim_message(now=NOW + timedelta(seconds=1))) is not None:
        last = replace(claimed, tries=len(PAUSES) + 1)
        await settle_message(last, "HTTP 500", delivered=last.event == EVENTS[1], now=NOW)
    await site.client.get("/api/v1/waves")
    told, seen = await figures(site), (await lines(site))["webhooks"]
    site.clock.now = NOW + timedelta(days=8)
    after = await lines(site)

    assert claimed is None and hook.id != gone.id
    assert (told["survey_webhook_messages waiting"], told["survey_webhook_messages given_up"]) == (1, 1)
    assert told["survey_responses_total 4xx"] == 1 and told["survey_responses_total 5xx"] == 0
    assert (seen.state, after["webhooks"].state) == ("watch", "ok") and "1条没有送到" in seen.seen and seen.remedy


async def test_metrics_count_mistyped_codes_and_faulty_forms_by_reason(site: Site) -> None:
    await site.person()
    for typed in ("7KQ4", "8WYJ-4VMN-K448", "8WYJ-4VMN-K449", "ÄÄÄÄÄÄÄÄÄÄÄÄ"):
        assert (await site.client.post("/s", data={"code": typed})).status_code == 422
    assert (await site.client.post("/s/dispute", data={"code": "7KQ4"})).status_code == 422
    told = await figures(site)
    text = (await site.client.get("/metrics", headers=await site.token("metrics:read"))).text

    assert told["survey_codes_mistyped_total length"] == 2
    assert {why: told[f"survey_codes_mistyped_total {why}"] for why in ("sign", "check", "unknown")} == {
        "sign": 1,
        "check": 1,
        "unknown": 1,
    }
    assert "8WYJ" not in text


async def test_the_health_page_says_state_reason_and_remedy(site: Site) -> None:
    await site.sign_in()
    page = (await site.client.get("/console/health")).text

    for text in ("运行情况", "还没有备份过", "survey backup", "SURVEY_LAST_HEADS", "保留到哪一天"):
        assert text in page
    assert str(site.settings.data) not in page


async def test_a_damaged_wave_is_red_by_name_and_keeps_nobody_from_the_others(site: Site) -> None:
    for wave in ("north-1", "south-1"):
        slips = await fielding.begin(site.office, 5, wave=wave)
    await site.office.stop()
    (site.settings.intake / "north-1.db").write_bytes(b"no database " * 1000)
    await site.office.start()
    await site.office.submit("south-1", fielding.entry(slips[0]))
    await site.sign_in()
    seen, told = await lines(site), await figures(site)
    page = (await site.client.get("/console/health")).text
    ready = await site.client.get("/ready")
    code = await site.client.get("/s/8WYJ4VMNK448"), await site.client.get("/s/8WYJ4VMNK449")

    assert (seen["wave:north-1"].state, seen["intake"].state, ready.status_code) == ("bad", "ok", 200)
    assert told["survey_waves_damaged"] == told["survey_waves_read_only"] == told["survey_waves_served"] == 1
    for text in ("north-1", "文件已损坏", "survey restore", "要处理"):
        assert text in page
    assert sorted(reply.status_code for reply in code) == [422, 503]
    paused = next(reply for reply in code if reply.status_code == 503)
    assert "调查暂停了" in paused.text and int(paused.headers["retry-after"]) >= 60


async def test_nothing_falls_due_before_a_plan_is_signed(site: Site) -> None:
    await site.wave(until="drawn")

    assert await due_list(site.settings, now=NOW) == ()
