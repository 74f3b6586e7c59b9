"""The verify pages: type number and signs, or hand in a file; nothing is kept and nothing is set."""

import io
import zipfile
from asyncio import to_thread
from pathlib import Path
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from survey.certification.claims import Verdict
from survey.certification.verification import verify_file
from survey.documents.archive import DAMAGED
from survey.documents.evidence_pack import OpenedPack, read_pack
from survey.errors import SurveyError
from survey.settings import Settings
from survey.storage.certificates import Certificate, find_certificate, list_certificates
from survey.storage.plans import find_wave
from survey.web.access import anyone, check_query, read_form
from survey.web.errors import UnreadableBodyError
from survey.web.files import download
from survey.web.headers import FILE_LIMIT
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


@post("/v/file", guards=[anyone], request_max_body_size=FILE_LIMIT, status_code=200)
async def check_file(request: AnyRequest) -> Response[str]:
    """Read a certificate, a public bundle or an evidence pack in place, claim by claim."""
    upload = (await read_form(request)).get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise UnreadableBodyError("没有选文件")
    data = await upload.read()
    pack = await to_thread(read_pack, data) if data.startswith(b"PK") else None
    if pack is not None:
        data = pack.bundle
    verdict = await to_thread(verify_file, data)
    statement = statement_in(await to_thread(_statement_file, data))
    standing = await standing_of_file(statement, verdict)
    if pack is not None and pack.altered:
        standing = Standing(ALTERED, standing.certificate, standing.statement)
    filename = upload.filename.replace("\\", "/").rpartition("/")[2][:120]
    return await _page(standing, verdict, filename, pack)


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


def _statement_file(data: bytes) -> bytes:
    """The bytes that hold the statement: of a bundle its member, of a certificate the whole file."""
    if not data.startswith(b"PK"):
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            member: Any = bundle.getinfo("statement.json")
            if member.file_size > FILE_LIMIT:
                return b""
            return b'{"statement":' + bundle.read(member) + b"}"
    except (*DAMAGED, KeyError):
        return b""
