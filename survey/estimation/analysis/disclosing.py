"""Lines of a result table that would say something about single persons, emptied.

Enters: the lines of one item over one set of domains. Leaves: the same lines, those resting on too
few answers without their numbers, and with them whatever would give them away by subtraction. The
rule is `estimation.disclosure`, the same as for a wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from survey.estimation.disclosure import WITHHELD_TEXT, withhold

KEPT = ("id", "label", "statistic", "option", "option_label", "domain", "domain_values", "set", "kind")


def hidden_domains(counts: Sequence[int], smallest: int, *, adds_up: bool, whole: int) -> set[int]:
    """Which domains of a set must not be shown.

    Args:
        counts: valid answers of each domain.
        smallest: the least that may be shown.
        adds_up: whether the domains together are everybody, whose figure is shown.
        whole: valid answers of everybody.

    >>> hidden_domains([9, 12, 50], 10, adds_up=True, whole=71), hidden_domains([65], 10, adds_up=False, whole=71)
    ({0, 1}, {0})
    """
    rows = [{"key": str(at), "n": n, "n_valid": n} for at, n in enumerate(counts)]
    hidden = {
        at for at, row in enumerate(withhold(rows, smallest, complement=adds_up)) if row.get("withheld")
    }
    if not adds_up:
        # A group of all but a few tells of the few, once everybody's figure is known.
        hidden |= {at for at, n in enumerate(counts) if 0 < whole - n < smallest}
    return hidden


def emptied(row: dict[str, Any], smallest: int) -> dict[str, Any]:
    """The line without its numbers; of the count only on which side of the least it lies."""
    n = row.get("n") or 0
    return {
        **{key: row[key] for key in KEPT if key in row},
        "withheld": True,
        "n": None,
        "n_shown": f"<{smallest}" if n < smallest else f"≥{smallest}",
        "value": None,
        "shown": WITHHELD_TEXT,
        "percent": WITHHELD_TEXT,
        "cautions": [],
    }
