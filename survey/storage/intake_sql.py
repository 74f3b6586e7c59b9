"""The structure of an intake, as SQL files beside the migrations."""

from __future__ import annotations

from functools import cache

from survey.storage.piccolo_app import migrations_folder


@cache
def intake_sql(name: str) -> str:
    """The text of one SQL file of the intake."""
    return (migrations_folder() / "intake" / f"{name}.sql").read_text(encoding="utf-8")
