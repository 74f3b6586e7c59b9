"""The print room: one job at a time in a thread, seen from pages by its counts.

A job outlives the request that began it and ends with the process; a restart forgets it and
leaves no half file. What it made lies among the print files, 0600, and goes with the codes
when the wave opens.
"""

import asyncio
from dataclasses import dataclass, field
from threading import Event

from survey.errors import SurveyError
from survey.jobs.print_job import Finished, write_papers
from survey.jobs.render_papers import PaperJob, Wish
from survey.settings import Settings
from survey.storage.print_files import archive_path, print_path


class PrintingError(SurveyError):
    """Another print job is running."""

    code = "console.printing"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__("排印", f"调查 {wave} 正在排印，一次只能做一件", "等它做完，或者先停止它")


@dataclass
class PrintJob:
    """One job as its page shows it."""

    wave: str
    wish: Wish
    who: str
    total: int
    done: int = 0
    finished: Finished | None = None
    refusal: SurveyError | None = None
    stop: Event = field(default_factory=Event)

    @property
    def running(self) -> bool:
        """Whether files are still being made."""
        return self.finished is None and self.refusal is None


class PrintRoom:
    """The last job of each wave, and the one that runs."""

    def __init__(self) -> None:
        self._jobs: dict[str, PrintJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def job(self, wave: str) -> PrintJob | None:
        """The last job of a wave since this process began."""
        return self._jobs.get(wave)

    def start(self, settings: Settings, planned: PaperJob, wish: Wish, who: str) -> PrintJob:
        """Begin a job; it goes on when the request is answered.

        Raises:
            PrintingError: one is running.
        """
        busy = next((job for job in self._jobs.values() if job.running), None)
        if busy is not None:
            raise PrintingError(busy.wave)
        job = PrintJob(planned.wave, wish, who, len(planned.pieces))
        self._jobs[planned.wave] = job
        task = asyncio.create_task(self._run(settings, planned, job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def at_work(self) -> int:
        """How many jobs run now."""
        return sum(job.running for job in self._jobs.values())

    async def end(self) -> None:
        """Stop what runs and wait for it."""
        for job in self._jobs.values():
            job.stop.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, settings: Settings, planned: PaperJob, job: PrintJob) -> None:
        codes = print_path(settings, planned.wave)

        def advance(done: int, _: int) -> None:
            job.done = done

        def stopped() -> bool:
            # When the wave opens while its slips are being set, the codes are gone and so is the job.
            return job.stop.is_set() or bool(planned.n_slips and not codes.is_file())

        target = archive_path(settings, planned.wave)
        try:
            job.finished = await asyncio.to_thread(
                write_papers, planned, target, progress=advance, stopped=stopped
            )
        except SurveyError as refusal:
            job.refusal = refusal
