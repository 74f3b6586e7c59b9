"""One page from one template, with the few formats that every page writes the same way."""

import re
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import Any

from jinja2 import Environment
from litestar import Request, Response
from litestar.connection import ASGIConnection

from survey.exact import percent_text
from survey.web.act_words import act_text, detail_text, value_text
from survey.web.templating import environment

AnyRequest = Request[Any, Any, Any]
"""A request, whoever asks."""

AnyConnection = ASGIConnection[Any, Any, Any, Any]
"""The same as a guard sees it, before a handler is chosen."""

CHINA = timezone(timedelta(hours=8), "北京时间")
"""The clock on every page; China keeps one zone and no summer time."""


@cache
def page_environment() -> Environment:
    """The environment of console, verify and error pages, with their formats as filters."""
    pages = environment()
    pages.filters.update(
        clock=clock_text,
        moment=moment_text,
        day=day_text,
        count=count_text,
        count_or_dash=lambda count: "–" if count is None else count_text(count),
        grouped=grouped_digest,
        percent=percent_text,
        points=points_text,
        level=level_text,
        filesize=size_text,
        act=act_text,
        detail=detail_text,
        detail_value=value_text,
        on_screen=on_screen,
    )
    return pages


def render(template: str, **context: Any) -> str:
    """The template filled in; every value is escaped by the environment."""
    return page_environment().get_template(template).render(**context)


def html(
    template: str, status: int = 200, headers: dict[str, str] | None = None, **context: Any
) -> Response[str]:
    """A page as a response."""
    return Response(
        render(template, **context),
        media_type="text/html",
        status_code=status,
        headers=headers or {},
    )


def on_screen(remedy: str) -> str:
    """A remedy without the key of the plan file, which is for those who write one by hand.

    >>> on_screen("在第3步勾上（计划文件里是groups）")
    '在第3步勾上'
    """
    return re.sub("（计划文件里是[^）]*）", "", remedy)


def clock_text(now: datetime) -> str:
    """The time of day as a page writes it.

    >>> clock_text(datetime(2026, 11, 24, 2, 32, tzinfo=timezone.utc))
    '10:32'
    """
    return now.astimezone(CHINA).strftime("%H:%M")


def moment_text(moment: datetime | str) -> str:
    """Date and time as a page writes them; the moment may be ISO text.

    >>> moment_text(datetime(2026, 11, 24, 2, 32, tzinfo=timezone.utc))
    '2026-11-24 10:32'
    """
    value = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def day_text(day: date | str) -> str:
    """A date as a person says it.

    >>> day_text(date(2026, 12, 5)), day_text("2026-12-05")
    ('2026年12月5日', '2026年12月5日')
    """
    value = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{value.year}年{value.month}月{value.day}日"


def count_text(count: int) -> str:
    """A count with a narrow no-break space before each group of three digits.

    >>> count_text(18137).split(), count_text(86)
    (['18', '137'], '86')
    """
    return f"{count:,}".replace(",", "\u202f")


def grouped_digest(digest: str, groups: int | None = None) -> str:
    """A digest in groups of four signs, cut after some groups where space is short.

    >>> grouped_digest("0123456789abcdef", 2)
    '0123 4567…'
    """
    parts = [digest[start : start + 4] for start in range(0, len(digest), 4)]
    shown = parts if groups is None else parts[:groups]
    return " ".join(shown) + ("" if len(shown) == len(parts) else "…")


def points_text(rate: str) -> str:
    """A standard error in percentage points; the decimal point moves, no digit changes.

    >>> points_text("0.0123")
    '1.23'
    """
    return percent_text(rate).removesuffix("%")


def level_text(level: str) -> str:
    """How sure an interval is, without needless digits.

    >>> level_text("0.95")
    '95%'
    """
    return percent_text(level)


def size_text(size: int) -> str:
    """A file size for people.

    >>> size_text(2_900_000), size_text(512)
    ('2.8 MB', '1 KB')
    """
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{max(round(size / 1024), 1)} KB"
