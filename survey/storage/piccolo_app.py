"""The one Piccolo app: its tables and the folder of its migrations.

Piccolo asks for `APP_CONFIG` by that name; it is made when it is asked for, because its class
brings a code formatter along that only a migration needs.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from piccolo.table import Table

from survey.storage import school_tables, tables

APP_NAME = "survey"


def migrations_folder() -> Path:
    """The migrations inside the installed package, or those of the checkout beside it."""
    packaged = Path(str(resources.files("survey"))) / "_migrations"
    return packaged if packaged.is_dir() else Path(str(resources.files("survey"))).parent / "migrations"


def all_tables() -> list[type[Table]]:
    """Every table of ours, in corridor order."""
    return [
        value
        for module in (tables, school_tables)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Table) and value.__module__ == module.__name__
    ]


def __getattr__(name: str) -> Any:
    if name != "APP_CONFIG":
        raise AttributeError(name)
    from piccolo.conf.apps import AppConfig

    return AppConfig(
        app_name=APP_NAME,
        migrations_folder_path=str(migrations_folder()),
        table_classes=all_tables(),
        migration_dependencies=[],
        commands=[],
    )
