"""The log of a real service: JSON lines with a request's identifier, and nothing of a person in them."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from survey.cli.logs import JsonLines, PlainLines

MARKER = "标记一二三"
CODE = "2345-6789-BCDF"


def record(message: str, **more: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelname": "INFO", "name": "survey.x", "created": 0.0, **more})


def test_what_an_exception_says_is_left_out_and_where_it_happened_stays() -> None:
    try:
        raise ValueError(MARKER)
    except ValueError:
        line = JsonLines().format(record("failed", exc_info=sys.exc_info()))
    told = json.loads(line)

    assert MARKER not in line
    assert told["exception"] == "ValueError" and "test_logs.py" in told["where"][0]


def test_codes_tokens_and_addresses_are_hidden_and_no_event_poses_as_two() -> None:
    text = f"slip {CODE} from 192.0.2.7 by survey_{'a' * 43}\nforged"
    for written in (JsonLines().format(record(text)), PlainLines().format(record(text))):
        assert CODE not in written and "192.0.2.7" not in written and "aaaa" not in written
        assert "\n" not in written


def test_a_service_writes_routes_and_never_what_was_asked_or_sent(tmp_path: Path) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    log = tmp_path / "log"
    environ = {**os.environ, "SURVEY_DATA": str(tmp_path / "data"), "SURVEY_LOG": "json"}
    with open(log, "wb") as errors:
        service = subprocess.Popen(
            [sys.executable, "-m", "survey", "serve", "--json", "--port", str(port)], env=environ, stderr=errors
        )
    try:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        quoted = urllib.parse.quote(MARKER)
        sent = urllib.parse.urlencode({"answer": MARKER, "password": MARKER, "name": MARKER}).encode()
        told = {}
        for path, body in (
            (f"/s/{CODE}?x={quoted}", None),
            (f"/s/{CODE}", sent),
            ("/console/sign-in", sent),
            (f"/console/waves/{quoted}?q={quoted}", None),
            (f"/v/{quoted}", None),
            ("/api/v1/waves", None),
        ):
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}{path}",
                data=body,
                headers={"Authorization": f"Bearer survey_{'m' * 43}", "Cookie": f"session={'m' * 43}"},
            )
            try:
                with urllib.request.urlopen(request, timeout=20) as reply:
                    told[path] = reply.headers.get("x-request-id", "")
            except urllib.error.HTTPError as refusal:
                told[path] = refusal.headers.get("x-request-id", "")
    finally:
        service.terminate()
        service.wait(timeout=30)
    text = log.read_text(encoding="utf-8")
    events = [json.loads(line) for line in text.splitlines()]
    requests = [event for event in events if event["source"] == "survey.request"]

    assert {event["route"] for event in requests} >= {"/console/sign-in", "/api/v1/waves"}
    assert told["/api/v1/waves"] in {event["request"] for event in requests}
    for secret in (MARKER, quoted, CODE, CODE.replace("-", ""), "127.0.0.1", "mmmm"):
        assert secret not in text
    assert not re.search(r'"route": "/[so]/', text)
