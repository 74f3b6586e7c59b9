"""Data-quality flags on domains, never on persons, and never a reason to leave an answer out.

What enters is a case file, the counts of its domains' slips, what the intake counted, and what
became of planted slips and answers; what leaves is flags that stand beside the figure (TRUST
section 15). This module reads the opened answers; `intake_flags` counts, `near_copies` permutes,
`group_flags` holds one group against another. Limits are those of TRUST, and go into the signed
plan. Robust z = (v − median)/(1.4826·MAD) over the domains of a group; with MAD 0, or fewer than
five domains, there is no z and no flag. Nothing is shown of a domain with fewer than ten counted
answers.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from survey.cases.case_file import Case, CaseFile
from survey.cases.derivation import Column, content, overall
from survey.cases.few_answers import code_of, share_text
from survey.cases.flag import FEWEST, Flag
from survey.cases.flag_statistics import robust_z, wilson_lower
from survey.cases.group_flags import NOT_TOLD, Counts, against_calls, between_groups
from survey.cases.intake_flags import (
    Z_LIMIT,
    Counters,
    Planted,
    alarms_before_opening,
    altered_canaries,
    bursts,
    one_address,
    together,
    working_hours,
)
from survey.cases.near_copies import Told, near_copy_flags, untold
from survey.exact import truncate
from survey.fieldwork.disposition import DomainOutcome

TOLD_LIMIT = 0.05
SAME_TEXT_LENGTH = 8
SAME_TEXT_TIMES = 3
PARENT = "parent"


@dataclass(frozen=True)
class Beyond:
    """What flags know besides the counted answers and the slips."""

    counters: Counters = field(default_factory=dict)
    planted: Planted = field(default_factory=Planted)
    calls: Counts = field(default_factory=dict)
    """Call-backs by domain: valid opinions, satisfied ones."""
    interviews: int = 0
    """How many people were interviewed on the telephone, with an opinion or without."""
    satisfied: Column | None = None
    """1 of 1 for every case satisfied on the overall item; without it I4 and I12 are not computed."""
    reversed_items: frozenset[str] = frozenset()
    """Items that say the same thing the other way round."""


def domain_flags(
    case_file: CaseFile, outcomes: Iterable[DomainOutcome], beyond: Beyond | None = None, told: Told = untold
) -> tuple[Flag, ...]:
    """Every flag, by indicator and domain.

    Args:
        case_file: the counted answers.
        outcomes: issued, used and disputed by domain.
        beyond: counters, planted slips and answers, call-backs.
        told: as for `near_copy_flags`, which takes most of the time.
    """
    beyond = beyond or Beyond()
    by_domain: dict[str, list[Case]] = {}
    for case in case_file.cases:
        by_domain.setdefault(case.domain, []).append(case)
    counts = {outcome.domain: outcome for outcome in outcomes}
    flags = [*alarms_before_opening(counts.values(), beyond.planted), *altered_canaries(beyond.planted)]
    flags += [*_told(case_file, by_domain), *_organised(by_domain, counts)]
    enough = {domain: cases for domain, cases in by_domain.items() if len(cases) >= FEWEST}
    fast = {d: share for d, cases in enough.items() if (share := _share_fast(cases)) is not None}
    flags += _outliers(case_file, "I8", fast, "平均每题不到2秒的占{value}，比同类学校高得多")
    best = {domain: _share_all_best(case_file, domain, cases) for domain, cases in enough.items()}
    flags += _outliers(case_file, "I10", best, "每题都选最好的占{value}，比同类学校高得多")
    turned = {
        domain: share
        for domain, cases in enough.items()
        if (share := _share_contradicting(case_file, domain, cases, beyond.reversed_items)) is not None
    }
    flags += _outliers(case_file, "I13", turned, "正反两题选同一端的占{value}，比同类学校高得多")
    flags += _same_text(case_file, by_domain)
    flags += near_copy_flags(case_file, by_domain, told)
    flags += [*one_address(beyond.counters, counts), *bursts(beyond.counters, counts)]
    parents = [domain for domain in by_domain if case_file.draws[domain].group == PARENT]
    flags += working_hours(beyond.counters, counts, parents) if beyond.counters else []
    if beyond.satisfied is not None:
        opinions = _opinions(case_file, beyond.satisfied)
        flags += against_calls(opinions, beyond.calls, case_file.draws)
        flags += between_groups(opinions, beyond.calls, case_file.draws)
    return tuple(sorted(together(flags), key=lambda flag: (int(flag.indicator[1:]), flag.domain)))


def _opinions(case_file: CaseFile, satisfied: Column) -> dict[str, tuple[int, int]]:
    """Domain → (valid opinions, satisfied ones) on the overall item."""
    found: dict[str, tuple[int, int]] = {}
    for case, top, base in zip(case_file.cases, satisfied.top, satisfied.base, strict=True):
        n, x = found.get(case.domain, (0, 0))
        found[case.domain] = (n + (base > 0), x + (top > 0))
    return found


def _told(case_file: CaseFile, by_domain: Mapping[str, list[Case]]) -> list[Flag]:
    """I5: the Wilson lower bound of "somebody told me what to answer" above 5%, shown from n ≥ 10."""
    flags = []
    for domain, cases in by_domain.items():
        instrument = case_file.instruments.get(domain)
        item = instrument.quality_item if instrument is not None else None
        if item is None:
            continue
        key_of = {option.value: option for option in item.options}
        answers = [case.answers.get(item.id) for case in cases]
        given = [key_of[answer] for answer in answers if isinstance(answer, int) and answer in key_of]
        told = [option for option in given if option.kind != "none"]
        n, x = len(told), sum(option.key == "yes" for option in told)
        if n >= FEWEST and (lower := wilson_lower(x, n)) > TOLD_LIMIT:
            flags.append(
                Flag(
                    "I5", domain, truncate(x / n, 4), truncate(TOLD_LIMIT, 2),
                    f"{n}人里有{x}人说有人告诉怎么选（下限{truncate(lower * 100, 1)}%）",
                )
            )  # fmt: skip
    return flags


def _organised(by_domain: Mapping[str, list[Case]], counts: Mapping[str, DomainOutcome]) -> list[Flag]:
    """I11: more than 98% of slips used, and more than 80% of answers on one day."""
    flags = []
    for domain, cases in by_domain.items():
        outcome = counts.get(domain)
        if outcome is None or not outcome.issued or len(cases) < FEWEST:
            continue
        largest = max(Counter(case.day for case in cases).values())
        if outcome.used > 0.98 * outcome.issued and largest > 0.8 * len(cases):
            flags.append(
                Flag(
                    "I11", domain, truncate(largest / len(cases), 4), "0.80",
                    f"{outcome.issued}张纸条用了{outcome.used}张，{largest}份在同一天",
                )
            )  # fmt: skip
    return flags


def _share_fast(cases: list[Case]) -> float | None:
    measured = [case.pace for case in cases if case.pace is not None]
    return sum(pace == 0 for pace in measured) / len(measured) if len(measured) >= FEWEST else None


def _share_all_best(case_file: CaseFile, domain: str, cases: list[Case]) -> float:
    instrument = case_file.instruments[domain]
    best = {
        item.id: item.answer_scale.scored[0].value
        for item in (*content(instrument), *overall(instrument))
        if item.answer_scale.scored
    }
    all_best = 0
    for case in cases:
        given = [
            case.answers.get(name) == value
            for name, value in best.items()
            if case.answers.get(name) is not None
        ]
        all_best += len(given) >= 2 and all(given)
    return all_best / len(cases)


def _share_contradicting(
    case_file: CaseFile, domain: str, cases: list[Case], reversed_items: frozenset[str]
) -> float | None:
    """How many answered the overall item and a reversed one at the same end; None without such a pair."""
    instrument = case_file.instruments[domain]
    pairs = [
        [(item.id, item.answer_scale.scored[end].value) for item in (whole, turned)]
        for whole in overall(instrument)
        for turned in content(instrument)
        if turned.id in reversed_items
        for end in (0, -1)
    ]
    if not pairs:
        return None
    both = sum(
        any(all(case.answers.get(i) == value for i, value in pair) for pair in pairs) for case in cases
    )
    return both / len(cases)


def _outliers(case_file: CaseFile, indicator: str, shares: Mapping[str, float], words: str) -> list[Flag]:
    """Domains whose share lies more than three robust deviations above their group's median."""
    flags = []
    for group in sorted({case_file.draws[domain].group for domain in shares}):
        of_group = {
            domain: share for domain, share in shares.items() if case_file.draws[domain].group == group
        }
        for domain, z in robust_z(of_group).items():
            if z > Z_LIMIT:
                n, share = case_file.n_by_domain[domain], Fraction(of_group[domain]).limit_denominator(10**4)
                value = NOT_TOLD if code_of(share, n) is not None else truncate(share, 4)
                said = words.format(value=share_text(share, n, places=3))
                flags.append(Flag(indicator, domain, value, f"z>{Z_LIMIT:g}", said))
    return flags


def _same_text(case_file: CaseFile, by_domain: Mapping[str, list[Case]]) -> list[Flag]:
    """I14: the same normalised text of eight signs or more, three times in a domain; the text is not shown."""
    flags = []
    for domain, cases in by_domain.items():
        instrument = case_file.instruments.get(domain)
        texts: Counter[str] = Counter()
        for item in instrument.items if instrument is not None else ():
            if item.kind != "text":
                continue
            for case in cases:
                answer = case.answers.get(item.id)
                if isinstance(answer, str) and len(plain := _plain(answer)) >= SAME_TEXT_LENGTH:
                    texts[plain] += 1
        most = max(texts.values(), default=0)
        if most >= SAME_TEXT_TIMES:
            flags.append(
                Flag("I14", domain, str(most), str(SAME_TEXT_TIMES), f"有{most}份写了相同的一段文字")
            )
    return flags


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LN")
