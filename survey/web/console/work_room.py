"""The work room: what takes longer than somebody looks at a blank page, seen from a page of its own.

What moves a wave (signing, closing, opening, estimating, certifying) and what makes a file of it (the
evidence pack, the answers for analysis) goes on in the process when the request that began it is
answered. Whoever began is kept waiting for a few seconds first: a county of ordinary size never meets
the job page. What only computes or packs can be stopped, between two of its steps and before
anything is kept; what signs cannot, and its page says why. A file has no name on the disk: it goes with
the process that made it, so a restart forgets the job and leaves nothing half.
"""

import asyncio
import logging
import os
import tempfile
import weakref
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO

from survey.errors import SurveyError
from survey.storage.current import hold

log = logging.getLogger("survey.web.console")

PATIENCE = 3.0
"""Seconds a request waits for its own job."""
KEPT = 12 * 3600.0
"""Seconds an ended job and its file stay; somebody may begin in the evening and come back in the morning."""
MOVE = "move"
"""The kind of every job that takes the wave a step on; only one runs, and nothing else beside it."""

Tell = Callable[[float, str], None]
Job = Callable[[Tell], Awaitable[object]]
"""A job that tells the share done, and what is being done."""


class WorkingError(SurveyError):
    """Another job of the wave runs."""

    code = "console.working"
    kind = "conflict"

    def __init__(self, wave: str, name: str) -> None:
        super().__init__(f"调查 {wave}", f"正在{name}", "等它做完，再做下一件")


class StoppedError(SurveyError):
    """Somebody stopped the job; nothing of it was kept."""

    code = "console.stopped"
    kind = "conflict"

    def __init__(self, wave: str, name: str) -> None:
        super().__init__(f"调查 {wave}", f"{name}停下了", "什么也没有留下；需要时重新做")


class NotWrittenError(SurveyError):
    """The disk refused the file."""

    code = "console.not_written"

    def __init__(self, filename: str, reason: str) -> None:
        super().__init__(f"文件 {filename}", f"写不进去（{reason}）", "看一看磁盘空间，再做一次")


@dataclass(frozen=True)
class MadeFile:
    """A file that a job made. It has no name on the disk and nobody else can open it."""

    filename: str
    file: IO[bytes]

    @classmethod
    def begin(cls, folder: Path, filename: str) -> "MadeFile":
        """An empty one on the disk of a folder.

        Raises:
            NotWrittenError: the disk has no room for it.
        """
        try:
            file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it outlives the request and is closed with `made`
        except OSError as error:
            raise NotWrittenError(filename, error.strerror or type(error).__name__) from error
        made = cls(filename, file)
        weakref.finalize(made, file.close)
        return made

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self.file.fileno()).st_size

    def chunks(self) -> Iterator[bytes]:
        """The content, for as many readers as there are: none moves another's place."""
        # A reader of its own, so that the file may be forgotten while somebody still takes it.
        own, at = os.dup(self.file.fileno()), 0
        try:
            while piece := os.pread(own, 1 << 18, at):
                at += len(piece)
                yield piece
        finally:
            os.close(own)


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
    kind: str = MOVE
    stop_at: str = ""
    """The wave's address that stops it; empty where it cannot be stopped."""
    right: str = ""
    """The right that began it, and so may stop it."""
    whole: str = ""
    """Why it cannot be stopped half way."""
    share: float = 0.0
    doing: str = ""
    done: bool = False
    made: MadeFile | None = None
    refusal: SurveyError | None = None
    failed: bool = False
    """Ended by a fault of ours; the log has it."""
    stop: Event = field(default_factory=Event)

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return not (self.done or self.failed or self.refusal)

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop, and has not come to the end of a step yet."""
        return self.running and self.stop.is_set()

    @property
    def stopped(self) -> bool:
        """Whether it ended because somebody stopped it."""
        return isinstance(self.refusal, StoppedError)

    def tell(self, share: float, doing: str) -> None:
        """How far it is; called by the job, from whatever thread it works in.

        Raises:
            StoppedError: somebody stopped it; the job ends here.
        """
        if self.stop.is_set() and self.stop_at:
            raise StoppedError(self.wave, self.name)
        self.share, self.doing = share, doing

    def excludes(self, other: "Work") -> bool:
        """Whether two jobs of one wave must not run at once: the same kind, or beside one that moves it."""
        return self.kind == other.kind or MOVE in (self.kind, other.kind)


class WorkRoom:
    """The last job of each wave and kind."""

    def __init__(self) -> None:
        self._works: dict[tuple[str, str], Work] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    def work(self, wave: str, kind: str = MOVE) -> Work | None:
        """The last job of a wave and kind since this process began."""
        return self._works.get((wave, kind))

    def at_work(self) -> int:
        """How many jobs run now."""
        return sum(work.running for work in self._works.values())

    async def begin(self, work: Work, job: Job, patience: float | None = None) -> Work:
        """Begin a job, and wait a little for it.

        Raises:
            WorkingError: another job of the wave runs, here or in another process.
            SurveyError: what the job was refused by, while somebody still waited.
        """
        for earlier in self._works.values():
            if earlier.wave == work.wave and earlier.running and earlier.excludes(work):
                raise WorkingError(work.wave, earlier.name)
        self._works[work.wave, work.kind] = work
        task = asyncio.ensure_future(self._alone(work, job))
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._note(work, ended))
        await asyncio.wait({task}, timeout=PATIENCE if patience is None else patience)
        if task.done():
            self._forget(work)
            task.result()
            work.done = True
        else:
            later = task.get_loop().call_later
            task.add_done_callback(lambda _: later(KEPT, self._forget, work))
        return work

    def stop(self, wave: str, kind: str = MOVE) -> None:
        """Tell the running job of a wave and kind to stop after the step it is at, if it may be stopped."""
        work = self.work(wave, kind)
        if work is not None and work.running and work.stop_at:
            work.stop.set()

    async def end(self) -> None:
        """Stop what may be stopped, and wait for what runs."""
        for work in self._works.values():
            work.stop.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _alone(self, work: Work, job: Job) -> object:
        async with hold(f"work.{work.kind}.{work.wave}") as alone:
            if not alone:
                raise WorkingError(work.wave, work.name)
            return await job(work.tell)

    def _forget(self, work: Work) -> None:
        if self._works.get((work.wave, work.kind)) is work:
            del self._works[work.wave, work.kind]

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
