"""All intakes of this process: which wave a code belongs to, and its one door in.

A code names no wave; its keyed digest under each wave's slip key is looked for in that
wave's intake. On SQLite this office holds every file open; on PostgreSQL several processes
may each have an office over the same schemas, so it looks for new waves now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from survey.certification.signature import Signer
from survey.errors import SurveyError
from survey.fieldwork.invitation import digest_of
from survey.fieldwork.paradata import LEFT
from survey.settings import Settings
from survey.storage.counts import BatchCounts, Counts
from survey.storage.disk_room import DiskRoom
from survey.storage.head_guard import HeadGuard
from survey.storage.intake import (
    About,
    Accepted,
    DomainCount,
    Entry,
    Intake,
    IntakeBrokenError,
    IntakeExistsError,
    IntakeMissingError,
    IntakeStaleError,
    IntakeUnreadError,
    KeyConflict,
    Outcome,
    StorageFullError,
)
from survey.storage.intake_file import create_intake
from survey.storage.intake_postgres import PostgresIntake, create_schema, list_schemas
from survey.storage.intake_sqlite import SqliteIntake
from survey.storage.keys import (
    KeyExistsError,
    KeyMissingError,
    WorldReadableKeyError,
    erase_keys,
    has_key,
    load_key,
    save_key,
)
from survey.storage.postgres_schema import drop_schema
from survey.storage.read_only import DamagedIntake, ReadOnlyIntake
from survey.storage.whole_readings import WholeReadings

log = logging.getLogger("survey.storage")

REFRESH_SECONDS = 5.0
WHOLE_AT_START = 16 * 1024**2
"""Bytes of intakes that a start reads whole, all waves together; some tenths of a second."""


class SlipFound(NamedTuple):
    """A slip, the wave and domain it belongs to, and what became of it."""

    wave: str
    domain: str
    e: bytes
    state: str
    wave_state: str


WRONG_SCHOOL = "wrong_school"
"""The counter of people who said that the school on their page is not theirs."""


def utc_now() -> datetime:
    """This instant, aware and in UTC."""
    return datetime.now(UTC)


class IntakeOffice:
    """The intakes of all waves whose codes were issued."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self._clock = clock
        self._intakes: dict[str, Intake | ReadOnlyIntake] = {}
        self._damaged: dict[str, DamagedIntake] = {}
        self._read_later = False
        self._bytes_left = WHOLE_AT_START
        self.readings = WholeReadings(self._settle)
        self._slip_keys: dict[str, bytes] = {}
        self._guard = HeadGuard(settings.last_heads) if settings.last_heads else None
        self._disk = DiskRoom(settings)
        self._refreshing: asyncio.Task[None] | None = None
        self.counts = Counts()

    async def start(self, *, read_later: bool = False) -> None:
        """Open every intake; one that is damaged rests, and the others go on.

        Small waves are read whole, of larger ones what came after their last frontier.

        Args:
            read_later: read everything else behind the start, and let a wave that cannot go on without
                that rest until then; without it such a wave is read here, and nothing else is.
        """
        self._read_later = read_later
        try:
            await self.refresh()
            self._read_on()
            if not read_later:
                await self.readings.read(only_resting=True)
        except BaseException:
            await self.stop()
            raise
        if self.settings.database_url:
            self._refreshing = asyncio.create_task(self._keep_refreshing())

    async def stop(self) -> None:
        """Finish every queue and close every intake."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refreshing
            self._refreshing = None
        await self.readings.stop()
        for intake in self._intakes.values():
            await intake.stop()
        self._intakes.clear()
        self._damaged.clear()
        self._slip_keys.clear()
        self.readings = WholeReadings(self._settle)
        self._bytes_left = WHOLE_AT_START

    async def refresh(self) -> None:
        """Open the intakes that another process has made since."""
        for wave in await self._existing():
            if wave not in self._intakes and wave not in self._damaged:
                await self._open(wave)

    async def create(
        self, about: About, slips: Iterable[tuple[bytes, str]], *, slip_key: bytes, log_seed: bytes
    ) -> None:
        """A new intake in state planned, and its two keys in files of their own.

        Args:
            about: what stays fixed.
            slips: digest and domain of every slip.
            slip_key, log_seed: kept 0600 outside the database.

        Raises:
            IntakeExistsError: the wave's codes were issued before.
        """
        if about.wave in await self._existing():
            raise IntakeExistsError(about.wave)
        self._keep(about.wave, "slip", slip_key)
        self._keep(about.wave, "log", log_seed)
        rows = list(slips)
        if self.settings.database_url:
            await create_schema(self.settings.database_url, about, rows)
        else:
            self.settings.intake.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self.settings.intake / f"{about.wave}.db"
            await asyncio.to_thread(create_intake, path, about, rows)
        await self._open(about.wave)
        self._read_on()

    async def discard(self, wave: str) -> None:
        """Throw away what a signing that died half-way left: an intake nobody could answer, its keys.

        Raises:
            IntakeExistsError: answers could have come in, so the intake stays for good.
        """
        if wave in await self._existing():
            if wave not in self._intakes:
                await self._open(wave)
            if await self.state(wave) != "planned" or await self.leaves(wave):
                raise IntakeExistsError(wave)
            self.readings.forget(wave)
            await self._intakes.pop(wave).stop()
            self._slip_keys.pop(wave, None)
            if self.settings.database_url:
                await drop_schema(self.settings.database_url, wave)
            else:
                (self.settings.intake / f"{wave}.db").unlink()
        erase_keys(self.settings, wave)

    # ── respondents ─────────────────────────────────────────────────────────────────────

    async def find_slip(self, code: str) -> SlipFound | None:
        """The slip of a code (12 signs, upper case), in whichever wave it was issued; None for any other text."""
        ahead: list[tuple[str, bytes]] = []
        for wave, key in self._slip_keys.items():
            e = digest_of(key, code)
            if not self._intakes[wave].knows(e):
                ahead.append((wave, e))
            elif (found := await self._intakes[wave].find_slip(e)) is not None:
                return SlipFound(wave, found[0], e, found[1], found[2])
        for wave, e in ahead:
            if (found := await self._intakes[wave].find_slip(e)) is not None:
                return SlipFound(wave, found[0], e, found[1], found[2])
        return None

    async def find_receipt(self, wave: str, e: bytes | None, k: bytes) -> Accepted | KeyConflict | None:
        """What a submission sent before is told again; None when k is new."""
        return await self.intake(wave).find_receipt(e, k)

    async def submit(self, wave: str, entry: Entry) -> Outcome:
        """Take one entry in; returns after it is durable.

        Raises:
            BusyError: too many are waiting. StorageFullError: the disk has no room.
        """
        try:
            self.check_disk()
            outcome = await self.intake(wave).submit(entry)
        except SurveyError as refusal:
            self.counts.refused[refusal.code] += 1
            raise
        if isinstance(outcome, Accepted):
            self.counts.kept["repeated" if outcome.repeated else "new"] += 1
        else:
            self.counts.refused[type(outcome).__name__] += 1
        return outcome

    async def dispute(self, code: str, on: date) -> None:
        """Count the slip of a code as disputed if it was used; silent in every case."""
        found = await self.find_slip(code)
        if found is not None:
            opens_on = self.about(found.wave).opens_on
            await self._intakes[found.wave].dispute(found.e, max((on - opens_on).days, 0) + 1)

    async def note_wrong_school(self, wave: str, domain: str) -> None:
        """Count that a slip or a poster of a domain reached somebody of another school."""
        await self.intake(wave).note(domain, WRONG_SCHOOL)

    async def note_left(self, wave: str, group: str, part: str) -> None:
        """Count that a form of a group was left unsent at a part."""
        await self.intake(wave).note(group, f"{LEFT}{part}")

    async def note(self, wave: str, kind: str) -> None:
        """Add one to a counter of the whole wave."""
        await self.intake(wave).note("", kind)

    # ── the bureau ──────────────────────────────────────────────────────────────────────

    def intake(self, wave: str) -> Intake | ReadOnlyIntake | DamagedIntake:
        """The intake of one wave; refuses a wave whose codes were not issued.

        Raises:
            IntakeMissingError. Of a wave whose intake is damaged, everything but its state: IntakeBrokenError.
        """
        found = self._intakes.get(wave) or self._damaged.get(wave)
        if found is None:
            raise IntakeMissingError(wave)
        return found

    def waves(self) -> tuple[str, ...]:
        """The waves that have an intake which can be read."""
        return tuple(self._intakes)

    def damaged(self) -> tuple[str, ...]:
        """The waves whose intake could not be opened."""
        return tuple(self._damaged)

    def unsound(self) -> tuple[str, ...]:
        """The waves that cannot be read, or do not hold what their log was signed for; not those that are merely older."""
        altered = (
            wave for wave, reason in self.resting().items()
            if isinstance(reason, IntakeBrokenError) and not isinstance(reason, IntakeStaleError)
        )  # fmt: skip
        return tuple(sorted({*self._damaged, *altered}))

    def refuse_unread(self) -> None:
        """Refuse what cannot be told while a wave is damaged: that nobody has such a code.

        Raises:
            SurveyError: why the wave cannot be read.
        """
        for one in self._damaged.values():
            raise one.reason

    def resting(self) -> dict[str, SurveyError]:
        """Why some waves take nothing in here, whatever their state."""
        every = {**self._intakes, **self._damaged}
        return {
            wave: one.reason for wave, one in every.items() if isinstance(one, ReadOnlyIntake | DamagedIntake)
        }

    def about(self, wave: str) -> About:
        """What stays fixed about a wave's intake."""
        return self.intake(wave).about

    async def state(self, wave: str) -> str:
        """The stored state of a wave's intake."""
        return await self.intake(wave).load_state()

    async def set_state(self, wave: str, expected: str | Sequence[str], new: str) -> None:
        """Take a wave's intake one step on: planned → open ⇄ paused → closed.

        Raises:
            WrongStateError: it is not in one of the expected states.
        """
        states = (expected,) if isinstance(expected, str) else tuple(expected)
        await self.intake(wave).set_state(states, new)

    async def participation(self, wave: str) -> tuple[DomainCount, ...]:
        """Counts per domain, never an answer."""
        return await self.intake(wave).participation()

    async def poster_counts(self, wave: str) -> tuple[DomainCount, ...]:
        """The same of posters alone, which are few, however many slips there are."""
        return await self.intake(wave).poster_counts()

    async def void(self, wave: str, digests: Sequence[bytes]) -> int:
        """Void slips that were never used; how many changed."""
        return await self.intake(wave).void(digests)

    async def keeps_history(self, wave: str) -> bool:
        """Whether the database keeps a history of changes that could join slip and leaf (TRUST S11)."""
        return await self.intake(wave).keeps_history()

    async def erase_boxes(self, wave: str) -> int:
        """Destroy every box of a closed wave; the log of leaves stays whole."""
        return await self.intake(wave).erase_boxes()

    async def rewrite(self, wave: str) -> None:
        """After closing: write everything again in the order of its keys."""
        await self.intake(wave).rewrite()

    async def leaves(self, wave: str) -> list[bytes]:
        """All leaves in order."""
        return await self.intake(wave).leaves()

    async def boxes(self, wave: str) -> dict[str, bytes]:
        """All boxes by commitment (hex)."""
        return await self.intake(wave).boxes()

    async def slips(self, wave: str) -> list[tuple[str, str, str]]:
        """All slips in the order of their digests: e (hex), domain, state."""
        return await self.intake(wave).slips()

    async def heads(self, wave: str) -> list[str]:
        """All signed heads, smallest first."""
        return await self.intake(wave).heads()

    async def head(self, wave: str) -> str | None:
        """The newest signed head, None before the first answer."""
        heads = await self.heads(wave)
        return heads[-1] if heads else None

    async def counters(self, wave: str) -> dict[tuple[str, str], int]:
        """All counters by domain and kind."""
        return await self.intake(wave).counters()

    async def disputes(self, wave: str) -> dict[tuple[str, int], int]:
        """Disputes by domain and day."""
        return await self.intake(wave).disputes()

    def log_signer(self, wave: str) -> Signer:
        """The signer of a wave's log; it signs heads and nothing else."""
        return Signer(self.about(wave).origin, load_key(self.settings, wave, "log"))

    # ── inside ──────────────────────────────────────────────────────────────────────────

    async def _existing(self) -> list[str]:
        if self.settings.database_url:
            return await list_schemas(self.settings.database_url)
        return sorted(path.stem for path in self.settings.intake.glob("*.db"))

    async def _open(self, wave: str) -> None:
        try:
            slip_key, seed = (load_key(self.settings, wave, name) for name in ("slip", "log"))
            intake: PostgresIntake | SqliteIntake
            if self.settings.database_url:
                url, size = self.settings.database_url, self.settings.wave_connections
                intake = PostgresIntake(url, wave, seed, self._clock, self._guard, size)
            else:
                path = self.settings.intake / f"{wave}.db"
                intake = SqliteIntake(path, seed, self._clock, self._guard)
            n_bytes = await intake.start(self._bytes_left)
        except (IntakeBrokenError, KeyMissingError, WorldReadableKeyError) as reason:
            log.error("%s", reason)
            self._damaged[wave] = DamagedIntake(reason)
            return
        self._bytes_left -= n_bytes
        self._intakes[wave] = intake
        self._slip_keys[wave] = slip_key
        if not n_bytes:
            self.readings.add(wave, intake)
        self._settle(wave)

    def _read_on(self) -> None:
        if self._read_later:
            self.readings.begin()

    def _settle(self, wave: str) -> None:
        """Let a wave rest, or go on, as its intake says."""
        found = self._intakes[wave]
        intake = found.intake if isinstance(found, ReadOnlyIntake) else found
        if intake.resting is None:
            self._intakes[wave] = intake
            return
        level = logging.WARNING if isinstance(intake.resting, IntakeUnreadError) else logging.ERROR
        log.log(level, "%s", intake.resting)
        self._intakes[wave] = ReadOnlyIntake(intake, intake.resting)

    def _keep(self, wave: str, name: str, key: bytes) -> None:
        if not has_key(self.settings, wave, name):
            save_key(self.settings, wave, name, key)
        elif load_key(self.settings, wave, name) != key:
            raise KeyExistsError(
                f"调查 {wave} 的密钥 {name}", "已经有另一把", "密钥不能被替换；请新建一次调查"
            )

    def has_room(self) -> bool:
        """Whether the disk has room for answers."""
        try:
            self.check_disk()
        except StorageFullError:
            return False
        return True

    def batch_counts(self) -> tuple[int, BatchCounts]:
        """How many entries wait now, and what all batches of this process came to."""
        total, waiting = BatchCounts(), 0
        for one in self._intakes.values():
            waiting += one.waiting
            total.batches += one.counted.batches
            total.entries += one.counted.entries
            total.seconds += one.counted.seconds
        return waiting, total

    def check_disk(self) -> None:
        """Refuse before the disk is full.

        Raises:
            StorageFullError: too little is free.
        """
        self._disk.check()

    async def _keep_refreshing(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            # The database may be away for a moment; the next look is soon enough.
            with contextlib.suppress(Exception):
                await self.refresh()
            self._read_on()
