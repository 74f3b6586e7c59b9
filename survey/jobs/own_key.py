"""A signer makes the key of their own role at the console, with a passphrase nobody else has typed.

On this way one account never makes both keys: who made the first is in the audit trail. An
approver may keep the key on a computer of their own; then only its public halves come here.
"""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime

from survey.errors import SurveyError
from survey.jobs.signers import (
    APPROVER,
    OPERATOR,
    ROLES,
    TITLES,
    SamePersonError,
    UnknownRoleError,
    create_signer,
    register_vkey,
)
from survey.settings import Settings
from survey.storage.accounts import Account
from survey.storage.audit import record_audit, who_did
from survey.storage.keys import has_key


class NotYourKeyError(SurveyError):
    """The account does not have the role that the key belongs to."""

    code = "signers.not_your_role"
    kind = "forbidden"

    def __init__(self, role: str) -> None:
        super().__init__(
            f"{TITLES[role]}的密钥",
            f"您的账号没有“{TITLES[role]}”这个角色",
            f"请{TITLES[role]}本人登录后来做",
        )


class PassphrasesDifferError(SurveyError):
    """The passphrase was typed in two ways."""

    code = "signers.passphrases_differ"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("口令", "两次输入的不一样", "再输入一次")


async def make_own_key(
    settings: Settings, account: Account, role: str, passphrase: str, again: str, *, now: datetime
) -> None:
    """Make the signing key of one's own role, encrypted under the passphrase.

    Raises:
        UnknownRoleError, NotYourKeyError, PassphrasesDifferError, SignerExistsError.
        KeyFileError: the passphrase is too short.
        SamePersonError: this account made the other role's key.
    """
    if role not in ROLES:
        raise UnknownRoleError(role)
    if role not in account.roles:
        raise NotYourKeyError(role)
    if passphrase != again:
        raise PassphrasesDifferError
    other = next(one for one in ROLES if one != role)
    if account.name in await who_did(other, "create_signer"):
        raise SamePersonError
    await to_thread(create_signer, settings, role, passphrase)
    await record_audit(account.name, "create_signer", role, now=now)


async def register_own_key(
    settings: Settings, account: Account, vkey: str, share: str, *, now: datetime
) -> None:
    """Register the public halves of the approver's key, which they keep on a computer of their own.

    Raises:
        NotYourKeyError, SamePersonError, SignerExistsError.
        VkeyRefusedError, RequestRefusedError: not such keys.
    """
    if APPROVER not in account.roles:
        raise NotYourKeyError(APPROVER)
    if account.name in await who_did(OPERATOR, "create_signer"):
        raise SamePersonError
    key = register_vkey(settings, APPROVER, vkey, share.strip())
    details = {"fingerprint": key.fingerprint}
    await record_audit(account.name, "register_signer", APPROVER, details=details, now=now)


def keys_made(settings: Settings) -> dict[str, bool]:
    """Each role with whether its key is here, or registered from another computer."""
    return {role: has_key(settings, None, role) or has_key(settings, None, f"{role}-vkey") for role in ROLES}
