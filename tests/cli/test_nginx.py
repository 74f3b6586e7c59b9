"""The shipped nginx example: nginx accepts it, serves through it, and writes neither code nor address down."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path

import pytest

from survey.cli.operating import example_text

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin"), reason="needs nginx"),
]
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin") or "nginx"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def certificate(folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "survey.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def wait_for(port: int) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nobody listens")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[int, Path, subprocess.Popen[bytes]]]:
    """The https port of nginx before a running service, the folder of its logs, and the service."""
    certificate(tmp_path)
    behind, plain, secure = free_port(), free_port(), free_port()
    text = example_text("nginx.conf")
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{behind}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{secure} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "/etc/ssl/survey": str(tmp_path),
        "/var/log/nginx": str(tmp_path),
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    temporary = "\n".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"user root;\npid {tmp_path}/nginx.pid;\nerror_log {tmp_path}/start.log;\ndaemon off;\n"
        f"events {{ }}\nhttp {{\n{temporary}\n{text}\n}}\n",
        encoding="utf-8",
    )
    accepted = subprocess.run([NGINX, "-t", "-c", str(configuration)], capture_output=True, text=True, check=False)
    assert accepted.returncode == 0, accepted.stderr
    environ = {
        **os.environ,
        "SURVEY_DATA": str(tmp_path / "data"),
        "SURVEY_BASE_URL": "https://survey.example",
        "SURVEY_TRUSTED_PROXIES": "127.0.0.1",
    }
    service = subprocess.Popen(
        [sys.executable, "-m", "survey", "serve", "--port", str(behind)],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    proxy = subprocess.Popen([NGINX, "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        wait_for(behind)
        wait_for(secure)
        yield secure, tmp_path, service
    finally:
        for process in (proxy, service):
            process.terminate()
        for process in (proxy, service):
            process.wait(timeout=20)


def test_pages_come_through_nginx_and_no_code_or_address_is_written_down(
    site: tuple[int, Path, subprocess.Popen[bytes]],
) -> None:
    port, folder, service = site
    told = {path: ask(port, path) for path in ("/", "/s", "/s/2345-6789-BCDF", "/check", "/v", "/healthz", "/metrics")}
    time.sleep(0.3)
    log = (folder / "survey.log").read_text(encoding="utf-8")
    service.terminate()
    service.wait(timeout=20)
    down, headers, said = ask(port, "/s/2345-6789-BCDF")

    assert all(headers["strict-transport-security"] for _, headers, _ in told.values())
    assert [told[path][0] for path in ("/", "/v", "/healthz")] == [200] * 3
    assert told["/s/2345-6789-BCDF"][0] in (404, 422) and told["/metrics"][0] in (401, 404)
    assert log.count("\n") == 4 and "127.0.0.1" not in log and "2345" not in log
    assert (down, headers["retry-after"], headers["content-type"]) == (503, "30", "text/html; charset=utf-8")
    assert "请过半分钟再试一次" in said and "nginx" not in said


def ask(port: int, path: str) -> tuple[int, Message, str]:
    """Status, headers and text of a page that is asked for through nginx."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", headers={"Host": "survey.example"})
    try:
        with urllib.request.urlopen(request, context=trusting, timeout=10) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read().decode()
