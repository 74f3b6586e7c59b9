"""The described API, fuzzed by what its own description allows and what it forbids."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import Any
from zlib import crc32

import pytest
import uvicorn

from survey.web.ration import Ration
from survey.web.rights import SCOPES

from ..conftest import Site


async def fuzz(site: Site, examples: int) -> tuple[list[tuple[str, str]], Counter[tuple[str, int]]]:
    """Failures of schemathesis over every operation, by a token that may do everything; and what was answered how often.

    Returns:
        Failures by operation; how often each operation answered with each status.
    """
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    await site.person()
    # Sixteen thousand requests in a row are what the ration is there to stop.
    site.app.state.ration = Ration(at_once=10**9)
    headers = await site.token(*SCOPES)
    door = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(site.app, log_level="critical", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[door]))

    answered: Counter[tuple[str, int]] = Counter()

    def walk() -> list[tuple[str, str]]:
        schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", headers=headers)
        failures: list[tuple[str, str]] = []
        for found in schema.get_all_operations():
            operation: Any = found.ok()

            @settings(
                max_examples=examples, deadline=None, database=None, derandomize=True,
                phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy())
            def sound(case: Any) -> None:
                if "{wave}" in operation.path and crc32(repr(case.path_parameters).encode()) % 2:
                    case.path_parameters["wave"] = "county-a"
                # No description can say which texts are a cursor that was given, nor which act is due.
                unsayable = "cursor" in (case.query or {}) or operation.method.upper() == "POST"
                invented = [positive_data_acceptance] if unsayable else []
                reply = case.call(base_url=address, headers=headers)
                answered[operation.label, reply.status_code] += 1
                case.validate_response(
                    reply, headers=headers, excluded_checks=invented,
                    transport_kwargs={"base_url": address, "headers": headers},
                )  # fmt: skip

            try:
                sound()
            except Exception as failure:
                failures.append((operation.label, str(failure)[:600]))
        return failures

    try:
        return await asyncio.to_thread(walk), answered
    finally:
        server.should_exit = True
        await serving


async def test_the_description_keeps_what_it_says(certified: Site) -> None:
    failures, answered = await fuzz(certified, 5)

    assert failures == []
    assert answered.total() >= 50


@pytest.mark.slow
async def test_a_thousand_requests_an_operation_find_no_server_error(certified: Site) -> None:
    failures, answered = await fuzz(certified, 1000)

    statuses: Counter[int] = Counter()
    for (_, status), times in answered.items():
        statuses[status] += times
    broken = sum(times for status, times in statuses.items() if status >= 500)
    operations = len({operation for operation, _ in answered})
    print(f"{operations} operations, {answered.total()} requests, {broken} with 5xx; by status {dict(sorted(statuses.items()))}")
    assert failures == []
    assert broken == 0
    assert answered.total() >= 10_000
