"""The slip code: short enough to type, with a check sign; only keyed digests are kept.

Twelve signs of an alphabet of 28 (digits 2–9 and consonants without L), eleven random and
one check after Luhn modulo 28. A slip of the finger is told from an unknown code before
anything is looked up: the check catches every single wrong sign, and every swap of two
neighbours except 2 and Z. Random bytes are handed in; nothing here draws its own.

Source: TRUST section 2; Luhn (1954), extended to a base of 28 as in ISO/IEC 7812 annex B.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from survey.errors import SurveyError

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
BASE = len(ALPHABET)
LENGTH = 12

_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}
_DOUBLED = {sign: value * 2 // BASE + value * 2 % BASE for sign, value in _VALUE.items()}
_MAX_TYPED = 64
_DASHES = frozenset("-‐‑‒–—―−－_·.、，,")


class CodeFormatError(SurveyError):
    """What was typed cannot be a slip code; `why` is length, sign or check."""

    code = "code.format"
    kind = "invalid"

    def __init__(self, why: str, reason: str, remedy: str) -> None:
        super().__init__("填写码", reason, remedy, why=why)
        self.why = why
        self.code = f"code.{why}"


def check_sign(first: str) -> str:
    """The check sign of eleven signs: Luhn modulo 28.

    From the right every first value is doubled and its two base-28 digits added; with the
    check sign the total is a multiple of 28.

    >>> check_sign("8WYJ4VMNK44")
    '9'
    """
    total = sum(map(_DOUBLED.__getitem__, first[::-2])) + sum(map(_VALUE.__getitem__, first[-2::-2]))
    return ALPHABET[-total % BASE]


def is_code(text: str) -> bool:
    """Whether `text` is twelve signs of the alphabet with the right check sign."""
    return len(text) == LENGTH and all(sign in _VALUE for sign in text) and check_sign(text[:-1]) == text[-1]


def normalise(typed: str) -> str:
    """The twelve signs a person meant: case, dashes, spaces and full-width forms do not matter.

    Raises:
        CodeFormatError: too short or long (`why` length), a sign that no code has (`sign`),
            or a slip of the finger (`check`).

    >>> normalise(" ８ｗｙj-4vmn－k449 ")
    '8WYJ4VMNK449'
    """
    if is_code(typed):
        return typed
    folded = unicodedata.normalize("NFKC", typed[:_MAX_TYPED]).upper()
    signs = "".join(sign for sign in folded if not sign.isspace() and sign not in _DASHES)
    strange = next((sign for sign in signs if sign not in _VALUE), None)
    if strange is not None and len(signs) <= LENGTH + 4:
        shown = strange if strange.isprintable() else "看不见的字符"
        raise CodeFormatError(
            "sign",
            f"填写码里没有“{shown}”",
            "请对照纸条再看一遍，填写码只有2到9和不含A、E、I、L、O、U的大写字母",
        )
    if len(signs) != LENGTH or len(typed) > _MAX_TYPED:
        raise CodeFormatError(
            "length", f"填写码是12位，现在是{min(len(signs), 99)}位", "请看纸条，把12位都写上"
        )
    if check_sign(signs[:-1]) != signs[-1]:
        raise CodeFormatError("check", "有一位可能看错或写错了", "请对照纸条，一位一位再看一遍")
    return signs


def display(code: str) -> str:
    """The code as printed, in three groups of four.

    >>> display("8WYJ4VMNK449")
    '8WYJ-4VMN-K449'
    """
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def random_code(token_bytes: Callable[[int], bytes]) -> str:
    """A new code from secure random bytes.

    Bytes of 252 and above are thrown away, so every sign is equally likely (252 = 9 × 28).

    >>> random_code(lambda n: bytes(range(n)))[:11]
    '23456789BCD'
    """
    signs: list[str] = []
    while len(signs) < LENGTH - 1:
        signs += [ALPHABET[byte % BASE] for byte in token_bytes(LENGTH) if byte < 9 * BASE]
    first = "".join(signs[: LENGTH - 1])
    return first + check_sign(first)
