"""What people said happened: the items of fact, and the one that asks whether somebody was coached.

What enters is the tables' own rates; what leaves is a row an item and group, with the share of every
option; of two only the first, since the other's is what remains. A fact is no opinion: it enters no
rate of satisfaction and is held against no line. Shares by option are told from as many answers as
counts by option are (TRUST section 16): from fewer, one person's answer could be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from survey.cases.derivation import ReadAnswer, Worth, column
from survey.cases.few_answers import FEW_ANSWERS
from survey.estimation.wave_rates import Rate
from survey.estimation.wave_tables import Tables, option_counts, rate_document
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.scheme.instrument import Instrument, Item

ROLES = ("fact", "quality")


def fact_table(tables: Tables) -> list[dict[str, Any]]:
    """A row for each single-choice item of fact of each group, in the order they were asked.

    `asked_of` names the group, and its questionnaire where the group has more than one.
    """
    forms = Counter(group for group, _, _ in tables.kinds())
    return [
        {
            "group": group,
            "group_name": GROUP_NAMES.get(group, group),
            "instrument": one.id,
            "asked_of": GROUP_NAMES.get(group, group)
            + (f"（{one.title['zh'].replace('{county}', tables.county)}）" if forms[group] > 1 else ""),
            **_row(tables, item, domains),
        }
        for group, one, domains in tables.kinds()
        for item in one.items
        if item.role in ROLES and item.kind == "single"
    ]


def is_told(row: Mapping[str, Any]) -> bool:
    """Whether pages and paper may print a row's shares and counts, whichever release kept it.

    >>> is_told({"n_valid": 40, "shares": []}), is_told({"n_valid": 39}), is_told({"withheld": True, "n_valid": 60})
    (True, False, False)
    """
    return not row.get("withheld") and int(row.get("n_valid") or 0) >= FEW_ANSWERS


def _row(tables: Tables, item: Item, domains: set[str]) -> dict[str, Any]:
    scored = item.answer_scale.scored
    said = scored if len(scored) > 2 else scored[:1]
    rates = [(option, _share(tables, item, option.key, domains)) for option in said]
    told = {
        "item": item.id,
        "text": item.text["zh"].replace("{county}", tables.county),
        "role": item.role,
        "dimension": item.dimension,
    }
    n_valid = min((0 if rate is None else rate.n_valid for _, rate in rates), default=0)
    if n_valid < max(FEW_ANSWERS, tables.smallest):
        return told | {"withheld": True, "shares": [], "options": []}
    case_file = tables.rates.case_file
    return told | {
        "n_valid": n_valid,
        "shares": [
            {"key": option.key, "zh": option.zh, **rate_document(rate, tables.level)}
            for option, rate in rates
            if rate is not None
        ],
        "options": option_counts(item, [case_file.cases[at] for at in case_file.positions(domains)]),
    }


def _share(tables: Tables, item: Item, key: str, domains: set[str]) -> Rate | None:
    def only(instrument: Instrument) -> tuple[Item, ...]:
        found = instrument.by_id.get(item.id)
        return () if found is None else (found,)

    answers = column(tables.rates.case_file, only, chosen(key))
    return tables.rates.rate(answers, lambda draw: draw.domain in domains)


def chosen(key: str) -> ReadAnswer:
    """Whether an answer is this option, over the answers that say something."""

    def read(item: Item, answer: object) -> tuple[Worth, Worth] | None:
        if answer is None:
            return None
        option = item.answer_scale.option(answer)  # type: ignore[arg-type]
        return None if option.kind == "none" else (int(option.key == key), 1)

    return read
