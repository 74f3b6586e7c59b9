"""How the API answers: a struct as JSON, an ETag where a document rarely changes."""

import hashlib
from typing import Any

import msgspec
from litestar import Response

from survey.web.pages import AnyRequest


def answer(document: msgspec.Struct | dict[str, Any]) -> Response[bytes]:
    """The document as JSON."""
    return Response(msgspec.json.encode(document), media_type="application/json")


def answer_with_etag(request: AnyRequest, document: msgspec.Struct) -> Response[Any]:
    """The document with the digest of its bytes, or 304 where the reader already has them.

    `no-cache` instead of the `no-store` of pages: a program may keep the document, and asks
    each time whether it still holds.
    """
    body = msgspec.json.encode(document)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(None, status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
