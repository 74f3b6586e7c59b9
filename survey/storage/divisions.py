"""Whose branch of the tree of divisions an account works in, and the local divisions of an office.

An account without a division works for the whole installation; every other sees, and changes,
only waves of its own branch. Pages ask here, with the account, before they load a wave.
"""

from __future__ import annotations

from collections.abc import Iterable

from survey.errors import SurveyError
from survey.scheme.divisions import (
    BadDivisionError,
    county_of_area,
    is_under,
    level_of,
    plain_division,
)
from survey.storage.accounts import Account
from survey.storage.branch import everywhere, keep_to
from survey.storage.current import transaction
from survey.storage.plans import WaveRow, find_wave, list_waves
from survey.storage.school_tables import SchoolAreas
from survey.storage.tables import AccountDivisions, LocalDivisions, Waves


class MixedLevelsError(SurveyError):
    """Divisions of an account that do not stand on one level."""

    code = "storage.mixed_levels"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("账号的区划", reason, "县和县以上、督学责任区、学校，一个账号只用一级；学校只写一所")


async def local_divisions() -> dict[str, str]:
    """Every local division that is in force, with the one above it."""
    rows = await LocalDivisions.select(LocalDivisions.code, LocalDivisions.parent).where(
        LocalDivisions.ended_on.is_null()
    )
    return {row["code"]: row["parent"] for row in rows}


async def save_local_division(code: str, parent: str, name: str) -> None:
    """Give a division without a national code a place in the tree, or move it.

    Raises:
        BadDivisionError: a code that will not do, or a place under itself.
    """
    own, above = plain_division(code), plain_division(parent)
    if own.isdigit():
        raise BadDivisionError(code, "是国标代码，位置已经定了")
    async with transaction():
        if await LocalDivisions.exists().where(LocalDivisions.code == own, LocalDivisions.ended_on.is_not_null()):
            raise BadDivisionError(code, "已经撤销，代码不再用")
        known = await local_divisions()
        if is_under(above, {own}, known):
            raise BadDivisionError(code, f"不能放在自己的下级{above}下面")
        if level_of([own]) == "area" and not is_under(above, {county_of_area(own)}, known):
            raise BadDivisionError(code, f"是{county_of_area(own)}的督学责任区，不能放在{above}下面")
        await LocalDivisions.delete().where(LocalDivisions.code == own)
        await LocalDivisions.insert(LocalDivisions(code=own, parent=above, name=name))


async def set_divisions(account: str, codes: Iterable[str]) -> frozenset[str]:
    """The divisions an account works in from now on; none means the whole installation.

    Args:
        codes: counties and all above them, or responsibility areas, or the code of one school.

    Raises:
        BadDivisionError: a code that is neither national nor known here.
        MixedLevelsError: codes of several levels, or several schools.
    """
    given = frozenset(code.strip() for code in codes)
    if level_of(given) == "school":
        wanted = given
        if len(given) > 1:
            raise MixedLevelsError("学校只能写一所，也不能和别的区划一起写")
        with everywhere():
            if not await SchoolAreas.exists().where(SchoolAreas.school_code.is_in(list(given))):
                raise BadDivisionError(next(iter(given)), "没有一次调查的名册里有这所学校")
    else:
        wanted = frozenset(plain_division(code) for code in given)
        known = await local_divisions()
        for code in sorted(wanted):
            if not code.isdigit() and code not in known:
                raise BadDivisionError(code, "没有登记过，或者已经撤销")
        if len({level_of([code]) for code in wanted}) > 1:
            raise MixedLevelsError("有的是督学责任区，有的是县或县以上")
    async with transaction():
        await AccountDivisions.delete().where(AccountDivisions.account == account)
        if wanted:
            await AccountDivisions.insert(
                *[AccountDivisions(account=account, division=code) for code in sorted(wanted)]
            )
    return wanted


async def may_reach(account: Account, wave: str) -> bool:
    """Whether the whole of a wave lies in the account's branch, so never below the county.

    A wave that does not exist is left to its loader.
    """
    if not account.divisions:
        return True
    row = await find_wave(wave)
    return row is None or (
        account.level == "county" and is_under(row.county_code, account.divisions, await local_divisions())
    )


async def enter_branch(account: Account) -> None:
    """Let storage show and change nothing outside the account's branch, to the end of this task."""
    if not account.divisions:
        return keep_to(None)
    local = await local_divisions()
    with everywhere():
        rows = frozenset(await Waves.select(Waves.county_code).output(as_list=True))
    if account.level == "county":
        return keep_to(tuple(sorted(code for code in rows if is_under(code, account.divisions, local))))
    if account.level == "school":
        return keep_to(tuple(sorted(rows)), account.name)
    counties = {county_of_area(code) for code in account.divisions if code in local}
    return keep_to(tuple(sorted(code for code in rows if is_under(code, counties, local))), account.name)


async def waves_of(account: Account) -> tuple[WaveRow, ...]:
    """The waves of the account's branch, the newest first."""
    rows = await list_waves()
    if not account.divisions or account.level != "county":
        return rows
    local = await local_divisions()
    return tuple(row for row in rows if is_under(row.county_code, account.divisions, local))
