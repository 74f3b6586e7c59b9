"""From a refusal to a status, and a Chinese page or a problem document (RFC 9457).

A `SurveyError` is a sentence meant for the reader, so it is shown as it is. Anything else is
ours: the reader gets an incident number and nothing of what went wrong, and the log gets the
kind of the exception and where it happened, but not what it says, which may quote an answer.
"""

import logging
import secrets
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException, SerializationException
from litestar.response import Redirect

from survey.errors import FaultsError, SurveyError
from survey.web.pages import AnyRequest, render
from survey.web.rights import ROLES, has_right

log = logging.getLogger("survey.web")

STATUS_BY_KIND = {
    "invalid": 422,
    "not_found": 404,
    "conflict": 409,
    "forbidden": 403,
    "busy": 503,
    "refused": 400,
}
PROBLEM_TYPE = "urn:survey:problem:"
RETRY_AFTER_SECONDS = 60

_WORDS = {
    400: ("http.bad_request", "请求", "读不懂发来的内容", "请返回上一页，重新填写后再发送"),
    404: ("http.not_found", "网址", "这里没有页面", "请核对网址，或从首页进入"),
    405: ("http.method_not_allowed", "网址", "这个网址不接受这种请求", "请从页面上的按钮进入"),
    413: (
        "http.too_large",
        "发来的内容",
        "超过了允许的大小",
        "请减小后再发送；学校名册不超过10 MB，核验的文件不超过64 MB，更大的在自己的电脑上用survey verify检查",
    ),
    415: (
        "http.media_type",
        "发来的内容",
        "不是这里接受的格式",
        "请使用页面上的表单，接口请发送application/json",
    ),
    422: ("http.invalid", "发来的内容", "有的内容不符合要求", "请核对后再发送"),
    429: ("http.too_many", "请求", "次数太多", "请过几分钟再试"),
    500: (
        "http.incident",
        "系统",
        "出了意外，已经停下这一步，没有保存任何改动",
        "请稍后再试；再出现时把事件编号告诉管理员",
    ),
    503: ("http.busy", "系统", "现在很忙", "请一分钟后再试，填好的内容不会丢"),
}


_FOR_PROGRAMS = {
    400: "请按/api/v1/openapi.json里的描述写",
    404: "请核对网址，接口的描述在/api/v1/openapi.json",
    405: "请用Allow里写着的方法，接口的描述在/api/v1/openapi.json",
    413: "请减小后再发送，一次最多64 KB",
    422: "请按/api/v1/openapi.json里的描述写",
    500: "请稍后再试；再出现时把incident里的编号告诉管理员",
    503: "请过Retry-After里的秒数再试",
}
"""The way out where a program asks, which has no page to go back to and no button."""


class WebError(SurveyError):
    """A refusal that belongs to HTTP itself, with its own status and headers."""

    status = 400
    headers: Mapping[str, str] = MappingProxyType({})


class SlowBodyError(WebError):
    """The body did not arrive in time."""

    code = "web.body_too_slow"
    status = 408

    def __init__(self, seconds: float) -> None:
        super().__init__("发来的内容", f"{seconds:.0f}秒内没有收完", "请检查网络后再发送一次")


class UnreadableBodyError(WebError):
    """The body is not what its headers say: wrong encoding, broken form, repeated field."""

    code = "web.body_unreadable"
    status = 400

    def __init__(self, reason: str = "不是有效的UTF-8表单或JSON") -> None:
        super().__init__("发来的内容", reason, "请从页面上的表单重新发送")


class UnknownPageError(SurveyError):
    """There is nothing under this address."""

    code = "web.not_found"
    kind = "not_found"


def wants_problem(request: AnyRequest) -> bool:
    """Whether the reader is a program: under /api, at /metrics, or asking for JSON and not for HTML."""
    if request.scope["path"].startswith("/api/") or request.scope["path"] == "/metrics":
        return True
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def status_of(error: SurveyError) -> int:
    """The HTTP status of a refusal."""
    return error.status if isinstance(error, WebError) else STATUS_BY_KIND.get(error.kind, 400)


def answer_refusal(request: AnyRequest, error: SurveyError) -> Response[Any]:
    """The page or problem document of a deliberate refusal."""
    from survey.web.access import NotSignedInError

    if isinstance(error, NotSignedInError) and not wants_problem(request):
        return Redirect(path=error.sign_in_path, status_code=303)
    headers = dict(error.headers) if isinstance(error, WebError) else {}
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    faults = tuple(fault.document() for fault in error.faults) if isinstance(error, FaultsError) else ()
    words = (error.code, error.thing, error.reason, error.remedy)
    return _answer(request, status_of(error), words, headers=headers, faults=faults)


def answer_http_exception(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """The page or problem document of what the framework refused."""
    if error.status_code >= 500:
        return answer_incident(request, error)
    words = _WORDS.get(error.status_code, _WORDS[400])
    kept = {key: value for key, value in (error.headers or {}).items() if key.lower() == "allow"}
    return _answer(request, error.status_code, words, headers=kept)


def answer_unreadable(request: AnyRequest, error: Exception) -> Response[Any]:
    """400 where the reader's bytes could not be read; our own mistake anywhere else."""
    if request.method in ("GET", "HEAD") and not isinstance(error, SerializationException):
        return answer_incident(request, error)
    return answer_refusal(request, UnreadableBodyError())


def answer_incident(request: AnyRequest, error: Exception) -> Response[Any]:
    """500 with an incident number; where it happened goes to the log, what it says does not."""
    incident = secrets.token_hex(4)
    frames = "".join(traceback.format_tb(error.__traceback__))
    route = request.scope.get("path_template") or "-"
    log.error("incident %s: %s on %s\n%s", incident, type(error).__name__, route, frames)
    return _answer(request, 500, _WORDS[500], incident=incident)


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    SurveyError: answer_refusal,
    HTTPException: answer_http_exception,
    SerializationException: answer_unreadable,
    UnicodeDecodeError: answer_unreadable,
    RecursionError: answer_unreadable,
    Exception: answer_incident,
}


def _wave_to_go_back_to(request: AnyRequest, status: int) -> str:
    """The wave whose page refused, where its overview would open; empty elsewhere."""
    parts = request.scope["path"].split("/")
    inside = parts[:3] == ["", "console", "waves"] and len(parts) > 4
    return parts[3] if inside and status in (403, 409, 422) else ""


def _signed_in(request: AnyRequest) -> dict[str, Any]:
    """What the head of a console page needs, where a guard has let somebody in; else nothing."""
    session = request.scope.get("state", {}).get("session")
    if session is None or not request.scope["path"].startswith("/console"):
        return {"person": None}
    from survey.web.access import form_key

    person = session.account
    return {
        "person": person,
        "roles": "、".join(ROLES[role] for role in ROLES if role in person.roles),
        "form_key": form_key(request),
        "can": lambda right: has_right(person, right),
    }


def _answer(
    request: AnyRequest,
    status: int,
    words: tuple[str, str, str, str],
    *,
    headers: dict[str, str] | None = None,
    faults: tuple[dict[str, Any], ...] = (),
    incident: str | None = None,
) -> Response[Any]:
    code, thing, reason, remedy = words
    # Whoever refuses may know how long it lasts; else a minute.
    sent = {**({"Retry-After": str(RETRY_AFTER_SECONDS)} if status in (429, 503) else {}), **(headers or {})}
    if wants_problem(request):
        if code.startswith("http.") or code == UnreadableBodyError.code:
            remedy = _FOR_PROGRAMS.get(status, remedy)
        problem = {
            "type": PROBLEM_TYPE + code,
            "title": f"{thing}：{reason}",
            "status": status,
            "detail": f"{thing}：{reason}。{remedy}。",
            "code": code,
            "remedy": remedy,
            **({"faults": list(faults)} if faults else {}),
            **({"incident": incident} if incident else {}),
        }
        return Response(
            msgspec.json.encode(problem),
            media_type="application/problem+json",
            status_code=status,
            headers=sent,
        )
    body = render(
        "shared/error.html",
        status=status,
        phrase=HTTPStatus(status).phrase,
        code=code,
        thing=thing,
        reason=reason,
        remedy=remedy,
        faults=faults,
        incident=incident,
        in_console=request.scope["path"].startswith("/console"),
        wave=_wave_to_go_back_to(request, status),
        **_signed_in(request),
    )
    return Response(body, media_type="text/html", status_code=status, headers=sent)
