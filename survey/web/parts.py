"""One page of a long list: no page grows with what is kept, and its neighbours are plain links."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from survey.web.access import check_query
from survey.web.pages import AnyRequest

LINES_ON_A_PAGE = 50
"""Lines with texts that people typed, so that a first view stays under 120 KB."""


@dataclass(frozen=True)
class Part:
    """One page of a long list: its lines, which page it is, and how much there is."""

    lines: Sequence[Any]
    page: int
    pages: int
    n: int
    name: str = "page"
    """What the address calls the number of the page; several lists of one page each have their own."""


def part_of(
    request: AnyRequest, lines: Sequence[Any], most: int, name: str = "page", beside: Sequence[str] = ()
) -> Part:
    """The page of a list that the address asks for, the nearest there is.

    Args:
        name: of the number in the address.
        beside: what else the address may hold.

    Raises:
        UnreadableBodyError: the address asks for anything else.
    """
    given = check_query(request, frozenset({name, *beside})).get(name, "1")
    pages = max(-(-len(lines) // most), 1)
    page = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 1
    page = min(max(page, 1), pages)
    return Part(lines[(page - 1) * most : page * most], page, pages, len(lines), name)
