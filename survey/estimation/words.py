"""What must be said with a figure: counts by domain, how it was weighted, sentences and notes.

What enters is the parts of the results; what leaves is text and counts for pages, paper and
certificate. The sentences are those of TRUST section 11 and follow from facts, never from a
choice; the certificate states its own by the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from survey.cases.case_file import CaseFile
from survey.cases.derivation import overall
from survey.estimation.design_effect import kish_deff
from survey.estimation.figure import common_denominator
from survey.estimation.wave_rates import WaveRates
from survey.exact import percent_text, truncate
from survey.fieldwork.disposition import DomainOutcome
from survey.sampling.sample import Sample
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.scheme.plan import Plan
from survey.scheme.scheme import Scheme
from survey.weighting.domain_weights import WaveWeights

SENTENCES = {
    "S1": "答卷在采集期间没有封存，系统管理员可以读到。",
    "S2": "部分答卷按名额控制，不能排除一人多填。",
    "S3": "部分答卷为开放式自愿填答，不是概率样本，不能排除重复与代填。",
    "S4": "全部密钥在同一台机器上生成和使用，本结果为演示。",
    "S5": "没有上级核查人复核答卷内容。",
    "S6": "置信区间跨过要求线，换一次抽样结论可能不同。",
    "S7": "有的学校在开封前被整体作废，原因见作废记录。",
    "S8": "抽样种子由承办单位自行选定。",
}
METHOD_IN_WORDS = "设计权数×组内无回答调整×按层和各类人事后分层；标准误用泰勒线性化，学校为第一级单位"


def domain_counts(
    sample: Sample, outcomes: Mapping[str, DomainOutcome], case_file: CaseFile
) -> list[dict[str, Any]]:
    """What became of every domain's slips: public after closing, whatever the answers."""
    rows = []
    for draw in sample.domains:
        one = outcomes.get(draw.domain, DomainOutcome(draw.domain, draw.slips, 0))
        rows.append(
            {
                "domain": draw.domain,
                "eligible": draw.eligible,
                "slips": one.issued,
                "used": one.used,
                "spares": one.spares,
                "voided": one.voided,
                "disputed": one.disputed,
                "paper": one.paper,
                "telephone": one.telephone,
                "counted": case_file.n_by_domain[draw.domain],
            }
        )
    return rows


def weighting_document(weights: WaveWeights, rates: WaveRates) -> dict[str, Any]:
    """The weighting in words, cells, pools, every factor, and how unequal the weights are."""
    of_cases = np.array([float(weights.weight(domain)) for domain in rates.domains])
    return {
        "in_words": METHOD_IN_WORDS,
        "cells": [
            {"cell": c.id, "group": c.group, "strata": list(c.strata), "people": c.people, "n": c.n}
            for c in weights.cells
        ],
        "pools": {pool.id: list(pool.domains) for pool in weights.pools if pool.is_pooled},
        "history": weights.history(),
        "smallest": truncate(float(of_cases.min()), 2),
        "largest": truncate(float(of_cases.max()), 2),
        "kish_deff": truncate(kish_deff(of_cases), 2),
        "common_denominator_bits": common_denominator(p.weight for p in weights.pools).bit_length(),
    }


def spoken_sentences(
    plan: Plan, case_file: CaseFile, *, across: bool, auditor: bool, public_draw: bool
) -> list[str]:
    """Which of the sentences hold, by their ids."""
    modes = {entry.mode for entry in plan.groups}
    holds = {
        "S1": not plan.sealed,
        "S2": "quota" in modes,
        "S3": "open" in modes,
        "S4": plan.demonstration,
        "S5": not auditor,
        "S6": across,
        "S7": any(reason == "X2" for _, reason in case_file.excluded),
        "S8": not public_draw,
    }
    return [key for key, said in holds.items() if said]


def returns_note(scheme: Scheme, n_valid: int, issued: int) -> list[str]:
    """Whether as many forms came back valid as the scheme asks; nothing where it asks for no share.

    >>> from survey.scheme.presets import load_scheme
    >>> returns_note(load_scheme("basic_balance_2012"), 66, 100), returns_note(load_scheme("quality_balance_2017"), 66, 100)
    (['有效回收率66.00%（发出100份，有效66份），低于方案要求的70.00%'], [])
    """
    asked = scheme.valid_share
    if asked is None or not issued:
        return []
    share = Fraction(n_valid, issued)
    verdict = "达到" if share >= asked else "低于"
    return [f"有效回收率{percent_text(truncate(share))}（发出{issued}份，有效{n_valid}份），{verdict}方案要求的{percent_text(truncate(asked))}"]


def notes(
    plan: Plan,
    scheme: Scheme,
    sample: Sample,
    case_file: CaseFile,
    weights: WaveWeights,
    silent: Sequence[tuple[str, str]] = (),
) -> list[str]:
    """What a reader of this wave must know besides, in words; `silent` parts of the figure by name."""
    said = []
    named = {stratum.stratum: stratum.name for stratum in sample.strata}
    if plan.demonstration:
        said.append("演示数据：答卷是模拟的，不代表任何真实意见")
    if scheme.figure.official_formula == "not_found":
        said.append("没有查到官方的折算办法，本报告使用上面写明的算法")
    if scheme.figure.base == "full_body":
        said.append("合成的数按全体人数计票，没回答的不算满意；各表里的率按有效份数，两者不同")
    whole = [entry.group for entry in plan.groups if plan.asks_whole(entry.group)]
    if whole:
        said.append(
            f"{'、'.join(GROUP_NAMES.get(group, group) for group in whole)}问遍全体，误差只来自没有回答的人，"
            "按学校和群体分格计算；没回答的人想法若不一样，不在误差里，要同时看回收率和使结论改变的那条线"
        )
    if weights.is_plain:
        said.append("方案写明不加权：每份答卷一样重")
    for group, part in silent:
        said.append(f"{GROUP_NAMES.get(group, group)}的{part}没有一份有效意见，不计入，份额按比例分给其他题")
    for cell in weights.cells:
        if len(cell.strata) > 1:
            said.append(
                f"{GROUP_NAMES.get(cell.group, cell.group)}：{'、'.join(named.get(name, name) for name in cell.strata)}收回的份数少，合在一起加权"
            )
    if len({d.school_code for d in sample.domains if d.school_code}) == 1:
        said.append("只有1所学校，学校不是抽出来的，结果只说明这一所学校")
    if any(item.object == "school" for one in case_file.instruments.values() for item in overall(one)):
        said.append("总体评价一题，成年人评价全县，学生评价自己的学校；合成的数把两者合在一起")
    return said
