"""Whom a command means that names no account."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from survey.jobs.manage_accounts import NobodyNamedError, meant_account
from survey.storage.accounts import create_account, deactivate_account
from survey.storage.database import Database
from survey.storage.divisions import set_divisions

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


async def test_a_command_that_names_nobody_means_the_only_administrator_and_else_asks(database: Database) -> None:
    with pytest.raises(NobodyNamedError, match="没有不限区划的管理员"):
        await meant_account(None)
    for name, roles in (("desk", {"admin"}), ("clerk", {"operator"}), ("branch", {"admin"}), ("gone", {"admin"})):
        await create_account(name, "", roles, now=NOW)
    await set_divisions("branch", ["360828"])
    await deactivate_account("gone", now=NOW)
    alone = await meant_account(None)
    await create_account("other", "", {"admin"}, now=NOW)
    with pytest.raises(NobodyNamedError, match="有2个.*--account"):
        await meant_account(None)
    await create_account("admin", "", {"admin"}, now=NOW)

    assert (alone, await meant_account(None), await meant_account("clerk")) == ("desk", "admin", "clerk")
