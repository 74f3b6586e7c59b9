"""A link as modules: the smallest code that a worn phone still reads from paper.

A link enters; rows of dark and light leave, or one vector path for a page. `https://` goes
in byte mode, because some phones refuse a capital scheme, and the rest in upper case and
alphanumeric mode; error correction is Q. At a fixed printed size fewer modules beat more
correction, so a link that needs more than version 4 is refused. The mask is fixed: choosing
among eight costs four times the rest and gains nothing. (Of 3 000 links of one host, each
rendered twice, OpenCV missed 0 pictures under this mask, 12 under the standard's choice, 4
under the one with fewest accidental finder patterns.) Left out on purpose: colour, logo,
rounded modules.

Source: ISO/IEC 18004; UX section 10.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

from survey.errors import SurveyError

if TYPE_CHECKING:
    import qrcode

MASK = 0
LARGEST_VERSION = 4
QUIET_ZONE = 4
SCHEMES = ("https://", "http://")
ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")

Modules = tuple[tuple[bool, ...], ...]


class LinkTooLongError(SurveyError):
    """The link needs a code too fine to be read from paper."""

    code = "documents.link_too_long"
    kind = "invalid"

    def __init__(self, link: str) -> None:
        super().__init__(
            f"链接“{link}”",
            f"有{len(link)}个字符，二维码会太密，旧手机扫不出来",
            "换一个短一些的网址（带填写码的链接最好不超过41个字符，也就是域名不超过18个字符）",
            length=len(link),
        )


class LinkNotPrintableError(SurveyError):
    """The link has no form that a printed code can carry."""

    code = "documents.link_not_printable"
    kind = "invalid"

    def __init__(self, link: str, why: str) -> None:
        super().__init__(
            f"链接“{link}”", why, "网址写成https://加域名，只用英文字母、数字、点、横线、冒号和斜线"
        )


def printed_link(link: str) -> str:
    """The text a scanner will read: the scheme as it is, the rest in upper case.

    >>> printed_link("https://cs.example.cn/s/7KQ4M2XH9DTR")
    'https://CS.EXAMPLE.CN/S/7KQ4M2XH9DTR'
    """
    scheme, rest = _parts(link)
    return scheme + rest


def _parts(link: str) -> tuple[str, str]:
    scheme = next((known for known in SCHEMES if link.lower().startswith(known)), None)
    if scheme is None:
        raise LinkNotPrintableError(link, "不是以https://或http://开头")
    rest = link[len(scheme) :].upper()
    strange = sorted(set(rest) - ALPHANUMERIC)
    if not rest or strange:
        raise LinkNotPrintableError(
            link, f"有二维码短码里没有的字符：{'、'.join(strange)}" if strange else "缺少域名"
        )
    return scheme, rest


def qr_modules(link: str) -> Modules:
    """Rows of the code of `link`, True where dark, without the quiet zone.

    Raises:
        LinkNotPrintableError: not http(s), or signs outside the alphanumeric set.
        LinkTooLongError: it would need more than version 4.

    >>> len(qr_modules("https://survey.wanan.cn/s/7KQ4M2XH9DTR"))   # version 3
    29
    """
    import qrcode
    from qrcode.constants import ERROR_CORRECT_Q
    from qrcode.exceptions import DataOverflowError

    scheme, rest = _parts(link)
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=MASK)
    add_two_modes(code, scheme, rest)
    try:
        version = code.best_fit()
    except (DataOverflowError, ValueError) as error:
        raise LinkTooLongError(link) from error
    if version > LARGEST_VERSION:
        raise LinkTooLongError(link)
    code.make(fit=False)
    return tuple(tuple(map(bool, row)) for row in code.modules)


def add_two_modes(code: qrcode.QRCode[Any], as_it_is: str, alphanumeric: str) -> None:
    """Fill a code with a text in byte mode, followed by signs of the alphanumeric set."""
    from qrcode.util import MODE_8BIT_BYTE, MODE_ALPHA_NUM, QRData

    # The stubs call the modes any integers, and yet take none but their literal values.
    code.add_data(QRData(as_it_is.encode(), mode=MODE_8BIT_BYTE), optimize=0)  # type: ignore[call-overload]
    code.add_data(QRData(alphanumeric.encode(), mode=MODE_ALPHA_NUM), optimize=0)  # type: ignore[call-overload]


def qr_path(modules: Modules) -> str:
    """The outlines of the dark modules as one SVG path, to be filled by the even-odd rule.

    Outlines rather than a rectangle for every run: two rectangles that touch leave a hair of
    paper between them wherever a printer's dots do not fall on their edge.

    >>> qr_path(((True, True), (False, True)))
    'M0 0h2v2h-1v-1h-1z'
    """
    size = len(modules)
    grid = ((False,) * size, *modules, (False,) * size)
    across: dict[tuple[int, int], int] = {}
    corners_below: list[list[int]] = [[] for _ in range(size + 1)]
    for y in range(size + 1):
        edges = [above != below for above, below in zip(grid[y], grid[y + 1], strict=True)]
        corners = [x for x in range(size + 1) if (x > 0 and edges[x - 1]) != (x < size and edges[x])]
        # Along a line the corners are the ends of its edges, by turns.
        for begin, end in zip(corners[::2], corners[1::2], strict=True):
            across[begin, y], across[end, y] = end, begin
        for x in corners:
            corners_below[x].append(y)
    down = {}
    for x, corners in enumerate(corners_below):
        for begin, end in zip(corners[::2], corners[1::2], strict=True):
            down[x, begin], down[x, end] = end, begin
    path = []
    while across:
        x, y = next(iter(across))
        path.append(f"M{x} {y}")
        while (x, y) in across:
            end = across.pop((x, y))
            del across[end, y]
            below = down[end, y]
            path.append(f"h{end - x}v{below - y}")
            x, y = end, below
        path[-1] = path[-1].partition("v")[0] + "z"
    return "".join(path)


@lru_cache(maxsize=64)
def qr_svg(link: str, title: str | None = None) -> str:
    """The code of `link` as SVG text with its quiet zone, for paper and pages.

    Args:
        title: what a screen reader says; the link itself when left out.
    """
    modules = qr_modules(link)
    side = len(modules) + 2 * QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-{QUIET_ZONE} -{QUIET_ZONE} {side} {side}"'
        f' role="img" shape-rendering="crispEdges"><title>{escape(title or printed_link(link))}</title>'
        f'<path fill="#fff" d="M-{QUIET_ZONE} -{QUIET_ZONE}h{side}v{side}h-{side}z"/>'
        f'<path fill-rule="evenodd" d="{qr_path(modules)}"/></svg>'
    )
