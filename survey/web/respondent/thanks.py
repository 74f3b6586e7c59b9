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
from survey.web.respondent.reply import AnyRequest, headers, page


@dataclass(frozen=True)
class ReceiptView:
    """A receipt as the thanks page shows it."""

    text: str
    code: str
    link: str


@route(["/s/thanks", "/S/THANKS"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_thanks(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    """The one page that anybody may open."""
    return await thanks_page(desk, await desk.look(request), None)


@route(["/s/thanks/{receipt:str}", "/S/THANKS/{receipt:str}"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def show_receipt(
    request: AnyRequest, receipt: FromPath[str], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """The same page with the receipt its address holds; as picture or text when it ends so."""
    look = await desk.look(request)
    name, dot, kind = receipt.partition(".")
    try:
        parsed = parse_receipt(name)
    except ReceiptUnreadableError:
        words = look.words
        return await desk.state(look, "receipt.bad_title", words("receipt.bad"), status=404)
    if not dot:
        return await thanks_page(desk, look, parsed.text)
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


async def thanks_page(desk: Desk, look: Look, receipt: str | None) -> Response[bytes]:
    """The thanks page, with a receipt in its closed disclosure only after a real sending."""
    parsed = parse_receipt(receipt) if receipt else None
    body = desk.pages.page(
        "thanks",
        look,
        await desk.waves.place(),
        look.words("child.done" if look.child else "done.title"),
        receipt=_view(desk, parsed) if parsed else None,
        done=parsed.submission_key.hex() if parsed else "",
        query=look.query,
    )
    return page(body)


def _view(desk: Desk, receipt: Receipt) -> ReceiptView:
    return ReceiptView(receipt.text, receipt.code, f"{desk.base_url}/check#{receipt.text}")
