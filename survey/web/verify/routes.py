"""The verify pages: type number and signs, or hand in a file; nothing is kept and nothing is set."""

import asyncio
import io
import zipfile
from asyncio import to_thread
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from survey.certification.claims import Verdict
from survey.certification.packed_papers import DAMAGED, OpenedPack, read_pack
from survey.certification.verification import verify_file
from survey.errors import SurveyError
from survey.settings import Settings
from survey.storage.certificates import Certificate, find_certificate, list_certificates
from survey.storage.plans import find_wave
from survey.web.access import anyone, check_query, read_form
from survey.web.errors import UnreadableBodyError, WebError
from survey.web.files import download
from survey.web.headers import PACK_LIMIT, VERIFY_PATH
from survey.web.pages import AnyRequest, html
from survey.web.routing import OwnRouter
from survey.web.verify.cryptography import show_cryptography
from survey.web.verify.heads import show_heads
from survey.web.verify.standing import (
    ALTERED,
    UNKNOWN,
    Standing,
    standing_of,
    standing_of_file,
    statement_in,
)

MOST_UNPACKED = 256 * 1024 * 1024
"""Bytes that a pack may unfold to; one of 64 MB unfolds to 90, and each costs the digesting of a stranger's file."""
MOST_STATEMENT = 10 * 1024 * 1024


class NoCertificateError(SurveyError):
    """No certificate of this number."""

    code = "verify.unknown_number"
    kind = "not_found"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"证书编号{number}", "没有登记", "请核对证书上印的编号和验证码；仍然不对，请打证书上的电话"
        )


class NoBundleError(SurveyError):
    """The public bundle is not on this machine any more."""

    code = "verify.no_bundle"
    kind = "not_found"

    def __init__(self, number: int) -> None:
        super().__init__(f"第{number}号证书的公开包", "这里没有", "请向组织单位索取；证书本身仍可以验证")


@get(["/v", "/V"], guards=[anyone])
async def show_form(request: AnyRequest) -> Response[str]:
    """The form, or the answer for a number and twelve signs in the address."""
    query = check_query(request, frozenset({"number", "code"}))
    number, code = query.get("number", "").strip(), query.get("code", "").strip()
    if not number and not code:
        return html("verify/form.html", number="", code="")
    certificate = await _look_up(number, code)
    if certificate is None:
        return html(
            "verify/result.html",
            404,
            standing=Standing(UNKNOWN),
            verdict=None,
            wave=None,
            filename="",
            pack=None,
        )
    return await _result(certificate)


@get(["/v/{number:str}", "/V/{number:str}"], guards=[anyone])
async def show_number(request: AnyRequest, number: FromPath[str]) -> Response[str]:
    """What was issued under a number; the address printed on the sheet leads here."""
    check_query(request, frozenset())
    certificate = await find_certificate(number[:40])
    if certificate is None:
        raise NoCertificateError(number[:40])
    return await _result(certificate)


@get(["/v/{number:int}/certificate.json", "/V/{number:int}/certificate.json"], guards=[anyone])
async def download_certificate(request: AnyRequest, number: FromPath[int]) -> Response[bytes]:
    """The certificate file, to check it elsewhere."""
    certificate = await find_certificate(number)
    if certificate is None:
        raise NoCertificateError(str(number))
    return download(certificate.data, f"{certificate.wave}_证书{number}.json")


@get(["/v/{number:int}/bundle.zip", "/V/{number:int}/bundle.zip"], guards=[anyone])
async def download_bundle(request: AnyRequest, number: FromPath[int]) -> Response[bytes]:
    """The public bundle of a certificate that is still the newest of its wave."""
    certificate = await find_certificate(number)
    newest = await list_certificates(certificate.wave) if certificate else ()
    if certificate is None or newest[-1].number != number:
        raise NoCertificateError(str(number))
    path = bundle_path(request.app.state.settings, certificate.wave)
    if not path.is_file():
        raise NoBundleError(number)
    return download(await to_thread(path.read_bytes), f"{certificate.wave}_公开包{number}.zip")


@post(VERIFY_PATH, guards=[anyone], request_max_body_size=PACK_LIMIT, status_code=200)
async def check_file(request: AnyRequest) -> Response[str]:
    """Read a certificate, a public bundle or an evidence pack in place, claim by claim.

    Raises:
        BusyVerifyingError: as many large files as are read at once are being read.
    """
    reading: Reading = request.app.state.reading
    with reading.place(request.headers.get("content-length")) as turn:
        upload = (await read_form(request)).get("file")
        if not isinstance(upload, UploadFile) or not upload.filename:
            raise UnreadableBodyError("没有选文件")
        # What is larger than a megabyte lies on the disk by now, under no name.
        async with turn:
            pack, data = await to_thread(_taken_apart, upload.file)
            verdict = await to_thread(verify_file, data)
            statement = statement_in(await to_thread(_statement_file, data))
            del data
    standing = await standing_of_file(statement, verdict)
    if pack is not None and pack.altered:
        standing = Standing(ALTERED, standing.certificate, standing.statement)
    filename = upload.filename.replace("\\", "/").rpartition("/")[2][:120]
    return await _page(standing, verdict, filename, pack)


class BusyVerifyingError(WebError):
    """As many large files as are read at once are being read."""

    code = "verify.busy"
    status = 503
    headers = MappingProxyType({"Retry-After": "60"})

    def __init__(self) -> None:
        super().__init__(
            "核验", "正在检查别的大文件", "请一分钟后再交；也可以在自己的电脑上检查：survey verify 文件"
        )


class Reading:
    """Who reads files that strangers handed in: a few large ones wait on the disk, one is in memory."""

    LARGE, LARGE_AT_ONCE = 10 * 1024 * 1024, 3

    def __init__(self) -> None:
        self._one_by_one = asyncio.Semaphore(1)
        self._large = 0

    @contextmanager
    def place(self, length: str | None) -> Iterator[AbstractAsyncContextManager[None]]:
        """A place for a body of so many bytes, and what waits for its turn in memory; small ones wait for nobody.

        One that does not say how many counts as large.

        Raises:
            BusyVerifyingError: none is free.
        """
        told = length is not None and length.isascii() and length.isdigit() and len(length) < 12
        is_large = not told or int(length or 0) > self.LARGE
        if is_large and self._large >= self.LARGE_AT_ONCE:
            raise BusyVerifyingError
        self._large += is_large
        try:
            yield self._one_by_one if is_large else nullcontext()
        finally:
            self._large -= is_large


def verify_router() -> OwnRouter:
    """The public verify pages and the public log."""
    return OwnRouter(
        "/",
        route_handlers=[
            show_form,
            show_cryptography,
            show_number,
            download_certificate,
            download_bundle,
            check_file,
            show_heads,
        ],
    )


def bundle_path(settings: Settings, wave: str) -> Path:
    """Where certifying leaves the public bundle of a wave."""
    return settings.out / wave / "bundle.zip"


async def _look_up(number: str, code: str) -> Certificate | None:
    """The certificate whose number and signs both fit; either alone finds nothing."""
    certificate = await find_certificate(number[:40]) if number.isascii() and number.isdigit() else None
    plain = "".join(sign for sign in code.upper() if sign not in " -–—")
    if certificate is None or plain != certificate.short.replace("-", "").upper():
        return None
    return certificate


async def _result(certificate: Certificate) -> Response[str]:
    verdict = await to_thread(verify_file, certificate.data)
    standing = await standing_of(certificate)
    if verdict.exit_code:
        standing = await standing_of_file(standing.statement, verdict)
    return await _page(standing, verdict)


async def _page(
    standing: Standing, verdict: Verdict, filename: str = "", pack: OpenedPack | None = None
) -> Response[str]:
    wave = await find_wave(standing.certificate.wave) if standing.certificate else None
    return html(
        "verify/result.html", standing=standing, verdict=verdict, wave=wave, filename=filename, pack=pack
    )


def _taken_apart(file: IO[bytes]) -> tuple[OpenedPack | None, bytes]:
    """The pack that a file is, if it is one, and the bytes to verify: the bundle's, or the whole."""
    head = file.read(2)
    pack = read_pack(file, most=MOST_UNPACKED, most_bundle=PACK_LIMIT) if head == b"PK" else None
    if pack is not None:
        return pack, pack.bundle
    file.seek(0)
    return None, file.read()


def _statement_file(data: bytes) -> bytes:
    """The bytes that hold the statement: of a bundle its member, of a certificate the whole file."""
    if not data.startswith(b"PK"):
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            member: Any = bundle.getinfo("statement.json")
            if member.file_size > MOST_STATEMENT:
                return b""
            return b'{"statement":' + bundle.read(member) + b"}"
    except (*DAMAGED, KeyError):
        return b""
