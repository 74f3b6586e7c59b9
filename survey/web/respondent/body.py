"""A form as it arrives: read with limits, before anything looks at what it says.

The bytes of a request enter, a mapping of names to lists of texts leaves. The framework's
own reader is not used here: it accepts 10 MB, any number of fields and repeated names, and
answers 500 to bytes that are not UTF-8 (TRUST section 17).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote_to_bytes

from survey.errors import SurveyError
from survey.web.respondent.patience import Patience

MOST_BYTES = 64 * 1024
MOST_FIELDS = 500
DEADLINE_SECONDS = 10.0

patience = Patience()
"""Of this process, for every form that is read in it."""


class FormUnreadableError(SurveyError):
    """Refused because what was sent is no form of ours: too large, too many fields, not text."""

    code = "respondent.form_unreadable"
    kind = "invalid"

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__("这份答卷", reason, "请重新打开问卷，再填一次")
        self.status = status


async def read_form(chunks: AsyncIterator[bytes], content_type: str) -> dict[str, list[str]]:
    """Every field of a posted form, in order, within our limits.

    Args:
        chunks: the body as it arrives.
        content_type: the header as sent.

    Raises:
        FormUnreadableError: not a form, over 64 KiB, over 500 fields, not UTF-8, or slower than ten seconds.
    """
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise FormUnreadableError("发来的不是问卷表单", 415)
    body = b""
    with patience.until(DEADLINE_SECONDS) as waiting:
        async for chunk in chunks:
            body += chunk
            if len(body) > MOST_BYTES:
                raise FormUnreadableError("内容超过64 KiB", 413)
    if waiting.is_late:
        raise FormUnreadableError("网络太慢，没有收全", 408)
    return parse_form(body)


def parse_form(body: bytes) -> dict[str, list[str]]:
    """The fields of an urlencoded body, strictly read.

    >>> parse_form(b"PA01=5&PA02=4&x=%E5%A5%BD+a")
    {'PA01': ['5'], 'PA02': ['4'], 'x': ['好 a']}
    """
    if not body:
        return {}
    try:
        pairs = body.decode("utf-8").split("&", MOST_FIELDS)
    except UnicodeDecodeError as wrong:
        raise FormUnreadableError("有不能识别的文字") from wrong
    if len(pairs) > MOST_FIELDS:
        raise FormUnreadableError(f"多于{MOST_FIELDS}项")
    parts = [pair.partition("=") for pair in pairs]
    # Nearly every form is items' ids and numbers, each once, which mean what they say.
    if b"%" not in body and b"+" not in body:
        once = {name: [value] for name, _, value in parts}
        if len(once) == len(parts):
            return once
    fields: dict[str, list[str]] = {}
    for name, _, value in parts:
        fields.setdefault(_text(name), []).append(_text(value))
    return fields


def single(fields: Mapping[str, list[str]], name: str) -> str:
    """The one value of a field, or an empty text when it was not sent.

    Raises:
        FormUnreadableError: the name was sent more than once.
    """
    values = fields.get(name, [])
    if len(values) > 1:
        raise FormUnreadableError(f"“{name[:40]}”重复出现")
    return values[0] if values else ""


class UnsentFormError(Exception):
    """Something failed after a form was read; carries both to the page that tells of it.

    Never written on the failure itself: one failure of the intake answers several people.
    """

    def __init__(self, failure: Exception, fields: Mapping[str, list[str]]) -> None:
        super().__init__(type(failure).__name__)
        self.failure = failure
        self.fields = [(name, value) for name, values in fields.items() for value in values]


@contextmanager
def held(fields: Mapping[str, list[str]]) -> Iterator[None]:
    """Keep a form that meets a failure, so that it can be sent again.

    A browser without scripts does not bring back what was typed: our pages are kept in no cache.

    Raises:
        UnsentFormError: whatever failed, with the form.
    """
    try:
        yield
    except Exception as failure:
        raise UnsentFormError(failure, fields) from failure


def _text(raw: str) -> str:
    if "%" not in raw and "+" not in raw:
        return raw
    try:
        return unquote_to_bytes(raw.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise FormUnreadableError("有不能识别的文字") from wrong
