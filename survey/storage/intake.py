"""What an intake takes in and gives back.

Every wave has an intake of its own, apart from accounts, frame and plan: slips, sealed
answers, leaves and heads, keyed by digests (TRUST section 7). Two intakes exist, on SQLite
and on PostgreSQL; both take entries in batches and decide them in `settlement.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from survey.canonical import decode, encode
from survey.errors import SurveyError
from survey.storage.counts import BatchCounts

QUEUE_LIMIT = 2000
BATCH_LIMIT = 256

STEPS: dict[str, frozenset[str]] = {
    "planned": frozenset({"open"}),
    "open": frozenset({"paused", "closed"}),
    "paused": frozenset({"open", "closed"}),
    "closed": frozenset(),
}


class BusyError(SurveyError):
    """More answers are waiting than can be promised; the draft stays on the phone."""

    code = "intake.busy"
    kind = "busy"

    def __init__(self, reason: str = "同时提交的人太多", retry_after: int = 3) -> None:
        super().__init__(
            "提交", reason, "填好的内容还在这台手机上，请稍等几秒再提交一次", retry_after=retry_after
        )
        self.retry_after = retry_after


class StorageFullError(BusyError):
    """The disk has no room for another answer; nothing was taken in."""

    code = "intake.storage_full"

    def __init__(self) -> None:
        super().__init__("服务器存储空间不足，暂时不能接收", 60)


class IntakeBrokenError(SurveyError):
    """The stored log does not agree with itself, so the intake must not listen."""

    code = "intake.broken"

    what_to_do = "这次调查已停收，别的照常；另存现在的数据，用最近的备份恢复到新文件夹核对：survey restore 备份 --key 私钥 --data 新文件夹"

    def __init__(self, wave: str, reason: str) -> None:
        super().__init__(f"调查 {wave} 的答卷库", reason, self.what_to_do)


class IntakeForeignError(IntakeBrokenError):
    """The tables are foreign: they lie on another server, and what is decided about them must be decided there."""

    code = "intake.foreign"

    what_to_do = "把SURVEY_DATABASE_URL指到这次调查所在的服务器，由那里的进程收答卷；外部表只用来读和计数"

    def __init__(self, wave: str) -> None:
        super().__init__(wave, "是别的服务器上的外部表（foreign table），在这里收不能保证不丢不重")


class IntakeUnreadError(SurveyError):
    """The log must be read from its first leaf before it takes anything in; that ends by itself."""

    code = "intake.unread"
    kind = "busy"

    def __init__(self, wave: str, reason: str) -> None:
        super().__init__(f"调查 {wave} 的答卷库", f"正在从头核对（{reason}）", "核对完会自己接着收，不用重启")


def heads_of(wave: str, rows: Iterable[tuple[int, str]]) -> list[str]:
    """The notes of stored heads, each held against the size it is stored under.

    Raises:
        IntakeBrokenError: a row was put under another size than its note was signed for.
    """
    notes = []
    for size, note in rows:
        if note.split("\n", 2)[1:2] != [str(size)]:
            raise IntakeBrokenError(wave, f"大小{size}的日志头，签的不是这个大小")
        notes.append(note)
    return notes


class IntakeStaleError(IntakeBrokenError):
    """The file is older than a head that was already given out."""

    code = "intake.stale"
    kind = "conflict"
    what_to_do = "这次调查已停收，别的照常；换回最新的数据再启动，这份旧的只能看"

    def __init__(self, wave: str, size: int, known: int) -> None:
        super().__init__(wave, f"只有{size}份答卷，而此前已确认过{known}份，是一份旧的副本")


class IntakeExistsError(SurveyError):
    """The wave has an intake already, and it has been opened."""

    code = "intake.exists"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "已经发放过填写码", "一次调查只能发放一次；需要重来时请新建一次调查")


class IntakeMissingError(SurveyError):
    """The wave has no intake (yet)."""

    code = "intake.missing"
    kind = "not_found"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "还没有发放填写码", "先签署方案，再做这一步")


@dataclass(frozen=True)
class Poster:
    """A domain that is answered by a shared code instead of slips."""

    domain: str
    mode: Literal["quota", "open", "surplus"]
    quota: int = 0
    surplus: str | None = None
    """Where answers go once the quota is full; a poster of mode `surplus`."""


@dataclass(frozen=True)
class About:
    """What an intake knows of its wave; fixed when the codes are issued."""

    wave: str
    origin: str
    box_key: bytes | None
    opens_on: date
    posters: tuple[Poster, ...] = ()

    def text(self) -> str:
        """The canonical text that is stored."""
        document: dict[str, Any] = {
            "box_key": self.box_key.hex() if self.box_key else None,
            "opens_on": self.opens_on.isoformat(),
            "origin": self.origin,
            "posters": [
                {"domain": p.domain, "mode": p.mode, "quota": p.quota, "surplus": p.surplus}
                for p in self.posters
            ],
            "wave": self.wave,
        }
        return encode(document).decode()

    @classmethod
    def from_text(cls, text: str) -> About:
        """The value that `text` wrote."""
        document = decode(text.encode())
        return cls(
            document["wave"],
            document["origin"],
            bytes.fromhex(document["box_key"]) if document["box_key"] else None,
            date.fromisoformat(document["opens_on"]),
            tuple(Poster(**poster) for poster in document["posters"]),
        )


@dataclass(frozen=True)
class Sealed:
    """One answer as it is stored: its commitment, its box, its public leaf."""

    domain: str
    c: bytes
    box: bytes
    leaf: bytes


@dataclass(frozen=True)
class Entry:
    """One submission: k names it, e names its slip (None on a poster)."""

    k: bytes
    e: bytes | None
    sealed: Sealed
    surplus: Sealed | None = None
    typed_in: str = ""
    """The mode of one that staff typed in, paper or telephone; empty for a person's own."""
    sender: bytes | None = None
    """The day's tag of where it came from, for the tally alone; no table holds it."""


@dataclass(frozen=True)
class Accepted:
    """The answer is durably in the log at `index`, under the signed head `note` of its batch."""

    index: int
    leaf: bytes
    note: str
    repeated: bool


@dataclass(frozen=True)
class AlreadyUsed:
    """The slip was used (or voided), or the quota is full and there is no surplus domain."""

    state: str


@dataclass(frozen=True)
class NotOpen:
    """The wave does not take answers now."""

    state: str


@dataclass(frozen=True)
class KeyConflict:
    """The submission key is known, but not with this slip: the page must be loaded again."""


Outcome = Accepted | AlreadyUsed | NotOpen | KeyConflict


@dataclass(frozen=True)
class DomainCount:
    """What became of a domain's slips; `used` includes the disputed."""

    domain: str
    issued: int
    used: int
    disputed: int
    voided: int


class Intake(Protocol):
    """One wave's intake; SQLite and PostgreSQL each have theirs."""

    about: About

    @property
    def waiting(self) -> int:
        """Entries that were sent and are not stored yet."""

    async def load_state(self) -> str:
        """The stored state."""

    counted: BatchCounts
    resting: SurveyError | None
    """Why nothing is taken in, although the wave may be open; None when all is well."""

    async def start(self, most_bytes: int | None = None) -> int:
        """Open, check, listen; how many bytes were read whole.

        Everything is read when the wave is no larger than `most_bytes`, or when that is not given. Of a
        larger one the log's tail is held against the frontier and the last head; see `resting`.
        """

    async def read_slips(self) -> None:
        """Take all slips into memory, where that is how they are looked up."""

    async def read_whole(self) -> None:
        """Read everything that is stored while the wave goes on, and compare all that must agree.

        Raises:
            IntakeBrokenError: something does not; the wave takes nothing in from now on.
        """

    def progress(self) -> float:
        """How far a reading of the whole has come, from 0 to 1."""

    async def stop(self) -> None:
        """Finish what was queued and close."""

    async def submit(self, entry: Entry) -> Outcome:
        """Take one entry in; returns after it is durable."""

    def knows(self, e: bytes) -> bool:
        """Whether a slip is looked up at once; otherwise other intakes are asked first."""

    async def find_slip(self, e: bytes) -> tuple[str, str, str] | None:
        """Domain, slip state and wave state of a slip, or None."""

    async def find_receipt(self, e: bytes | None, k: bytes) -> Accepted | KeyConflict | None:
        """Step 1 alone: what a repeated submission is told, or None when k is new."""

    async def set_state(self, expected: Sequence[str], new: str) -> None:
        """Take the wave one step on."""

    async def dispute(self, e: bytes, day: int) -> None:
        """Count a used slip as disputed, once."""

    async def note(self, domain: str, kind: str) -> None:
        """Add one to a counter of a domain; nothing else about it is kept."""

    async def void(self, digests: Sequence[bytes]) -> int:
        """Void slips that were never used; how many changed."""

    async def participation(self) -> tuple[DomainCount, ...]:
        """Counts per domain, never an answer."""

    async def poster_counts(self) -> tuple[DomainCount, ...]:
        """The same of posters alone."""

    async def leaves(self) -> list[bytes]:
        """All leaves in order."""

    async def boxes(self) -> dict[str, bytes]:
        """All boxes by commitment (hex)."""

    async def slips(self) -> list[tuple[str, str, str]]:
        """All slips by digest (hex): e, domain, state."""

    async def heads(self) -> list[str]:
        """All signed heads, smallest first."""

    async def counters(self) -> dict[tuple[str, str], int]:
        """All counters by domain and kind."""

    async def disputes(self) -> dict[tuple[str, int], int]:
        """Disputes by domain and day."""

    async def keeps_history(self) -> bool:
        """Whether the database itself keeps which rows changed together, beyond our reach."""

    async def erase_boxes(self) -> int:
        """Destroy every box of a closed wave; how many there were. Leaves and heads stay."""

    async def rewrite(self) -> None:
        """After closing: write everything again in the order of its keys."""
