"""The log of a running service: one JSON line an event, or plain lines for a person.

A line has time, level, source, message, and the request it belongs to. What an exception says
is left out, since it may quote an answer or a code; its kind and where it happened stay. Pages of people who answer write no
line at all; the console and the API write route template, method, status and time, never the
path, the query, an address, a cookie or a token.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from survey.web.request_log import current_request

HIDDEN = re.compile(
    r"(?<![0-9A-Za-z])(?:[2-9BCDFGHJKMNPQRSTVWXYZbcdfghjkmnpqrstvwxyz]{4}-?){3}(?![0-9A-Za-z])"
    r"|survey_[A-Za-z0-9_-]{20,}|(?<![0-9.])\d{1,3}(?:\.\d{1,3}){3}(?![0-9.])"
)
"""Whatever looks like a slip code, one of our tokens or a network address, should a message ever carry one."""


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """One event as plain values.

    >>> event = logging.makeLogRecord({"msg": "slip %s", "args": ("2345-6789-BCDF",), "levelname": "INFO"})
    >>> fields_of(event)["message"]
    'slip ***'
    """
    told: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "source": record.name,
        "message": HIDDEN.sub("***", record.getMessage()),
    }
    if request := current_request():
        told["request"] = request
    for name, value in getattr(record, "fields", {}).items():
        told[name] = HIDDEN.sub("***", value) if isinstance(value, str) else value
    if record.exc_info and record.exc_info[0] is not None:
        told["exception"] = record.exc_info[0].__name__
        told["where"] = [
            f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(record.exc_info[2])
        ]
    return told


class JsonLines(logging.Formatter):
    """One JSON document a line; a line break inside a value is escaped, so no event can pose as two."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return json.dumps(fields_of(record), ensure_ascii=False)


class PlainLines(logging.Formatter):
    """The same for a person's eyes, control characters escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told = fields_of(record)
        head = f"{told.pop('at')[11:19]} {told.pop('level')} {told.pop('source')} {told.pop('message')}"
        rest = " ".join(f"{name}={value}" for name, value in told.items())
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in f"{head} {rest}".rstrip())


def begin_logging(log_format: str) -> None:
    """Write the log to standard error, in the format of the setting.

    Args:
        log_format: json, plain, or auto: plain where a person is looking.
    """
    plain = log_format == "plain" or (log_format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainLines() if plain else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("survey").setLevel(logging.INFO)
