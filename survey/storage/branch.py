"""The branch of the country that the task at hand may see; outside it every table of waves is empty.

A guard says once, when it lets somebody pass, whose waves the request may touch. From then on
each statement on a table of waves carries that condition, so a page that forgets to ask still
finds nothing. Work that belongs to nobody (commands, the service itself) sees everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_COUNTIES: ContextVar[tuple[str, ...] | None] = ContextVar("survey_branch", default=None)
_NOWHERE = ("–",)
"""The code of no county: a branch without waves."""


def keep_to(counties: tuple[str, ...] | None) -> None:
    """From here on this task sees only waves of these counties; None means the whole installation."""
    _COUNTIES.set(None if counties is None else counties or _NOWHERE)


def also_see(county: str) -> None:
    """A county whose first wave was just begun, by somebody who was found to be in its branch."""
    counties = _COUNTIES.get()
    if counties is not None and county not in counties:
        _COUNTIES.set((*counties, county))


@contextmanager
def everywhere() -> Iterator[None]:
    """The whole installation, for as long as a question is about names that must be unique in it."""
    token = _COUNTIES.set(None)
    try:
        yield
    finally:
        _COUNTIES.reset(token)


class OfBranch:
    """A table whose rows belong to waves: what it reads, changes and deletes stays in the branch."""

    @classmethod
    def select(cls, *columns: Any, **more: Any) -> Any:
        """Rows of the branch."""
        return cls._within(super().select(*columns, **more))  # type: ignore[misc]

    @classmethod
    def objects(cls, *prefetch: Any) -> Any:
        """Objects of the branch."""
        return cls._within(super().objects(*prefetch))  # type: ignore[misc]

    @classmethod
    def exists(cls) -> Any:
        """Whether the branch has a row."""
        return cls._within(super().exists())  # type: ignore[misc]

    @classmethod
    def count(cls, *arguments: Any, **more: Any) -> Any:
        """How many rows the branch has."""
        return cls._within(super().count(*arguments, **more))  # type: ignore[misc]

    @classmethod
    def update(cls, *arguments: Any, **more: Any) -> Any:
        """Change rows of the branch."""
        return cls._within(super().update(*arguments, **more))  # type: ignore[misc]

    @classmethod
    def delete(cls, *arguments: Any, **more: Any) -> Any:
        """Delete rows of the branch."""
        return cls._within(super().delete(*arguments, **more))  # type: ignore[misc]

    @classmethod
    def _within(cls, query: Any) -> Any:
        counties = _COUNTIES.get()
        return query if counties is None else query.where(cls._in_counties(list(counties)))

    @classmethod
    def _in_counties(cls, counties: list[str]) -> Any:
        """The condition on this table's rows; the table of waves itself has the county."""
        raise NotImplementedError
