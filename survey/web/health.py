"""Whether the process lives, whether people may be sent to it, and its figures for Prometheus.

`/health` looks at nothing. `/ready` tells a proxy yes or no and names what is not well by one
word each, never by a figure; it looks at most once in five seconds, whoever asks how often.
`/metrics` takes a token with the scope `metrics:read`: an address would not do, since behind a
proxy everybody comes from the proxy's. It holds no result, no wave and no person.
"""

import asyncio
import shutil
import time
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from litestar import MediaType, Response, get
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from survey.jobs.check_health import NEEDED, HealthLine, check_health, is_ready
from survey.storage.backups import find_last_backup
from survey.storage.webhooks import undelivered
from survey.web.access import anyone, token_with
from survey.web.pages import AnyRequest

LOOK_EVERY = 5.0
"""Seconds for which one look is told to everybody who asks."""


class Readiness:
    """The newest look at what answering rests on."""

    def __init__(self) -> None:
        self._lines: tuple[HealthLine, ...] = ()
        self._looked = -LOOK_EVERY
        self._turn = asyncio.Lock()

    async def look(self, state: Any) -> tuple[HealthLine, ...]:
        """The lines, at most five seconds old."""
        async with self._turn:
            if time.monotonic() - self._looked >= LOOK_EVERY:
                self._lines = await check_health(state.settings, state.office, now=state.now())
                self._looked = time.monotonic()
            return self._lines


@get(["/health", "/healthz"], media_type=MediaType.TEXT, guards=[anyone])
async def show_health() -> str:
    """`ok` while the process answers; it looks at nothing that a stranger may learn from."""
    return "ok"


@get("/ready", guards=[anyone])
async def show_ready(request: AnyRequest) -> Response[bytes]:
    """200 while answers are taken in, 503 otherwise, with the state of each thing in one word."""
    state = request.app.state
    lines = await state.readiness.look(state)
    ready = is_ready(lines)
    told = {"ready": ready, "checks": {line.key: line.state for line in lines if line.key in NEEDED}}
    return Response(
        msgspec.json.encode(told),
        media_type=MediaType.JSON,
        status_code=200 if ready else 503,
        headers={} if ready else {"Retry-After": str(int(LOOK_EVERY))},
    )


@get("/metrics", guards=[token_with("metrics:read")])
async def show_metrics(request: AnyRequest) -> Response[bytes]:
    """The process's figures in Prometheus's text format."""
    state = request.app.state
    last = await find_last_backup()
    age = (state.now() - last.made_at).total_seconds() if last else None
    ready = is_ready(await state.readiness.look(state))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(state, ready, age, await undelivered(now=state.now())))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures:
    """Integers that the process counted anyway, read when they are asked for."""

    def __init__(self, state: Any, ready: bool, backup_age: float | None, missed: dict[str, int]) -> None:
        self._state, self._ready, self._backup_age, self._missed = state, ready, backup_age, missed

    def collect(self) -> Iterator[Metric]:
        """Each figure with its meaning."""
        office, settings = self._state.office, self._state.settings
        counts = office.counts
        yield _counter("survey_posts_acknowledged", "Answers kept, by whether sent before.", "kind", counts.kept.items())
        yield _counter("survey_posts_refused", "Answers not kept, by reason.", "reason", counts.refused.items())
        yield _counter(
            "survey_codes_mistyped", "Codes that led to no slip, by why.", "why", counts.mistyped.items()
        )
        yield _counter(
            "survey_responses",
            "Answers of desk, API and verifier, by class of status; forms that people send are counted above.",
            "class",
            self._state.answered_with.items(),
        )
        waiting, batches = office.batch_counts()
        yield GaugeMetricFamily("survey_queue_depth", "Answers waiting for their commit.", waiting)
        yield SummaryMetricFamily(
            "survey_commit_seconds", "Time of a batch, to its durable commit.", batches.batches, batches.seconds
        )
        yield SummaryMetricFamily(
            "survey_commit_entries", "Answers that shared one commit.", batches.batches, batches.entries
        )
        usage = shutil.disk_usage(settings.data)
        yield GaugeMetricFamily("survey_disk_free_bytes", "Free space where the data lie.", usage.free)
        yield GaugeMetricFamily("survey_disk_size_bytes", "Size of that disk.", usage.total)
        yield GaugeMetricFamily("survey_waves_served", "Waves with an intake in this process.", len(office.waves()))
        yield GaugeMetricFamily("survey_waves_read_only", "Waves that take nothing in for a fault.", len(office.resting()))
        yield GaugeMetricFamily("survey_waves_damaged", "Of these, waves that cannot be read.", len(office.damaged()))
        readings = office.readings
        yield GaugeMetricFamily(
            "survey_waves_to_read", "Waves whose log is still to be read whole.", len(readings.waiting)
        )
        yield GaugeMetricFamily(
            "survey_reading_share", "How far the reading under way has come.", readings.progress()
        )
        yield GaugeMetricFamily("survey_ready", "1 while answers are taken in.", int(self._ready))
        yield GaugeMetricFamily(
            "survey_background_jobs",
            "Jobs at work: printing, opening, estimating, certifying, packing.",
            self._state.print_room.at_work() + self._state.work_room.at_work(),
        )
        missed = GaugeMetricFamily(
            "survey_webhook_messages", "Messages of the last week that did not arrive.", labels=["state"]
        )
        for name, count in self._missed.items():
            missed.add_metric([name], count)
        yield missed
        if self._backup_age is not None:
            yield GaugeMetricFamily("survey_backup_age_seconds", "Since the last verified backup.", self._backup_age)


def _counter(name: str, meaning: str, label: str, counted: Iterable[tuple[str, int]]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=[label])
    for kind, count in sorted(counted):
        family.add_metric([kind], count)
    return family


HEALTH_ROUTES = (show_health, show_ready, show_metrics)
