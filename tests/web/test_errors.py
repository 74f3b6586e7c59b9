"""Refusals become statuses and words; our own mistakes become an incident number and nothing more."""

import logging

import pytest
from litestar import get, post
from litestar.testing import AsyncTestClient

from survey.errors import Fault, FaultsError, SurveyError
from survey.web.access import anyone
from survey.web.errors import STATUS_BY_KIND

from .conftest import BASE, SAME_ORIGIN, Site


class ExampleError(SurveyError):
    """A refusal for this test."""

    code = "example.refused"

    def __init__(self, kind: str) -> None:
        super().__init__("名册", "有<b>错</b>", "改好再传")
        self.kind = kind


@get("/raise/{kind:str}", guards=[anyone])
async def raise_refusal(kind: str) -> None:
    """Refuse with this kind."""
    if kind == "faults":
        raise FaultsError("名册", (Fault("a.b", "重复", "删一行", sheet="表一", row=3, column="标识码"),))
    if kind == "incident":
        raise RuntimeError(f"the answer was {'非常'}{'满意'}")
    raise ExampleError(kind)


@post("/raise/body", guards=[anyone])
async def raise_in_body(data: dict[str, str]) -> None:
    """Read a JSON body."""


@pytest.fixture
async def raising(site: Site) -> AsyncTestClient:
    site.app.register(raise_refusal)
    site.app.register(raise_in_body)
    return site.client


@pytest.mark.parametrize("kind", sorted(STATUS_BY_KIND))
async def test_a_refusal_becomes_the_status_of_its_kind(raising: AsyncTestClient, kind: str) -> None:
    page = await raising.get(f"/raise/{kind}", headers={"Accept": "text/html"})
    problem = await raising.get(f"/raise/{kind}", headers={"Accept": "application/json"})

    assert page.status_code == problem.status_code == STATUS_BY_KIND[kind]
    assert "有&lt;b&gt;错&lt;/b&gt;" in page.text
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "example.refused"
    assert problem.json()["status"] == problem.status_code
    assert problem.json()["type"] == "urn:survey:problem:example.refused"


async def test_every_fault_travels_with_its_place(raising: AsyncTestClient) -> None:
    page = await raising.get("/raise/faults", headers={"Accept": "text/html"})
    problem = (await raising.get("/raise/faults", headers={"Accept": "application/json"})).json()

    assert page.status_code == 422
    assert "第3行" in page.text
    assert problem["faults"] == [
        {"code": "a.b", "problem": "重复", "remedy": "删一行", "sheet": "表一", "row": 3, "column": "标识码"}
    ]


async def test_our_own_mistake_shows_an_incident_and_says_nothing_else(
    raising: AsyncTestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="survey.web"):
        reply = await raising.get("/raise/incident", headers={"Accept": "application/json"})
    incident = reply.json()["incident"]

    assert reply.status_code == 500
    assert "Runtime" not in reply.text
    assert "Traceback" not in reply.text
    assert incident in caplog.text
    assert "RuntimeError" in caplog.text
    assert "非常满意" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\x00", b'"\xed\xa0\x80"', b"[" * 60_000, b'{"a":', b'{"a": NaN}'],
    ids=["not utf-8", "surrogate", "too deep", "cut off", "no number"],
)
async def test_a_body_that_cannot_be_read_is_a_bad_request(raising: AsyncTestClient, body: bytes) -> None:
    reply = await raising.post("/raise/body", content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code == 400


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"name=%ff%fe&password=x"),
        ("application/x-www-form-urlencoded", b"name=a&name=b"),
        ("multipart/form-data", b"no boundary"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n\xff\r\n--x--\r\n',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 2000),
        ("text/plain", b'{"name": "demo"}'),
    ],
)
async def test_broken_forms_never_become_an_incident(site: Site, kind: str, body: bytes) -> None:
    reply = await site.client.post(
        "/console/sign-in", content=body, headers={"Content-Type": kind, **SAME_ORIGIN}
    )

    assert 400 <= reply.status_code < 500, reply.text


async def test_an_unknown_address_is_a_chinese_page_and_under_the_api_a_problem(site: Site) -> None:
    page = await site.client.get(f"{BASE}/nowhere", headers={"Accept": "text/html"})
    problem = await site.client.get(f"{BASE}/api/v1/nowhere", headers={"Accept": "text/html"})

    assert page.status_code == problem.status_code == 404
    assert "这里没有页面" in page.text
    assert problem.json()["code"] == "http.not_found"


@pytest.mark.parametrize(
    "query", ["?x=%ff%fe", "?a=1&a=2", "?" + "a=b&" * 300, "?next=%00", "?number=%F0%28&code=1", "?limit=1e9"]
)
async def test_no_query_on_any_page_becomes_an_incident(site: Site, query: str) -> None:
    await site.sign_in()
    await site.wave("county-a", until="drawn")
    headers = await site.token("waves:read", "figure:read", "participation:read")
    paths = [
        route.path.replace("{wave:str}", "county-a").replace("{number:int}", "1").replace("{number:str}", "x")
        for route in site.app.routes
        if not route.path.startswith(("/s", "/S", "/o", "/O", "/check", "/CHECK", "/static"))
    ]
    statuses = {
        path: (await site.client.get(path + query, headers=headers, follow_redirects=False)).status_code
        for path in paths
    }

    assert {path: status for path, status in statuses.items() if status >= 500} == {}
