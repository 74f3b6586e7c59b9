"""What falls due when: which stored things must go, and what was erased already, wave by wave.

A signed plan says for how many days answers are kept for objections and checks; what still
shows slip codes goes when the wave opens. The list names the day, so that nobody must
remember it; what was erased stays on the list with its record.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from survey.jobs.erase_answers import ERASURE, erase_due_on
from survey.jobs.receive_response import OFFICE_TIME
from survey.settings import Settings
from survey.storage.evidence import evidence_digests, find_evidence
from survey.storage.plans import list_waves
from survey.storage.print_files import has_print_file
from survey.storage.states import BEFORE_SIGNING

SOON = timedelta(days=14)
STATES = {"kept": "保留中", "soon": "快到期", "due": "已到期", "erased": "已销毁"}


@dataclass(frozen=True)
class DueItem:
    """One thing that is kept, until when, and what is to be done then."""

    wave: str
    title: str
    what: str
    due_on: str
    state: str
    command: str
    record: str = ""

    def document(self) -> dict[str, Any]:
        """The item as plain JSON."""
        return asdict(self)


async def due_list(settings: Settings, *, now: datetime) -> tuple[DueItem, ...]:
    """Everything with an end, the most urgent first."""
    today = now.astimezone(OFFICE_TIME).date()
    items: list[DueItem] = []
    papers = await evidence_digests("plan.json", "extension", ERASURE)
    for row in await list_waves():
        if row.state in BEFORE_SIGNING:
            continue
        if has_print_file(settings, row.wave):
            state = "kept" if row.state == "planned" else "due"
            items.append(
                DueItem(row.wave, row.title, "带填写码的打印文件", "发布时", state, f"survey publish {row.wave}")
            )
        there = papers.get(row.wave, {})
        if "plan.json" not in there:
            continue  # no plan was signed, so none promises a date
        due = await _due_on(row.wave, frozenset(there.values()))
        record = await find_evidence(row.wave, ERASURE) if ERASURE in there else None
        told = json.loads(record) if record else None
        items.append(
            DueItem(
                row.wave,
                row.title,
                "答卷、盐、密封件和两半钥匙",
                due.isoformat(),
                "erased" if told else state_on(due, today),
                f"survey erase {row.wave}",
                f"{told['at']}，{told['by']}，{told['boxes']}份" if told else "",
            )
        )
    order = ("due", "soon", "kept", "erased")
    return tuple(sorted(items, key=lambda item: (order.index(item.state), item.due_on, item.wave)))


_DUE: dict[frozenset[str], date] = {}
"""Digests of a signed plan and its extensions, which never change, to the last day of keeping."""


async def _due_on(wave: str, papers: frozenset[str]) -> date:
    if papers not in _DUE:
        _DUE[papers] = await erase_due_on(wave)
    return _DUE[papers]


def state_on(due: date, today: date) -> str:
    """Whether something kept until `due` is to go.

    >>> state_on(date(2027, 3, 5), date(2027, 3, 5)), state_on(date(2027, 3, 5), date(2027, 3, 6))
    ('soon', 'due')
    """
    return "due" if today > due else "soon" if today + SOON >= due else "kept"
