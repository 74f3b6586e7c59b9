"""Data-quality flags on domains, never on persons, and never a reason to leave an answer out.

What enters is a case file and the counts of its domains' slips; what leaves is flags that stand
beside the figure (TRUST section 15). Indicators that need the intake's own counters (I6, I7, I15),
planted answers (I2, I3), call-backs (I4, I12) or permutation (I9) are not computed here. Limits
are those of TRUST, and go into the signed plan. Robust z = (v − median)/(1.4826·MAD) over the
domains of a group; with MAD 0, or fewer than five domains, there is no z and no flag. Nothing is
shown of a domain with fewer than ten counted answers.
"""

from __future__ import annotations

import math
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from survey.cases.case_file import Case, CaseFile
from survey.cases.derivation import content, overall
from survey.exact import truncate
from survey.fieldwork.disposition import DomainOutcome

FEWEST = 10
FEWEST_DOMAINS = 5
Z_LIMIT = 3.0
TOLD_LIMIT = 0.05
SAME_TEXT_LENGTH = 8
SAME_TEXT_TIMES = 3

NAMES = {
    "I1": "声明“没填过”的份数",
    "I5": "有人告诉怎么选",
    "I8": "填得太快",
    "I10": "全部选最好",
    "I11": "几乎全填且集中在一天",
    "I13": "正反两题都选极端",
    "I14": "相同的文字",
}


@dataclass(frozen=True)
class Flag:
    """One indicator over its limit in one domain."""

    indicator: str
    domain: str
    value: str
    limit: str
    text: str
    enters: str
    """`alarm` before opening, otherwise `flag`: listed, never excluding."""

    def document(self) -> dict[str, Any]:
        """The flag as canonical JSON."""
        return {
            "indicator": self.indicator,
            "name": NAMES[self.indicator],
            "domain": self.domain,
            "value": self.value,
            "limit": self.limit,
            "text": self.text,
            "enters": self.enters,
        }


def wilson_lower(x: int, n: int, z: float = 1.959964) -> float:
    """The lower end of Wilson's 95% interval for x of n.

    Source: Wilson (1927).

    >>> round(wilson_lower(1, 10), 4), wilson_lower(0, 10)
    (0.0179, 0.0)
    """
    if x == 0:
        return 0.0
    p = x / n
    centre = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n)


def robust_z(values: Mapping[str, float]) -> dict[str, float]:
    """Each value's distance from the median in robust standard deviations; empty where there is no spread.

    >>> robust_z({"a": 0, "b": 1, "c": 2, "d": 3, "e": 10})["e"] > 3
    True
    """
    if len(values) < FEWEST_DOMAINS:
        return {}
    median = statistics.median(values.values())
    spread = 1.4826 * statistics.median(abs(value - median) for value in values.values())
    return {name: (value - median) / spread for name, value in values.items()} if spread > 0 else {}


def domain_flags(
    case_file: CaseFile, outcomes: Iterable[DomainOutcome], *, reversed_pairs: Iterable[tuple[str, str]] = ()
) -> tuple[Flag, ...]:
    """Every flag that counts and opened answers can raise, by indicator and domain.

    Args:
        case_file: the counted answers.
        outcomes: issued, used and disputed by domain.
        reversed_pairs: items that say the same thing the other way round, where a form has them.
    """
    by_domain: dict[str, list[Case]] = {}
    for case in case_file.cases:
        by_domain.setdefault(case.domain, []).append(case)
    counts = {outcome.domain: outcome for outcome in outcomes}
    flags = [*_disputes(counts.values()), *_told(case_file, by_domain), *_organised(by_domain, counts)]
    enough = {domain: cases for domain, cases in by_domain.items() if len(cases) >= FEWEST}
    fast = {d: share for d, cases in enough.items() if (share := _share_fast(cases)) is not None}
    flags += _outliers(case_file, "I8", fast, "平均每题不到2秒的占{value}，比同类学校高得多")
    best = {domain: _share_all_best(case_file, domain, cases) for domain, cases in enough.items()}
    flags += _outliers(case_file, "I10", best, "每题都选最好的占{value}，比同类学校高得多")
    pairs = tuple(reversed_pairs)
    if pairs:
        both = {d: _share_both_extreme(case_file, d, cases, pairs) for d, cases in enough.items()}
        flags += _outliers(case_file, "I13", both, "正反两题都选极端的占{value}，比同类学校高得多")
    flags += _same_text(case_file, by_domain)
    return tuple(sorted(flags, key=lambda flag: (int(flag.indicator[1:]), flag.domain)))


def _disputes(outcomes: Iterable[DomainOutcome]) -> list[Flag]:
    """I1: d > max(2, 2% of used)."""
    return [
        Flag(
            "I1", o.domain, str(o.disputed), str(max(2, o.used * 2 // 100)),
            f"{o.used}份里有{o.disputed}份被声明“没填过”", "alarm",
        )
        for o in outcomes
        if o.disputed > max(2, 0.02 * o.used)
    ]  # fmt: skip


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
                    f"{n}人里有{x}人说有人告诉怎么选（下限{truncate(lower * 100, 1)}%）", "flag",
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
                    f"{outcome.issued}张纸条用了{outcome.used}张，{largest}份在同一天", "flag",
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


def _share_both_extreme(
    case_file: CaseFile, domain: str, cases: list[Case], pairs: tuple[tuple[str, str], ...]
) -> float:
    items = case_file.instruments[domain].by_id
    extreme = 0
    for case in cases:
        for first, second in pairs:
            if first in items and second in items:
                ends = [items[name].answer_scale.scored[0].value for name in (first, second)]
                extreme += [case.answers.get(first), case.answers.get(second)] == ends
    return extreme / len(cases)


def _outliers(case_file: CaseFile, indicator: str, shares: Mapping[str, float], words: str) -> list[Flag]:
    """Domains whose share lies more than three robust deviations above their group's median."""
    flags = []
    for group in sorted({case_file.draws[domain].group for domain in shares}):
        of_group = {
            domain: share for domain, share in shares.items() if case_file.draws[domain].group == group
        }
        for domain, z in robust_z(of_group).items():
            if z > Z_LIMIT:
                value = truncate(of_group[domain], 4)
                flags.append(
                    Flag(
                        indicator, domain, value, f"z>{Z_LIMIT:g}",
                        words.format(value=truncate(of_group[domain] * 100, 1) + "%"), "flag",
                    )
                )  # fmt: skip
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
                Flag("I14", domain, str(most), str(SAME_TEXT_TIMES), f"有{most}份写了相同的一段文字", "flag")
            )
    return flags


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LN")
