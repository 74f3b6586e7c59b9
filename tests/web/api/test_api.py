"""The API as another system meets it: tokens, pages of waves, figures as text, problem documents."""

from datetime import timedelta
from typing import Any

import pytest
from litestar.routes import HTTPRoute

from survey.jobs.import_frame import import_frame
from survey.jobs.revoke_statement import revoke_statement
from survey.jobs.signers import ROLES, open_signers
from survey.storage.results import save_results
from survey.storage.webhooks import EVENTS
from survey.web.rights import SCOPES

from ..conftest import NOW, PASSWORD, Site, county_frame
from ..examples import results_document

ALL = ("waves:read", "figure:read", "participation:read")


@pytest.fixture
async def asked(site: Site) -> Site:
    await site.person()
    return site


async def test_without_a_token_the_problem_says_how_to_get_one(asked: Site) -> None:
    for headers in ({}, {"Authorization": "Bearer unknown"}, {"Authorization": "Basic eDp5"}):
        reply = await asked.client.get("/api/v1/waves", headers=headers)

        assert reply.status_code == 401
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.headers["www-authenticate"].startswith('Bearer realm="survey"')
        assert reply.json()["code"] == "access.token_invalid"


async def test_an_expired_token_opens_nothing(asked: Site) -> None:
    headers = await asked.token("waves:read", expires_at=NOW + timedelta(hours=1))
    asked.clock.now = NOW + timedelta(hours=2)

    assert (await asked.client.get("/api/v1/waves", headers=headers)).status_code == 401


async def test_a_token_reads_only_what_its_scopes_say(asked: Site) -> None:
    headers = await asked.token("waves:read")
    waves = await asked.client.get("/api/v1/waves", headers=headers)
    figure = await asked.client.get("/api/v1/waves/county-a/figure", headers=headers)

    assert waves.status_code == 200
    assert figure.status_code == 403
    assert figure.json()["code"] == "access.scope_missing"
    assert 'scope="figure:read"' in figure.headers["www-authenticate"]


async def test_a_session_of_the_console_opens_no_api_route(asked: Site) -> None:
    await asked.sign_in("other")

    assert (await asked.client.get("/api/v1/waves")).status_code == 401
    assert (await asked.client.get("/api/v1/openapi.json")).status_code == 200


async def test_pages_of_waves_show_each_wave_once(asked: Site) -> None:
    for number in range(5):
        asked.clock.now = NOW + timedelta(minutes=number)
        await asked.wave(f"county-{number}")
    headers = await asked.token("waves:read")
    seen, cursor = [], ""
    while True:
        page = (await asked.client.get(f"/api/v1/waves?limit=2{cursor}", headers=headers)).json()
        seen += [wave["wave"] for wave in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert seen == [f"county-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "limit=²", "cursor=%00", "cursor=eA", "limit=1&limit=2", "other=1"],
)
async def test_a_page_that_does_not_exist_is_a_bad_request(asked: Site, query: str) -> None:
    reply = await asked.client.get(f"/api/v1/waves?{query}", headers=await asked.token("waves:read"))

    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("state", ["drawn", "planned", "open", "closed"])
async def test_before_opening_there_is_a_conflict_and_no_figure(asked: Site, state: str) -> None:
    wave = await asked.wave(until="drawn")
    await asked.stand(wave, state)
    await save_results(wave, results_document(), now=NOW)
    reply = await asked.client.get(f"/api/v1/waves/{wave}/figure", headers=await asked.token(*ALL))

    assert reply.status_code == 409
    assert reply.json()["code"] == "api.not_opened"
    assert "0.88" not in reply.text


async def test_the_figure_is_text_and_carries_what_must_be_said(asked: Site) -> None:
    figure = (await _figure(asked)).json()

    assert figure["figure"] == "0.8843"
    assert figure["percent"] == "88.43%"
    assert figure["demonstration"] is True
    assert figure["certified"] is False
    assert figure["threshold"] == {"value": "0.85", "edge": "at_least", "reached": True}
    assert figure["interval"] == {"level": "0.95", "lower": "0.8212", "upper": "0.9041"}
    assert figure["sentences"] == ["置信区间跨过要求线，换一次抽样结论可能不同。"]
    assert figure["groups"][1] == {
        "name": "principal",
        "label": "校长",
        "n": None,
        "figure": None,
        "display": "不显示",
        "interval": None,
        "withheld": True,
    }


async def test_an_unchanged_figure_is_not_sent_again(asked: Site) -> None:
    first = await _figure(asked)
    headers = await asked.token("figure:read")
    again = await asked.client.get(
        "/api/v1/waves/county-a/figure", headers={**headers, "If-None-Match": first.headers["etag"]}
    )

    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]


async def test_an_unknown_wave_and_a_wave_without_certificate_are_told_apart(asked: Site) -> None:
    await asked.wave("county-a")
    headers = await asked.token(*ALL)
    unknown = await asked.client.get("/api/v1/waves/nowhere/certificate", headers=headers)
    early = await asked.client.get("/api/v1/waves/county-a/certificate", headers=headers)

    assert (unknown.status_code, unknown.json()["code"]) == (404, "storage.wave_not_found")
    assert (early.status_code, early.json()["code"]) == (409, "api.not_certified")


async def test_the_description_names_every_route_and_resolves(asked: Site) -> None:
    headers = await asked.token("waves:read")
    document = (await asked.client.get("/api/v1/openapi.json", headers=headers)).json()
    served = {
        route.path.replace("{wave:str}", "{wave}").replace("{number:int}", "{number}")
        for route in asked.app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/")
    }

    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == served - {"/api/v1/openapi.json"} | {"/metrics"}
    assert {scope for path in document["paths"].values() for one in path.values() for [scope] in [one["security"][0]["token"]]} == set(SCOPES)
    assert set(document["webhooks"]) == set(EVENTS)
    assert [pointer for pointer in _references(document) if _resolve(document, pointer) is None] == []
    assert document["components"]["schemas"]["Figure"]["description"]


async def test_every_answer_fits_its_description_and_is_not_sent_twice(certified: Site) -> None:
    from jsonschema import Draft202012Validator

    await certified.person()
    headers = await certified.token(*SCOPES)
    entry = {"source": "fact", "problem": "课桌不够", "basis": "第3页"}
    await certified.client.post(
        "/api/v1/waves/county-a/ledger", json=entry, headers={**headers, "Idempotency-Key": "k"}
    )
    document = (await certified.client.get("/api/v1/openapi.json", headers=headers)).json()
    wrong, asked = [], 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            address = path.replace("{wave}", "county-a").replace("{number}", "1")
            if method == "post":
                # Without a key nothing is begun, whatever is sent.
                reply = await certified.client.post(address, json={}, headers=headers)
                if reply.json()["code"] != "api.idempotency_key_missing":
                    wrong.append((path, "key"))
                continue
            reply = await certified.client.get(address, headers=headers)
            if path == "/metrics":
                continue
            asked += 1
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            found = Draft202012Validator({**schema, "components": document["components"]}).iter_errors(reply.json())
            wrong += [(path, error.message) for error in found]
            known = {**headers, "If-None-Match": reply.headers["etag"]}
            again = await certified.client.get(address, headers=known)
            if (again.status_code, again.content) != (304, b""):
                wrong.append((path, "sent again"))
            problem = await certified.client.get(f"{address}?unknown=1", headers=headers)
            if (problem.status_code, problem.headers["content-type"]) != (400, "application/problem+json"):
                wrong.append((path, "no problem document"))

    assert wrong == []
    assert asked == sum("get" in methods for methods in document["paths"].values()) - 1


@pytest.mark.parametrize(
    ("path", "rows", "key"), [("frame", "schools", "code"), ("sample", "domains", "domain"), ("ledger", "items", "number")]
)
async def test_pages_of_every_collection_show_each_row_once(certified: Site, path: str, rows: str, key: str) -> None:
    await certified.person()
    headers = await certified.token(*SCOPES)
    for number in range(5):
        entry = {"source": "fact", "problem": "课桌不够", "basis": f"第{number}页"}
        await certified.client.post(
            "/api/v1/waves/county-a/ledger", json=entry, headers={**headers, "Idempotency-Key": f"k{number}"}
        )
    address = f"/api/v1/waves/county-a/{path}"
    whole = (await certified.client.get(address, headers=headers)).json()
    seen, cursor = [], ""
    while cursor is not None:
        query = f"&cursor={cursor}" if cursor else ""
        page = (await certified.client.get(f"{address}?limit=2{query}", headers=headers)).json()
        seen += [row[key] for row in page[rows]]
        assert len(page[rows]) <= 2
        cursor = page["next"]

    assert whole["next"] is None
    assert seen == [row[key] for row in whole[rows]]
    assert len(seen) >= 5


async def test_whoever_turns_the_pages_of_a_list_that_is_replaced_begins_again(asked: Site) -> None:
    wave = await asked.wave(until="framed")
    headers = await asked.token("frame:read")
    address = f"/api/v1/waves/{wave}/frame?limit=2"
    first = (await asked.client.get(address, headers=headers)).json()
    fewer = b"\n".join(county_frame().splitlines()[:40])
    await import_frame(wave, fewer, "frame.csv", actor="test", now=NOW)
    second = await asked.client.get(f"{address}&cursor={first['next']}", headers=headers)

    assert (second.status_code, second.json()["code"]) == (409, "api.list_replaced")


async def test_a_revoked_certificate_is_said_wherever_its_figure_stands(certified: Site) -> None:
    await certified.person()
    headers = await certified.token(*SCOPES)
    held = (await certified.client.get("/api/v1/waves/county-a/figure", headers=headers)).json()
    signers = open_signers(certified.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    by = {"actor": "test", "now": NOW}
    number = held["seal"]["number"]
    await revoke_statement(certified.settings, certified.office, "county-a", number, "计票表有误", signers, **by)
    figure = (await certified.client.get("/api/v1/waves/county-a/figure", headers=headers)).json()
    certificate = (await certified.client.get("/api/v1/waves/county-a/certificate", headers=headers)).json()

    assert (held["certified"], held["seal"]["state"]) == (True, "valid")
    assert (figure["certified"], figure["seal"]["state"]) == (False, "revoked")
    assert (certificate["state"], certificate["reason"]) == ("revoked", "计票表有误")


async def _figure(site: Site) -> Any:
    wave = await site.wave(until="drawn")
    await site.stand(wave, "estimated")
    await save_results(wave, results_document(), now=NOW)
    return await site.client.get(f"/api/v1/waves/{wave}/figure", headers=await site.token("figure:read"))


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in _references(part)]
    if isinstance(value, list):
        return [found for part in value for found in _references(part)]
    return []


def _resolve(document: Any, pointer: str) -> Any:
    for part in pointer.removeprefix("#/").split("/"):
        document = document.get(part) if isinstance(document, dict) else None
    return document
