"""How the API speaks: JSON in and JSON out, an ETag or 304, and 412 where a writer has seen something else."""

import hashlib
from typing import Any

import msgspec
from litestar import Response

from survey.web.errors import WebError
from survey.web.pages import AnyRequest

JSON = "application/json"


class ChangedSinceError(WebError):
    """The thing is not as the writer has seen it."""

    code = "api.changed_since"
    status = 412

    def __init__(self) -> None:
        super().__init__("If-Match", "您看到以后已经有改动，没有执行", "重新取一次，看过再写")


class NotAcceptableError(WebError):
    """The reader takes nothing that is given out here."""

    code = "api.not_acceptable"
    status = 406

    def __init__(self) -> None:
        super().__init__("Accept", "里面没有application/json，接口只回答JSON", "写上application/json，或者不写Accept")


class MediaTypeError(WebError):
    """What was sent is of a kind that is not read here."""

    code = "api.media_type"
    status = 415

    def __init__(self, reason: str) -> None:
        super().__init__("发来的内容", reason, "写成JSON，不压缩，Content-Type写application/json")
        self.headers = {"Accept": JSON, "Accept-Encoding": "identity"}


async def check_accept(request: AnyRequest) -> None:
    """Go on only where the reader takes JSON, or has not said what it takes.

    Raises:
        NotAcceptableError.
    """
    if request.headers.get("accept", "").strip() and not request.accept.accepts(JSON):
        raise NotAcceptableError


async def json_body(request: AnyRequest) -> bytes:
    """The bytes of a body that says it is JSON.

    Raises:
        MediaTypeError: it says something else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise MediaTypeError(f"类型是“{kind[:60]}”，不是{JSON}" if kind else f"没有说类型，要{JSON}")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise MediaTypeError("是压缩过的")
    return await request.body()


def answer(
    request: AnyRequest, document: msgspec.Struct | dict[str, Any], *, same: msgspec.Struct | None = None
) -> Response[Any]:
    """The document with the digest of its bytes, or 304 where the reader already has them.

    `no-cache` instead of the `no-store` of pages: a program may keep the document, and asks
    each time whether it still holds.

    Args:
        same: the document without what changes by itself, such as the moment of asking; the tag is weak then.
    """
    body = msgspec.json.encode(document)
    etag = etag_of(body) if same is None else f"W/{etag_of(msgspec.json.encode(same))}"
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if etag.removeprefix("W/") in known or "*" in known:
        return Response(None, status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)


def etag_of(body: bytes) -> str:
    """The strong tag of some bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def check_match(request: AnyRequest, document: msgspec.Struct) -> None:
    """Go on only where the writer has seen this document, or has not asked for the check.

    Raises:
        ChangedSinceError.
    """
    wanted = request.headers.get("if-match")
    if wanted is None or wanted.strip() == "*":
        return
    if etag_of(msgspec.json.encode(document)) not in {part.strip() for part in wanted.split(",")}:
        raise ChangedSinceError
