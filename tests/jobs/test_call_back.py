"""Call-backs: drawn by chance, recorded once, closed by the opening, and what they make of the figure."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections import Counter
from typing import Any

import msgspec
import pytest

from survey import canonical
from survey.certification.archive import unpack
from survey.certification.verification import verify_file
from survey.errors import FaultsError
from survey.fieldwork.callbacks import ANSWER, DAY, RESULT, TICKET, CallBackRefusedError
from survey.jobs.call_back import calling, draw_callbacks, key_items, record_callbacks
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.open_wave import open_wave
from survey.jobs.plan_rules import RuleMovedError
from survey.jobs.receive_response import receive_response
from survey.jobs.sign_plan import sign_plan
from survey.scheme.plan import example_plan_text, read_plan
from survey.storage.audit import list_audit
from survey.storage.callbacks import list_calls, list_tickets
from survey.storage.evidence import load_evidence
from survey.storage.plans import load_plan
from survey.storage.samples import load_sample
from survey.storage.states import WrongStateError
from survey.storage.tables import CallBacks, CallBackTickets, Evidence, Plans

from .conftest import NOW, Bureau, bureau_at, sqlite_at

QUOTA_GROUPS = tuple(
    msgspec.structs.replace(entry, mode="quota") if entry.group == "parent" else entry
    for entry in read_plan(example_plan_text()).groups
)


def filled(people: list[Any], items: dict[str, Any], best: bool = True) -> list[dict[str, str]]:
    """The list as callers give it back: everybody answered, with the best or the worst option."""
    rows = []
    for one in people:
        scored = items[one.draw.domain].answer_scale.scored
        answer = str(scored[0 if best else -1].value)
        rows.append({TICKET: one.ticket, RESULT: "答了", DAY: "2026-11-24", ANSWER: answer})
    return rows


async def test_a_list_is_drawn_once_and_each_ticket_is_spent_once(bureau: Bureau) -> None:
    await bureau.act(sign_plan)
    await bureau.publish()
    people = await draw_callbacks(bureau.wave, 30, **bureau.by)
    items = await key_items(bureau.wave, await load_plan(bureau.wave))
    rows = filled(people[:20], items)
    rows += [{TICKET: people[20].ticket, RESULT: "没打通", DAY: "2026-11-24", ANSWER: ""}]
    added = await record_callbacks(bureau.wave, rows, **bureau.by)
    with pytest.raises(FaultsError) as again:
        await record_callbacks(bureau.wave, rows[:1], **bureau.by)
    with pytest.raises(CallBackRefusedError, match="只抽一次"):
        await draw_callbacks(bureau.wave, 30, **bureau.by)
    kept, tickets = await list_calls(bureau.wave), await list_tickets(bureau.wave)
    audit = "".join(str(entry) for entry in await list_audit(50))

    assert max(Counter(one.draw.group for one in people).values()) == 30
    assert all(1 <= one.place <= one.draw.eligible for one in people)
    assert len({(one.draw.domain, one.place) for one in people}) == len(people) == len(tickets)
    assert added == {"interviewed": 20, "not_reached": 1}
    assert "已经登记过" in str(again.value)
    assert len(kept) == 21 == sum(spent for _, spent in tickets.values())
    assert not {one.ticket for one in people} & {row["id"] for row in await CallBacks.select(CallBacks.id)}
    assert all(one.ticket not in audit for one in people)
    assert sum(one.outcomes["interviewed"] for one in await calling(bureau.wave)) == 20

    await bureau.act(close_wave)
    await bureau.act(open_wave)
    opening = json.loads(await load_evidence(bureau.wave, "opening.json"))
    with pytest.raises(WrongStateError):
        await record_callbacks(bureau.wave, filled(people[21:22], items), **bureau.by)
    late = CallBacks(
        wave=bureau.wave, id="x", domain="d", outcome="refused", called_on="2026-11-24", answer=None
    )
    for around, told in (
        (CallBacks.insert(late), "opened"),
        (CallBacks.update({CallBacks.answer: 1}, force=True), "append-only|opened"),
        (CallBacks.delete(force=True), "append-only"),
        (CallBackTickets.update({CallBackTickets.spent: 0}, force=True), "opened"),
        (CallBackTickets.delete(force=True), "append-only"),
        (Evidence.delete(force=True), "append-only"),
    ):
        with pytest.raises(Exception, match=told):
            await around

    assert opening["callbacks"] == 20
    assert len(await list_calls(bureau.wave)) == 21


@pytest.fixture(scope="module")
def quota_folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A closed wave of parents who answered by a quota poster, all satisfied; 199 were called, none was."""
    folder = tmp_path_factory.mktemp("quota") / "data"

    async def make() -> None:
        async with bureau_at(sqlite_at(folder)) as bureau:
            await bureau.draw(groups=QUOTA_GROUPS, pass_with_class_b=True)
            await bureau.go("open")
            people = await draw_callbacks(bureau.wave, 210, ["parent"], **bureau.by)
            items = await key_items(bureau.wave, await load_plan(bureau.wave))
            for draw in (await load_sample(bureau.wave)).domains:
                item = items[draw.domain]
                for _ in range(3 if draw.group == "parent" else 0):
                    best = {item.id: item.answer_scale.scored[0].value}
                    await receive_response(
                        bureau.office, bureau.wave, draw.domain, os.urandom(16), best, now=NOW
                    )
            await bureau.answer()
            await record_callbacks(bureau.wave, filled(people[:199], items, best=False), **bureau.by)
            await bureau.act(close_wave)

    asyncio.run(make())
    return folder


@pytest.mark.parametrize(("more", "decided"), [(0, False), (1, True)])
async def test_a_quota_poster_is_judged_only_with_two_hundred_calls(
    quota_folder: Any, tmp_path: Any, more: int, decided: bool
) -> None:
    shutil.copytree(quota_folder, tmp_path / "data")
    async with bureau_at(sqlite_at(tmp_path / "data")) as bureau:
        if more:
            tickets = await list_tickets(bureau.wave)
            free = next(ticket for ticket, (_, spent) in sorted(tickets.items()) if not spent)
            row = {TICKET: free, RESULT: "答了", DAY: "2026-11-24", ANSWER: "非常满意"}
            await record_callbacks(bureau.wave, [row], **bureau.by)
        await bureau.act(open_wave)
        shown = await estimate_wave(bureau.office, bureau.wave, **bureau.by)
        issued = await bureau.act(certify_wave)
        members, _ = unpack(issued.bundle.read_bytes())
        statement = canonical.decode(members["statement.json"])
        flags = [flag for flag in statement["flags"] if flag["indicator"] == "I4"]

        assert verify_file(issued.bundle.read_bytes()).exit_code == 0
        assert statement["callbacks"] == shown["callbacks"] == 199 + more
        assert (statement["reached"] is not None) == (shown["reached"] is not None) == decided
        assert statement["evidence_class"] == "B" and "interval" not in statement
        assert [(flag["domain"], flag["enters"]) for flag in flags] == [("parent", "beside")]


async def test_a_quota_poster_is_not_judged_when_the_plan_does_not_say_so(
    quota_folder: Any, tmp_path: Any
) -> None:
    shutil.copytree(quota_folder, tmp_path / "data")
    async with bureau_at(sqlite_at(tmp_path / "data")) as bureau:
        await bureau.act(open_wave)
        await estimate_wave(bureau.office, bureau.wave, **bureau.by)
        stored = (await Plans.select(Plans.document).where(Plans.wave == bureau.wave))[0]["document"]
        silent = stored.replace('"pass_with_class_b":true,', "")
        assert silent != stored
        await Plans.update({Plans.document: silent}).where(Plans.wave == bureau.wave)
        with pytest.raises(RuleMovedError, match="pass_with_class_b"):
            await bureau.act(certify_wave)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({TICKET: "FFFFFFFFFF"}, "没有回访号"),
        ({RESULT: "好"}, "读不懂"),
        ({DAY: "2026-11-23"}, "不是调查开始以后的日子"),
        ({DAY: "2099-01-01"}, "不是调查开始以后的日子"),
        ({ANSWER: "77"}, "没有“77”这个选项"),
        ({RESULT: "不愿答"}, "没有答的人不能有答案"),
    ],
)
async def test_what_callers_wrote_wrongly_is_named_and_nothing_is_kept(
    called_folder: Any, change: dict[str, str], told: str
) -> None:
    async with bureau_at(sqlite_at(called_folder)) as bureau:
        free = [
            ticket for ticket, (_, spent) in sorted((await list_tickets(bureau.wave)).items()) if not spent
        ]
        row = {TICKET: free[0], RESULT: "答了", DAY: "2026-11-24", ANSWER: "5"}
        with pytest.raises(FaultsError) as refused:
            await record_callbacks(bureau.wave, [row | {TICKET: free[1]}, row | change], **bureau.by)

        assert told in str(refused.value) and "第3行" in str(refused.value)
        assert await list_calls(bureau.wave) == ()


@pytest.fixture(scope="module")
def called_folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A data folder with an open wave and a drawn list."""
    folder = tmp_path_factory.mktemp("called") / "data"

    async def make() -> None:
        async with bureau_at(sqlite_at(folder)) as bureau:
            await bureau.draw()
            await bureau.go("open")
            await draw_callbacks(bureau.wave, 5, **bureau.by)

    asyncio.run(make())
    return folder
