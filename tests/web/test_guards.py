"""Deny by default: every handler names its guard, and every route keeps to the table of rights."""

from litestar.routes import HTTPRoute

from survey.web.access import RIGHTS, ROLES, anyone

from .conftest import SAME_ORIGIN, Site

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
    "/CHECK",
    "/console/sign-in",
    "/school/in",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


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


async def test_no_page_of_the_console_opens_without_a_session(site: Site) -> None:
    replies = {}
    for path, method, handler in handlers(site):
        if path.startswith("/console") and anyone not in handler.resolve_guards():
            reply = await site.client.request(
                method, _address(path), headers=SAME_ORIGIN, follow_redirects=False
            )
            replies[method, path] = (reply.status_code, reply.headers.get("location", "")[:16])

    assert len(replies) > 15
    assert set(replies.values()) == {(303, "/console/sign-in")}


async def test_no_route_of_the_api_opens_without_a_token(site: Site) -> None:
    statuses = set()
    for path, method, _ in handlers(site):
        if path.startswith("/api/"):
            reply = await site.client.request(method, _address(path))
            statuses.add((reply.status_code, reply.headers["content-type"]))
            assert reply.headers["www-authenticate"].startswith("Bearer")

    assert statuses == {(401, "application/problem+json")}


async def test_every_role_is_let_in_exactly_where_the_table_says(site: Site) -> None:
    wrong = []
    for role in ROLES:
        site.client.cookies.clear()
        await site.sign_in(f"{role}-person", (role,))
        form_key = await site.form_key()
        for path, method, handler in handlers(site):
            rights = [
                right for right in RIGHTS if any(_is(guard, right) for guard in handler.resolve_guards())
            ]
            if not rights or path in ("/console/sign-out", "/console/account/sessions/end"):
                continue
            data = {"form_key": form_key} if method == "POST" else None
            reply = await site.client.request(
                method, _address(path), data=data, headers=SAME_ORIGIN, follow_redirects=False
            )
            refused = reply.status_code == 403 and "access.not_allowed" in reply.text
            if refused == (role in RIGHTS[rights[0]]):
                wrong.append((role, method, path, reply.status_code))

    assert wrong == []


def _is(guard: object, right: str) -> bool:
    return getattr(guard, "__name__", "") == f"may_{right.replace('.', '_')}"


def _address(path: str) -> str:
    for name, value in (("{wave:str}", "no-such-wave"), ("{name:str}", "x.pdf"), ("{number:int}", "1"), ("{code:str}", "000000"), ("{kind:str}", "pdf"), ("{draft:str}", "x"), ("{step:int}", "1")):
        path = path.replace(name, value)
    return path.replace("{token:str}", "x").replace("{number:str}", "1")
