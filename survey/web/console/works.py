"""The pages of the work room: how far a wave's job is, how to stop it, and the file it made.

What moves a wave has one page. Each kind of file has a page of its own, with a real link to the file
while the process keeps it; who took it is in the log, as who made it is.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import IO, Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from survey.storage.audit import record_audit
from survey.storage.plans import WaveRow, load_wave
from survey.web.access import check_query, may, person_of
from survey.web.console.page import console_page, wave_crumbs
from survey.web.console.waves import next_step
from survey.web.console.work_room import MOVE, MadeFile, Tell, Work
from survey.web.errors import WebError
from survey.web.files import disposition, media_type_of
from survey.web.pages import AnyRequest
from survey.web.rights import has_right


@dataclass(frozen=True)
class Maker:
    """A kind of file that is made in the work room."""

    kind: str
    """Also the address of its page below the wave's."""
    name: str
    """The verb."""
    what: str
    """What it is called once it is there."""
    right: str
    back_to: str
    """The wave's page with the button."""
    filename: Callable[[WaveRow], str]
    command: str


PACK = Maker(
    "pack", "装建档包", "建档包", "certificate.see", "certificate",
    lambda row: f"{row.county}_{row.wave}_建档.zip", "survey pack {wave}",
)  # fmt: skip
ANSWERS = Maker(
    "answers", "导出答卷", "答卷（内部资料）", "answers.export", "results",
    lambda row: f"{row.county}_{row.wave}_答卷_内部.zip", "survey export {wave}",
)  # fmt: skip
REQUEST = Maker(
    "certify/request", "准备签名请求", "签名请求", "certify.sign", "certify",
    lambda row: f"{row.wave}_签发_签名请求.json", "survey certify {wave} --approver-request 请求.json",
)  # fmt: skip
MAKERS = (PACK, ANSWERS, REQUEST)


class NoMadeFileError(WebError):
    """There is no such file, or not any more."""

    code = "console.no_made_file"
    status = 404

    def __init__(self, wave: str, what: str) -> None:
        super().__init__(f"调查 {wave} 的{what}", "还没有做，或者已经过期", "再做一次；做好的文件留12小时，服务器重启就没有了")


async def make(
    request: AnyRequest, row: WaveRow, maker: Maker, write: Callable[[IO[bytes], Tell], Awaitable[object]]
) -> Response[Any]:
    """Make a file in the work room: the file itself where it is soon there, otherwise the page of the job.

    Raises:
        WorkingError: one is being made, or the wave is being moved.
        SurveyError: what the making was refused by.
    """
    app = request.app.state
    work = Work(
        row.wave, maker.name, maker.back_to, maker.back_to,
        kind=maker.kind, stop_at=f"{maker.kind}/stop", right=maker.right,
    )  # fmt: skip
    made = MadeFile.begin(app.settings.data, maker.filename(row))

    async def job(tell: Tell) -> None:
        await write(made.file, tell)
        made.file.flush()
        work.made = made

    await app.work_room.begin(work, job)
    if work.made is None:
        return Redirect(path=f"/console/waves/{row.wave}/{maker.kind}", status_code=303)
    return hand_out(work.made)


def hand_out(made: MadeFile) -> Response[Any]:
    """A made file to keep, piece by piece from the disk."""
    headers = {"Content-Disposition": disposition(made.filename), "Content-Length": str(made.size)}
    return Stream(made.chunks(), status_code=200, media_type=media_type_of(made.filename), headers=headers)


@get("/waves/{wave:str}/work", guards=[may("plan.see")])
async def show_work(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """How far the wave's job is; the page looks again every five seconds while it runs."""
    row = await load_wave(wave)
    step = next_step(row)
    command = step.command.format(wave=wave) if step else f"survey check {wave}"
    return _page(request, row, "正在做的事", command, "work", request.app.state.work_room.work(wave, MOVE))


@post("/waves/{wave:str}/estimate/stop", guards=[may("wave.run")], status_code=303)
async def post_stop_estimate(request: AnyRequest, wave: FromPath[str]) -> Redirect:
    """Stop the computing; what can not be stopped is not."""
    row = await load_wave(wave)
    work = request.app.state.work_room.work(row.wave, MOVE)
    if work is not None and work.stop_at == "estimate/stop":
        await _stop(request, work)
    return Redirect(path=f"/console/waves/{row.wave}/work", status_code=303)


def _routes_of(maker: Maker) -> tuple[Any, ...]:
    """The page of a kind of file, its stop and the file."""
    address = f"/waves/{{wave:str}}/{maker.kind}"

    @get(address, guards=[may(maker.right)])
    async def show_making(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
        """How far the making is, and the file once it is there."""
        row = await load_wave(wave)
        command = maker.command.format(wave=row.wave)
        return _page(
            request, row, maker.name, command, maker.kind, request.app.state.work_room.work(row.wave, maker.kind), maker
        )

    @post(f"{address}/stop", guards=[may(maker.right)], status_code=303)
    async def post_stop_making(request: AnyRequest, wave: FromPath[str]) -> Redirect:
        """Stop the making; nothing of the file stays."""
        row = await load_wave(wave)
        await _stop(request, request.app.state.work_room.work(row.wave, maker.kind))
        return Redirect(path=f"/console/waves/{row.wave}/{maker.kind}", status_code=303)

    @get(f"{address}/file", guards=[may(maker.right)])
    async def download_made(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
        """The file; the log keeps who took it."""
        check_query(request, frozenset())
        row = await load_wave(wave)
        work = request.app.state.work_room.work(row.wave, maker.kind)
        if work is None or not work.done or work.made is None:
            raise NoMadeFileError(row.wave, maker.what)
        await note(request, row.wave, "download_made", {"what": maker.what})
        return hand_out(work.made)

    return show_making, post_stop_making, download_made


WORK_ROUTES = (show_work, post_stop_estimate, *(handler for maker in MAKERS for handler in _routes_of(maker)))


async def note(request: AnyRequest, wave: str, act: str, details: dict[str, Any]) -> None:
    """Log what somebody did with a job."""
    await record_audit(person_of(request).name, act, wave, details=details, now=request.app.state.now())


async def _stop(request: AnyRequest, work: Work | None) -> None:
    if work is not None and work.running and not work.stopping:
        request.app.state.work_room.stop(work.wave, work.kind)
        await note(request, work.wave, "stop_work", {"what": work.name})


def _page(
    request: AnyRequest,
    row: WaveRow,
    title: str,
    command: str,
    address: str,
    work: Work | None,
    maker: Maker | None = None,
) -> Response[str]:
    return console_page(
        request,
        "work.html",
        title=title,
        crumbs=wave_crumbs(row),
        command=command,
        row=row,
        work=work,
        address=f"/console/waves/{row.wave}/{address}",
        maker=maker,
        may_stop=work is not None and bool(work.right) and has_right(person_of(request), work.right),
    )
