"""The one Piccolo app: its tables and the folder of its migrations."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder


def migrations_folder() -> Path:
    """The migrations inside the installed package, or those of the checkout beside it."""
    packaged = Path(str(resources.files("survey"))) / "_migrations"
    return packaged if packaged.is_dir() else Path(str(resources.files("survey"))).parent / "migrations"


APP_CONFIG = AppConfig(
    app_name="survey",
    migrations_folder_path=str(migrations_folder()),
    table_classes=table_finder(["survey.storage.tables"], exclude_imported=True),
    migration_dependencies=[],
    commands=[],
)
