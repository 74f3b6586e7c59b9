"""The fixed list of tables that a wave's results are broken down by; nobody can ask for another (TRUST section 16).

Here the tables leave as they are told: small cells withheld, extremes of few coded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from survey.estimation.disclosure import code_extremes, left_out_words
from survey.estimation.fact_table import fact_table
from survey.estimation.school_table import school_table, told_domains
from survey.estimation.wave_tables import (
    Tables,
    area_table,
    dimension_table,
    group_table,
    item_table,
    place_table,
    stage_table,
)


def breakdowns(
    tables: Tables, areas: Mapping[str, tuple[str, str]], by_quota: Collection[str] = ()
) -> dict[str, list[dict[str, Any]]]:
    """Every table of a results document, small cells withheld, extremes of few coded.

    Args:
        areas: school → code and name of its responsibility area; empty where the county has none.
        by_quota: groups that came by a quota poster; nobody drew them, so that their rows have no error.
    """
    groups = group_table(tables)
    hidden = frozenset(row["key"] for row in groups if row.get("withheld"))
    schools = school_table(tables, hidden)
    told = told_domains(schools, tables)
    made = {
        "by_group": groups,
        "by_stage": stage_table(tables, told),
        "by_place": place_table(tables, told),
        **({"by_area": area_table(tables, areas, told), "area_schools": _area_schools(tables, areas)} if areas else {}),
        "by_school": schools,
        "by_dimension": dimension_table(tables),
        "items": item_table(tables, hidden),
        "facts": fact_table(tables),
    }
    return code_extremes(_less_error(made, by_quota) if by_quota else made)


QUOTA_WORDS = "按名额填答，不是概率样本，不给区间"
NO_ERROR: dict[str, Any] = {"interval": None, "se": None, "no_error": True}
"""What a row of people whom nobody drew says of its error."""


def _less_error(
    made: Mapping[str, list[dict[str, Any]]], by_quota: Collection[str]
) -> dict[str, list[dict[str, Any]]]:
    """The tables without intervals where a row rests on answers to a quota poster (RULES section 1, 5).

    Rows of stages, places, areas and dimensions join all groups, and so have none.
    """

    def told(table: str, row: dict[str, Any]) -> dict[str, Any]:
        group = row["key"] if table == "by_group" else row.get("group")
        if table == "area_schools" or row.get("withheld") or (group is not None and group not in by_quota):
            return row
        kept = {key: value for key, value in row.items() if key not in ("chance", "against_county")}
        if "shares" in row:
            return kept | {"shares": [share | NO_ERROR for share in row["shares"]]}
        left_out = [left_out_words(row["left_out"])] if row.get("left_out") else []
        return kept | NO_ERROR | {"cautions": [*left_out, QUOTA_WORDS]}

    return {table: [told(table, row) for row in rows] for table, rows in made.items()}


def _area_schools(tables: Tables, areas: Mapping[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Which drawn schools each area's row joins: computed anew, the wave's rows join the same ones.

    Could a school be moved and the wave computed again, the two rows of an area would differ by its answers.
    """
    drawn = {draw.school_code for draw in tables.rates.draws.values() if draw.school_code}
    schools: dict[tuple[str, str], list[str]] = {}
    for school in sorted(drawn & areas.keys()):
        schools.setdefault(areas[school], []).append(school)
    return [{"key": code, "name": name, "schools": of_area} for (code, name), of_area in sorted(schools.items())]
