"""From a certificate that was really issued and revoked to messages that a receiver verifies, by `survey serve`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from asyncio import to_thread
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook, WebhookVerificationError

from survey.canonical import digest
from survey.certification.certificate import take_apart
from survey.cli.main import main
from survey.jobs.certify_wave import certify_wave
from survey.jobs.revoke_statement import revoke_statement
from survey.jobs.signers import ROLES, open_signers
from survey.settings import load_settings
from survey.storage.certificates import list_certificates
from survey.storage.database import open_database
from survey.storage.office import IntakeOffice
from survey.web.api.openapi import describe_api

from .conftest import BASE, NOW, PASSWORD

WAVE = "county-a"


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], str]]]]:
    """A receiver that acknowledges; its address, and what it got."""
    got: list[tuple[dict[str, str], str]] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/told", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def survey(*words: str) -> Any:
    """What a command says with --json; it ran in this process, on the folder of the environment."""
    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


async def issue_twice_and_revoke(data: Path) -> tuple[int, int]:
    """The first certificate of the wave, a second one, and that one revoked; the numbers of both."""
    settings = load_settings({}, data=data, base_url=BASE)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        signers = open_signers(settings, {role: f"{PASSWORD} {role}" for role in ROLES})
        await certify_wave(settings, office, WAVE, signers, actor="test", now=NOW)
        await certify_wave(settings, office, WAVE, signers, reason="补上回访份数", actor="test", now=NOW)
        first, second = [one.number for one in await list_certificates(WAVE)]
        await revoke_statement(settings, office, WAVE, second, "计票表有误", signers, actor="test", now=NOW)
        await office.stop()
    return first, second


async def test_what_was_certified_and_revoked_is_told_by_the_serving_process(
    estimated_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(estimated_folder, data)
    monkeypatch.setenv("SURVEY_DATA", str(data))
    monkeypatch.setenv("SURVEY_WEBHOOK_PRIVATE", "yes")
    with receiver() as (address, got):
        await to_thread(survey, "account", "desk", "--role", "admin")
        made = await to_thread(survey, "webhook", "add", address, "--label", "督导系统")
        ended = await to_thread(survey, "webhook", "add", address, "--label", "旧的", "--account", "desk")
        await to_thread(survey, "webhook", "end", ended["webhook"])
        first, second = await issue_twice_and_revoke(data)
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            port = door.getsockname()[1]
        service = subprocess.Popen(
            [sys.executable, "-m", "survey", "serve", "--json", "--port", str(port)],
            env=dict(os.environ),
            stderr=subprocess.DEVNULL,
        )
        try:
            ends = time.monotonic() + 60
            while len(got) < 3 and time.monotonic() < ends and service.poll() is None:
                await to_thread(time.sleep, 0.05)
            await to_thread(time.sleep, 0.3)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(timeout=30)
        told = await to_thread(survey, "webhook", "list")
    async with open_database(load_settings({}, data=data)):
        statements = {
            one.number: digest(take_apart(one.data).statement) for one in await list_certificates(WAVE)
        }
    read, described = {}, []
    api = describe_api()
    for headers, body in got:
        webhook = api["webhooks"][json.loads(body)["type"]]["post"]
        schema = webhook["requestBody"]["content"]["application/json"]["schema"]
        described += Draft202012Validator({**schema, "components": api["components"]}).iter_errors(json.loads(body))
        for header in webhook["parameters"]:
            described += Draft202012Validator(header["schema"]).iter_errors(headers.get(header["name"]))
        message = Webhook(made["secret"]).verify(body, headers)
        read[message["type"]] = message["data"]
        with pytest.raises(WebhookVerificationError):
            Webhook(ended["secret"]).verify(body, headers)

    assert len(got) == 3
    assert described == []
    assert read == {
        "certificate.issued": {"wave": WAVE, "number": first, "statement_digest": statements[first]},
        "certificate.superseded": {"wave": WAVE, "number": second, "statement_digest": statements[second]},
        "certificate.revoked": {"wave": WAVE, "number": second, "statement_digest": statements[second]},
    }
    assert first != second
    assert (
        sorted((one["state"], one["outcome"]) for one in told["messages"]) == [("delivered", "HTTP 204")] * 3
    )
    assert [(one["label"], one["ended"]) for one in told["webhooks"]] == [("督导系统", False), ("旧的", True)]
    assert made["secret"] not in json.dumps(told)
