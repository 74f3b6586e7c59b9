"""The contract for inspection systems: real replies fit it, no figure where none holds, and it only grows."""

from __future__ import annotations

import json
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from survey.canonical import digest, sha256_hex
from survey.jobs.revoke_statement import revoke_statement
from survey.jobs.signers import ROLES, open_signers
from survey.storage.certificates import list_certificates
from survey.web.api.records import place_of, schema_text
from survey.web.verify.standing import statement_in

from ..conftest import NOW, PASSWORD, Site

GOLDEN = Path(__file__).parents[2] / "golden" / "contract" / "figure-record.v1.0.schema.json"
"""The contract as other offices have it; never changed once it was published."""
NUMBERS = {"figure", "standard_error", "interval", "threshold", "base", "evidence", "formula", "method_version", "sentences"}


def faults(record: Any) -> list[str]:
    """What a record does not keep, of the contract of today and of the first one."""
    found = []
    for schema in (json.loads(schema_text()), json.loads(GOLDEN.read_text(encoding="utf-8"))):
        found += [error.message for error in Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(record)]
    return found


async def record(site: Site, headers: dict[str, str], wave: str) -> Any:
    return (await site.client.get(f"/api/v1/waves/{wave}/record", headers=headers)).json()


async def test_a_figure_is_in_the_record_only_while_its_certificate_holds(certified: Site) -> None:
    await certified.person()
    headers = await certified.token("figure:read")
    wave = await certified.wave("county-b", until="drawn", county_code="320704")
    early = [await record(certified, headers, wave)]
    await certified.stand(wave, "opened")
    early.append(await record(certified, headers, wave))
    held = await record(certified, headers, "county-a")
    listed = (await certified.client.get("/api/v1/records", headers=headers)).json()
    [issued] = await list_certificates("county-a")
    statement: Any = statement_in(issued.data)
    signers = open_signers(certified.settings, {role: f"{PASSWORD} {role}" for role in ROLES})
    by = {"actor": "test", "now": NOW}
    await revoke_statement(certified.settings, certified.office, "county-a", issued.number, "计票表有误", signers, **by)
    revoked = await record(certified, headers, "county-a")

    assert [faults(one) for one in (*early, held, revoked, *listed["items"])] == [[]] * 6
    assert [one["status"] for one in (*early, held, revoked)] == ["not_opened", "not_certified", "certified", "revoked"]
    assert [NUMBERS & set(one) for one in (*early, revoked)] == [set()] * 3
    assert NUMBERS <= set(held)
    assert "null" not in json.dumps([*early, revoked])
    assert {one["wave"]: one for one in listed["items"]} == {"county-a": held, "county-b": early[1]}
    assert held["figure"] | {"name": ""} == {
        "name": "",
        **{key: statement["figure"][key] for key in ("numerator", "denominator")},
        "share": statement["figure"]["shown"],
        "percent": f"{Decimal(statement['figure']['shown']) * 100:.2f}",
    }
    assert (held["threshold"]["value"], held["threshold"]["reached"]) == (statement["threshold"], statement["reached"])
    assert held["certificate"]["statement_digest"] == digest(statement)
    assert held["certificate"]["file_digest"] == sha256_hex(issued.data)
    assert held["certificate"]["page"].endswith(f"/v/{issued.number}")
    assert (revoked["certificate"]["state"], revoked["revocation"]["reason"]) == ("revoked", "计票表有误")


async def test_a_state_that_was_put_back_shows_nothing_of_what_was_certified(certified: Site) -> None:
    from survey.storage.tables import Waves

    await certified.person()
    headers = await certified.token("figure:read")
    await Waves.update({Waves.state: "open"}).where(Waves.wave == "county-a")
    shown = await record(certified, headers, "county-a")

    assert faults(shown) == []
    assert shown["status"] == "not_opened" and not (NUMBERS | {"certificate"}) & set(shown)


async def test_the_example_is_a_record_as_it_is_given_out_and_stands_on_the_page(certified: Site) -> None:
    await certified.person()
    example = await certified.client.get("/contract/figure/v1.example.json")
    given = await record(certified, await certified.token("figure:read"), "county-a")
    page = (await certified.client.get("/contract/figure/v1")).text

    assert faults(example.json()) == []
    assert example.json()["demonstration"] is True and fields(example.json()) == fields(given)
    assert unescape(page).count(example.text) == 1


def fields(part: Any, where: str = "$") -> set[str]:
    """Where a document has what, without its values."""
    if isinstance(part, dict):
        return {where}.union(*(fields(value, f"{where}.{name}") for name, value in part.items()))
    return {where}.union(*(fields(value, f"{where}[]") for value in part)) if isinstance(part, list) else {where}


def test_the_contract_of_today_keeps_every_promise_of_the_first() -> None:
    today, first = json.loads(schema_text()), json.loads(GOLDEN.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(today)
    broken = {
        "a field gone": lambda schema: schema["properties"].pop("office"),
        "a field no longer there always": lambda schema: schema["required"].remove("status"),
        "another type": lambda schema: schema["properties"]["demonstration"].update(type="integer"),
        "another unit": lambda schema: schema["properties"]["figure"]["properties"]["percent"].update(pattern="^[0-9]+$"),
        "a new code": lambda schema: schema["properties"]["status"]["enum"].append("paused"),
        "another meaning": lambda schema: schema["properties"]["figure"]["properties"]["share"].update(description="四舍五入"),
        "null allowed": lambda schema: schema["properties"]["title"].update(type=["string", "null"]),
        "closed to new fields": lambda schema: schema.update(additionalProperties=False),
        "another rule": lambda schema: schema["oneOf"].pop(),
    }
    noticed = {}
    for name, spoil in broken.items():
        spoiled = json.loads(schema_text())
        spoil(spoiled)
        noticed[name] = bool(unkept(first, spoiled))
    grown = json.loads(schema_text())
    grown["properties"]["more"] = {"type": "string"}
    grown["properties"]["base"]["properties"]["more"] = {"type": "string"}
    grown["required"].append("more")

    assert unkept(first, today) == []
    assert unkept(first, grown) == []
    assert noticed == dict.fromkeys(broken, True)


def unkept(first: Any, today: Any, where: str = "$") -> list[str]:
    """Where a schema breaks what an earlier one promised: fields may be added, and required; nothing else may change."""
    if isinstance(first, dict) and isinstance(today, dict) and "properties" in first and "title" in first:
        found = [
            f"{where}.{key}"
            for key in (first.keys() | today.keys()) - {"properties", "required", "$comment", "description"}
            if first.get(key) != today.get(key)
        ]
        found += [f"{where}: {name} is no longer there always" for name in first.get("required", []) if name not in today.get("required", [])]
        for name, inner in first["properties"].items():
            found += unkept(inner, today.get("properties", {}).get(name), f"{where}.{name}")
        return found
    return [] if first == today else [where]


async def test_the_page_of_the_contract_names_every_field_and_code(site: Site) -> None:
    page = (await site.client.get("/contract/figure/v1")).text
    schema = await site.client.get("/contract/figure/v1.schema.json")

    def names(part: Any) -> list[str]:
        own = [*part.get("properties", {}), *part.get("x-codes", {})]
        inner = [*part.get("properties", {}).values(), *([part["items"]] if isinstance(part.get("items"), dict) else [])]
        return own + [name for one in inner for name in names(one)]

    assert schema.headers["content-type"].startswith("application/schema+json")
    assert schema.text == schema_text()
    assert [name for name in names(schema.json()) if f"{name}</code>" not in page] == []
    assert "不出现就是没有" in page and "只增加字段" in page


def test_a_place_has_the_divisions_above_it_by_their_national_codes() -> None:
    town, zone = place_of("360828104", {}), place_of("WA-KFQ", {"WA-KFQ": "360828"})

    assert (town.standard, town.county, town.prefecture, town.province) == ("GB/T 10114", "360828", "360800", "360000")
    assert (zone.standard, zone.county) == ("local", "360828")
