"""C11 certify: 经办 prepares, 复核 reviews, 签发 signs; three people, each asked again who they are.

At every step the person signed in gives the password and, where a real wave is certified, a
one-time code; the two who hold signing keys also give the passphrase of their own key. What
was typed is forgotten at once.
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import IO, Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from survey.certification.signature import Signer
from survey.documents.report import DIGESTS
from survey.errors import SurveyError
from survey.jobs.certify_in_steps import (
    STEPS,
    certificate_request,
    certification_standing,
    prepare_certificate,
    review_certificate,
    send_back_certificate,
    sign_certificate,
)
from survey.jobs.remote_signing import RemoteSigner
from survey.jobs.signers import APPROVER, OPERATOR, TITLES, open_signer, remote_approver, signs_elsewhere
from survey.settings import Settings
from survey.storage.accounts import check_password
from survey.storage.audit import record_audit
from survey.storage.certification_steps import list_steps
from survey.storage.keys import has_key
from survey.storage.plans import WaveRow, load_wave
from survey.storage.results import find_results, load_results_digest
from survey.storage.second_factors import has_second_factor, spend_code
from survey.web.access import may, person_of, read_form
from survey.web.console.page import console_page, state_reached, wave_crumbs
from survey.web.console.results import NotOpenedError, filled
from survey.web.console.sign_in import TooManyTriesError
from survey.web.console.signing import answer_in, page_after
from survey.web.console.waves import tabs_of
from survey.web.console.work_room import Tell, Work
from survey.web.console.works import REQUEST, make
from survey.web.errors import status_of
from survey.web.headers import FILE_LIMIT
from survey.web.pages import AnyRequest
from survey.web.parts import part_of
from survey.web.rights import has_right

WORDS = {
    "prepare": "核对过数字、口径、回收和质量提示，用自己的密钥签名。",
    "review": "不看经办的结论，自己再核对一遍流程和数字；不对就写明理由退回。",
    "sign": "看过前两步，用自己的密钥签名；登记、出证书、公开包和报告。",
}
SEND_BACK = "send_back"
WHOLE = "签名、登记和证书要一起写下：停在一半，就说不清签没签。它自己会做完，或者什么也不改。"
"""Why no step is stopped half way."""
STEPS_ON_A_PAGE = 30
"""Steps of the past; each may carry a reason of 400 signs."""
KEYS = {"prepare": OPERATOR, "sign": APPROVER}
"""Steps that need a signing key, and whose."""


LIMITS_TOLD = "看过，写在证书和报告里"


def checklist(results: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What each of the three looks at before signing: what, what was found, where to look.

    Facts of the results alone: nothing is ticked, because a name under the statement says more than a tick.
    """
    came, flags = results.get("response") or {}, results.get("flags") or ()
    left_out = (came.get("used") or 0) - results["n"]
    return [
        ("回收", f"发出{came.get('issued', '–')}张，交回{came.get('used', '–')}份，声明未填{came.get('disputed', 0)}，作废{came.get('voided', 0)}", "monitor"),
        ("计入", f"{results['n']}份" + (f"，没有计入{left_out}份，序号和原因写在声明里" if left_out > 0 else "，交回的都计入"), "results"),
        ("口径", results["formula_in_words"], "results"),
        ("对要求", results.get("evidence_words") or results.get("decision") or "没有要求线", "results"),
        ("质量标记", f"{len(flags)}处，{LIMITS_TOLD}" if flags else "没有", "flags"),
        ("最少份数", results.get("not_certifiable_because") or "每一行都够", "results"),
        ("要一起说的话", f"{len(results.get('sentences') or ())}句，{LIMITS_TOLD}", "results"),
        ("方法版本", str(results.get("method_version") or "–"), "results"),
    ]  # fmt: skip


class NotYourselfError(SurveyError):
    """Password or one-time code are not the person's."""

    code = "certify.not_yourself"
    kind = "invalid"

    def __init__(self, what: str) -> None:
        super().__init__("本人确认", f"{what}不对", "输入自己登录用的密码，和手机上现在的6位验证码")


class NoSecondFactorError(SurveyError):
    """A real wave is certified only by people with a one-time code."""

    code = "certify.no_second_factor"
    kind = "forbidden"

    def __init__(self) -> None:
        super().__init__("本人确认", "这个账号还没有启用验证码", "先在“我的账号”里启用，再来做这一步")


@get("/waves/{wave:str}/certify", guards=[may("certificate.see")])
async def show_certify(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """What is to be certified, how far it has come, and the step that is due."""
    return await _page(request, await load_wave(wave))


@post("/waves/{wave:str}/certify/prepare", guards=[may("certify.prepare")], status_code=303)
async def post_prepare(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """经办: sign what is to be certified."""
    return await _do(request, wave, "prepare")


@post("/waves/{wave:str}/certify/review", guards=[may("certify.review")], status_code=303)
async def post_review(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """复核: let it pass."""
    return await _do(request, wave, "review")


@post("/waves/{wave:str}/certify/back", guards=[may("certify.send_back")], status_code=303)
async def post_send_back(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """退回: back to the first step, with a reason."""
    return await _do(request, wave, SEND_BACK)


@post("/waves/{wave:str}/certify/request", guards=[may("certify.sign")], status_code=200)
async def post_request(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """The file that an approver signs on a computer of their own; it changes nothing here."""
    app, row, by = request.app.state, await load_wave(wave), person_of(request).name
    if not state_reached(row.state, "estimated"):
        raise NotOpenedError(row.state_name)

    async def write(file: IO[bytes], tell: Tell) -> None:
        asked = await certificate_request(app.settings, app.office, wave, actor=by, now=app.now(), progress=tell)
        file.write(asked.encoded())

    try:
        return await make(request, row, REQUEST, write)
    except SurveyError as refusal:
        return await _page(request, await load_wave(wave), refusal)


@post(
    "/waves/{wave:str}/certify/sign",
    guards=[may("certify.sign")],
    request_max_body_size=FILE_LIMIT,
    status_code=303,
)
async def post_sign(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """签发: the second signature, and the certificate."""
    return await _do(request, wave, "sign")


CERTIFY_ROUTES = (show_certify, post_prepare, post_review, post_send_back, post_request, post_sign)


async def _do(request: AnyRequest, wave: str, step: str) -> Response[Any]:
    """One step, if the person is who they say; otherwise the page says why, and nothing has changed."""
    app, row, form = request.app.state, await load_wave(wave), await read_form(request)
    actor = person_of(request).name
    typed = {name: str(form.get(name, "")) for name in ("note", "reason")}
    try:
        await _confirm(request, row, form)
        job = await _job(app, wave, step, form, typed)
    except SurveyError as refusal:
        await _note_refusal(request, wave, step, refusal)
        return await _page(request, row, refusal, typed)

    async def done(tell: Tell) -> None:
        try:
            await job(actor=actor, now=app.now(), progress=tell)
        except SurveyError as refusal:
            await _note_refusal(request, wave, step, refusal)
            raise

    name, leads_to = {**STEPS, SEND_BACK: "退回"}[step], "certificate" if step == "sign" else "certify"
    try:
        work = await app.work_room.begin(Work(wave, name, leads_to, "certify", whole=WHOLE), done)
    except SurveyError as refusal:
        return await _page(request, await load_wave(wave), refusal, typed)
    return Redirect(path=f"/console/waves/{wave}/{page_after(work)}", status_code=303)


async def _job(
    app: Any, wave: str, step: str, form: dict[str, Any], typed: dict[str, str]
) -> Callable[..., Awaitable[object]]:
    """What a step does once the person is known, with the key of whoever signs opened.

    Raises:
        KeyFileError: a wrong passphrase. RequestRefusedError: no file from elsewhere, or its line does not hold.
    """
    room = (app.settings, app.office, wave)
    if step == "prepare":
        key = await to_thread(open_signer, app.settings, OPERATOR, str(form.get("passphrase", "")))
        return partial(prepare_certificate, *room, key, reason=typed["reason"].strip() or None)
    if step == "review":
        return partial(review_certificate, *room)
    if step == "sign":
        return partial(sign_certificate, *room, await _approver(app.settings, form))

    async def send_back(*, actor: str, now: datetime, progress: Tell) -> None:
        await send_back_certificate(wave, typed["note"], actor=actor, now=now)

    return send_back


async def _note_refusal(request: AnyRequest, wave: str, step: str, refusal: SurveyError) -> None:
    details, app = {"step": step, "why": refusal.code}, request.app.state
    await record_audit(
        person_of(request).name, "certify_step", wave, "refused", details=details, now=app.now()
    )


async def _approver(settings: Settings, form: dict[str, Any]) -> Signer | RemoteSigner:
    """The approver: by passphrase, or by the file that came back from a computer of their own.

    Raises:
        KeyFileError: a wrong passphrase. RequestRefusedError: no such file, or its line does not hold.
    """
    if signs_elsewhere(settings):
        return (await answer_in(form)).answered(remote_approver(settings))
    return await to_thread(open_signer, settings, APPROVER, str(form.get("passphrase", "")))


async def _confirm(request: AnyRequest, row: WaveRow, form: dict[str, Any]) -> None:
    """The person signed in, shown once more by password and one-time code.

    Raises:
        NotYourselfError: one of them is wrong. TooManyTriesError: too often.
        NoSecondFactorError: a real wave, and the account has no code.
    """
    app, name = request.app.state, person_of(request).name
    coded = await has_second_factor(name)
    if not coded and not row.demonstration:
        raise NoSecondFactorError
    who = (f"{name} certify", request.client.host if request.client else "-")
    if (wait := app.tries.wait(who, app.now())) > timedelta(0):
        raise TooManyTriesError(wait)
    password = str(form.get("password", ""))
    if not 0 < len(password) <= 1024 or await check_password(name, password) is None:
        app.tries.failed(who, app.now())
        raise NotYourselfError("密码")
    if coded and not await spend_code(app.settings, name, str(form.get("code", ""))[:40], now=app.now()):
        app.tries.failed(who, app.now())
        raise NotYourselfError("验证码")
    app.tries.passed(who)


async def _page(
    request: AnyRequest,
    row: WaveRow,
    refusal: SurveyError | None = None,
    typed: dict[str, str] | None = None,
) -> Response[str]:
    if not state_reached(row.state, "estimated"):
        raise NotOpenedError(row.state_name)
    person, settings = person_of(request), request.app.state.settings
    standing = await certification_standing(row.wave)
    due, taken = standing.due, await standing.taken_by(person.name)
    results = await find_results(row.wave)
    return console_page(
        request,
        "certify.html",
        title="签发证书",
        crumbs=wave_crumbs(row),
        command=f"survey certify {row.wave}"
        + (" --approver-request 请求.json" if signs_elsewhere(settings) else ""),
        row=row,
        tabs=tabs_of(row, "/certify"),
        status=status_of(refusal) if refusal else 200,
        refusal=refusal,
        faults=getattr(refusal, "faults", ()),
        typed={"note": "", "reason": "", **(typed or {})},
        standing=standing,
        results=filled(results) if results else None,
        checklist=checklist(results) if results else (),
        digests=[
            *((("要签的声明", standing.prepared.digest),) if standing.prepared else ()),
            *((("结果", await load_results_digest(row.wave)),) if results else ()),
            *((DIGESTS[name], text) for name, text in ((results or {}).get("digests") or {}).items() if text),
        ],
        rows=[
            (step, name, WORDS[step], standing.prepared if step == "prepare" else standing.reviewed)
            for step, name in STEPS.items()
        ],
        past=part_of(request, (await list_steps(row.wave))[::-1], STEPS_ON_A_PAGE),
        step_names={**STEPS, "send_back": "退回"},
        due=due,
        due_name=STEPS[due],
        taken=STEPS[taken] if taken else "",
        mine=taken is None and has_right(person, f"certify.{due}"),
        may_send_back=taken is None and due != "prepare" and has_right(person, "certify.send_back"),
        key_of=TITLES[KEYS[due]] if due in KEYS else "",
        elsewhere=due == "sign" and signs_elsewhere(settings),
        key_missing=due in KEYS and not has_key(settings, None, KEYS[due]),
        coded=await has_second_factor(person.name),
        anew=row.state == "certified",
    )
