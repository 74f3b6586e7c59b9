"""Waves with their plans, and the one road a wave's state can take.

A wave moves forward only, and every step names the state it expects: check and change are
one statement, so of two people pressing the same button one is told that it is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from survey.canonical import encode
from survey.errors import SurveyError
from survey.scheme.plan import Plan, plan_digest, plan_document, read_plan
from survey.storage.current import transaction
from survey.storage.tables import Plans, Waves

STEPS: dict[str, frozenset[str]] = {
    "draft": frozenset({"framed"}),
    "framed": frozenset({"framed", "drawn"}),
    "drawn": frozenset({"framed", "drawn", "planned"}),
    "planned": frozenset({"open"}),
    "open": frozenset({"paused", "closed"}),
    "paused": frozenset({"open", "closed"}),
    "closed": frozenset({"opened"}),
    "opened": frozenset({"estimated"}),
    "estimated": frozenset({"estimated", "certified"}),
    "certified": frozenset({"certified"}),
}
"""From each state, the states that may follow; nothing that was signed is ever taken back."""

NAMES = {
    "draft": "草稿",
    "framed": "已导入学校名册",
    "drawn": "已抽样",
    "planned": "已签署方案",
    "open": "正在填答",
    "paused": "暂停",
    "closed": "已截止",
    "opened": "已开箱",
    "estimated": "已计算",
    "certified": "已签发",
}
BEFORE_SIGNING = ("draft", "framed", "drawn")


class WaveNotFoundError(SurveyError):
    """There is no wave of that name."""

    code = "storage.wave_not_found"
    kind = "not_found"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "没有找到", "看一看名字是否写对")


class WrongStateError(SurveyError):
    """The wave is not where this step begins."""

    code = "storage.wrong_state"
    kind = "conflict"

    def __init__(self, wave: str, state: str, expected: tuple[str, ...]) -> None:
        wanted = "或".join(NAMES.get(name, name) for name in expected)
        super().__init__(
            f"调查 {wave}",
            f"现在是“{NAMES.get(state, state)}”，这一步要在“{wanted}”时做",
            "刷新后看一看这次调查走到了哪一步",
            state=state,
            expected=list(expected),
        )


@dataclass(frozen=True)
class WaveRow:
    """One line of the list of waves."""

    wave: str
    title: str
    county: str
    state: str
    demonstration: bool
    created_at: datetime
    changed_at: datetime

    @property
    def state_name(self) -> str:
        """The state in Chinese."""
        return NAMES[self.state]


async def save_plan(plan: Plan, *, now: datetime) -> None:
    """Keep a plan; its wave begins as a draft. Once signed a plan can no longer be replaced.

    Raises:
        WrongStateError: the wave's plan has been signed.
    """
    row = {
        Plans.document: encode(plan_document(plan)).decode(),
        Plans.digest: plan_digest(plan),
        Plans.saved_at: now,
    }
    about = {
        Waves.title: plan.title,
        Waves.county: plan.county,
        Waves.demonstration: plan.demonstration,
        Waves.changed_at: now,
    }
    async with transaction():
        known = await Waves.update(about).where(
            Waves.wave == plan.wave, Waves.state.is_in(list(BEFORE_SIGNING))
        ).returning(Waves.wave)
        if known:
            await Plans.update(row).where(Plans.wave == plan.wave)
            return
        if (found := await find_wave(plan.wave)) is not None:
            raise WrongStateError(plan.wave, found.state, BEFORE_SIGNING)
        await Waves.insert(
            Waves({Waves.wave: plan.wave, Waves.state: "draft", Waves.created_at: now, **about})
        )
        await Plans.insert(Plans({Plans.wave: plan.wave, **row}))


async def find_plan(wave: str) -> Plan | None:
    """The plan of a wave, or None."""
    rows = await Plans.select(Plans.document).where(Plans.wave == wave)
    return read_plan(rows[0]["document"]) if rows else None


async def load_plan(wave: str) -> Plan:
    """The plan of a wave; refuses an unknown wave."""
    plan = await find_plan(wave)
    if plan is None:
        raise WaveNotFoundError(wave)
    return plan


async def list_waves() -> tuple[WaveRow, ...]:
    """All waves, the newest first."""
    rows = await Waves.select().order_by(Waves.created_at, ascending=False)
    return tuple(WaveRow(**row) for row in rows)


async def find_wave(wave: str) -> WaveRow | None:
    """One wave's line, or None."""
    rows = await Waves.select().where(Waves.wave == wave)
    return WaveRow(**rows[0]) if rows else None


async def load_wave(wave: str) -> WaveRow:
    """One wave's line; refuses an unknown wave."""
    found = await find_wave(wave)
    if found is None:
        raise WaveNotFoundError(wave)
    return found


async def set_state(wave: str, expected: str | tuple[str, ...], new: str, *, now: datetime) -> None:
    """Take a wave one step on, provided that it stands where the caller thinks.

    Raises:
        WaveNotFoundError: no such wave.
        WrongStateError: it stands elsewhere, or no such step exists from there.
    """
    states = (expected,) if isinstance(expected, str) else tuple(expected)
    allowed = [state for state in states if new in STEPS[state]]
    changed = await Waves.update({Waves.state: new, Waves.changed_at: now}).where(
        Waves.wave == wave, Waves.state.is_in(allowed or ["–"])
    ).returning(Waves.wave)
    if not changed:
        raise WrongStateError(wave, (await load_wave(wave)).state, tuple(allowed) or states)
