"""A response's life: submitted, sealed, opened, counted. There are no drafts here.

Checked answers enter, the record of TRUST section 2 leaves: what was answered, on which day
of the wave, in which domain; no time of day, no code, no address. Pace is three bands.
Padding belongs to the sealing, in `certification`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from survey.errors import SurveyError

FAST_SECONDS_PER_ITEM = 2
SLOW_SECONDS_PER_ITEM = 30

_SUBMISSION_KEY = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)


class SubmissionKeyError(SurveyError):
    """The hidden submission key is missing or not 32 hexadecimal digits."""

    code = "response.submission_key"
    kind = "invalid"

    def __init__(self) -> None:
        super().__init__("这份答卷", "页面没有带上提交编号", "请重新扫码打开页面再填")


class OutsideDaysError(SurveyError):
    """The day of the response lies before the first day of the wave."""

    code = "response.before_first_day"
    kind = "refused"

    def __init__(self, on: date, opens_on: date) -> None:
        super().__init__("收到答卷的日期", f"{on}早于调查开始的{opens_on}", "检查服务器的日期")


def submission_key(text: str | None) -> bytes:
    """The 16 bytes of a submission key.

    >>> submission_key("8844c668b3c006db85fc27406ece1bd8").hex()
    '8844c668b3c006db85fc27406ece1bd8'
    """
    if text is None or not _SUBMISSION_KEY.fullmatch(text):
        raise SubmissionKeyError
    return bytes.fromhex(text)


def day_number(on: date, opens_on: date) -> int:
    """The day of the wave, 1 on its first day.

    >>> day_number(date(2026, 11, 26), date(2026, 11, 24))
    3
    """
    if on < opens_on:
        raise OutsideDaysError(on, opens_on)
    return (on - opens_on).days + 1


def pace(seconds: float, n_items: int) -> int:
    """How fast the form was filled: 0 under 2 s an item, 2 over 30 s, else 1.

    >>> pace(30, 27), pace(200, 27), pace(3600, 27)
    (0, 1, 2)
    """
    per_item = seconds / max(n_items, 1)
    return 0 if per_item < FAST_SECONDS_PER_ITEM else 2 if per_item > SLOW_SECONDS_PER_ITEM else 1


def record(
    answers: Mapping[str, Any], *, day: int, domain: str, wave: str, pace: int | None = None
) -> dict[str, Any]:
    """The record of one response, before `certification.sealing` pads and seals it.

    Args:
        answers: values by item id from `read_answers`; None is a skipped item.
        day: day of the wave, from 1.
        pace: 0, 1, 2, or None where it was not measured.

    >>> record({"q01": 4, "q02": 4}, day=1, domain="0001-P", wave="demo-2027s")
    {'answers': {'q01': 4, 'q02': 4}, 'day': 1, 'domain': '0001-P', 'v': 1, 'wave': 'demo-2027s'}
    """
    value: dict[str, Any] = {"answers": dict(answers), "day": day, "domain": domain, "v": 1, "wave": wave}
    return value if pace is None else value | {"pace": pace}
