"""A page on its way out: the headers every answering page carries, and its compression.

No cookie, no foreign host, nothing kept by a cache, no referrer, no search engine. The
policy admits exactly the style and the scripts that stand in our own files, by hash.
"""

import zlib
from collections.abc import AsyncIterator, Mapping
from functools import cache, lru_cache
from typing import Any, Protocol

from litestar import MediaType, Request, Response

from survey.web.templating import inline_hash, inline_text

AnyRequest = Request[Any, Any, Any]
"""A request as the framework hands it over: no user, no session, no state of its own."""


class Asked(Protocol):
    """What the pages of this side look at in a request; the framework's has it, and the front's."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name."""

    @property
    def query_params(self) -> Mapping[str, str]:
        """The address's own fields, one value each."""

    @property
    def client(self) -> Any:
        """Who asks; its `host` is the network address, None when unknown."""

    def stream(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""


WORTH_PACKING = 600
"""Bytes below which packing saves no packet."""


@cache
def content_security_policy() -> str:
    """What an answering page may do: its own inline style and scripts, posts to itself, data: pictures."""
    page, form, other = (inline_text(f"respondent/{name}.css") for name in ("page", "form", "scripts"))
    style = " ".join(map(inline_hash, (page, page + form, page + other, page + form + other)))
    scripts = " ".join(
        inline_hash(inline_text(f"respondent/{name}.js"))
        for name in ("head", "form", "check", "open", "over")
    )
    return (
        f"default-src 'none'; style-src {style}; script-src {scripts}; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def headers() -> dict[str, str]:
    """The headers of every answer of this side, errors included."""
    return {
        "Content-Security-Policy": content_security_policy(),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Vary": "Accept-Encoding",
    }


def wants_gzip(request: Asked) -> bool:
    """Whether the browser reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


class Page(Response[bytes]):
    """An HTML page that is packed on its way out when the browser reads gzip; a form comes packed already."""

    def __init__(self, content: bytes, status_code: int, headers: dict[str, str]) -> None:
        # What the framework's own would set, without its questions about kinds of mappings.
        self.content, self.status_code, self.headers = content, status_code, headers
        self.media_type, self.encoding, self.background = MediaType.HTML, "utf-8", None
        self.cookies, self.response_type_encoders = [], {}

    def pack(self, request: Asked) -> None:
        """Compress the body if that is wanted, worth it and not done."""
        if (
            len(self.content) > WORTH_PACKING
            and "Content-Encoding" not in self.headers
            and wants_gzip(request)
        ):
            self.content = zlib.compress(self.content, 4, wbits=31)
            self.headers["Content-Encoding"] = "gzip"

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> Any:
        """The page for this request, packed if that is wanted and worth it."""
        self.pack(request)
        return super().to_asgi_response(app, request, **options)


def page(body: bytes, status: int = 200, *, packed: bool = False, retry_after: int | None = None) -> Page:
    """One HTML page with this side's headers; `packed` says the body is gzip already."""
    extra = dict(headers())
    if packed:
        extra["Content-Encoding"] = "gzip"
    if retry_after is not None:
        extra["Retry-After"] = str(retry_after)
    return Page(body, status, extra)


def see_other(address: str) -> Page:
    """A 303 to one of our own pages."""
    return Page(b"", 303, {**headers(), "Location": address})


@lru_cache(maxsize=256)
def raw_headers(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[bytes, bytes], ...]:
    """Headers as they travel; most pages carry the same ones."""
    named = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers)
    return ((b"content-type", b"text/html; charset=utf-8"), *named)
