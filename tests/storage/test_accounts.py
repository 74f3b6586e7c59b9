from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from survey.storage import accounts
from survey.storage.accounts import (
    Account,
    AccountExistsError,
    AccountRefusedError,
    check_password,
    create_account,
    deactivate_account,
    find_account,
    issue_sign_in_link,
    list_accounts,
    set_password,
    spend_sign_in_link,
)
from survey.storage.database import Database
from survey.storage.sessions import find_session, list_sessions, start_session
from survey.storage.tables import Accounts, ApiTokens, Sessions, SignInLinks
from survey.storage.tokens import (
    LongLabelError,
    UnknownScopeError,
    create_token,
    find_token,
    list_tokens,
    revoke_token,
)

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
GOOD = "three unrelated words"


async def test_a_password_opens_its_own_account_and_nothing_else(database: Database) -> None:
    created = await create_account("wang", "王老师", {"operator", "admin"}, GOOD, now=NOW)

    assert created == Account("wang", "王老师", frozenset({"operator", "admin"}), True)
    assert await check_password("wang", GOOD) == created
    assert await check_password("wang", GOOD + "!") is None
    assert await check_password("nobody", GOOD) is None
    assert await list_accounts() == (created,)


async def test_the_password_is_kept_as_argon2id_only(
    database: Database, costly_passwords: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_HASHER", costly_passwords)
    await create_account("wang", "", {"operator"}, GOOD, now=NOW)
    opened = await check_password("wang", GOOD), await check_password("wang", GOOD + "!")

    [row] = await Accounts.select()
    # 64 MiB and three passes: RFC 9106, section 4, the second recommended choice.
    assert row["password"].startswith("$argon2id$v=19$m=65536,t=3,p=4$") and GOOD not in str(row)
    assert [one is not None for one in opened] == [True, False]


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 300]
    + ["12345678", "aaaaaaaaaaaa", "qwertyuiop", "P@ssword1", "1qaz2wsx", "football1", "abcdefgh123"]
    + ["woaini1314", "mima123456", "jiaoyuju2026"],
)
async def test_a_password_that_is_easy_to_guess_is_refused(database: Database, password: str) -> None:
    with pytest.raises(AccountRefusedError):
        await create_account("wang", "", {"operator"}, password, now=NOW)

    assert await find_account("wang") is None


@pytest.mark.parametrize("password", ["梧桐 台灯 半斤 走廊", "".join(map(chr, range(0x4E00, 0x9F00, 331))), "x7Kq92mzRt" * 20])
async def test_a_long_password_of_any_signs_is_taken_whole(database: Database, password: str) -> None:
    await create_account("wang", "", {"operator"}, password, now=NOW)

    assert await check_password("wang", password) is not None
    assert await check_password("wang", password[:-1]) is None


async def test_a_taken_name_and_an_unknown_role_are_refused(database: Database) -> None:
    await create_account("wang", "", {"operator"}, now=NOW)

    with pytest.raises(AccountExistsError):
        await create_account("wang", "", {"operator"}, now=NOW)
    with pytest.raises(AccountRefusedError):
        await create_account("li", "", {"king"}, now=NOW)
    with pytest.raises(AccountRefusedError):
        await create_account("a b\n", "", {"operator"}, now=NOW)
    with pytest.raises(AccountRefusedError):
        await create_account("li", "长" * 61, {"operator"}, now=NOW)


async def test_a_sign_in_link_works_once_and_in_time(database: Database) -> None:
    await create_account("wang", "", {"operator"}, now=NOW)
    token = await issue_sign_in_link("wang", now=NOW)
    late = await issue_sign_in_link("wang", now=NOW, lasts=timedelta(hours=1))

    assert (await spend_sign_in_link(token, now=NOW)).name == "wang"
    assert await spend_sign_in_link(token, now=NOW) is None
    assert await spend_sign_in_link(late, now=NOW + timedelta(hours=2)) is None
    assert await spend_sign_in_link("invented", now=NOW) is None


async def test_an_account_without_password_cannot_be_entered_by_one(database: Database) -> None:
    await create_account("wang", "", {"operator"}, now=NOW)

    assert await check_password("wang", "") is None


async def test_a_session_ends_idle_and_in_any_case_after_twelve_hours(database: Database) -> None:
    await create_account("wang", "", {"operator"}, now=NOW)
    idle = await start_session("wang", now=NOW)
    busy = await start_session("wang", now=NOW)
    for hours in range(1, 12):
        assert (await find_session(busy, now=NOW + timedelta(hours=hours))).account.name == "wang"

    assert await find_session(idle, now=NOW + timedelta(hours=2)) is None
    assert await find_session(busy, now=NOW + timedelta(hours=12)) is None
    assert await find_session("an id that a client brought", now=NOW) is None


async def test_shutting_an_account_ends_everything_it_opened(database: Database) -> None:
    await create_account("wang", "", {"operator"}, GOOD, now=NOW)
    session = await start_session("wang", now=NOW)
    link = await issue_sign_in_link("wang", now=NOW)
    token = await create_token("wang", "report", {"figure:read"}, NOW + timedelta(days=1), now=NOW)

    await deactivate_account("wang", now=NOW)

    assert await find_session(session, now=NOW) is None
    assert await spend_sign_in_link(link, now=NOW) is None
    assert await find_token(token, now=NOW) is None
    assert await check_password("wang", GOOD) is None


async def test_a_new_password_signs_out_everywhere(database: Database) -> None:
    await create_account("wang", "", {"operator"}, GOOD, now=NOW)
    await start_session("wang", now=NOW)

    await set_password("wang", GOOD + " more", now=NOW)

    assert await list_sessions("wang", now=NOW) == ()
    assert await check_password("wang", GOOD) is None


async def test_a_token_reads_what_it_may_until_it_ends(database: Database) -> None:
    await create_account("wang", "", {"operator"}, now=NOW)
    token = await create_token("wang", "report", {"figure:read"}, NOW + timedelta(days=1), now=NOW)
    found = await find_token(token, now=NOW)

    assert found.scopes == {"figure:read"} and found.account == "wang" and found.label == "report"
    assert await find_token(token, now=NOW + timedelta(days=1)) is None
    await revoke_token(found.digest, now=NOW)
    assert await find_token(token, now=NOW) is None
    assert [one.label for one in await list_tokens()] == ["report"]
    with pytest.raises(UnknownScopeError):
        await create_token("wang", "x", {"answers:read"}, NOW, now=NOW)
    with pytest.raises(LongLabelError):
        await create_token("wang", "长" * 101, {"figure:read"}, NOW, now=NOW)


async def test_no_secret_stands_in_the_tables(database: Database) -> None:
    await create_account("wang", "", {"operator"}, now=NOW)
    secrets = [
        await start_session("wang", now=NOW),
        await issue_sign_in_link("wang", now=NOW),
        await create_token("wang", "x", {"figure:read"}, NOW + timedelta(days=1), now=NOW),
    ]

    stored = str([await table.select() for table in (Sessions, SignInLinks, ApiTokens)])
    assert not any(secret in stored for secret in secrets)
