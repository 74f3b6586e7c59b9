"""The fixed list of tables that a wave's results are broken down by; nobody can ask for another (TRUST section 16).

Here the tables leave as they are told: small cells withheld, extremes of few coded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.estimation.disclosure import code_extremes
from survey.estimation.fact_table import fact_table
from survey.estimation.school_table import school_table
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
    made = {
        "by_group": group_table(tables),
        "by_stage": stage_table(tables),
        "by_place": place_table(tables),
        **({"by_area": area_table(tables, areas)} if areas else {}),
        "by_school": school_table(tables, areas),
        "by_dimension": dimension_table(tables),
        "items": item_table(tables),
        "facts": fact_table(tables),
    }
    return code_extremes(made)
