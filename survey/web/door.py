"""The one door of an installation: whose name it goes by, and what is answered before anybody goes further in."""

from __future__ import annotations

from litestar.types import ASGIApp

from survey.settings import Settings
from survey.web.access import is_secure
from survey.web.headers import installation_headers, with_known_host
from survey.web.respondent.desk import Desk
from survey.web.respondent.front import with_front


def with_door(application: ASGIApp, desk: Desk, settings: Settings) -> ASGIApp:
    """The application behind its door, through which every request comes once.

    Args:
        application: whatever answers everything but the addresses everybody comes to.
        desk: answers those.
        settings: the public address decides which host names are answered.
    """
    secure = is_secure(settings)
    front = with_front(application, desk, installation_headers(secure))
    # Without a public https address an office comes by whatever name its network gives.
    return with_known_host(front, settings.host_name if secure else None)
