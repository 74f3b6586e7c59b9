"""The result tables of a wave: by group, stage, place and dimension, and item by item.

What enters is the wave's rates and the scheme's reading; what leaves is rows of text, small cells
withheld. A group's row is its own rate. Rows of stage, place and dimension join the groups by
their shares: an answer of group g counts share_g / N_g times its weight, so that each group
weighs what the plan fixed, whoever answered. County lists belong to no stage and no place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from survey.cases.case_file import CaseFile
from survey.cases.derivation import (
    Column,
    ReadAnswer,
    column,
    conservative,
    content,
    dont_know_reading,
    overall,
)
from survey.cases.few_answers import FEW_ANSWERS
from survey.cases.item_nonresponse import item_counts
from survey.estimation.design_effect import reliability_document
from survey.estimation.disclosure import emptied, left_out_words, withhold
from survey.estimation.figure import interval_document
from survey.estimation.intervals import Interval
from survey.estimation.leftovers import known_sums, parted, rows_to_hide
from survey.estimation.wave_rates import Rate, WaveRates, of_group
from survey.exact import percent_text, truncate
from survey.fieldwork.disposition import DomainOutcome
from survey.sampling.frame import PLACE_NAMES
from survey.sampling.sample import DomainDraw
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.scheme.instrument import Instrument, Item
from survey.scheme.plan_words import STAGE_NAMES
from survey.scheme.texts import dimension_names


@dataclass(frozen=True)
class Tables:
    """What every table needs: rates, shares, people, outcomes and the reading of answers."""

    rates: WaveRates
    shares: Mapping[str, Fraction]
    people: Mapping[str, int]
    outcomes: Mapping[str, DomainOutcome]
    answers: Column
    """The figure's own column."""
    dont_know: Column
    careful: Column
    read: ReadAnswer
    proportion: bool
    level: float
    smallest: int
    county: str
    """The short place name that item texts leave open."""

    @cached_property
    def n_of(self) -> dict[str, int]:
        """Domain → counted answers."""
        return {domain: found[2] for domain, found in self.rates.sums(self.answers).items()}

    @property
    def pools(self) -> list[tuple[str, ...]]:
        """The domains of every row of the certified table, whose counts everybody knows."""
        return [pool.domains for pool in self.rates.weights.pools]

    @property
    def scale(self) -> dict[str, Fraction]:
        """share_g / N_g of every group."""
        return {
            group: share / self.people[group]
            for group, share in self.shares.items()
            if self.people.get(group)
        }

    def row(
        self,
        key: str,
        name: str,
        keep: Callable[[DomainDraw], bool],
        *,
        joined: bool,
        answers: Column | None = None,
        careful: bool = True,
    ) -> dict[str, Any]:
        """One row of a table, before small cells are withheld."""
        scale = self.scale if joined else None
        rate = self.rates.rate(answers or self.answers, keep, scale)
        row: dict[str, Any] = {"key": key, "name": name, **self.returns(keep)}
        if rate is None:
            return row | {"n": 0, "n_valid": 0}
        row |= {
            "dont_know": None,
            "n": rate.n,
            "n_valid": rate.n_valid,
            **rate_document(rate, self.level, self.proportion),
        }
        if answers is None:
            unsure = self.rates.rate(self.dont_know, keep, scale)
            row["dont_know"] = share_document(unsure)
            if careful and (worst := self.rates.rate(self.careful, keep, scale)):
                row["conservative"] = truncate(worst.value)
        return row

    def kinds(self) -> list[tuple[str, Instrument, set[str]]]:
        """Every group and instrument that was asked, with its domains."""
        found: dict[tuple[str, str], tuple[Instrument, set[str]]] = {}
        for domain, draw in self.rates.draws.items():
            if (one := self.rates.case_file.instruments.get(domain)) is not None:
                found.setdefault((draw.group, one.id), (one, set()))[1].add(domain)
        return [(group, one, domains) for (group, _), (one, domains) in found.items()]

    def returns(self, keep: Callable[[DomainDraw], bool]) -> dict[str, Any]:
        """Slips issued and used in the domains kept, with AAPOR's response rate 2."""
        some = [
            self.outcomes[domain]
            for domain, draw in self.rates.draws.items()
            if keep(draw) and domain in self.outcomes
        ]
        issued, used = sum(one.issued for one in some), sum(one.used for one in some)
        return {
            "issued": issued,
            "used": used,
            "response_rate": truncate(Fraction(used, issued)) if issued else None,
        }


def rate_document(rate: Rate, level: float, proportion: bool = True) -> dict[str, Any]:
    """A rate as text: shown, standard error, interval, and what a careful reader should know."""
    interval = rate.interval(level, proportion=proportion)
    shown = truncate(rate.value)
    return {
        "shown": shown,
        "percent": percent_text(shown),
        "display": percent_text(shown),
        "se": truncate(rate.estimate.se),
        "df": int(rate.estimate.df),
        "interval": None if interval is None else interval_document(interval.lower, interval.upper),
        "cautions": [*cautions(rate), *(_reliability(rate, interval) if proportion else ())],
    }


def _reliability(rate: Rate, interval: Interval | None) -> list[str]:
    """What the NCHS standard says of a share that has an interval; fewer than thirty answers are said elsewhere."""
    if interval is None or rate.n_valid < 30:
        return []
    one = rate.estimate
    n_eff = min(rate.n_effective or one.n, one.n)
    return list(reliability_document(one.value, one.n, n_eff, one.df, interval)["words"])


def share_document(rate: Rate | None) -> dict[str, str] | None:
    """A share told in passing: its shown text, or None where nothing was in the base."""
    return None if rate is None else {"shown": truncate(rate.value)}


def cautions(rate: Rate) -> list[str]:
    """What weakens an interval, in words."""
    said = []
    if rate.estimate.df <= 0:
        said.append("只来自一所学校或一个人，不给区间")
    elif rate.estimate.df < 8:
        said.append("学校少，区间只作参考")
    if rate.few_against:
        said.append("不满意的人只来自很少几所学校，下限可能偏高")
    if rate.few_in_favour:
        said.append("满意的人只来自很少几所学校，上限可能偏低")
    if rate.n_valid < 30:
        said.append("份数少，区间很宽")
    return said


def group_table(tables: Tables) -> list[dict[str, Any]]:
    """A row for each group of the figure, with its share."""
    rows = []
    for group in tables.shares:
        row = tables.row(
            group, GROUP_NAMES.get(group, group), of_group(group), joined=False
        )
        rows.append(row | {"eligible": tables.people.get(group, 0), "share": truncate(tables.shares[group])})
    return withhold(rows, tables.smallest)


def place_table(tables: Tables, told: Collection[str] = ()) -> list[dict[str, Any]]:
    """A row for each place of drawn schools; `told` are domains that other tables tell one by one."""
    return _school_table(tables, PLACE_NAMES, lambda draw: draw.place, told)


def stage_table(tables: Tables, told: Collection[str] = ()) -> list[dict[str, Any]]:
    """A row for each stage of drawn schools."""
    return _school_table(tables, STAGE_NAMES, lambda draw: draw.stage, told)


NO_AREA = "未划入责任区的学校"


def area_table(
    tables: Tables, areas: Mapping[str, tuple[str, str]], told: Collection[str] = ()
) -> list[dict[str, Any]]:
    """A row for each responsibility area that a school was drawn in, by code and never by rate.

    Areas are domains of the sample, not strata: how many of their schools were drawn is chance, and
    the interval says so. Drawn schools of no area make a row of their own, so that what is withheld
    cannot be had by subtraction.

    Args:
        areas: school → code and name of its area.
    """

    def of(draw: DomainDraw) -> str | None:
        return areas.get(draw.school_code, ("", NO_AREA))[0] if draw.school_code else None

    names = dict(sorted(areas.values())) | {"": NO_AREA}
    return _school_table(tables, names, of, told)


def _school_table(
    tables: Tables,
    names: Mapping[str, str],
    of: Callable[[DomainDraw], str | None],
    told: Collection[str],
) -> list[dict[str, Any]]:
    """Rows that join the groups of schools, and give away no few answers beside the certified table.

    Where they would (`leftovers`), every row joins whole certified rows only, and says how many of its
    answers it leaves out: those that are counted together with others' elsewhere.
    """
    inside: dict[str, set[str]] = {}
    for domain, draw in tables.rates.draws.items():
        if (key := of(draw)) is not None:
            inside.setdefault(key, set()).add(domain)
    inside = {key: inside[key] for key in names if key in inside}
    sums = known_sums(tables.pools, told)
    rows = _joined_rows(tables, names, inside)
    withheld = {f"row {row['key']}" for row in rows if row.get("withheld")}
    by_name = {f"row {key}": of_row for key, of_row in inside.items()}
    if rows_to_hide(by_name, withheld, sums, tables.n_of, tables.smallest) == withheld:
        return rows
    apart = {domain for one in parted(by_name, sums, tables.n_of) for domain in one}
    rows = _joined_rows(tables, names, {key: of_row - apart for key, of_row in inside.items()})
    for row in rows:
        n_out = sum(tables.n_of.get(domain, 0) for domain in inside[row["key"]] & apart)
        if n_out and not row.get("withheld"):
            row["left_out"], row["cautions"] = n_out, [left_out_words(n_out), *row["cautions"]]
    return rows


def _joined_rows(
    tables: Tables, names: Mapping[str, str], inside: Mapping[str, set[str]]
) -> list[dict[str, Any]]:
    def lies_in(key: str) -> Callable[[DomainDraw], bool]:
        return lambda draw: draw.domain in inside[key]

    rows = [tables.row(key, names[key], lies_in(key), joined=True) for key in inside]
    return withhold(rows, tables.smallest)


def dimension_table(tables: Tables) -> list[dict[str, Any]]:
    """A row for each dimension: all its content items, all groups that were asked any of them."""
    names = dimension_names("zh")
    case_file = tables.rates.case_file
    asked = {id(one): one for one in case_file.instruments.values()}.values()
    dimensions = list(
        dict.fromkeys(item.dimension for one in asked for item in content(one) if item.dimension)
    )
    rows = []
    for dimension in sorted(
        dimensions, key=lambda key: list(names).index(key) if key in names else len(names)
    ):
        some = column(case_file, _of_dimension(dimension), tables.read)
        rows.append(
            tables.row(
                dimension, names.get(dimension, dimension), lambda draw: True, joined=True, answers=some
            )
        )
    for row in rows:
        for key in ("issued", "used", "response_rate"):
            row.pop(key)
    return withhold(rows, tables.smallest, complement=False)


def _of_dimension(dimension: str) -> Callable[[Instrument], tuple[Item, ...]]:
    return lambda one: tuple(item for item in content(one) if item.dimension == dimension)


def item_table(tables: Tables, hidden: Collection[str] = ()) -> list[dict[str, Any]]:
    """A row for each satisfaction item of each group: rate, silences, counts by option.

    Args:
        hidden: groups whose own row is withheld; an item of theirs would say what it says.
    """
    case_file = tables.rates.case_file
    rows = []
    for group, one, domains in tables.kinds():
        cases = [case_file.cases[at] for at in case_file.positions(domains)]
        silences = item_counts(one, cases)
        for item in (*content(one), *overall(one)):
            row = _item_row(tables, case_file, item, group, domains, withheld=group in hidden)
            counts = silences[item.id]
            if (row["n_valid"] or 0) >= tables.smallest:
                row |= {
                    "skipped": counts.nonresponse,
                    "refused": counts.refused,
                    "dont_know_n": counts.dont_know,
                    "off_path": counts.off_path,
                    "options": option_counts(item, cases) if row["n_valid"] >= FEW_ANSWERS else None,
                }
            rows.append(
                {"group": group, "group_name": GROUP_NAMES.get(group, group), "instrument": one.id, **row}
            )
    return rows


def _item_row(
    tables: Tables, case_file: CaseFile, item: Item, group: str, domains: set[str], *, withheld: bool
) -> dict[str, Any]:
    def only(instrument: Instrument) -> tuple[Item, ...]:
        found = instrument.by_id.get(item.id)
        return () if found is None else (found,)

    def keep(draw: DomainDraw) -> bool:
        return draw.domain in domains

    text = item.text["zh"].replace("{county}", tables.county)
    row = tables.row(item.id, text, keep, joined=False, answers=column(case_file, only, tables.read))
    for key in ("issued", "used", "response_rate"):
        row.pop(key)
    unsure = tables.rates.rate(column(case_file, only, dont_know_reading), keep)
    row["dont_know"] = share_document(unsure)
    shown = emptied(row, tables.smallest) if withheld else withhold([row], tables.smallest)[0]
    described = {
        "item": item.id,
        "text": text,
        "role": item.role,
        "dimension": item.dimension,
        "object": item.object,
    }
    return described | shown | {"n_valid": shown.get("n_valid", 0)}


def option_counts(item: Item, cases: Sequence[Any]) -> list[dict[str, Any]]:
    """How many chose each option, unweighted."""
    given = Counter(answer for case in cases if isinstance(answer := case.answers.get(item.id), (int, str)))
    return [{"key": option.key, "zh": option.zh, "n": given.get(option.value, 0)} for option in item.options]


def careful_column(
    case_file: CaseFile, items: Callable[[Instrument], tuple[Item, ...]], read: ReadAnswer
) -> Column:
    """The figure's column with every don't-know counted as not satisfied."""
    return column(case_file, items, conservative(read))
