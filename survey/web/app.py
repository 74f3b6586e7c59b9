"""The web application, everything wired on one screen.

The process that serves owns the database and the intake: it starts them before the
application answers and stops them after, in the same event loop.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from litestar import Litestar, Response, Router, get
from litestar.datastructures import CacheControlHeader, State
from litestar.static_files import create_static_files_router

from survey.jobs.sign_in_elsewhere import Provider
from survey.settings import Settings
from survey.storage.database import Database
from survey.storage.office import IntakeOffice
from survey.storage.return_counts import ReturnCounts
from survey.web.access import anyone, is_secure, utc_now
from survey.web.api.routes import api_router
from survey.web.console.imports import PendingImports
from survey.web.console.print_room import PrintRoom
from survey.web.console.routes import console_router
from survey.web.console.sign_in import Tries
from survey.web.console.work_room import WorkRoom
from survey.web.door import with_door
from survey.web.errors import EXCEPTION_HANDLERS
from survey.web.headers import ANSWER_LIMIT, with_deadline, with_head, with_headers
from survey.web.health import HEALTH_ROUTES, Readiness
from survey.web.pages import AnyRequest, html
from survey.web.ration import Ration
from survey.web.request_log import with_request_log
from survey.web.respondent.desk import Desk
from survey.web.respondent.routes import open_desk, router_at
from survey.web.routing import OwnRouter
from survey.web.school.pages import school_router
from survey.web.templating import static_folder
from survey.web.verify.heads import HeadsBoard
from survey.web.verify.routes import Reading, verify_router


def create_app(
    settings: Settings,
    database: Database,
    office: IntakeOffice,
    *,
    now: Callable[[], datetime] = utc_now,
) -> Litestar:
    """The application over a started database and intake, behind a door of its own.

    Args:
        settings: the environment, read once; its `base_url` decides cookies and HSTS.
        database: the open database; pages read what they show through storage.
        office: the intake of all published waves.
        now: the clock, aware and in UTC.
    """
    desk = open_desk(office, base_url=settings.base_url, clock=now)
    application = create_inside(settings, database, office, desk, now=now)
    application.asgi_handler = with_door(application.asgi_handler, desk, settings)
    return application


def create_inside(
    settings: Settings, database: Database, office: IntakeOffice, desk: Desk, *, now: Callable[[], datetime]
) -> Litestar:
    """The same without its door, for whoever keeps one: a server's `Opening`, which answers before this is built.

    Args:
        settings, database, office, now: as for `create_app`.
        desk: the door's, shared with the answering pages in here.
    """
    print_room, work_room = PrintRoom(), WorkRoom()
    # Each class stands from the start, so that a rise can be seen of the first one, too.
    answered_with: Counter[str] = Counter({f"{hundreds}xx": 0 for hundreds in (2, 3, 4, 5)})
    application = Litestar(
        route_handlers=[
            show_home,
            *HEALTH_ROUTES,
            OwnRouter("/", guards=[anyone], route_handlers=[router_at(desk)]),
            console_router(),
            school_router(),
            verify_router(),
            api_router(),
            static_router(),
        ],
        state=State(
            {
                "settings": settings,
                "database": database,
                "office": office,
                "desk": desk,
                "now": now,
                "imports": PendingImports(),
                "outside": PendingImports(),
                "tries": Tries(),
                "provider": Provider(settings) if settings.oidc_issuer else None,
                "returns": ReturnCounts(office),
                "heads": HeadsBoard(),
                "reading": Reading(),
                "print_room": print_room,
                "work_room": work_room,
                "readiness": Readiness(),
                "ration": Ration(),
                "answered_with": answered_with,
            }
        ),
        on_shutdown=[print_room.end, work_room.end],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=ANSWER_LIMIT,
        multipart_form_part_limit=20,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    answered = with_head(with_deadline(application.asgi_handler))
    application.asgi_handler = with_request_log(with_headers(answered, is_secure(settings)), answered_with)
    return application


@get("/", guards=[anyone])
async def show_home(request: AnyRequest) -> Response[str]:
    """The front door: where to answer, where to verify, where the office works."""
    return html("shared/home.html", host=request.app.state.settings.base_url)


def static_router() -> Router:
    """Styles of the console, from the wheel or the checkout; kept by browsers for an hour."""
    return create_static_files_router(
        path="/static",
        router_class=OwnRouter,
        directories=[static_folder()],
        guards=[anyone],
        cache_control=CacheControlHeader(public=True, max_age=3600),
        include_in_schema=False,
    )
