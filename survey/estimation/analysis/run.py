"""The whole of a spec reckoned on a sample: items by domains, composites, comparisons, lines.

Enters: a spec and its `Sample`. Leaves: one plain document. Each section is a list of lines in the
order of the spec; progress is told by line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from survey.arrays import Flags
from survey.cases.few_answers import code_of
from survey.estimation.analysis.comparisons import compare
from survey.estimation.analysis.disclosing import coded, emptied, hidden_domains
from survey.estimation.analysis.published import published_rows
from survey.estimation.analysis.quality import quality_of
from survey.estimation.analysis.readings import read_item
from survey.estimation.analysis.rows import (
    Reckoner,
    composite_bounds,
    exact_rate,
    finite_or_none,
    interval_level,
    judged,
    line_of,
    no_nan,
    number_shown,
    words_of,
)
from survey.estimation.analysis.sample import Sample
from survey.estimation.analysis.spec import AnalysisSpec, CompositeSpec, DomainSpec, items_of
from survey.estimation.composite import composite
from survey.estimation.linearization import EmptyDomainError
from survey.exact import percent_text, truncate
from survey.sampling.declared_design import DesignSpecError
from survey.weighting.declared_steps import Progress

EVERYBODY = "全体"
MAX_DOMAINS = 20_000


@dataclass(frozen=True, eq=False)
class Domain:
    """A set of rows with a name."""

    name: str
    values: dict[str, str]
    mask: Flags


def analyse(spec: AnalysisSpec, sample: Sample, *, progress: Progress | None = None) -> dict[str, Any]:
    """The results of a spec as one JSON document, full precision.

    Raises:
        EmptyDomainError: a group that the spec names has no case.
        LonelyPsuError: one unit in a stratum under policy `fail`.
        SurveyError: an item whose column does not fit.
    """
    reckoners = {
        item.id or "": Reckoner(spec, sample, read_item(item, sample.columns)) for item in items_of(spec)
    }
    sets = [(domains_of(one, sample), one) for one in spec.domains]
    notes = [*sample.notes, *(note for one in reckoners.values() for note in one.reading.notes)]
    for domains, entry in sets:
        grouped = np.logical_or.reduce([one.mask for one in domains]) if domains else np.zeros(0, dtype=bool)
        if entry.by and (absent := int((~grouped & (sample.design.weights != 0)).sum())):
            notes.append(f"{absent}条记录没有“{'×'.join(entry.by)}”的值，不在它的任何一组里")
    rows: list[dict[str, Any]] = []
    total = len(reckoners)
    for at, (name, one) in enumerate(reckoners.items()):
        if progress is not None:
            progress(at, total, one.reading.label or name)
        rows += _item_rows(spec, sample, one, sets)
    everybody = np.ones(len(sample.columns), dtype=bool)
    composites = [_composite_row(spec, sample, one, reckoners) for one in spec.composites]
    comparisons = [row for one in spec.comparisons for row in compare(spec, sample, one, reckoners[one.item])]
    withheld = sum(bool(row.get("withheld")) for row in rows)
    if withheld:
        notes.append(f"{withheld}行少于{spec.disclosure.minimum_count}份，或能推算出那样的一行，没有显示")
    document = {
        "title": spec.title,
        "note": spec.note,
        "design": sample.described(),
        "interval": {"method": spec.interval.method, "level": interval_level(spec), "df": spec.interval.df},
        "weights": [asdict(step) for step in sample.history.diagnostics()],
        "weights_total": float(sample.design.weights.sum()),
        "response": _response(spec, sample, everybody),
        "rows": rows,
        "composites": composites,
        "comparisons": comparisons,
        "published": None if spec.published is None else published_rows(spec, sample.columns),
        "quality": None if spec.quality is None else quality_of(spec.quality, sample),
        "notes": notes,
    }
    return no_nan(document)


def domains_of(spec: DomainSpec, sample: Sample) -> list[Domain]:
    """The domains of one entry, in the order of their categories.

    Raises:
        EmptyDomainError: a group by condition without a single case, or too many groups.
    """
    columns = sample.columns
    if spec.where:
        mask = columns.where(spec.where)
        name = spec.name or "，".join(f"{k}={'、'.join(v)}" for k, v in spec.where.items())
        if not (mask & (sample.design.weights != 0)).any():
            raise EmptyDomainError(f"分组“{name}”", "没有一条有权数的记录", "检查条件，或者删去这一组")
        return [Domain(name, {k: "、".join(v) for k, v in spec.where.items()}, mask)]
    listed = [columns[name] for name in spec.by]
    code = np.zeros(len(columns), dtype=np.int64)
    absent = np.zeros(len(columns), dtype=bool)
    levels = []
    for column in listed:
        known = column.levels()
        place = {text: at for at, text in enumerate(known)}
        own = np.array([place.get(text, 0) for text in column.distinct], dtype=np.int64)[column.code]
        code = code * max(len(known), 1) + own
        absent |= column.is_missing
        levels.append(known)
    found = np.unique(code[~absent])
    if len(found) > MAX_DOMAINS:
        raise EmptyDomainError(
            f"分组“{'×'.join(spec.by)}”", f"有{len(found)}组，超过{MAX_DOMAINS}组", "换一列分组，或先归并"
        )
    domains = []
    for one in found.tolist():
        values, rest = {}, one
        for column, known in zip(reversed(listed), reversed(levels), strict=True):
            rest, at = divmod(rest, len(known))
            values[column.name] = known[at]
        values = {column.name: values[column.name] for column in listed}
        name = "，".join(columns[k].label(v) if columns[k].labels else f"{k}={v}" for k, v in values.items())
        domains.append(Domain(name, values, (code == one) & ~absent))
    return domains


def _item_rows(
    spec: AnalysisSpec, sample: Sample, one: Reckoner, sets: list[tuple[list[Domain], DomainSpec]]
) -> list[dict[str, Any]]:
    """Everybody's line and those of every domain, the small ones emptied."""
    smallest = smallest_count(spec, one)
    everybody = Domain(EVERYBODY, {}, np.ones(len(sample.columns), dtype=bool))
    whole = _told(spec, one, everybody, whole=True)
    n_whole = whole[0]["n"]
    rows = [emptied(row, smallest) if n_whole < smallest else row for row in whole]
    for domains, entry in sets:
        if entry.items and one.reading.id not in entry.items:
            continue
        lines = [_told(spec, one, domain) for domain in domains]
        hidden = hidden_domains(
            [group[0]["n"] for group in lines], smallest, adds_up=bool(entry.by), whole=n_whole
        )
        for at, group in enumerate(lines):
            rows += [emptied(row, smallest) if at in hidden else row for row in group]
    if spec.disclosure.reliability == "nchs_hide":
        rows = [_unreliable(row) if row.get("reliability") == "suppress" else row for row in rows]
    return rows


def smallest_count(spec: AnalysisSpec, one: Reckoner) -> int:
    """The least answers a line needs: options one by one need four times as many (TRUST section 16)."""
    least = spec.disclosure.minimum_count
    return least * 4 if one.reading.spec.statistic == "distribution" and least > 1 else least


def _told(spec: AnalysisSpec, one: Reckoner, domain: Domain, *, whole: bool = False) -> list[dict[str, Any]]:
    """An item's lines in one domain, extremes of few coded, with their cautions in words beside the codes."""
    line = line_of(spec, one.reading.id, whole=whole)
    lines = list(_lines(spec, one, domain, whole=whole))
    if spec.disclosure.minimum_count > 1 and one.reading.is_rate:
        lines = [coded(row, None if "option" in row else line) for row in lines]
    return [{**row, "caution_words": words_of(row["cautions"])} for row in lines]


def _unreliable(row: dict[str, Any]) -> dict[str, Any]:
    """A line that NCHS's standard would not present, without its numbers; its count stays."""
    gone = (
        "se",
        "cv",
        "lower",
        "upper",
        "deff",
        "n_eff",
        "unweighted",
        "base_weighted",
        "base_weighted_se",
        "conservative",
        "dont_know",
    )
    kept = {key: value for key, value in row.items() if key not in gone}
    return {**kept, "withheld": True, "value": None, "shown": "不可靠，不显示", "percent": "不可靠，不显示"}


def _lines(
    spec: AnalysisSpec, one: Reckoner, domain: Domain, *, whole: bool = False
) -> Iterator[dict[str, Any]]:
    """The lines of an item in one domain: one, or one for each option or quantile."""
    reading = one.reading
    head = {
        "kind": "item",
        "id": reading.id,
        "label": reading.label,
        "statistic": reading.spec.statistic,
        "domain": domain.name,
        "domain_values": domain.values,
    }
    if reading.spec.statistic == "quantile":
        for row in one.quantiles(domain.mask):
            yield {**head, **row}
        return
    if reading.spec.statistic == "distribution" and reading.options:
        for option in reading.options:
            row = one.row(domain.mask, option=option, whole=whole)
            yield {**head, "option": option[0], "option_label": option[1], **row}
        return
    row = one.row(domain.mask, whole=whole)
    yield {**head, **row}


def _composite_row(
    spec: AnalysisSpec, sample: Sample, one: CompositeSpec, reckoners: dict[str, Reckoner]
) -> dict[str, Any]:
    """A composite's line; withheld when a part rests on too few answers.

    Raises:
        DesignSpecError: parts that rest on different designs.
    """
    parts, shares, listed = [], [], []
    for part in one.parts:
        reckoner = reckoners[part.of]
        if reckoner.design is not sample.design:
            raise DesignSpecError(
                f"合成数“{one.id}”", f"“{part.of}”有自己的样本或权数", "合成数的各题要用同一个样本"
            )
        mask = sample.columns.where(part.where) if part.where else np.ones(len(sample.columns), dtype=bool)
        if not reckoner.has_answers(mask):
            raise EmptyDomainError(
                f"合成数“{one.id}”里的“{part.of}”", "没有一份有效回答", "检查条件；不能用别的部分代替"
            )
        estimate = reckoner.estimate(mask)
        parts.append(estimate)
        shares.append(part.share)
        few = reckoner.reading.is_rate and spec.disclosure.minimum_count > 1 and code_of(exact_rate(estimate.value), estimate.n)
        value = None if few else estimate.value
        listed.append({"of": part.of, "where": {k: list(v) for k, v in part.where.items()}, "share": part.share, "value": value, "n": estimate.n})  # fmt: skip
    made = composite(shares, parts, sample.design)
    head: dict[str, Any] = {"kind": "composite", "id": one.id, "label": one.label or one.id, "domain": EVERYBODY, "domain_values": {}, "statistic": "composite"}  # fmt: skip
    smallest = spec.disclosure.minimum_count
    if min(part.n for part in parts) < smallest:
        return emptied({**head, "n": min(part.n for part in parts)}, smallest)
    level = interval_level(spec)
    bounds = composite_bounds(spec, shares, parts, made, level)
    row: dict[str, Any] = {
        **head,
        "n": made.n,
        "n_rows": made.n_rows,
        "value": made.value,
        "se": made.se,
        "df": finite_or_none(made.df),
        "lower": None if bounds is None else bounds.lower,
        "upper": None if bounds is None else bounds.upper,
        "interval": None if bounds is None else bounds.method,
        "parts": listed,
        "cautions": [] if bounds is not None else ["no_interval"],
    }
    if all(reckoners[part.of].reading.is_rate for part in one.parts):
        shown = truncate(exact_rate(min(max(made.value, 0.0), 1.0)))
        row |= {"shown": shown, "percent": percent_text(shown)}
    else:
        row["shown"] = number_shown(made.value)
    line = line_of(spec, one.id)
    if line is not None:
        sides = composite_bounds(spec, shares, parts, made, 2 * level - 1)
        judged(row, line, None if sides is None else (sides.lower, sides.upper))
    row["caution_words"] = words_of(row["cautions"])
    return row


def _response(spec: AnalysisSpec, sample: Sample, everybody: Flags) -> dict[str, Any] | None:
    """Who answered among the sampled, where a nonresponse step says it."""
    for step in spec.weighting:
        if step.nonresponse is not None:
            answered = sample.columns.where(step.nonresponse.responded)
            base = sample.base.weights
            return {
                "sampled": int(everybody.sum()),
                "answered": int(answered.sum()),
                "rate": float(answered.mean()),
                "weighted_rate": float(base[answered].sum() / base.sum()),
            }
    return None
