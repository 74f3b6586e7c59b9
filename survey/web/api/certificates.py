"""The certificate of a wave: its number, its digest, where to download and to check it."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from survey.canonical import sha256_hex
from survey.errors import SurveyError
from survey.storage.certificates import Certificate as Stored
from survey.storage.certificates import list_certificates
from survey.storage.plans import load_wave
from survey.web.access import check_query, token_with
from survey.web.api.answers import answer
from survey.web.api.documents import Certificate
from survey.web.pages import AnyRequest
from survey.web.verify.standing import REVOKED, Standing, standing_of


class NotCertifiedError(SurveyError):
    """The wave has no certificate yet."""

    code = "api.not_certified"
    kind = "conflict"

    def __init__(self, state_name: str) -> None:
        super().__init__("结果证书", f"还没有签发，现在是“{state_name}”", "签发以后再来取")


@get("/waves/{wave:str}/certificate", guards=[token_with("figure:read")])
async def show_certificate(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """The newest certificate of a wave."""
    check_query(request, frozenset())
    row = await load_wave(wave)
    versions = await list_certificates(wave)
    if not versions:
        raise NotCertifiedError(row.state_name)
    return answer(request, certificate_document(versions, await standing_of(versions[-1])))


def certificate_document(versions: tuple[Stored, ...], standing: Standing) -> Certificate:
    """The newest of a wave's certificates as the API says it, and how it stands."""
    newest, revoked = versions[-1], standing.state == REVOKED
    return Certificate(
        wave=newest.wave,
        number=newest.number,
        short=newest.short,
        file_digest=sha256_hex(newest.data),
        state="revoked" if revoked else "valid",
        reason=standing.reason if revoked else None,
        download=f"/v/{newest.number}/certificate.json",
        verify=f"/v/{newest.number}",
        versions=[version.number for version in versions],
    )
