"""The work room: what takes longer than somebody looks at a blank page, seen from a page of its own.

Opening the box and estimating go on in the process when the request that began them is answered.
Whoever began is kept waiting for a few seconds first: a county of ordinary size never meets the job
page. Neither can be stopped half way, so no page offers it. A restart forgets the job; the wave is then
as it was before, or after.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from survey.errors import SurveyError

log = logging.getLogger("survey.web.console")

PATIENCE = 3.0
"""Seconds a request waits for its own job."""

Job = Callable[[Callable[[float, str], None]], Awaitable[object]]
"""A job that tells the share done, and what is being done."""


class WorkingError(SurveyError):
    """Another job of the wave runs."""

    code = "console.working"
    kind = "conflict"

    def __init__(self, wave: str, name: str) -> None:
        super().__init__(f"调查 {wave}", f"正在{name}", "等它做完，再做下一件")


@dataclass
class Work:
    """One job as its page shows it."""

    wave: str
    name: str
    """The verb: 计算, 开箱."""
    leads_to: str
    """The wave's page to go on with."""
    back_to: str
    """The wave's page to try again from."""
    share: float = 0.0
    doing: str = ""
    done: bool = False
    refusal: SurveyError | None = None
    failed: bool = False
    """Ended by a fault of ours; the log has it."""

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return not (self.done or self.failed or self.refusal)

    def tell(self, share: float, doing: str) -> None:
        """How far it is; called by the job, from whatever thread it works in."""
        self.share, self.doing = share, doing


class WorkRoom:
    """The last job of each wave."""

    def __init__(self) -> None:
        self._works: dict[str, Work] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    def work(self, wave: str) -> Work | None:
        """The last job of a wave since this process began."""
        return self._works.get(wave)

    async def begin(self, work: Work, job: Job, patience: float = PATIENCE) -> Work:
        """Begin a job, and wait a little for it.

        Raises:
            WorkingError: another job of the wave runs.
            SurveyError: what the job was refused by, while somebody still waited.
        """
        earlier = self._works.get(work.wave)
        if earlier is not None and earlier.running:
            raise WorkingError(work.wave, earlier.name)
        self._works[work.wave] = work
        task = asyncio.ensure_future(job(work.tell))
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._note(work, ended))
        await asyncio.wait({task}, timeout=patience)
        if task.done():
            self._works.pop(work.wave, None)
            task.result()
            work.done = True
        return work

    async def end(self) -> None:
        """Wait for what runs."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _note(self, work: Work, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            work.failed = True
        elif isinstance(error := task.exception(), SurveyError):
            work.refusal = error
        else:
            work.done, work.failed = error is None, error is not None
            if error is not None:
                log.error("a job of %s ended", work.name, exc_info=error)
