"""Pages of a collection: how many at once, and a cursor that names the last row that was given.

A cursor holds a row's own key and no position, so that nothing is given twice or left out when rows
are added between two pages. Where a whole list may be replaced it also names the list: a reader who
turns pages meanwhile is told to begin again, and never gets half of one list and half of another.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from survey.errors import SurveyError
from survey.web.access import check_query
from survey.web.pages import AnyRequest

T = TypeVar("T")
MOST = 100
DEFAULT = 50


class BadPageError(SurveyError):
    """The cursor or the size of a page is not one we gave or allow."""

    code = "api.bad_page"
    kind = "refused"

    def __init__(self, what: str, most: int) -> None:
        super().__init__("翻页", f"{what}不对", f"limit写1到{most}的整数，cursor原样使用上一页的next")


class ListReplacedError(SurveyError):
    """The list was replaced while somebody turned its pages."""

    code = "api.list_replaced"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("翻页", "这份清单中途换过了", "从第一页重新取")


@dataclass(frozen=True)
class Asked:
    """The page that was asked for."""

    limit: int
    cursor: str | None
    most: int


def page_asked(request: AnyRequest, *, most: int = MOST, default: int = DEFAULT) -> Asked:
    """The page that a query asks for.

    Raises:
        BadPageError: a size that is not allowed. UnreadableBodyError: another name in the query.
    """
    query = check_query(request, frozenset({"limit", "cursor"}))
    text = query.get("limit")
    if text is None:
        return Asked(default, query.get("cursor"), most)
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= most):
        raise BadPageError("limit", most)
    return Asked(int(text), query.get("cursor"), most)


def page_of(
    rows: Sequence[T], asked: Asked, key: Callable[[T], str], *, of: str = ""
) -> tuple[Sequence[T], str | None]:
    """The rows of the page, and the cursor of the next one or None.

    Args:
        key: of a row, without a colon; no two rows share it.
        of: the digest of a list that may be replaced.

    Raises:
        BadPageError: not a cursor of this collection. ListReplacedError: of an earlier list.
    """
    mark = of[:12]
    begin = 0
    if asked.cursor is not None:
        known, _, last = _opened(asked).partition(":")
        if known != mark:
            raise ListReplacedError if of else BadPageError("cursor", asked.most)
        begin = next((at for at, row in enumerate(rows, start=1) if key(row) == last), 0)
        if not begin:
            raise BadPageError("cursor", asked.most)
    page = rows[begin : begin + asked.limit]
    more = begin + len(page) < len(rows)
    return page, _sealed(f"{mark}:{key(page[-1])}") if more else None


def _sealed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(asked: Asked) -> str:
    cursor = asked.cursor or ""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise BadPageError("cursor", asked.most) from error
    if ":" not in text:
        raise BadPageError("cursor", asked.most)
    return text
