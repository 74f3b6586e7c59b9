"""The public log: the signed heads of a wave, so that whoever kept one can hold it against them.

While a wave runs its heads are renewed here once an hour, and once a day where fewer than ten
schools take part: a head that appears at once would tell that somebody has just answered.
After closing every head is public.
"""

from datetime import datetime, timedelta

from litestar import Response, get
from litestar.params import FromPath

from survey.certification.closing import heads_text
from survey.errors import SurveyError
from survey.storage.plans import find_wave
from survey.storage.samples import find_sample
from survey.web.access import anyone, check_query
from survey.web.console.page import PUBLISHED, state_reached

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FEW_SCHOOLS = 10
from survey.web.pages import AnyRequest


class NoLogError(SurveyError):
    """The wave has no public log."""

    code = "verify.no_log"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__("这次调查的日志", "没有找到", "请核对网址；调查发布以后才有日志")


class HeadsBoard:
    """What is posted of each running wave, renewed no oftener than its period."""

    def __init__(self) -> None:
        self._posted: dict[str, tuple[datetime, tuple[str, ...]]] = {}

    def posted(self, wave: str, now: datetime, period: timedelta) -> tuple[str, ...] | None:
        """What is posted, or None where it is time to post anew."""
        since, notes = self._posted.get(wave, (None, ()))
        return notes if since is not None and timedelta(0) <= now - since < period else None

    def post(self, wave: str, now: datetime, notes: tuple[str, ...]) -> None:
        """Post the heads of a wave."""
        self._posted[wave] = (now, notes)


@get("/log/{wave:str}/heads", guards=[anyone])
async def show_heads(request: AnyRequest, wave: FromPath[str]) -> Response[bytes]:
    """All heads of a wave that are public by now, as signed notes in the form of `heads.txt`."""
    check_query(request, frozenset())
    row = await find_wave(wave[:40])
    if row is None or row.state not in PUBLISHED:
        raise NoLogError
    app = request.app.state
    if state_reached(row.state, "closed"):
        notes = tuple(await app.office.heads(row.wave))
    else:
        period = DAY if await _schools(row.wave) < FEW_SCHOOLS else HOUR
        posted = app.heads.posted(row.wave, app.now(), period)
        notes = posted if posted is not None else tuple(await app.office.heads(row.wave))
        if posted is None:
            app.heads.post(row.wave, app.now(), notes)
    return Response(heads_text(notes), media_type="text/plain")


async def _schools(wave: str) -> int:
    sample = await find_sample(wave)
    return len({domain.school_code for domain in sample.domains if domain.school_code}) if sample else 0
