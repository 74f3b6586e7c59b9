"""The results of a wave: figure, decision, tables, and every doubt that belongs beside them.

What enters is plan, scheme, frame, sample, case file and the counts of slips; what leaves is
`Results`: one document of text that pages, paper, API and certificate all read, and the table of
counts from which anybody recomputes the figure. All published numbers come from one computation,
so parts and total cannot disagree. The figure is decided exactly (`figure`), its error is Taylor
linearised over schools and persons (`wave_rates`), small cells are withheld (`disclosure`).
Where a group is too small to be shown there are results but no certificate, and the document says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from survey.cases.case_file import CaseFile
from survey.cases.derivation import Column, column, dont_know_reading, overall, scheme_reading, top_reading
from survey.cases.editing import edit_counts
from survey.cases.flag import Flag
from survey.cases.indicators import Beyond, domain_flags
from survey.cases.near_copies import Told, untold
from survey.errors import SurveyError
from survey.estimation.another_formula import other_ways
from survey.estimation.beside import Beside
from survey.estimation.breakdowns import breakdowns
from survey.estimation.certified_rows import certified_rows
from survey.estimation.doubts import Doubts
from survey.estimation.figure import (
    EVIDENCE_WORDS,
    Figure,
    Grade,
    crosses,
    decision_words,
    evidence_grade,
    interval_document,
    weakest_grade,
)
from survey.estimation.figure_parts import OVERALL, PartShares, part_shares
from survey.estimation.intervals import Interval
from survey.estimation.wave_figure import (
    WaveFigure,
    figure_reading,
    full_body_share,
    majority_grade,
    wave_figure,
)
from survey.estimation.wave_rates import WaveRates
from survey.estimation.wave_tables import Tables, careful_column
from survey.estimation.words import (
    SENTENCES,
    domain_counts,
    notes,
    returns_note,
    spoken_sentences,
    weighting_document,
)
from survey.exact import fraction, fraction_text, truncate
from survey.fieldwork.callbacks import NEEDED
from survey.fieldwork.disposition import DomainOutcome, dispositions
from survey.fieldwork.outcome_rates import outcome_rates
from survey.sampling.frame import Frame
from survey.sampling.sample import Sample
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.sampling.wave_allocation import allocate_wave
from survey.scheme.plan import Plan, plan_digest
from survey.scheme.scheme import Line, Scheme
from survey.weighting.domain_weights import WaveWeights, frame_people, weight_domains


class MixedInputsError(SurveyError):
    """Plan, frame and sample do not belong together."""

    code = "estimation.mixed_inputs"
    kind = "conflict"

    def __init__(self, what: str) -> None:
        super().__init__("结果计算", f"{what}和抽样时的不一样", "用抽样时的计划和学校名册重新计算")


class CertificationRefusedError(SurveyError):
    """Results that can be shown to the office, but not certified."""

    code = "estimation.not_certifiable"
    kind = "refused"

    def __init__(self, reason: str) -> None:
        super().__init__("结果证书", reason, "可以看结果和报告，但不能出证书")


@dataclass(frozen=True)
class Results:
    """Everything estimated from a wave; `document()` is what leaves this room."""

    plan: Plan
    scheme: Scheme
    sample: Sample
    frame_digest: str
    case_file: CaseFile
    weights: WaveWeights
    rates: WaveRates
    whole: WaveFigure
    answers: Column
    parts: PartShares
    shares: Mapping[str, Fraction]
    people: Mapping[str, int]
    stratum_people: Mapping[tuple[str, str], int]
    outcomes: Mapping[str, DomainOutcome]
    flags: tuple[Flag, ...]
    public_draw: bool
    auditor: bool = False
    callbacks: int = 0
    """How many people were interviewed on the telephone before the answers were opened."""
    sampling_notes: tuple[str, ...] = ()
    """What could not be kept of the scheme's wishes when the sample was sized: short groups and the like."""
    areas: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """School → code and name of its responsibility area, where the wave has any."""

    @property
    def figure(self) -> Fraction:
        """The exact figure; only this is compared with the line."""
        return self.whole.value

    @property
    def evidence_class(self) -> str:
        """A where every group of the figure came by slips, B where one came by quota (TRUST section 3)."""
        return "B" if self._by_quota else "A"

    @property
    def _by_quota(self) -> frozenset[str]:
        return frozenset(one.group for one in self.plan.groups if one.mode == "quota" and one.group in self.shares)

    @property
    def reached(self) -> bool | None:
        """Whether the line is reached, unrounded; None without a line, or where nothing may be said."""
        line, rule = self.scheme.requirement.line, self.scheme.requirement
        if line is None or not (self.evidence_class == "A" or self._quota_may_pass):
            return None
        return all(line.reached(one) for one in self.whole.held(rule.applies_to, self.shares))

    @property
    def _quota_may_pass(self) -> bool:
        """Whether the plan lets a quota poster pass, and enough people were called (TRUST section 3)."""
        return self.plan.pass_with_class_b and self.callbacks >= NEEDED

    @property
    def smallest(self) -> int:
        """The least number of answers that may be shown."""
        return max(self.plan.minimum_count, self.scheme.smallest_cell)

    @property
    def excluded(self) -> tuple[tuple[int, str], ...]:
        """(leaf index, reason) of the records that do not count."""
        return self.case_file.excluded

    @property
    def refusal(self) -> str | None:
        """Why no certificate may be made, or None."""
        if len(self.excluded) < self.case_file.outside_days:
            return f"有{self.case_file.outside_days}份的日期在填答日之外，要写明它们在日志里的序号"
        for pool in self.weights.pools:
            if pool.n < self.plan.minimum_count:
                name = GROUP_NAMES.get(pool.group, pool.group)
                return f"{name}只收回{pool.n}份，不到{self.plan.minimum_count}份，又没有同类的学校可以合并"
        return None

    def certified_table(self) -> list[dict[str, Any]]:
        """The rows of the figure's estimator, sorted by id; weights and points are exact text.

        Raises:
            CertificationRefusedError: a row is too small, or a record outside the days is not named.
        """
        if self.refusal is not None:
            raise CertificationRefusedError(self.refusal)
        return certified_rows(self.weights.pools, self.rates, self.whole)

    @property
    def pooled(self) -> dict[str, list[str]]:
        """Row → its domains, for the rows that several domains share."""
        return {pool.id: list(pool.domains) for pool in self.weights.pools if pool.is_pooled}

    @property
    def group_shares(self) -> dict[str, str]:
        """Group → share, as exact text, as the plan signs it."""
        return {group: fraction_text(share) for group, share in self.shares.items()}

    def document(self) -> dict[str, Any]:
        """The results as one canonical JSON object; every decimal is text, small cells are withheld."""
        return self._document

    @cached_property
    def _document(self) -> dict[str, Any]:
        level = float(self.scheme.figure.confidence)
        interval = self.whole.interval(self.shares, level) if self.evidence_class == "A" else None
        bounds = self.whole.interval(self.shares, 2 * level - 1) if self.evidence_class == "A" else None
        line = self.scheme.requirement.line
        shown = None if interval is None else interval_document(interval.lower, interval.upper)
        across = shown is not None and crosses(line, shown["lower"], shown["upper"])
        firm = self._firmness(line, level)
        estimate = self.whole.estimate
        spread = self.figure * (1 - self.figure)
        tables = self._tables(level)
        parts = breakdowns(tables, self.areas, self._by_quota)
        whole = all(not row.get("withheld") for row in parts["by_group"])
        return {
            "type": "results",
            "v": 1,
            "wave": self.plan.wave,
            "title": self.plan.title,
            "demonstration": self.plan.demonstration,
            "name": self.scheme.figure_name,
            "formula_in_words": self.scheme.in_words(),
            "official_formula": self.scheme.figure.official_formula,
            "must_say": self.scheme.must_say(self.plan.office),
            "evidence_class": self.evidence_class,
            "n": len(self.rates.positions),
            "n_valid": sum(rate.n_valid for rate in self.whole.groups.values()),
            "n_eff": truncate(float(spread) / estimate.variance, 1) if estimate.variance > 0 and spread else None,
            "figure": Figure(self.figure, self.scheme.figure_name).document(),
            "se": truncate(estimate.se),
            "df": int(estimate.df),
            "interval": None if shown is None or interval is None else shown | {"level": truncate(self.scheme.figure.confidence, 2), "method": interval.method},
            "one_sided": None if bounds is None else interval_document(bounds.lower, bounds.upper, level=truncate(self.scheme.figure.confidence, 2)),
            "threshold": None if line is None else line.threshold,
            "edge": None if line is None else line.edge,
            "line_in_words": None if line is None else self._line_in_words(line),
            "veto": self.scheme.requirement.veto,
            "reached": self.reached,
            "crosses": across,
            "decision": decision_words(self.reached, across) if line is not None else "没有要求线",
            "evidence_grade": firm,
            "evidence_words": EVIDENCE_WORDS[firm] if firm is not None else None,
            "grade": self._grade(),
            **self._doubts(tables, interval, whole),
            "response": self._response(tables),
            **({"callbacks": self.callbacks} if self.callbacks else {}),
            "counts": domain_counts(self.sample, self.outcomes, self.case_file),
            **parts,
            "another_formula": other_ways(self.rates, self.shares, line, list(self.shares), plain=whole),
            "flags": [flag.document() for flag in self.flags],
            "edits": [
                {"domain": e.domain, "out_of_range": e.out_of_range, "answered_off_path": e.answered_off_path, "unknown_item": e.unknown_item}
                for e in edit_counts(self.case_file)
            ],
            "weighting": weighting_document(self.weights, self.rates),
            "strata": [
                {"stratum": s.stratum, "name": s.name, "schools_in_frame": s.schools_in_frame, "schools_drawn": s.schools_drawn}
                for s in self.sample.strata
            ],
            "sentences": [{"id": key, "zh": SENTENCES[key]} for key in spoken_sentences(self.plan, self.case_file, across=across, auditor=self.auditor, public_draw=self.public_draw)],
            "notes": [
                *notes(self.plan, self.scheme, self.sample, self.case_file, self.weights, self.whole.silent),
                *returns_note(self.scheme, self._filled_in(), tables.returns(lambda draw: True)["issued"]),
                *self.sampling_notes,
            ],
            "not_known": list(self.scheme.not_known()),
            "digests": {
                "plan": self.sample.plan_digest,
                "frame": self.frame_digest,
                "design": self.sample.design_digest,
                "sample": self.sample.digest,
                "scheme": self.scheme.digest,
                "case_file": self.case_file.digest,
            },
            "certifiable": self.refusal is None,
            "not_certifiable_because": self.refusal,
        }  # fmt: skip

    def _line_in_words(self, line: Line) -> str:
        each = self.scheme.requirement.applies_to == "every_group"
        return f"每一类人都要{line.in_words()}" if each else line.in_words()

    def _firmness(self, line: Line | None, level: float) -> Grade | None:
        """How firm the verdict is: of the figure, or of the least firm group where the line holds each."""
        if line is None or self.reached is None or self.evidence_class != "A":
            return None
        if self.scheme.requirement.applies_to != "every_group":
            bounds = self.whole.interval(self.shares, 2 * level - 1)
            return None if bounds is None else evidence_grade(self.figure, line, bounds.lower, bounds.upper)
        grades = []
        for group, share in self.shares.items():
            if share:
                rate = self.whole.groups[group]
                bounds = rate.interval(2 * level - 1, proportion=self.whole.proportion)
                lower, upper = (None, None) if bounds is None else (bounds.lower, bounds.upper)
                grades.append(evidence_grade(rate.value, line, lower, upper))
        return weakest_grade(grades)

    def _grade(self) -> str | None:
        """The grade word: by the scheme's edges, or by the majority of the full body."""
        if self.whole.counted_whole:
            best = column(self.case_file, overall, top_reading(1, "all"))
            columns = {group: {OVERALL: best} for group in self.shares}
            return majority_grade(full_body_share(self.rates, columns, self.shares), self.figure)
        grade = self.scheme.requirement.grade(self.figure)
        return None if grade is None else grade.zh

    def _tables(self, level: float) -> Tables:
        read = figure_reading(self.scheme)
        return Tables(
            rates=self.rates,
            shares=self.shares,
            people=self.people,
            outcomes=self.outcomes,
            answers=self.answers,
            dont_know=column(self.case_file, overall, dont_know_reading),
            careful=careful_column(self.case_file, overall, read),
            read=read,
            proportion=self.scheme.figure.formula == "share",
            level=level,
            smallest=self.smallest,
            county=self.plan.county,
        )

    @cached_property
    def beside(self) -> Beside:
        """The same answers, ready to be joined in another way."""
        return Beside(
            self.rates,
            self.whole,
            self.parts,
            self.shares,
            self.people,
            self.sample,
            self.stratum_people,
            self.plan.minimum_count,
        )

    def _doubts(self, tables: Tables, interval: Interval | None, whole: bool) -> dict[str, Any]:
        """What belongs beside the figure; other joins only where all groups are shown, since they would tell the rest."""
        line = self.scheme.requirement.line
        every = self.scheme.requirement.applies_to == "every_group"
        doubts = Doubts(self.beside, line, self.reached, tables.read, tables.level, tables.scale, every)
        flagged = {flag.domain for flag in self.flags if flag.domain in self.sample.by_domain}
        return doubts.document(self.outcomes, interval, sampled=self.evidence_class == "A") | {
            "beside": self.beside.document(self.figure, flagged, self.outcomes, self.smallest) if whole else [],
        }

    def _response(self, tables: Tables) -> dict[str, Any]:
        some = [one for domain, one in self.outcomes.items() if domain in self.rates.draws]
        blank = sum(top == 0 and base == 0 for top, base in self._blank())
        rates = outcome_rates(dispositions(some, partial=min(blank, sum(one.used for one in some))))
        return {
            **tables.returns(lambda draw: True),
            "rate": None if rates["RR2"] is None else truncate(rates["RR2"]),
            "rr1": None if rates["RR1"] is None else truncate(rates["RR1"]),
            "name": "RR2",
            "disputed": sum(one.disputed for one in some),
            "voided": sum(one.voided for one in some),
            "paper": sum(one.paper for one in some),
            "telephone": sum(one.telephone for one in some),
            "outside_days": self.case_file.outside_days,
        }

    def _filled_in(self) -> int:
        """Counted answers that say something of the overall item."""
        return sum(int(base) for _, base in self._blank())

    def _blank(self) -> Iterable[tuple[int, int]]:
        """(0, 0) for every case whose overall item was left blank, (1, 1) otherwise."""
        answered = column(self.case_file, overall, lambda item, answer: None if answer is None else (1, 1))
        return ((int(answered.top[at]), int(answered.base[at])) for at in self.rates.positions)


def estimate_results(
    plan: Plan,
    scheme: Scheme,
    frame: Frame,
    sample: Sample,
    case_file: CaseFile,
    outcomes: Iterable[DomainOutcome],
    *,
    public_draw: bool = False,
    beyond: Beyond | None = None,
    told: Told = untold,
) -> Results:
    """The results of an opened wave.

    Args:
        plan, scheme, frame, sample: as the sample was drawn; their digests are held against it.
        case_file: the counted answers.
        outcomes: what became of the slips, by domain.
        public_draw: whether the seed came from a public draw; without one sentence S8 stands.
        beyond: what the intake counted, and what became of planted slips and call-backs, for the flags.
        told: how many domains of how many the flags have been through; whatever it raises ends the work.

    Raises:
        MixedInputsError: plan or frame differ from those of the draw.
        NoAnswersError, GroupWithoutOpinionError: a group of the figure has nothing to say.
        LonelyStratumError: one school drawn out of several in a stratum.
        NotEverybodyAskedError: the scheme counts a full body, and it was only sampled.
    """
    if frame.digest != sample.frame_digest:
        raise MixedInputsError("学校名册")
    if plan_digest(plan) != sample.plan_digest:
        raise MixedInputsError("计划")
    read = figure_reading(scheme)
    answers = column(case_file, overall, read)
    shares = {group: fraction(share) for group, share in sample.shares.items()}
    satisfied: dict[str, int] = {}
    for case, top in zip(case_file.cases, answers.top, strict=True):
        satisfied[case.domain] = satisfied.get(case.domain, 0) + (top > 0)
    people = frame_people(plan, scheme, frame)
    weights = weight_domains(
        sample,
        people,
        case_file.n_by_domain,
        minimum_count=plan.minimum_count,
        satisfied=satisfied,
        groups=list(shares),
    )
    if not scheme.figure.design_weights:
        weights = weights.plain()
    rates = WaveRates(case_file, weights, sample, by_cells=bool(plan.everybody))
    parts = part_shares(plan, scheme, sample, people)
    by_domain = {one.domain: one for one in outcomes}
    by_group: dict[str, int] = {}
    for (_, group), n in people.items():
        by_group[group] = by_group.get(group, 0) + n
    return Results(
        plan=plan,
        scheme=scheme,
        sample=sample,
        frame_digest=frame.digest,
        case_file=case_file,
        weights=weights,
        rates=rates,
        whole=wave_figure(rates, scheme, read, shares, parts),
        parts=parts,
        answers=answers,
        shares=shares,
        people=by_group,
        stratum_people=people,
        outcomes=by_domain,
        flags=domain_flags(case_file, by_domain.values(), _beyond(case_file, scheme, beyond), told),
        public_draw=public_draw,
        callbacks=beyond.interviews if beyond else 0,
        sampling_notes=tuple(note.problem for note in allocate_wave(plan, scheme, frame).notes),
    )


def _beyond(case_file: CaseFile, scheme: Scheme, beyond: Beyond | None) -> Beyond:
    """What flags know beyond the answers, with who is satisfied by the scheme's own reading."""
    return replace(
        beyond or Beyond(),
        satisfied=column(case_file, overall, scheme_reading(scheme.answers, "share")),
        reversed_items=scheme.answers.reversed_items,
    )
