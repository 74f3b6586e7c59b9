"""Keys of other programs: shown once, kept as digests, each with scopes and an end."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from survey.errors import SurveyError
from survey.storage.accounts import digest_of
from survey.storage.tables import ApiTokens

SCOPES = ("waves:read", "figure:read", "areas:read", "participation:read", "frame:read", "ledger:read", "ledger:write", "metrics:read")
MOST_LABEL_SIGNS = 100


class LongLabelError(SurveyError):
    """What the token is for is told at length, which every list of tokens would repeat."""

    code = "storage.token_label_too_long"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("令牌", "用途写得太长", f"写{MOST_LABEL_SIGNS}个字以内")


class UnknownScopeError(SurveyError):
    """A scope that does not exist."""

    code = "storage.unknown_scope"
    kind = "invalid"

    def __init__(self, scopes: Iterable[str]) -> None:
        super().__init__(
            "令牌", f"没有这样的权限：{'、'.join(sorted(scopes))}", f"从这些中选：{'、'.join(SCOPES)}"
        )


@dataclass(frozen=True)
class ApiToken:
    """What a program may read, until when, on whose behalf."""

    digest: str
    account: str
    label: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @property
    def name(self) -> str:
        """What a person calls it by; it opens nothing."""
        return self.digest[:12]


async def create_token(
    name: str, label: str, scopes: Iterable[str], expires_at: datetime, *, now: datetime
) -> str:
    """A new token; this is the only time it is seen.

    Raises:
        LongLabelError, UnknownScopeError.
    """
    if len(label) > MOST_LABEL_SIGNS:
        raise LongLabelError
    wanted = frozenset(scopes)
    if unknown := wanted - set(SCOPES):
        raise UnknownScopeError(unknown)
    token = "survey_" + secrets.token_urlsafe(32)
    await ApiTokens.insert(
        ApiTokens(
            digest=digest_of(token),
            account=name,
            label=label,
            scopes=" ".join(sorted(wanted)),
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
        )
    )
    return token


async def find_token(token: str, *, now: datetime) -> ApiToken | None:
    """The token, if it is known, in time and not revoked."""
    rows = await ApiTokens.select().where(
        ApiTokens.digest == digest_of(token), ApiTokens.expires_at > now, ApiTokens.revoked_at.is_null()
    )
    return _token(rows[0]) if rows else None


async def list_tokens() -> tuple[ApiToken, ...]:
    """All tokens of every account, the oldest first, also those that are over."""
    rows = await ApiTokens.select().order_by(ApiTokens.created_at)
    return tuple(_token(row) for row in rows)


async def revoke_token(digest: str, *, now: datetime) -> ApiToken | None:
    """End a token now; None where there is none, or it was ended before."""
    rows = await ApiTokens.select().where(ApiTokens.digest == digest, ApiTokens.revoked_at.is_null())
    await ApiTokens.update({ApiTokens.revoked_at: now}).where(
        ApiTokens.digest == digest, ApiTokens.revoked_at.is_null()
    )
    return _token(rows[0]) if rows else None


def _token(row: dict[str, object]) -> ApiToken:
    values = {**row, "scopes": frozenset(str(row["scopes"]).split())}
    return ApiToken(**values)  # type: ignore[arg-type]
