"""One case a counted response: the opened records, closed, in an order that says nothing.

What enters is opened records in any order; what leaves is a `CaseFile` sorted by the bytes of
each record, so that neither the order of arrival nor the order of opening is in it, with a
digest over the records' own digests. Nothing is corrected and nothing is left out for what it
says; the one record that does not count here is of a day outside the plan's days (X3, a clock
fault), and canaries and voided domains were taken out before by their own rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from survey.canonical import digest, encode, sha256_hex
from survey.errors import SurveyError
from survey.fieldwork.response import day_number
from survey.sampling.sample import DomainDraw, Sample
from survey.scheme.instrument import Instrument
from survey.scheme.plan import Plan, instrument_of
from survey.scheme.scheme import Scheme

Answer = int | str | list[Any] | None


class StrangeRecordError(SurveyError):
    """A record that cannot belong to this wave."""

    code = "cases.strange_record"
    kind = "refused"

    def __init__(self, reason: str) -> None:
        super().__init__("打开的答卷", reason, "不要继续计算；请核对开封的是不是这次调查的文件")


@dataclass(frozen=True)
class Case:
    """One counted response: its domain, day, pace and answers as they were sealed."""

    domain: str
    day: int
    pace: int | None
    answers: Mapping[str, Answer]


@dataclass(frozen=True)
class CaseFile:
    """The counted responses of a wave, sorted by their bytes, with what is needed to read them."""

    wave: str
    cases: tuple[Case, ...]
    record_digests: tuple[str, ...]
    draws: Mapping[str, DomainDraw]
    instruments: Mapping[str, Instrument]
    """Domain → the instrument it was asked; domains without one are not asked."""
    outside_days: int = 0
    excluded: tuple[tuple[int, str], ...] = ()
    """(leaf index, reason) of the records left out, where the indexes are known."""

    @property
    def n(self) -> int:
        """Counted responses."""
        return len(self.cases)

    def document(self) -> dict[str, Any]:
        """What the digest covers: the digest of every counted record, sorted; no answer."""
        return {
            "type": "case-file",
            "v": 1,
            "wave": self.wave,
            "n": self.n,
            "outside_days": self.outside_days,
            "records": sorted(self.record_digests),
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the document: equal for the same records in any order."""
        return digest(self.document())

    @cached_property
    def n_by_domain(self) -> dict[str, int]:
        """Counted responses of every drawn domain, zeros included."""
        counts = dict.fromkeys(self.draws, 0)
        for case in self.cases:
            counts[case.domain] += 1
        return counts

    def positions(self, domains: Iterable[str]) -> list[int]:
        """Positions of the cases of some domains."""
        wanted = set(domains)
        return [at for at, case in enumerate(self.cases) if case.domain in wanted]


def last_day(plan: Plan, closes_on: date | None = None) -> int:
    """The last day of the wave, counted from 1; `closes_on` is the extended closing date, if any."""
    return day_number(max(closes_on or plan.closes_on, plan.closes_on), plan.opens_on)


def exclusion(record: Mapping[str, Any], plan: Plan, closes_on: date | None = None) -> str | None:
    """`X3` for a record of a day outside the plan's days, None for one that counts."""
    return None if 1 <= record["day"] <= last_day(plan, closes_on) else "X3"


def build_case_file(
    records: Iterable[Mapping[str, Any]],
    plan: Plan,
    scheme: Scheme,
    sample: Sample,
    *,
    closes_on: date | None = None,
    leaves: Sequence[int] | None = None,
    set_aside: Mapping[int, str] | None = None,
) -> CaseFile:
    """The case file of opened records, whatever order they come in.

    Args:
        records: `{answers, day, domain, v, wave}`, perhaps with `pace` and `pad`.
        closes_on: the closing date after an extension.
        leaves: the leaf index of each record, in their order, to name those that are left out.
        set_aside: leaf index → X1 (a canary) or X2 (a domain voided before opening).

    Raises:
        StrangeRecordError: another wave, a domain that was not drawn, a version not known here.
    """
    draws = sample.by_domain
    instruments = asked_instruments(plan, scheme, sample.domains)
    ordered: list[tuple[bytes, Case]] = []
    outside = 0
    excluded: list[tuple[int, str]] = []
    for place, record in enumerate(records):
        _belongs(record, plan, draws)
        if leaves is not None and set_aside and leaves[place] in set_aside:
            excluded.append((leaves[place], set_aside[leaves[place]]))
            continue
        if reason := exclusion(record, plan, closes_on):
            outside += 1
            excluded += [] if leaves is None else [(leaves[place], reason)]
            continue
        kept = {key: value for key, value in record.items() if key != "pad"}
        pace = record.get("pace")
        case = Case(
            record["domain"], record["day"], pace if pace in (0, 1, 2) else None, dict(record["answers"])
        )
        ordered.append((encode(kept), case))
    ordered.sort(key=lambda entry: entry[0])
    return CaseFile(
        wave=plan.wave,
        cases=tuple(case for _, case in ordered),
        record_digests=tuple(sha256_hex(data) for data, _ in ordered),
        draws=draws,
        instruments=instruments,
        outside_days=outside,
        excluded=tuple(sorted(excluded)),
    )


def asked_instruments(plan: Plan, scheme: Scheme, draws: Sequence[DomainDraw]) -> dict[str, Instrument]:
    """The instrument of every drawn domain, one object for all that share it."""
    by_kind = {(draw.group, draw.stage): None for draw in draws}
    found = {kind: instrument_of(plan, scheme, *kind) for kind in by_kind}
    return {
        draw.domain: instrument for draw in draws if (instrument := found[draw.group, draw.stage]) is not None
    }


def _belongs(record: Mapping[str, Any], plan: Plan, draws: Mapping[str, DomainDraw]) -> None:
    if (
        record.get("v") != 1
        or not isinstance(record.get("answers"), Mapping)
        or not isinstance(record.get("day"), int)
    ):
        raise StrangeRecordError("有一份的格式不认识")
    if record.get("wave") != plan.wave:
        raise StrangeRecordError(f"有一份属于另一次调查“{record.get('wave')}”")
    if record.get("domain") not in draws:
        raise StrangeRecordError(f"有一份来自没有抽中的域“{record.get('domain')}”")
