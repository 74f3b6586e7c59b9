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

from survey.canonical import digest
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
from survey.scheme.plan import plan_digest, scheme_of
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.keys import has_key
from survey.storage.plans import WaveRow, load_plan, load_wave
from survey.storage.samples import find_sample
from survey.web.access import check_query, may, person_of, read_form
from survey.web.console.monitor import WrongNameError
from survey.web.console.page import console_page, group_names, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.console.work_room import MadeFile, Tell, Work
from survey.web.console.works import NoMadeFileError, hand_out
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
    whole: str
    """Why it is not stopped half way."""

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
    "填写码和签名要一起写下：停在一半，纸条上的码和方案里公布的摘要就对不上。",
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
    "这时已经不再收答卷；名单、日志头和两人的签名要一起公布，停在一半就既不在收、也没有结束。",
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
    "开箱记录已经签下，每一份答卷都要拆开并和封存时核对；停在一半，就说不清谁看过哪些答卷。",
)
BY_STATE = {"drawn": SIGN, "open": CLOSE, "paused": CLOSE, "closed": OPEN}


class NothingToSignError(SurveyError):
    """In this state no act of two people is due."""

    code = "console.nothing_to_sign"
    kind = "conflict"

    def __init__(self, state_name: str) -> None:
        super().__init__("两人操作", f"现在是“{state_name}”，没有要两人签名的事", "回到概况看下一步")


class PlanMovedError(SurveyError):
    """Plan or sample are not those that the page showed."""

    code = "console.plan_moved"
    kind = "conflict"

    def __init__(self) -> None:
        super().__init__("要签的方案", "您打开以后，方案或样本改过", "下面是现在的；看清以后，再输口令签一次")


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
    if act is SIGN and form.get("seen") not in (None, await _seen_plan(wave)):
        return await _page(request, row, PlanMovedError())
    try:
        signers = await two_signers(app.settings, form)
    except SurveyError as refusal:
        await note_refusal(request, wave, act.verb, refusal)
        return await _page(request, row, refusal)
    try:
        work = await _begin(request, act, wave, signers, answered=form.get("step") == "answer")
    except SurveyError as refusal:
        return await _page(request, await load_wave(wave), refusal)
    if work.made is not None:
        return hand_out(work.made)
    return Redirect(path=f"/console/waves/{wave}/{page_after(work)}", status_code=303)


@get("/waves/{wave:str}/signing/request", guards=[may("wave.sign")])
async def take_request(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """What an approver elsewhere has to sign, where its making took longer than somebody waits."""
    check_query(request, frozenset())
    row = await load_wave(wave)
    work = request.app.state.work_room.work(row.wave)
    if work is None or not work.done or work.made is None:
        raise NoMadeFileError(row.wave, "签名请求")
    return hand_out(work.made)


@post("/waves/{wave:str}/estimate", guards=[may("wave.run")], status_code=303)
async def post_estimate(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """计算: estimate an opened wave; no signature is needed, the figure is not public yet."""
    app, person = request.app.state, person_of(request)
    work = await app.work_room.begin(
        Work(wave, "计算", "results", "results", stop_at="estimate/stop", right="wave.run"),
        lambda tell: estimate_wave(app.office, wave, actor=person.name, now=app.now(), progress=tell),
    )
    return Redirect(path=f"/console/waves/{wave}/{page_after(work)}", status_code=303)


SIGNING_ROUTES = (show_signing, post_signing, take_request, post_estimate)


def page_after(work: Work) -> str:
    """Where a wave's page goes on: what the job leads to, or the page of the job while it runs."""
    return "work" if work.running else work.leads_to


async def _begin(request: AnyRequest, act: Act, wave: str, signers: Signers, *, answered: bool) -> Work:
    """The act in the work room; where an approver elsewhere has to sign, the file for them is what it makes.

    Args:
        answered: the approver's line is here already, so that none is asked for again.
    """
    app, person = request.app.state, person_of(request)
    work = Work(wave, act.button, act.leads_to, "signing", whole=act.whole)

    async def acted(tell: Tell) -> None:
        def count(at: int, n: int) -> None:
            tell(at / max(n, 1), f"拆开答卷 {at:,} / {n:,}")

        more: dict[str, Any] = {"progress": count} if act is OPEN else {}
        try:
            await act.job(app.settings, app.office, wave, signers, actor=person.name, now=app.now(), **more)
        except AwaitingSignatureError as waiting:
            if answered:
                await note_refusal(request, wave, act.verb, OtherTextError())
                raise OtherTextError from waiting
            work.made = await _request_file(request, wave, act, waiting)
        except SurveyError as refusal:
            await note_refusal(request, wave, act.verb, refusal)
            raise

    begun: Work = await app.work_room.begin(work, acted)
    return begun


async def _request_file(request: AnyRequest, wave: str, act: Act, waiting: AwaitingSignatureError) -> MadeFile:
    """The file that an approver elsewhere has to sign, kept by the work room until it is taken."""
    app = request.app.state
    await note_asking(request, wave, act.verb)
    made = MadeFile.begin(app.settings.data, request_name(wave, act.title))
    made.file.write(request_for(app.settings, wave, waiting).encoded())
    made.file.flush()
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
    await note_asking(request, wave, verb)
    asked = request_for(request.app.state.settings, wave, waiting)
    reply = download(asked.encoded(), request_name(wave, title))
    reply.status_code = 200
    return reply


def request_name(wave: str, title: str) -> str:
    """What the file for an approver elsewhere is called."""
    return f"{wave}_{title}_签名请求.json"


async def note_asking(request: AnyRequest, wave: str, verb: str) -> None:
    """Log that an approver elsewhere was asked for a signature."""
    who = person_of(request).name
    await record_audit(who, "ask_signature", wave, details={"act": verb}, now=request.app.state.now())


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
        seen=await _seen_plan(row.wave) if act is SIGN else "",
        early=early,
        asks_name=act is CLOSE,
        refusal=refusal,
        **keys,
    )


async def _seen_plan(wave: str) -> str:
    """The digest of plan and sample, by which the page says what was read."""
    sample = await find_sample(wave)
    return digest([plan_digest(await load_plan(wave)), sample.digest if sample else ""])


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
