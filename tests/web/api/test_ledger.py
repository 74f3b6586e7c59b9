"""Frame, sample and ledger over the API: described, once only, and never over another's act."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from survey.storage.audit import list_audit
from survey.storage.ledger import list_entries

from ..conftest import Site

PATH = "/api/v1/waves/county-a/ledger"
NEW = {"source": "fact", "problem": "课桌不够", "basis": "核查记录第3页"}
START = {"act": "start", "unit": "财政局", "person": "局长", "due_on": "2026-12-20", "measures": "补齐"}


@pytest.fixture
async def headers(certified: Site) -> dict[str, str]:
    await certified.person()
    return await certified.token("waves:read", "frame:read", "ledger:read", "ledger:write")


async def send(site: Site, headers: dict[str, str], path: str, body: Any, key: str) -> Any:
    return await site.client.post(path, json=body, headers={**headers, "Idempotency-Key": key})


async def test_a_retry_gets_the_first_reply_and_does_nothing_twice(
    certified: Site, headers: dict[str, str]
) -> None:
    replies = await asyncio.gather(*(send(certified, headers, PATH, NEW, "one") for _ in range(6)))

    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.content for reply in replies}) == 1
    assert sum("idempotency-replayed" not in reply.headers for reply in replies) == 1
    assert len(await list_entries("county-a")) == 1


async def test_a_key_is_not_taken_for_another_request(certified: Site, headers: dict[str, str]) -> None:
    await send(certified, headers, PATH, NEW, "one")
    other = await send(certified, headers, PATH, NEW | {"problem": "操场不平"}, "one")

    assert (other.status_code, other.json()["code"]) == (409, "api.idempotency_key_in_use")


async def test_a_refused_write_may_be_mended_under_the_same_key(
    certified: Site, headers: dict[str, str]
) -> None:
    refused = await send(certified, headers, PATH, NEW | {"problem": " "}, "one")
    mended = await send(certified, headers, PATH, NEW, "one")

    assert (refused.status_code, refused.json()["faults"][0]["code"]) == (422, "followup.missing")
    assert mended.status_code == 201


async def test_acts_walk_the_road_and_close_needs_another_account(
    certified: Site, headers: dict[str, str]
) -> None:
    await send(certified, headers, PATH, NEW, "a")
    acts = f"{PATH}/1/acts"
    started = await send(certified, headers, acts, START, "b")
    submitted = await send(
        certified, headers, acts, {"act": "submit", "version": 2, "evidence": "验收单"}, "c"
    )
    own = await send(certified, headers, acts, {"act": "close"}, "d")
    stale = await send(certified, headers, acts, {"act": "send_back", "version": 2, "note": "缺照片"}, "e")

    assert [one.status_code for one in (started, submitted, own, stale)] == [200, 200, 403, 409]
    assert submitted.json()["state"] == "to_close"
    assert [entry.what for entry in await list_audit(wave="county-a", limit=3)] == [
        "ledger_submit", "ledger_start", "ledger_open",
    ]  # fmt: skip


async def test_an_act_on_what_somebody_else_has_changed_is_not_done(
    certified: Site, headers: dict[str, str]
) -> None:
    taken = await send(certified, headers, PATH, NEW, "a")
    seen = {**headers, "If-Match": taken.headers["etag"]}
    read = await certified.client.get(f"{PATH}/1", headers=headers)
    started = await send(certified, seen, f"{PATH}/1/acts", START, "b")
    retried = await send(certified, seen, f"{PATH}/1/acts", START, "b")
    late = await send(certified, seen, f"{PATH}/1/acts", {"act": "submit", "evidence": "验收单"}, "c")
    any_state = await send(
        certified, {**headers, "If-Match": "*"}, f"{PATH}/1/acts", {"act": "submit", "evidence": "验收单"}, "d"
    )

    assert read.headers["etag"] == taken.headers["etag"]
    assert [one.status_code for one in (started, retried, late, any_state)] == [200, 200, 412, 200]
    assert late.json()["code"] == "api.changed_since"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "api.not_json"),
        (b'{"source":"fact","problem":"x","basis":"y","more":1}', "application/json", 400, "api.not_json"),
        (b'{"source":"fact","problem":1,"basis":"y"}', "application/json", 400, "api.not_json"),
        (b'{"source":"fact","problem":"x","basis":"y"}', "text/plain", 415, "api.media_type"),
        (b"[" * 100_00, "application/json", 400, "api.not_json"),
        ('{"source":"谁","problem":"x","basis":"y"}'.encode(), "application/json", 422, "survey.faults"),
        (b"\xff\xfe", "application/json", 400, "api.not_json"),
        (b'{"source":"fact","problem":"x","basis":"y","basis":"z"}', "application/json", 400, "api.not_json"),
    ],
)  # fmt: skip
async def test_a_body_that_is_not_as_described_is_refused_in_words(
    certified: Site, headers: dict[str, str], body: bytes, kind: str, status: int, code: str
) -> None:
    reply = await certified.client.post(
        PATH, content=body, headers={**headers, "Content-Type": kind, "Idempotency-Key": "k"}
    )

    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert await list_entries("county-a") == ()


async def test_a_write_without_a_key_is_not_begun(certified: Site, headers: dict[str, str]) -> None:
    reply = await certified.client.post(PATH, json=NEW, headers=headers)

    assert (reply.status_code, reply.json()["code"]) == (400, "api.idempotency_key_missing")


async def test_reading_needs_no_right_to_write(certified: Site, headers: dict[str, str]) -> None:
    await send(certified, headers, PATH, NEW, "a")
    reader = await certified.token("ledger:read")
    page = await certified.client.get(PATH, headers=reader)
    refused = await send(certified, reader, PATH, NEW, "b")

    assert page.json()["items"][0]["problem"] == "课桌不够"
    assert refused.status_code == 403


async def test_frame_and_sample_come_with_their_digests(certified: Site, headers: dict[str, str]) -> None:
    frame = (await certified.client.get("/api/v1/waves/county-a/frame", headers=headers)).json()
    sample = (await certified.client.get("/api/v1/waves/county-a/sample", headers=headers)).json()

    assert len(frame["schools"]) == 56
    assert sample["frame_digest"] == frame["digest"]
    assert sum(one["schools_in_frame"] for one in sample["strata"] if "/" in one["stratum"]) >= 56
