"""Where Piccolo looks: the engine of this process and the one app there is.

Found through PICCOLO_CONF=survey.storage.piccolo_conf, which this package sets itself. The
platform puts its open engine here; for the `piccolo` command, which opens no database of
ours, the engine is made from the environment at first need.
"""

from __future__ import annotations

import os
from typing import Any

from piccolo.engine.base import Engine
from piccolo.table import Table

from survey.settings import load_settings
from survey.storage.piccolo_app import all_tables

os.environ.setdefault("PICCOLO_CONF", "survey.storage.piccolo_conf")

_OPEN: list[Engine[Any]] = []


def engine_from_environment() -> Engine[Any]:
    """An engine for Piccolo's own command line."""
    from survey.storage.postgres_engine import PoolEngine
    from survey.storage.sqlite_engine import OneConnectionEngine

    settings = load_settings()
    if settings.database_url:
        return PoolEngine(settings.database_url, settings.desk_connections)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return OneConnectionEngine(settings.database_file)


def use_engine(engine: Engine[Any] | None) -> None:
    """Make `engine` the one that every table talks to; None forgets it."""
    from piccolo.apps.migrations.tables import Migration

    _OPEN[:] = [engine] if engine is not None else []
    tables: list[type[Table]] = [*all_tables(), Migration]
    for table in tables:
        table._meta._db = engine


def __getattr__(name: str) -> Any:
    if name == "DB":
        if not _OPEN:
            _OPEN.append(engine_from_environment())
        return _OPEN[0]
    if name == "APP_REGISTRY":
        from piccolo.conf.apps import AppRegistry

        return AppRegistry(apps=["survey.storage.piccolo_app"])
    raise AttributeError(name)
