"""The thanks page, the same for everybody, and the receipt that is drawn from its address.

Nothing is looked up here: any well-formed receipt gives such a page, so a screenshot proves
nothing. The picture and the text of a receipt are addresses of their own, fetched only when
somebody opens the disclosure.
"""

from dataclasses import dataclass

from litestar import HttpMethod, MediaType, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from survey.certification.receipt import Receipt, ReceiptUnreadableError, parse_receipt
from survey.web.respondent.desk import Desk
from survey.web.respondent.look import Look
from survey.web.respondent.receipt_picture import receipt_png
from survey.web.respondent.reply import AnyRequest, Asked, headers, page, wants_gzip
from survey.web.respondent.splice import SplicedPage, cut
from survey.web.respondent.waves import Place

DONE, CODE, TEXT = "@done@", "@code@", "@receipt@"
"""Marks of what differs on a thanks page; what takes their place is signs of ours."""

MOST_DRAWN = 60
"""Looks and places whose page is kept; a made-up address cannot ask for more."""


@dataclass(frozen=True)
class ReceiptView:
    """A receipt as the thanks page shows it."""

    text: str
    code: str
    link: str


@route(["/s/thanks", "/S/THANKS"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_thanks(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The one page that anybody may open."""
    return await thanks_page(request, desk, await desk.look(request), "", "", "")


@route(["/s/thanks/{receipt:str}", "/S/THANKS/{receipt:str}"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_receipt(
    request: AnyRequest, receipt: FromPath[str], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """The same page with the receipt its address holds; as picture or text when it ends so."""
    name, dot, kind = receipt.partition(".")
    if not dot:
        return await receipt_page(request, desk, name)
    look = await desk.look(request)
    try:
        parsed = parse_receipt(name)
    except ReceiptUnreadableError:
        return await _unreadable(desk, look)
    if kind == "png":
        return Response(
            receipt_png(_view(desk, parsed).link, parsed.text), headers=headers(), media_type="image/png"
        )
    if kind == "txt":
        view = _view(desk, parsed)
        text = f"{look.words('thanks.code')}  {view.code}\r\n{view.link}\r\n"
        extra = {**headers(), "Content-Disposition": 'attachment; filename="receipt.txt"'}
        return Response(text.encode(), headers=extra, media_type=MediaType.TEXT)
    return await desk.state(look, "state.not_found_title", look.words("state.not_found"), status=404)


async def receipt_page(request: Asked, desk: Desk, receipt: str) -> Response[bytes]:
    """The thanks page of a receipt, to which a sending without the script leads."""
    look = await desk.look(request)
    try:
        parsed = parse_receipt(receipt)
    except ReceiptUnreadableError:
        return await _unreadable(desk, look)
    return await thanks_page(request, desk, look, parsed.text, parsed.code, parsed.submission_key.hex())


async def _unreadable(desk: Desk, look: Look) -> Response[bytes]:
    words = look.words
    return await desk.state(look, "receipt.bad_title", words("receipt.bad"), status=404)


async def thanks_page(
    request: Asked, desk: Desk, look: Look, receipt: str, code: str, done: str
) -> Response[bytes]:
    """The thanks page, with a receipt in its closed disclosure only after a real sending.

    Args:
        receipt, code: the receipt's 264 signs and the first sixteen of them in groups, or nothing.
        done: the submission key it belongs to, by which the page knows its own sending.
    """
    place = await desk.waves.place()
    # Words and place are told apart by identity, and kept beside the page so that it stays theirs.
    key = (id(look.words), look.size, look.child, id(place), bool(receipt))
    if key not in desk.thanks:
        if len(desk.thanks) >= MOST_DRAWN:
            desk.thanks.clear()
        desk.thanks[key] = (look.words, place, *_draw(desk, look, place, bool(receipt)))
    _, _, drawn, marks = desk.thanks[key]
    values = {DONE: done, CODE: code, TEXT: receipt}
    gaps = [values[mark].encode() for mark in marks]
    if wants_gzip(request):
        return page(drawn.gzip(*gaps), packed=True)
    return page(drawn.text(*gaps))


def _draw(desk: Desk, look: Look, place: Place, with_receipt: bool) -> tuple[SplicedPage, tuple[str, ...]]:
    """The page once for everybody, cut where one sender's differs from another's."""
    html = desk.pages.page(
        "thanks",
        look,
        place,
        look.words("child.done" if look.child else "done.title"),
        receipt=ReceiptView(TEXT, CODE, link=TEXT) if with_receipt else None,
        done=DONE,
        query=look.query,
    )
    return cut(html.decode(), DONE, CODE, TEXT)


def _view(desk: Desk, receipt: Receipt) -> ReceiptView:
    return ReceiptView(receipt.text, receipt.code, _link(desk, receipt.text))


def _link(desk: Desk, receipt: str) -> str:
    return f"{desk.base_url}/check#{receipt}"
