"""The branch of the country that the task at hand may see; outside it every table of waves is empty.

A guard says once, when it lets somebody pass, whose waves the request may touch. From then on
each statement on a table of waves carries that condition, so a page that forgets to ask still
finds nothing. Work that belongs to nobody (commands, the service itself) sees everything.

Below the county a branch is some schools of each wave: those of the account's responsibility
areas, or the one school it is limited to. There a table shows nothing at all unless it says
which of its rows belong to a school.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from piccolo.columns.combination import WhereRaw


@dataclass(frozen=True)
class Branch:
    """What a task may see: waves of these counties, and of them perhaps only an account's own schools."""

    counties: tuple[str, ...]
    account: str | None = None
    """The account whose schools are all there is, where it works below the county."""


_BRANCH: ContextVar[Branch | None] = ContextVar("survey_branch", default=None)
_NOWHERE = ("–",)
"""The code of no county: a branch without waves."""


def keep_to(counties: tuple[str, ...] | None, account: str | None = None) -> None:
    """From here on this task sees only waves of these counties; None means the whole installation.

    Args:
        account: of those waves only what belongs to this account's schools.
    """
    _BRANCH.set(None if counties is None else Branch(counties or _NOWHERE, account))


def is_below_county() -> bool:
    """Whether the task sees only some schools of its waves."""
    branch = _BRANCH.get()
    return branch is not None and branch.account is not None


def also_see(county: str) -> None:
    """A county whose first wave was just begun, by somebody who was found to be in its branch."""
    branch = _BRANCH.get()
    if branch is not None and county not in branch.counties:
        _BRANCH.set(replace(branch, counties=(*branch.counties, county)))


@contextmanager
def everywhere() -> Iterator[None]:
    """The whole installation, for as long as a question is about names that must be unique in it."""
    token = _BRANCH.set(None)
    try:
        yield
    finally:
        _BRANCH.reset(token)


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
        return cls._within(super().update(*arguments, **more), writing=True)  # type: ignore[misc]

    @classmethod
    def delete(cls, *arguments: Any, **more: Any) -> Any:
        """Delete rows of the branch."""
        return cls._within(super().delete(*arguments, **more), writing=True)  # type: ignore[misc]

    @classmethod
    def _within(cls, query: Any, *, writing: bool = False) -> Any:
        branch = _BRANCH.get()
        if branch is None:
            return query
        kept = query.where(cls._in_counties(list(branch.counties)))
        return kept if branch.account is None else kept.where(cls._of_schools(branch.account, writing))

    @classmethod
    def _in_counties(cls, counties: list[str]) -> Any:
        """The condition on this table's rows; the table of waves itself has the county."""
        raise NotImplementedError

    @classmethod
    def _of_schools(cls, account: str, writing: bool) -> Any:
        """The condition on rows for somebody below the county; nothing, unless the table says otherwise."""
        return WhereRaw("1 = 0")


class WholeBelow(OfBranch):
    """A table that people below the county read as it is, or that its loader narrows; they change nothing."""

    @classmethod
    def _of_schools(cls, account: str, writing: bool) -> Any:
        if writing:
            return super()._of_schools(account, writing)
        return WhereRaw("wave IN (SELECT wave FROM account_schools WHERE account = {})", account)


class OfSchool(OfBranch):
    """A table whose rows each belong to a school: below the county one sees and changes one's own."""

    @classmethod
    def _of_schools(cls, account: str, writing: bool) -> Any:
        return WhereRaw(
            "(wave, school_code) IN (SELECT wave, school_code FROM account_schools WHERE account = {})", account
        )


class OfDomain(OfBranch):
    """A table whose rows belong to domains: a school's code, a hyphen and the letter of a group."""

    @classmethod
    def _of_schools(cls, account: str, writing: bool) -> Any:
        return WhereRaw(
            """(wave, substr(domain, 1, length(domain) - 2))
            IN (SELECT wave, school_code FROM account_schools WHERE account = {})""",
            account,
        )


class OfPlace(OfBranch):
    """A table whose rows are about a school, an area or the whole county; the last only from the county up."""

    @classmethod
    def _of_schools(cls, account: str, writing: bool) -> Any:
        return WhereRaw(
            """(wave, about) IN (SELECT wave, school_code FROM account_schools WHERE account = {}
            UNION ALL SELECT wave, area FROM account_schools WHERE account = {} AND area IS NOT NULL)""",
            account,
            account,
        )
