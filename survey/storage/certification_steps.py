"""The steps that led to a certificate, by wave: who did which, when, over which statement.

Rows are only added; a step that was sent back stays beside the one that replaced it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey.canonical import decode, encode
from survey.storage.current import take_turn, transaction
from survey.storage.tables import CertificationSteps


@dataclass(frozen=True)
class CertificationStep:
    """One step of one person."""

    issue: int
    """1 for a wave's first certificate."""
    step: str
    """`prepare`, `review`, `send_back` or `sign`."""
    person: str
    digest: str
    """Of the statement that the person looked at."""
    document: dict[str, Any]
    done_at: datetime


async def add_step(wave: str, done: CertificationStep) -> None:
    """Keep a step after the others of its wave."""
    async with transaction():
        await take_turn(f"certification.{wave}")
        number = await CertificationSteps.count().where(CertificationSteps.wave == wave)
        await CertificationSteps.insert(
            CertificationSteps(
                {
                    CertificationSteps.wave: wave,
                    CertificationSteps.number: number + 1,
                    CertificationSteps.issue: done.issue,
                    CertificationSteps.step: done.step,
                    CertificationSteps.person: done.person,
                    CertificationSteps.digest: done.digest,
                    CertificationSteps.document: encode(done.document).decode(),
                    CertificationSteps.done_at: done.done_at,
                }
            )
        )


async def list_steps(wave: str) -> tuple[CertificationStep, ...]:
    """Every step of a wave, in the order in which they were done."""
    rows = (
        await CertificationSteps.select()
        .where(CertificationSteps.wave == wave)
        .order_by(CertificationSteps.number)
    )
    return tuple(
        CertificationStep(
            row["issue"],
            row["step"],
            row["person"],
            row["digest"],
            decode(row["document"].encode()),
            row["done_at"],
        )
        for row in rows
    )
