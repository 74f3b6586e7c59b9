"""Call-backs of a wave: tickets that were drawn, and apart from them what was said.

A ticket is spent and the answer kept in one transaction, under keys that do not lead from one
to the other. The database refuses both from the moment the opening is signed (migration 0010).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from survey.fieldwork.callbacks import CallBack
from survey.storage.current import take_turn, transaction
from survey.storage.tables import CallBacks, CallBackTickets


@dataclass(frozen=True)
class Recorded:
    """One call as it is kept: the domain, what became of it, the day, the answer."""

    domain: str
    outcome: str
    on: str
    answer: int | None


async def save_tickets(wave: str, drawn: Iterable[tuple[str, str]]) -> None:
    """Keep (ticket, domain) of everybody who was drawn."""
    rows = [CallBackTickets(wave=wave, ticket=t, domain=d, spent=0) for t, d in sorted(drawn)]
    async with transaction():
        for at in range(0, len(rows), 200):
            await CallBackTickets.insert(*rows[at : at + 200])


async def list_tickets(wave: str) -> dict[str, tuple[str, bool]]:
    """Ticket → its domain, and whether it is spent."""
    rows = await CallBackTickets.select().where(CallBackTickets.wave == wave)
    return {row["ticket"]: (row["domain"], bool(row["spent"])) for row in rows}


async def save_calls(wave: str, calls: Sequence[tuple[CallBack, str]]) -> None:
    """Spend the tickets of some calls, each with its domain, and keep what was said; all or nothing."""
    spent = [call.ticket for call, _ in calls]
    rows = [
        CallBacks(
            wave=wave,
            id=secrets.token_hex(8),
            domain=domain,
            outcome=call.outcome,
            called_on=call.on.isoformat(),
            answer=call.answer,
        )
        for call, domain in calls
    ]
    # In the order of their random keys, so that no file of the database keeps the order of the list.
    rows.sort(key=lambda row: str(row.id))
    async with transaction():
        await take_calling_turn(wave)
        for at in range(0, len(rows), 200):
            await CallBackTickets.update({CallBackTickets.spent: 1}).where(
                CallBackTickets.wave == wave, CallBackTickets.ticket.is_in(spent[at : at + 200])
            )
            await CallBacks.insert(*rows[at : at + 200])


async def take_calling_turn(wave: str) -> None:
    """Wait for whoever records calls of this wave, or opens it; held until the transaction ends."""
    await take_turn(f"callbacks.{wave}")


async def list_calls(wave: str) -> tuple[Recorded, ...]:
    """Every call of a wave, in no order of time."""
    rows = await CallBacks.select().where(CallBacks.wave == wave).order_by(CallBacks.id)
    return tuple(Recorded(r["domain"], r["outcome"], r["called_on"], r["answer"]) for r in rows)


async def erase_calls(wave: str) -> None:
    """Forget the calls of a certified wave together with its answers."""
    async with transaction():
        await CallBacks.delete().where(CallBacks.wave == wave)
        await CallBackTickets.delete().where(CallBackTickets.wave == wave)
