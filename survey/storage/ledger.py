"""The problem ledger: entries of a wave, saved only over the version that was read."""

from __future__ import annotations

from typing import Any

from survey.canonical import decode, encode
from survey.errors import SurveyError
from survey.followup.ledger import LedgerEntry, read_entry
from survey.storage.areas import areas_of
from survey.storage.branch import everywhere, is_below_county
from survey.storage.current import take_turn, transaction
from survey.storage.tables import LedgerEntries


class EntryNotFoundError(SurveyError):
    """The wave's ledger has no such number."""

    code = "storage.ledger_entry_not_found"
    kind = "not_found"

    def __init__(self, wave: str, number: int) -> None:
        super().__init__(f"调查 {wave} 的台账", f"没有第{number}号", "看一看编号是否写对")


class EntryChangedError(SurveyError):
    """Somebody else acted on the entry in the meantime."""

    code = "storage.ledger_entry_changed"
    kind = "conflict"

    def __init__(self, number: int, newest: LedgerEntry) -> None:
        last = newest.history[-1]
        super().__init__(
            f"台账第{number}号",
            f"您打开以后，{last.who}已经做了“{last.name}”，现在是“{newest.state_name}”",
            "您的改动没有保存；刷新后再做",
            newest=newest.document(),
        )


class AlreadyTakenUpError(SurveyError):
    """The same row, fact or text is in the ledger already."""

    code = "storage.ledger_already_taken_up"
    kind = "conflict"

    def __init__(self, entry: LedgerEntry) -> None:
        super().__init__(f"“{entry.problem}”", "台账里已经有这个来源的问题", "在已有的那一条上继续")


class AboutOthersError(SurveyError):
    """The problem would be about schools that whoever writes it may not see."""

    code = "storage.ledger_about_others"
    kind = "invalid"

    def __init__(self, about: str) -> None:
        super().__init__(
            "新问题", f"写的是“{about[:20] or '全县'}”，不是您管的学校", "写本责任区的代码，或其中一所学校的标识码"
        )


async def next_number(wave: str) -> int:
    """The number a new entry gets; ask for it inside the transaction that saves the entry."""
    await take_turn(f"ledger.{wave}")
    with everywhere():
        last = (
            await LedgerEntries.select(LedgerEntries.number)
            .where(LedgerEntries.wave == wave)
            .order_by(LedgerEntries.number, ascending=False)
            .limit(1)
        )
    return int(last[0]["number"]) + 1 if last else 1


async def add_entry(entry: LedgerEntry) -> None:
    """Keep a new entry.

    Raises:
        AlreadyTakenUpError: its source is in the ledger already.
        AboutOthersError: somebody below the county writes about what is not theirs.
    """
    async with transaction():
        if is_below_county():
            own = await areas_of(entry.wave)
            if not entry.about or entry.about not in {*own, *own.values()}:
                raise AboutOthersError(entry.about)
        with everywhere():
            taken = await LedgerEntries.exists().where(
                LedgerEntries.wave == entry.wave,
                LedgerEntries.source == entry.source,
                LedgerEntries.source_key == entry.source_key,
            )
        if taken:
            raise AlreadyTakenUpError(entry)
        await LedgerEntries.insert(
            LedgerEntries(
                {
                    LedgerEntries.wave: entry.wave,
                    LedgerEntries.number: entry.number,
                    LedgerEntries.source: entry.source,
                    LedgerEntries.source_key: entry.source_key,
                    LedgerEntries.about: entry.about,
                    **_moving(entry),
                }
            )
        )


async def save_entry(entry: LedgerEntry, read_version: int) -> None:
    """Keep an entry over the version that its act began from.

    Raises:
        EntryChangedError: somebody else acted on it in the meantime.
        EntryNotFoundError: it is not there at all.
    """
    changed = (
        await LedgerEntries.update(_moving(entry))
        .where(
            LedgerEntries.wave == entry.wave,
            LedgerEntries.number == entry.number,
            LedgerEntries.version == read_version,
        )
        .returning(LedgerEntries.number)
    )
    if not changed:
        raise EntryChangedError(entry.number, await load_entry(entry.wave, entry.number))


async def load_entry(wave: str, number: int) -> LedgerEntry:
    """One entry; refuses an unknown number."""
    rows = await LedgerEntries.select(LedgerEntries.document).where(
        LedgerEntries.wave == wave, LedgerEntries.number == number
    )
    if not rows:
        raise EntryNotFoundError(wave, number)
    return read_entry(decode(rows[0]["document"].encode()))


async def list_entries(wave: str) -> tuple[LedgerEntry, ...]:
    """Every entry of a wave, by number."""
    rows = (
        await LedgerEntries.select(LedgerEntries.document)
        .where(LedgerEntries.wave == wave)
        .order_by(LedgerEntries.number)
    )
    return tuple(read_entry(decode(row["document"].encode())) for row in rows)


def _moving(entry: LedgerEntry) -> dict[Any, Any]:
    return {
        LedgerEntries.state: entry.state,
        LedgerEntries.due_on: None if entry.due_on is None else entry.due_on.isoformat(),
        LedgerEntries.version: entry.version,
        LedgerEntries.document: encode(entry.document()).decode(),
    }
