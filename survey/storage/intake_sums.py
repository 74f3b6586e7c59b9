"""What of an intake must agree with itself, compared whenever all of it was read: counts, and its posters.

Mostly counts: a row that was deleted, added or altered moves one of them, unless it is
one whose bytes the log itself holds or the plan pins; those are compared by their digests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from survey.storage.intake import About, IntakeBrokenError

SUMS = (
    "SELECT (SELECT count(*) FROM sealed), (SELECT coalesce(sum(n), 0) FROM disputes),"
    " (SELECT coalesce(sum(n), 0) FROM counters WHERE kind = 'voided'),"
    " (SELECT coalesce(sum(n), 0) FROM counters WHERE domain = '' AND kind LIKE 'hour:%'),"
    " (SELECT count(*) FROM heads WHERE size > 0),"
    " (SELECT max(n) FROM counters WHERE domain = '' AND kind = 'heads')"
)
"""Boxes, disputes, voided slips, arrivals, heads and batches, as the tables count them."""
FEW = (
    "SELECT (SELECT coalesce(sum(n), 0) FROM disputes),"
    " (SELECT coalesce(sum(n), 0) FROM counters WHERE kind = 'voided'),"
    " (SELECT coalesce(sum(n), 0) FROM counters WHERE domain = '' AND kind LIKE 'hour:%'),"
    " (SELECT max(n) FROM counters WHERE domain = '' AND kind = 'heads'),"
    " (SELECT coalesce(sum(used), 0) FROM posters)"
)
"""Those of them that a few rows hold, whatever the wave's size: disputes, voided slips, arrivals,
batches; and the answers to posters."""
BEGIN_COUNTING_HEADS = (
    "INSERT INTO counters SELECT '', 'heads', count(*) FROM heads WHERE size > 0"
    " ON CONFLICT (domain, kind) DO NOTHING"
)
"""Run before `SUMS`: a wave that began under release 0.1.0 did not count its heads yet."""


def check_sums(
    wave: str, *, size: int, used: int, disputed: int, voided: int, counted: Sequence[int]
) -> None:
    """Nothing, when every count agrees.

    Args:
        size: leaves in the log.
        used, disputed, voided: slips by state; `used` with the disputed and with the posters' counts.
        counted: what `SUMS` gives.

    Raises:
        IntakeBrokenError: two counts differ, both named.
    """
    boxes, disputes, struck, arrivals, heads, batches = counted
    if not boxes == used == size:
        raise IntakeBrokenError(wave, f"记录{size}条、答卷{boxes}份、已用填写码{used}个，三个数不相等")
    if disputes != disputed:
        raise IntakeBrokenError(wave, f"声明未填{disputes}次，却有{disputed}张填写码是这个状态")
    if struck != voided:
        raise IntakeBrokenError(wave, f"作废过{struck}张填写码，却有{voided}张是这个状态")
    check_tail_sums(wave, size, arrivals, heads, batches)


def check_tail_sums(wave: str, size: int, arrivals: int, heads: int, batches: int) -> None:
    """Nothing, when what a few rows count agrees with a log of which only the tail was read.

    Args:
        heads: those that the frontier knows and those behind it. batches: how many were counted.

    Raises:
        IntakeBrokenError: two counts differ, both named.
    """
    if arrivals != size:
        raise IntakeBrokenError(wave, f"记录{size}条，按小时数的却是{arrivals}份")
    if heads != batches:
        raise IntakeBrokenError(wave, f"签过{batches}个日志头，库里有{heads}个")


def check_about(about: About, rows: Sequence[Sequence[str]]) -> None:
    """Nothing, when the intake says once, and alike in both places, which wave it is of.

    Raises:
        IntakeBrokenError: another wave's name, or more than one row.
    """
    if [row[0] for row in rows] != [about.wave]:
        raise IntakeBrokenError(about.wave, "库里写的不是这一次调查，或者写了不止一次")


def check_key(wave: str, index: int, leaf: bytes, k: bytes) -> None:
    """Nothing, when the key beside a leaf is the one inside it.

    Raises:
        IntakeBrokenError: another key, under which the same answer could be sent again.
    """
    if not leaf.endswith(b'"k":"%s","v":1}' % k.hex().encode()):
        raise IntakeBrokenError(wave, f"记录第{index}条旁边的提交键不是它自己的")


def check_posters(about: About, rows: Iterable[tuple[str, str, int, str | None]]) -> None:
    """Nothing, when the table of posters is the one the intake was made with.

    Args:
        rows: domain, mode, quota and surplus domain of each.

    Raises:
        IntakeBrokenError: a poster was added, taken away or altered.
    """
    if sorted(map(str, rows)) != sorted(str((p.domain, p.mode, p.quota, p.surplus)) for p in about.posters):
        raise IntakeBrokenError(about.wave, "海报和建库时的不一样")
