"""One-time codes beside the password (RFC 6238), and recovery codes for a lost phone.

The secret of an account is derived from a key file of the installation and a nonce in the table, so
that whoever has only the database cannot make codes. A code is good for its half minute and the
ones beside it, once: the last step used is kept, and a code of that step or before is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress
from datetime import datetime

import pyotp

from survey.settings import Settings
from survey.storage.accounts import digest_of
from survey.storage.current import transaction
from survey.storage.keys import KeyExistsError, has_key, load_key, save_key
from survey.storage.tables import RecoveryCodes, SecondFactors

STEP = 30
"""Seconds that one code is shown for."""
DRIFT = 1
"""Steps before and after that are accepted, for phones whose clock is off."""
RECOVERY_CODES = 10
_KEY = "one_time_codes"
_SIGNS = "23456789BCDFGHJKMNPQRSTVWXYZ"


def installation_key(settings: Settings) -> bytes:
    """The key that secrets and sign-in steps are derived from; made when first asked for."""
    if not has_key(settings, None, _KEY):
        with suppress(KeyExistsError):
            save_key(settings, None, _KEY, secrets.token_bytes(32))
    return load_key(settings, None, _KEY)


async def has_second_factor(account: str) -> bool:
    """Whether the account has confirmed a one-time code."""
    return bool(
        await SecondFactors.exists().where(
            SecondFactors.account == account, SecondFactors.confirmed_at.is_not_null()
        )
    )


async def begin_second_factor(settings: Settings, account: str) -> str:
    """A new secret to be scanned, in base32; nothing is asked for until a code of it is confirmed.

    An account that has confirmed one keeps it: ending it is an act of its own (`end_second_factor`).
    """
    nonce = secrets.token_hex(16)
    async with transaction():
        begun = await begun_second_factor(settings, account)
        if begun is not None:
            return begun
        await SecondFactors.insert(SecondFactors(account=account, nonce=nonce, confirmed_at=None, last_step=0))
    return _secret(settings, account, nonce)


async def begun_second_factor(settings: Settings, account: str) -> str | None:
    """The secret that was begun, or None where none was."""
    rows = await SecondFactors.select().where(SecondFactors.account == account)
    return _secret(settings, account, rows[0]["nonce"]) if rows else None


async def confirm_second_factor(
    settings: Settings, account: str, code: str, *, now: datetime
) -> tuple[str, ...] | None:
    """Ten recovery codes, shown this once, if the code is one of the new secret; else None."""
    async with transaction():
        if not await _spend(settings, account, code, now=now, confirmed=False):
            return None
        await SecondFactors.update({SecondFactors.confirmed_at: now}).where(SecondFactors.account == account)
        await RecoveryCodes.delete().where(RecoveryCodes.account == account)
        codes = tuple("".join(secrets.choice(_SIGNS) for _ in range(12)) for _ in range(RECOVERY_CODES))
        await RecoveryCodes.insert(
            *[RecoveryCodes(account=account, digest=digest_of(code), used_at=None) for code in codes]
        )
    return tuple(f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes)


async def spend_code(settings: Settings, account: str, code: str, *, now: datetime) -> bool:
    """Whether the code is right and was not used before; a right one is used up.

    Takes a one-time code of six digits or a recovery code.
    """
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    if len(plain) == 6:
        return await _spend(settings, account, plain, now=now, confirmed=True)
    used = (
        await RecoveryCodes.update({RecoveryCodes.used_at: now})
        .where(
            RecoveryCodes.account == account,
            RecoveryCodes.digest == digest_of(plain),
            RecoveryCodes.used_at.is_null(),
        )
        .returning(RecoveryCodes.account)
    )
    return bool(used)


async def end_second_factor(account: str) -> None:
    """Forget the secret and its recovery codes, as after a lost phone; a new one can be begun."""
    async with transaction():
        await RecoveryCodes.delete().where(RecoveryCodes.account == account)
        await SecondFactors.delete().where(SecondFactors.account == account)


async def unused_recovery_codes(account: str) -> int:
    """How many recovery codes are left."""
    return int(
        await RecoveryCodes.count().where(RecoveryCodes.account == account, RecoveryCodes.used_at.is_null())
    )


def sign_step(settings: Settings, account: str, until: datetime) -> str:
    """A token that says: this account has given its password, until then only the code is missing."""
    text = f"{int(until.timestamp())}.{account}"
    return f"{_mark(settings, text)}.{text}"


def read_step(settings: Settings, token: str, *, now: datetime) -> str | None:
    """The account of a token of `sign_step` that still holds, or None."""
    mark, _, text = token.partition(".")
    until, _, account = text.partition(".")
    good = hmac.compare_digest(mark.encode(), _mark(settings, text).encode())
    return account if good and until.isdigit() and int(until) > now.timestamp() else None


async def _spend(settings: Settings, account: str, code: str, *, now: datetime, confirmed: bool) -> bool:
    rows = await SecondFactors.select().where(SecondFactors.account == account)
    if not rows or (rows[0]["confirmed_at"] is not None) != confirmed:
        return False
    maker = pyotp.TOTP(_secret(settings, account, rows[0]["nonce"]), interval=STEP)
    present = int(now.timestamp()) // STEP
    steps = [step for step in range(present - DRIFT, present + DRIFT + 1) if maker.generate_otp(step) == code]
    if not steps:
        return False
    # Check and use are one statement, so of two people with the same code one is let in.
    moved = (
        await SecondFactors.update({SecondFactors.last_step: steps[-1]})
        .where(SecondFactors.account == account, SecondFactors.last_step < steps[-1])
        .returning(SecondFactors.account)
    )
    return bool(moved)


def _secret(settings: Settings, account: str, nonce: str) -> str:
    derived = hmac.new(
        installation_key(settings), f"survey/v1/totp\0{account}\0{nonce}".encode(), hashlib.sha256
    )
    return base64.b32encode(derived.digest()[:20]).decode()


def _mark(settings: Settings, text: str) -> str:
    return hmac.new(
        installation_key(settings), f"survey/v1/sign-in\0{text}".encode(), hashlib.sha256
    ).hexdigest()
