"""A question read aloud, on a tap and never before: the bytes the signed plan pins, or nothing.

Phones ask for a sound in ranges, and some play nothing that is not answered by 206.
"""

import re

from litestar import HttpMethod, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from survey.errors import SurveyError
from survey.jobs.record_questions import play
from survey.scheme.recording import Recording
from survey.web.respondent.desk import Desk
from survey.web.respondent.reply import AnyRequest, Asked, headers

_RANGE = re.compile(r"bytes=(\d{0,9})-(\d{0,9})", re.ASCII)


class NoRecordingError(SurveyError):
    """Nothing is read aloud under this address."""

    code = "respondent.no_recording"
    kind = "not_found"

    def __init__(self) -> None:
        super().__init__("录音", "没有这一题的录音", "请自己读题，或请现场的老师读给您听")


@route("/s/hear/{wave:str}/{name:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def hear(
    request: AnyRequest, wave: FromPath[str], name: FromPath[str], desk: NamedDependency[Desk]
) -> Response[bytes]:
    """A recording of a published wave.

    Raises:
        NoRecordingError: no such wave, or nothing its plan pins under this name.
    """
    digest = (
        (await desk.waves.wave(wave)).recordings.get(name) if await desk.waves.is_published(wave) else None
    )
    found = await play(wave, name, digest) if digest else None
    if found is None:
        raise NoRecordingError
    return sound(request, found)


def sound(request: Asked, recording: Recording) -> Response[bytes]:
    """A recording on its way out, whole or the one range that is asked for."""
    content, status = recording.content, 200
    sent = {**headers(), "Accept-Ranges": "bytes"}
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    if wanted and (wanted[1] or wanted[2]):
        size = len(content)
        first = int(wanted[1]) if wanted[1] else max(size - int(wanted[2]), 0)
        last = min(int(wanted[2]), size - 1) if wanted[1] and wanted[2] else size - 1
        if first > last:
            return Response(b"", status_code=416, headers={**sent, "Content-Range": f"bytes */{size}"})
        sent["Content-Range"] = f"bytes {first}-{last}/{size}"
        content, status = content[first : last + 1], 206
    return Response(content, status_code=status, headers=sent, media_type=recording.kind)
