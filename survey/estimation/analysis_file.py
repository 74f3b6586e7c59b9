"""A wave's counted answers as columns, with the design and weights that give the published figure again.

What enters is `Results`; what leaves is an `AnalysisFile`: one row an answer, and one for every drawn
school from which nobody answered, since leaving it out would change the standard error. Schools
and school × group cells carry numbers in the order of the rows, not names; free text never leaves.
Left out on purpose: day, pace, school, and anything typed. The file is still confidential: who
knows how many answered in each school may recognise one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from survey.cases.case_file import CaseFile
from survey.cases.near_copies import Told, untold
from survey.errors import SurveyError
from survey.estimation.balanced_replicates import balanced_replicates
from survey.estimation.results import Results
from survey.sampling.frame import PLACE_NAMES
from survey.sampling.scheme_sizes import GROUP_NAMES
from survey.scheme.codebook import Code, codebook_of
from survey.scheme.instrument import Instrument
from survey.scheme.plan_words import STAGE_NAMES

Kind = Literal["number", "label"]


class NoAnalysisFileError(SurveyError):
    """The figure is not a ratio of one item's answers, so no two columns carry it."""

    code = "estimation.no_analysis_file"
    kind = "refused"

    def __init__(self) -> None:
        super().__init__(
            "分析文件",
            "方案的满意度不是总体评价一题的比值，两列数据还原不了",
            "用结果表；或在方案里改用总体评价一题",
        )


@dataclass(frozen=True)
class AnalysisVariable:
    """One column: its values, its words, and what its codes mean."""

    name: str
    label: str
    kind: Kind
    values: tuple[float | int | str | None, ...]
    codes: tuple[Code, ...] = ()
    question: str = ""
    is_weight: bool = False


@dataclass(frozen=True)
class AnalysisFile:
    """Columns of equal length, and the shares by which the groups' rates make the figure."""

    wave: str
    title: str
    variables: tuple[AnalysisVariable, ...]
    n_answers: int
    shares: Mapping[str, Fraction]
    figure: Fraction
    se: float
    replicate_scale: float
    """What the sum of squared differences of the replicates is multiplied by; centre is the full sample."""

    @property
    def n_rows(self) -> int:
        """Answers and silent schools."""
        return len(self.variables[0].values)


def analysis_file(results: Results, told: Told = untold) -> AnalysisFile:
    """The columns of a wave.

    Args:
        told: how far the replicate weights are, which take nearly all of the time.

    Raises:
        NoAnalysisFileError: the scheme's figure is not a ratio of the overall item.
    """
    if results.scheme.figure.from_items != "overall_item":
        raise NoAnalysisFileError
    rates, draws = results.rates, results.rates.draws
    met = {draws[domain].school_code for domain in rates.domains}
    silent = sorted({str(draw.school_code): draw for draw in draws.values() if draw.school_code}.items())
    silent = [(code, draw) for code, draw in silent if draw.school_code not in met]
    schools_in_frame = {one.stratum: one.schools_in_frame for one in results.sample.strata}
    of_rows = [draws[domain] for domain in rates.domains]
    numbers: dict[str, int] = {}
    cells: dict[str, int] = {}
    psu, ssu = [], []
    for row, draw in enumerate(of_rows):
        listed = draw.school_code is None
        psu.append(numbers.setdefault(f"person {row}" if listed else str(draw.school_code), len(numbers) + 1))
        ssu.append(cells.setdefault(draw.domain, len(cells) + 1))
    for code, _ in silent:
        psu.append(numbers.setdefault(code, len(numbers) + 1))
        ssu.append(0)
    n, blanks = len(of_rows), [None] * len(silent)
    common, top, base = results.answers.whole
    at = np.array(rates.positions, dtype=np.int64)
    pools = [results.weights.by_domain[domain] for domain in rates.domains]
    poststrata = {name: number for number, name in enumerate(sorted({pool.cell for pool in pools}), start=1)}
    everyone = [*of_rows, *(draw for _, draw in silent)]
    groups = list(dict.fromkeys(draw.group for draw in draws.values()))
    replicates = balanced_replicates(rates.design, told=told)
    variables = [
        AnalysisVariable("row", "行号", "number", tuple(range(1, n + len(silent) + 1))),
        AnalysisVariable("answered", "是否有答卷（0：抽中但一份也没有收回的学校）", "number", (*[1] * n, *[0] * len(silent))),
        AnalysisVariable("stratum", "层", "label", tuple(draw.stratum for draw in everyone)),
        AnalysisVariable("psu", "第一级抽样单位（学校，或名单上的人）的编号", "number", tuple(psu)),
        AnalysisVariable(
            "n_psu", "层里第一级单位的总数（fpc）", "number",
            tuple(draw.eligible if draw.school_code is None else schools_in_frame[draw.stratum] for draw in everyone),
        ),
        AnalysisVariable("ssu_stratum", "学校×人群的编号", "number", tuple(ssu)),
        AnalysisVariable(
            "n_ssu", "学校×人群的应有人数（fpc）", "number",
            (*(1 if draw.school_code is None else draw.eligible for draw in of_rows), *[1] * len(silent)),
        ),
        AnalysisVariable("group", "人群", "label", (*(draw.group for draw in of_rows), *blanks), _named(GROUP_NAMES, groups)),
        AnalysisVariable("place", "城乡", "label", tuple(draw.place for draw in everyone), _named(PLACE_NAMES)),
        AnalysisVariable("stage", "学段", "label", tuple(draw.stage for draw in everyone), _named(STAGE_NAMES)),
        AnalysisVariable(
            "weight_before", "事后分层以前的权数", "number",
            (*(float(pool.weight / pool.poststratification) for pool in pools), *[0.0] * len(silent)), is_weight=True,
        ),
        AnalysisVariable("poststratum", "事后分层格的编号（0：没有答卷）", "number", (*(poststrata[pool.cell] for pool in pools), *[0] * len(silent))),
        AnalysisVariable("weight", "最终权数", "number", (*(float(pool.weight) for pool in pools), *[0.0] * len(silent)), is_weight=True),
        AnalysisVariable("figure_top", "满意度的分子：算作满意的程度", "number", (*_parts(top[at], base[at], common), *blanks)),
        AnalysisVariable("figure_base", "满意度的分母：是否计入", "number", (*_parts(base[at], base[at], common), *blanks)),
        *_items(results.case_file, rates.positions, len(silent), results.plan.county),
        *(
            AnalysisVariable(
                f"rep_{number:03d}", f"第{number}组重复权数", "number", (*column[:n].tolist(), *[0.0] * len(silent)), is_weight=True
            )
            for number, column in enumerate(replicates.replicate_weights.T, start=1)
        ),
    ]  # fmt: skip
    return AnalysisFile(
        wave=results.plan.wave,
        title=results.plan.title,
        variables=tuple(variables),
        n_answers=n,
        shares={group: share for group, share in results.shares.items() if share},
        figure=results.figure,
        se=results.whole.estimate.se,
        replicate_scale=replicates.scale,
    )


def _parts(values: np.ndarray, base: np.ndarray, common: int) -> tuple[float | None, ...]:
    """Values over their denominator; None where the answer stays outside the base."""
    return tuple(
        None if not inside else value / common
        for value, inside in zip(values.tolist(), base.tolist(), strict=True)
    )


def _named(names: Mapping[str, str], only: Sequence[str] | None = None) -> tuple[Code, ...]:
    wanted = names if only is None else only
    return tuple(Code(key, {"zh": names.get(key, key)}, False) for key in wanted)


def _items(case_file: CaseFile, positions: Sequence[int], silent: int, county: str) -> list[AnalysisVariable]:
    """A column an item (or a choice of one); None where the item was not asked of the person's group."""
    instruments: dict[str, Instrument] = {}
    for one in case_file.instruments.values():
        instruments.setdefault(one.id, one)
    columns: dict[str, list[float | int | str | None]] = {}
    meant: dict[str, tuple[str, tuple[Code, ...], str]] = {}
    for name in sorted(instruments):
        book = codebook_of(instruments[name])
        for variable in book.variables:
            if variable.type == "text":
                continue
            column = variable.name if variable.name not in meant else f"{variable.name}_{name}"
            label = variable.label["zh"].replace("{county}", county)
            meant[column] = (label, variable.codes, name)
            columns[column] = []
        for row, at in enumerate(positions):
            case = case_file.cases[at]
            asked = case_file.instruments[case.domain].id == name
            flat = book.row(case.answers) if asked else {}
            for column, (_, _, of_instrument) in meant.items():
                if of_instrument == name:
                    columns[column].append(flat.get(column.removesuffix(f"_{name}")))
            assert all(
                len(values) == row + 1 for column, values in columns.items() if meant[column][2] == name
            )
    return [
        AnalysisVariable(column, label, "number", (*columns[column], *[None] * silent), codes, question=label)
        for column, (label, codes, _) in meant.items()
    ]
