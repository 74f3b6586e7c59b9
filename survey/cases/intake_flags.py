"""Flags from counts alone: disputes, planted slips and answers, bursts, addresses, hours of the day.

What enters is what the intake counted of each domain, and what became of honey slips and
canaries; no answer is read. So I1–I3 are known before opening and may void a whole domain; the
others stand beside the figure. The intake keeps of a domain only its largest five-minute count,
its largest hourly count from one address, and how many came in working hours (TRUST section 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from survey.cases.flag import FEWEST, Flag
from survey.cases.flag_statistics import burst_p, discoveries, robust_z
from survey.exact import truncate
from survey.fieldwork.disposition import DomainOutcome

Counters = Mapping[tuple[str, str], int]
"""(domain, kind) → n, as the intake keeps them; hours of the whole wave under domain ""."""

BURST_LIMIT = 0.001
ADDRESS_LEAST, ADDRESS_SHARE = 5, 0.2
Z_LIMIT = 3.0


@dataclass(frozen=True)
class Planted:
    """What became of what was planted: honey slips by domain, canaries by domain."""

    honey_used: Mapping[str, int] = field(default_factory=dict)
    canaries_missing: Mapping[str, int] = field(default_factory=dict)
    canaries_different: Mapping[str, int] = field(default_factory=dict)
    """Known only once the answers are open."""


def alarms_before_opening(outcomes: Iterable[DomainOutcome], planted: Planted) -> list[Flag]:
    """I1–I3 as far as they are known without an answer: reasons for which two people may void a domain."""
    return [
        *disputes(outcomes),
        *(
            Flag("I2", domain, str(n), "0", f"留在上级、不发给人的填写码有{n}张被用了", "alarm")
            for domain, n in sorted(planted.honey_used.items())
            if n
        ),
        *(
            Flag("I3", domain, str(n), "0", f"事先混入的核对答卷少了{n}份", "alarm")
            for domain, n in sorted(planted.canaries_missing.items())
            if n
        ),
    ]


def altered_canaries(planted: Planted) -> list[Flag]:
    """I3 after opening: a canary whose answers are not those that were sent."""
    return [
        Flag("I3", domain, str(n), "0", f"核对答卷有{n}份的内容和送出的不一样", "blocks_audited")
        for domain, n in sorted(planted.canaries_different.items())
        if n
    ]


def disputes(outcomes: Iterable[DomainOutcome]) -> list[Flag]:
    """I1: d > max(2, 2% of used)."""
    return [
        Flag(
            "I1", o.domain, str(o.disputed), str(max(2, o.used * 2 // 100)),
            f"{o.used}份里有{o.disputed}份被声明“没填过”", "alarm",
        )
        for o in outcomes
        if o.disputed > max(2, 0.02 * o.used)
    ]  # fmt: skip


def one_address(counters: Counters, outcomes: Mapping[str, DomainOutcome]) -> list[Flag]:
    """I6: of a poster's answers more than five, and more than a fifth, in one hour from one address."""
    flags = []
    for (domain, kind), n in sorted(counters.items()):
        used = outcomes[domain].used if domain in outcomes else 0
        if kind == "largest_one_address" and used >= FEWEST and n > max(ADDRESS_LEAST, ADDRESS_SHARE * used):
            flags.append(
                Flag("I6", domain, str(n), ">5且>20%", f"{used}份里有{n}份在一小时内来自同一个网络地址")
            )
    return flags


def bursts(counters: Counters, outcomes: Mapping[str, DomainOutcome]) -> list[Flag]:
    """I7: the largest five-minute count against the wave's own hours, p < 0.001 after Benjamini–Hochberg."""
    hours = {
        int(kind.removeprefix("hour:")): n
        for (domain, kind), n in counters.items()
        if not domain and kind.startswith("hour:")
    }
    largest = {domain: n for (domain, kind), n in counters.items() if kind == "largest_5_minutes"}
    p_values = {
        domain: burst_p(n, outcomes[domain].used, hours)
        for domain, n in sorted(largest.items())
        if domain in outcomes and outcomes[domain].used >= FEWEST
    }
    return [
        Flag(
            "I7", domain, str(largest[domain]), "p<0.001",
            f"{outcomes[domain].used}份里有{largest[domain]}份在五分钟之内，按全县的时间分布几乎不会",
        )
        for domain in sorted(discoveries(p_values, BURST_LIMIT))
    ]  # fmt: skip


def working_hours(
    counters: Counters, outcomes: Mapping[str, DomainOutcome], parents: Iterable[str]
) -> list[Flag]:
    """I15: parents' share on weekdays from 8 to 17, more than three robust deviations above the median."""
    shares = {
        domain: counters.get((domain, "working_hours"), 0) / outcomes[domain].used
        for domain in sorted(parents)
        if domain in outcomes and outcomes[domain].used >= FEWEST
    }
    return [
        Flag(
            "I15", domain, truncate(shares[domain], 4), f"z>{Z_LIMIT:g}",
            f"{truncate(shares[domain] * 100, 1)}%在工作日8点到17点填，比别的学校高得多",
        )
        for domain, z in robust_z(shares).items()
        if z > Z_LIMIT
    ]  # fmt: skip


def together(flags: Iterable[Flag]) -> list[Flag]:
    """The flags that may stand: I6 only with I7, I7 only with I6 or I8, in one domain.

    Alone, an address or a burst says little: a school shares one address, a class message makes
    parents answer at once.
    """
    every = list(flags)
    raised = {(flag.indicator, flag.domain) for flag in every}
    needs = {"I6": ("I7",), "I7": ("I6", "I8")}
    return [
        flag
        for flag in every
        if flag.indicator not in needs
        or any((other, flag.domain) in raised for other in needs[flag.indicator])
    ]
