"""Whose branch of the tree of divisions an account works in, and the local divisions of an office.

An account without a division works for the whole installation; every other sees, and changes,
only waves of its own branch. Pages ask here, with the account, before they load a wave.
"""

from __future__ import annotations

from collections.abc import Iterable

from survey.scheme.divisions import BadDivisionError, is_under, plain_division
from survey.storage.accounts import Account
from survey.storage.branch import everywhere, keep_to
from survey.storage.current import transaction
from survey.storage.plans import WaveRow, find_wave, list_waves
from survey.storage.tables import AccountDivisions, LocalDivisions, Waves


async def local_divisions() -> dict[str, str]:
    """Every local division with the one above it."""
    rows = await LocalDivisions.select(LocalDivisions.code, LocalDivisions.parent)
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
        known = await local_divisions()
        if is_under(above, {own}, known):
            raise BadDivisionError(code, f"不能放在自己的下级{above}下面")
        await LocalDivisions.delete().where(LocalDivisions.code == own)
        await LocalDivisions.insert(LocalDivisions(code=own, parent=above, name=name))


async def set_divisions(account: str, codes: Iterable[str]) -> frozenset[str]:
    """The divisions an account works in from now on; none means the whole installation.

    Raises:
        BadDivisionError: a code that is neither national nor known here.
    """
    wanted = frozenset(plain_division(code) for code in codes)
    known = await local_divisions()
    for code in wanted:
        if not code.isdigit() and code not in known:
            raise BadDivisionError(code, "没有登记过")
    async with transaction():
        await AccountDivisions.delete().where(AccountDivisions.account == account)
        if wanted:
            await AccountDivisions.insert(
                *[AccountDivisions(account=account, division=code) for code in sorted(wanted)]
            )
    return wanted


async def may_reach(account: Account, wave: str) -> bool:
    """Whether a wave lies in the account's branch; a wave that does not exist is left to its loader."""
    if not account.divisions:
        return True
    row = await find_wave(wave)
    return row is None or is_under(row.county_code, account.divisions, await local_divisions())


async def enter_branch(account: Account) -> None:
    """Let storage show and change nothing outside the account's branch, to the end of this task."""
    if not account.divisions:
        return keep_to(None)
    local = await local_divisions()
    with everywhere():
        rows = await Waves.select(Waves.county_code).output(as_list=True)
    keep_to(tuple(sorted(code for code in set(rows) if is_under(code, account.divisions, local))))


async def waves_of(account: Account) -> tuple[WaveRow, ...]:
    """The waves of the account's branch, the newest first."""
    rows = await list_waves()
    if not account.divisions:
        return rows
    local = await local_divisions()
    return tuple(row for row in rows if is_under(row.county_code, account.divisions, local))
