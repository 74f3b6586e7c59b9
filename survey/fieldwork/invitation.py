"""Slips of a domain, issued once; what is stored is a keyed digest, never the code.

Domains with their numbers of slips enter, invitations leave: a code for the paper, its
digest for the intake, its leaf for the tree whose root the signed plan carries. Nothing
joins a slip to a person: the codes of a domain are drawn at random and shuffled.

Source: TRUST section 2 (slip digest, slip leaf) and section 6.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from survey import canonical
from survey.errors import SurveyError
from survey.fieldwork.code import is_code, random_code

SLIP_LABEL = b"survey/v1/slip\x00"
KEY_BYTES = 32
MAX_SLIPS = 2_000_000

_T = TypeVar("_T")


class SlipKeyError(SurveyError):
    """The slip key is not 32 bytes."""

    code = "invitation.slip_key"

    def __init__(self, length: int) -> None:
        super().__init__("纸条密钥", f"应为{KEY_BYTES}字节，现在是{length}字节", "检查密钥文件是否完整")


class TooManySlipsError(SurveyError):
    """More slips are asked for than one wave may have."""

    code = "invitation.too_many"
    kind = "invalid"

    def __init__(self, number: int) -> None:
        super().__init__("纸条", f"要{number}张，超过一次调查的上限{MAX_SLIPS}张", "分成几次调查")


@dataclass(frozen=True)
class Invitation:
    """One slip: the code goes on paper only, `e` is what the intake keeps."""

    code: str
    domain: str
    e: str

    def __repr__(self) -> str:
        # A code in a log or a traceback would be a vote in the wrong hands.
        return f"Invitation(domain={self.domain!r}, e={self.e[:8]!r}…)"


def slip_digest(slip_key: bytes, code: str) -> str:
    """The keyed digest of a code, in lower-case hexadecimal.

    >>> key = bytes.fromhex("12c932fc608e68ad94e41b64cc7cc269b3569f228779722145af84da0e45e28c")
    >>> slip_digest(key, "8WYJ4VMNK449")[:16]
    '0f87dc465c64ed7b'
    """
    if len(slip_key) != KEY_BYTES:
        raise SlipKeyError(len(slip_key))
    if not is_code(code):
        raise SurveyError("填写码", "不是规范的12位填写码", "先用normalise整理再计算摘要")
    return digest_of(slip_key, code).hex()


def digest_of(slip_key: bytes, signs: str) -> bytes:
    """The same for looking up: signs that are no code have a digest too, which nobody was issued."""
    begun = _begun(slip_key).copy()
    begun.update(signs.encode())
    return begun.digest()


@lru_cache(maxsize=256)
def _begun(slip_key: bytes) -> hmac.HMAC:
    """A wave's keyed digest up to its label, which all its codes share."""
    return hmac.new(slip_key, SLIP_LABEL, "sha256")


def slip_leaf(domain: str, e: str) -> bytes:
    """The bytes of a slip's leaf in the tree of slips.

    >>> slip_leaf("0001-T", "0f87")
    b'{"domain":"0001-T","e":"0f87","v":1}'
    """
    return canonical.encode({"domain": domain, "e": e, "v": 1})


def issue(
    domains: Iterable[tuple[str, int]], slip_key: bytes, token_bytes: Callable[[int], bytes]
) -> tuple[Invitation, ...]:
    """New invitations, domain after domain, shuffled within each.

    Args:
        domains: domain id and number of slips, spares included.
        token_bytes: secure random bytes, `secrets.token_bytes` in production.

    Returns:
        Invitations in print order. The intake sorts by digest, so that position on paper
        and position in the table tell nothing about each other.
    """
    wanted = list(domains)
    if (total := sum(number for _, number in wanted)) > MAX_SLIPS:
        raise TooManySlipsError(total)
    seen: set[str] = set()
    invitations: list[Invitation] = []
    for domain, number in wanted:
        codes: list[str] = []
        while len(codes) < number:
            code = random_code(token_bytes)
            if code not in seen:
                seen.add(code)
                codes.append(code)
        invitations += [
            Invitation(code, domain, slip_digest(slip_key, code)) for code in shuffled(codes, token_bytes)
        ]
    return tuple(invitations)


def shuffled(entries: Sequence[_T], token_bytes: Callable[[int], bytes]) -> tuple[_T, ...]:
    """The entries in an order that secure random bytes decide, every order equally likely.

    Source: Durstenfeld (1964), Algorithm 235.
    """
    deck = list(entries)
    for last in range(len(deck) - 1, 0, -1):
        other = _below(last + 1, token_bytes)
        deck[last], deck[other] = deck[other], deck[last]
    return tuple(deck)


def _below(limit: int, token_bytes: Callable[[int], bytes]) -> int:
    """A number in 0 … limit − 1 without bias: draws beyond the last full multiple are thrown away."""
    full = (1 << 64) - (1 << 64) % limit
    while (number := int.from_bytes(token_bytes(8), "big")) >= full:
        pass
    return number % limit
