"""The three acts of two people: sign the plan, close, open the box.

Operator and approver stand together and each types a passphrase of their own; neither is kept,
and a wrong one changes nothing. Where the approver's key lies on another computer, the act
stops before the missing line and gives a file; the approver adds the line there with `survey
sign FILE`, and whoever brings the file back goes on with the same act. The certificate has
three steps of three people, on a page of its own (`certify`).
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from survey.errors import SurveyError
from survey.jobs.close_wave import close_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.launch import launch_checklist
from survey.jobs.launch_lines import LaunchItem
from survey.jobs.open_wave import open_wave
from survey.jobs.remote_signing import (
    AwaitingSignatureError,
    RequestRefusedError,
    SigningRequest,
    read_request,
)
from survey.jobs.sign_plan import sign_plan
from survey.jobs.signers import (
    OPERATOR,
    ROLES,
    TITLES,
    Signers,
    open_signers,
    request_for,
    signs_elsewhere,
)
from survey.scheme.plan import scheme_of
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.keys import has_key
from survey.storage.plans import WaveRow, load_plan, load_wave
from survey.storage.samples import find_sample
from survey.web.access import may, person_of, read_form
from survey.web.console.monitor import WrongNameError
from survey.web.console.page import console_page, group_names, wave_crumbs
from survey.web.console.waves import next_step, tabs_of
from survey.web.console.work_room import Work
from survey.web.errors import status_of
from survey.web.files import download
from survey.web.headers import FILE_LIMIT
from survey.web.pages import AnyRequest, day_text


@dataclass(frozen=True)
class Act:
    """One act of two people: from which states, what it does in words, and its job."""

    title: str
    button: str
    command: str
    facts: tuple[str, ...]
    job: Callable[..., Awaitable[Any]]
    leads_to: str

    @property
    def verb(self) -> str:
        """What the log calls it."""
        return self.command.split()[1]


SIGN = Act(
    "签署方案",
    "签署",
    "survey sign {wave}",
    (
        "生成一次性填写码，只保存它们的密文摘要；填写码本身放进打印文件，发布时清除。",
        "样本、问卷、算法、要求线和每一个摘要都写进方案，两人签名。签署以后都不能再改。",
    ),
    sign_plan,
    "papers",
)
CLOSE = Act(
    "结束填写",
    "结束",
    "survey close {wave}",
    (
        "此后不再接受任何答卷，也不能重新打开。",
        "公布填写码摘要的状态、答卷日志和最后的日志头，两人签名。这时还没有人看到任何回答。",
    ),
    close_wave,
    "monitor",
)
OPEN = Act(
    "开箱",
    "开箱",
    "survey open {wave}",
    (
        "先签下开箱记录，再用两人各持的一半钥匙打开封存的答卷。",
        "每一份都与当时的承诺核对；有一份对不上就全部停下。",
    ),
    open_wave,
    "results",
)
BY_STATE = {"drawn": SIGN, "open": CLOSE, "paused": CLOSE, "closed": OPEN}


class NothingToSignError(SurveyError):
    """In this state no act of two people is due."""

    code = "console.nothing_to_sign"
    kind = "conflict"

    def __init__(self, state_name: str) -> None:
        super().__init__("两人操作", f"现在是“{state_name}”，没有要两人签名的事", "回到概况看下一步")


class OtherTextError(SurveyError):
    """The line that came back is over something else than what is to be signed now."""

    code = "console.other_text"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("签名", "签好的文件不是这一次要签的内容", "重新取一份签名请求，请签发再签一次")


@get("/waves/{wave:str}/signing", guards=[may("wave.sign")])
async def show_signing(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """What the two are about to do, and two passphrases."""
    return await _page(request, await load_wave(wave))


@post(
    "/waves/{wave:str}/signing",
    guards=[may("wave.sign")],
    request_max_body_size=FILE_LIMIT,
    status_code=303,
)
async def post_signing(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """Do it, if both sign; otherwise say what was wrong, or give what an approver elsewhere has to sign."""
    app, row, form = request.app.state, await load_wave(wave), await read_form(request)
    act = _due(row)
    if act.title != str(form.get("act", "")):
        raise NothingToSignError(row.state_name)
    if act is CLOSE and str(form.get("confirm", "")).strip() != wave:
        return await _page(request, row, WrongNameError(wave))
    try:
        signers = await two_signers(app.settings, form)
        work = await _done(request, act, wave, signers)
    except AwaitingSignatureError as waiting:
        if form.get("step") == "answer":
            return await _page(request, row, OtherTextError())
        return await hand_over(request, wave, act.title, act.verb, waiting)
    except SurveyError as refusal:
        await note_refusal(request, wave, act.verb, refusal)
        return await _page(request, row, refusal)
    return Redirect(path=f"/console/waves/{wave}/{page_after(work)}", status_code=303)


@post("/waves/{wave:str}/estimate", guards=[may("wave.run")], status_code=303)
async def post_estimate(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """计算: estimate an opened wave; no signature is needed, the figure is not public yet."""
    app, person = request.app.state, person_of(request)
    work = await app.work_room.begin(
        Work(wave, "计算", "results", "results"),
        lambda tell: estimate_wave(app.office, wave, actor=person.name, now=app.now(), progress=tell),
    )
    return Redirect(path=f"/console/waves/{wave}/{page_after(work)}", status_code=303)


@get("/waves/{wave:str}/work", guards=[may("plan.see")])
async def show_work(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """How far the wave's job is; the page looks again every five seconds while it runs."""
    row = await load_wave(wave)
    step = next_step(row)
    return console_page(
        request,
        "work.html",
        title="正在做的事",
        crumbs=wave_crumbs(row),
        command=step.command.format(wave=wave) if step else f"survey check {wave}",
        row=row,
        work=request.app.state.work_room.work(wave),
    )


SIGNING_ROUTES = (show_signing, post_signing, post_estimate, show_work)


def page_after(work: Work) -> str:
    """Where a wave's page goes on: what the job leads to, or the page of the job while it runs."""
    return "work" if work.running else work.leads_to


async def _done(request: AnyRequest, act: Act, wave: str, signers: Signers) -> Work:
    """The act, done here and now; opening, which decrypts every answer, in the work room."""
    app, person = request.app.state, person_of(request)
    work = Work(wave, act.button, act.leads_to, "signing")
    if act is not OPEN:
        await act.job(app.settings, app.office, wave, signers, actor=person.name, now=app.now())
        work.done = True
        return work

    def opened(tell: Callable[[float, str], None]) -> Awaitable[Any]:
        def count(at: int, n: int) -> None:
            tell(at / max(n, 1), f"拆开答卷 {at:,} / {n:,}")

        return open_wave(
            app.settings, app.office, wave, signers, actor=person.name, now=app.now(), progress=count
        )

    made: Work = await app.work_room.begin(work, opened)
    return made


async def two_signers(settings: Settings, form: dict[str, Any]) -> Signers:
    """Both signers by the passphrases of a form, or by one and the line that came back from elsewhere.

    Raises:
        KeyFileError: a wrong passphrase. RequestRefusedError: what came back is no signed request.
    """
    elsewhere = signs_elsewhere(settings)
    asked = (OPERATOR,) if elsewhere else ROLES
    passphrases = {role: str(form.get(role, "")) for role in asked}
    answer = await answer_in(form) if elsewhere and form.get("step") == "answer" else None
    return await to_thread(open_signers, settings, passphrases, answer)


async def hand_over(
    request: AnyRequest, wave: str, title: str, verb: str, waiting: AwaitingSignatureError
) -> Response[bytes]:
    """The file that an approver elsewhere has to sign."""
    app = request.app.state
    await record_audit(
        person_of(request).name, "ask_signature", wave, details={"act": verb}, now=app.now()
    )
    reply = download(request_for(app.settings, wave, waiting).encoded(), f"{wave}_{title}_签名请求.json")
    reply.status_code = 200
    return reply


async def note_refusal(request: AnyRequest, wave: str, verb: str, refusal: SurveyError) -> None:
    """Log that an act of two people was refused."""
    await record_audit(
        person_of(request).name,
        "two_person_act",
        wave,
        "refused",
        details={"act": verb, "why": refusal.code},
        now=request.app.state.now(),
    )


async def answer_in(form: dict[str, Any]) -> SigningRequest:
    """The signed request that was uploaded.

    Raises:
        RequestRefusedError: there is none, or it is no request.
    """
    given = form.get("answer")
    if not isinstance(given, UploadFile) or not given.filename:
        raise RequestRefusedError("没有选签好的文件")
    return read_request(await given.read())


def _due(row: WaveRow) -> Act:
    if row.state not in BY_STATE:
        raise NothingToSignError(row.state_name)
    return BY_STATE[row.state]


async def _page(request: AnyRequest, row: WaveRow, refusal: SurveyError | None = None) -> Response[str]:
    act = _due(row)
    keys = signing_keys(request.app.state.settings)
    plan, early = (await _plan_in_words(row.wave), await _seen_early(request, row)) if act is SIGN else ((), ())
    return console_page(
        request,
        "signing.html",
        title=act.title,
        crumbs=wave_crumbs(row),
        command=act.command.format(wave=row.wave) + (" --approver-request 请求.json" if keys["elsewhere"] else ""),
        row=row,
        tabs=tabs_of(row, "/signing"),
        status=status_of(refusal) if refusal else 200,
        act=act,
        plan_lines=plan,
        early=early,
        asks_name=act is CLOSE,
        refusal=refusal,
        **keys,
    )


async def _plan_in_words(wave: str) -> list[tuple[str, str]]:
    """What the two are about to sign, in the lines that a reader would ask about."""
    plan, sample = await load_plan(wave), await find_sample(wave)
    scheme = scheme_of(plan)
    line = scheme.requirement.line
    drawn = f"{len(sample.schools)}所学校，{sample.slips_total}张纸条，种子 {sample.seed}" if sample else "还没有抽样"
    return [
        ("方案", scheme.title),
        ("填写日期", f"{day_text(plan.opens_on)}至{day_text(plan.closes_on)}，{day_text(plan.results_on)}公布"),
        ("人群", "、".join(group_names(plan).values())),
        ("样本", drawn),
        ("算法", scheme.in_words()),
        ("要求", "没有要求线" if line is None else line.in_words()),
        ("网址和电话", f"{plan.base_url}，{plan.telephone}"),
    ]


async def _seen_early(request: AnyRequest, row: WaveRow) -> list[LaunchItem]:
    """Lines of the launch checklist that only the plan can mend: once it is signed, it cannot."""
    app = request.app.state
    items = await launch_checklist(app.settings, app.office, row.wave, now=app.now())
    return [item for item in items if item.line.page == "setup" and item.state != "green"]


def signing_keys(settings: Settings) -> dict[str, Any]:
    """What a form for two needs to know: who signs here, who elsewhere, whose key is missing."""
    elsewhere = signs_elsewhere(settings)
    signing = (OPERATOR,) if elsewhere else ROLES
    missing = [role for role in signing if not has_key(settings, None, role)]
    return {
        "elsewhere": elsewhere,
        "signers": [(role, TITLES[role]) for role in signing],
        "missing": [TITLES[role] for role in missing],
        "missing_commands": [f"survey signer {role}" for role in missing],
    }
