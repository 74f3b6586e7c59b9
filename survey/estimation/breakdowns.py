"""The fixed list of tables that a wave's results are broken down by; nobody can ask for another (TRUST section 16).

Here the tables leave as they are told: small cells withheld, extremes of few coded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.estimation.disclosure import code_extremes
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


def breakdowns(tables: Tables, areas: Mapping[str, tuple[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """Every table of a results document, small cells withheld, extremes of few coded.

    Args:
        areas: school → code and name of its responsibility area; empty where the county has none.
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
    return code_extremes(made)


def _area_schools(tables: Tables, areas: Mapping[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """Which drawn schools each area's row joins: computed anew, the wave's rows join the same ones.

    Could a school be moved and the wave computed again, the two rows of an area would differ by its answers.
    """
    drawn = {draw.school_code for draw in tables.rates.draws.values() if draw.school_code}
    schools: dict[tuple[str, str], list[str]] = {}
    for school in sorted(drawn & areas.keys()):
        schools.setdefault(areas[school], []).append(school)
    return [{"key": code, "name": name, "schools": of_area} for (code, name), of_area in sorted(schools.items())]
