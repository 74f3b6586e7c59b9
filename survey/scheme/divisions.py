"""Divisions as a tree: province, prefecture, county, responsibility area, school; and local ones without a code.

GB/T 2260 codes carry the tree in their digits: 36 or 360000 is a province, 3608 or 360800 a prefecture
of it, 360828 a county of that; nine digits are a town and twelve a village. Development zones and
the like have no such code; an office gives them one of its own and names the division above.

Below the county stand the 督学责任区 (areas here): the county's six digits, a hyphen and a local
code, `360828-02`. A school is the leaf and is named by its own ten digits; no division has ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from survey.errors import SurveyError

Level = Literal["county", "area", "school"]

_NATIONAL = re.compile(r"[1-9][0-9](?:[0-9]{2}){0,2}|[1-9][0-9]{5}(?:[0-9]{3}){1,2}", re.ASCII)
_LEVEL_DIGITS = {4: 2, 6: 2, 9: 3, 12: 3}
"""How many digits each level adds to the one above it."""
_LOCAL = re.compile(r"[A-Z0-9][A-Z0-9-]{1,19}", re.ASCII)
_AREA = re.compile(r"[1-9][0-9]{5}-[A-Z0-9]{1,12}", re.ASCII)
_SCHOOL = re.compile(r"[0-9]{10}", re.ASCII)


class BadDivisionError(SurveyError):
    """Not the code of a division, or one that lies under itself."""

    code = "scheme.bad_division"
    kind = "invalid"

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(
            f"区划代码“{code[:40]}”",
            reason,
            "写国标代码的前2、4、6、9或12位，如36、3608、360828；开发区等用自编代码并写明上级；督学责任区写成360828-02，学校写10位标识码",
        )


def plain_division(code: str) -> str:
    """The code without the zeros that stand for "all of it".

    Raises:
        BadDivisionError: neither a national code nor one that an office may give.

    >>> plain_division("360000"), plain_division("360800"), plain_division("360828"), plain_division("WA-KFQ")
    ('36', '3608', '360828', 'WA-KFQ')
    >>> plain_division("360828000000"), plain_division("360828104000")
    ('360828', '360828104')
    """
    given = code.strip().upper()
    if _NATIONAL.fullmatch(given):
        while len(given) > 2 and given.endswith("0" * _LEVEL_DIGITS[len(given)]):
            given = given[: -_LEVEL_DIGITS[len(given)]]
        return given
    if _LOCAL.fullmatch(given) and not given.isdigit():
        return given
    raise BadDivisionError(code, "不是区划代码")


def level_of(codes: Iterable[str]) -> Level:
    """The lowest level that some codes name; above the areas there is one level, the county and all over it.

    >>> level_of(["36", "WA-KFQ"]), level_of(["360828-02"]), level_of(["3608", "3207042001"]), level_of([])
    ('county', 'area', 'school', 'county')
    """
    given = tuple(codes)
    if any(_SCHOOL.fullmatch(code) for code in given):
        return "school"
    return "area" if any(_AREA.fullmatch(code) for code in given) else "county"


def county_of_area(code: str) -> str:
    """The county whose digits a responsibility area's code begins with.

    >>> county_of_area("360828-02")
    '360828'
    """
    return code.partition("-")[0]


def parent_of(code: str, local: Mapping[str, str]) -> str | None:
    """The division above; None above a province.

    Args:
        local: local code → the division it lies under.

    >>> parent_of("360828104", {}), parent_of("360828", {}), parent_of("36", {})
    ('360828', '3608', None)
    >>> parent_of("WA-KFQ", {"WA-KFQ": "360828"}), parent_of("360828-02", {})
    ('360828', '360828')
    """
    if code in local:
        return local[code]
    if _AREA.fullmatch(code):
        return county_of_area(code)
    return code[: -_LEVEL_DIGITS[len(code)]] if code.isdigit() and len(code) > 2 else None


def is_under(code: str, divisions: Iterable[str], local: Mapping[str, str]) -> bool:
    """Whether a division is one of `divisions`, or lies under one of them; what is no division lies nowhere.

    A code that has no place in the tree lies under nothing.

    >>> is_under("1234567", {"12"}, {})
    False
    >>> is_under("360828", {"36"}, {}), is_under("360828", {"3609"}, {}), is_under("360800", {"3608"}, {})
    (True, False, True)
    >>> is_under("000000", {"36"}, {})
    False
    """
    wanted = frozenset(divisions)
    try:
        at: str | None = plain_division(code)
    except BadDivisionError:
        return False
    for _ in range(32):
        if at is None:
            return False
        if at in wanted:
            return True
        at = parent_of(at, local)
    return False
