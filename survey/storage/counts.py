"""What this process has done since it started, as plain integers; read when somebody asks for metrics.

Nothing here costs the answering path more than an increment, and nothing tells of an answer,
a person, a school or a wave.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class BatchCounts:
    """Batches of an intake: how many, of how many entries, in how many seconds."""

    batches: int = 0
    entries: int = 0
    seconds: float = 0.0

    def add(self, entries: int, seconds: float) -> None:
        """One batch more."""
        self.batches += 1
        self.entries += entries
        self.seconds += seconds


@dataclass
class Counts:
    """Posts by what became of them: kept, or refused by the code of the refusal; and codes mistyped."""

    kept: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    mistyped: Counter[str] = field(default_factory=Counter)
    """Codes that led to no slip, by why: length, sign, check, or unknown."""
