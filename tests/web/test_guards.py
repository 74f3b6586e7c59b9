"""Deny by default: every handler names its guard; `test_rights.py` walks who is let in where."""

from litestar.routes import HTTPRoute

from survey.web.access import anyone

from .conftest import Site

PUBLIC = (
    "/",
    "/health",
    "/healthz",
    "/ready",
    "/static",
    "/v",
    "/V",
    "/log",
    "/s",
    "/S",
    "/o",
    "/O",
    "/b",
    "/B",
    "/preview",
    "/check",
    "/contract",
    "/CHECK",
    "/console/sign-in",
    "/school/in",
)


def handlers(site: Site) -> list[tuple[str, str, object]]:
    """(path, method, handler) of every route that somebody wrote."""
    found = []
    for route in site.app.routes:
        assert isinstance(route, HTTPRoute)
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods):
                if method != "OPTIONS":
                    found.append((route.path, str(method), handler))
    return found


async def test_every_handler_names_a_guard(site: Site) -> None:
    unguarded = [(path, method) for path, method, handler in handlers(site) if not handler.resolve_guards()]

    assert unguarded == []


async def test_only_the_pages_meant_for_everybody_are_open_to_everybody(site: Site) -> None:
    opened = {path for path, _, handler in handlers(site) if anyone in handler.resolve_guards()}

    assert all(any(path == start or path.startswith(f"{start}/") for start in PUBLIC) for path in opened), (
        opened
    )
