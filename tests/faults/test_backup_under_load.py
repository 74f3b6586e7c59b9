"""Back up a running service under load, kill it, restore: nothing acknowledged before the backup is missing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

SERVING = """
import asyncio, os, sys
sys.path.insert(0, {here!r})
import submitting
from survey.cli.control import control_door
from survey.settings import load_settings
from survey.storage.database import open_database
from survey.storage.intake import Accepted, BusyError
from survey.storage.office import IntakeOffice

async def main():
    settings = load_settings({{}}, data=sys.argv[1], least_free_share=0.0)
    async with open_database(settings) as database:
        office = IntakeOffice(settings)
        await office.start()
        await submitting.create(office, 60_000)
        async with control_door(settings, database, office):
            print("ready", flush=True)
            numbers = iter(range(60_000))
            async def send():
                for number in numbers:
                    try:
                        outcome = await office.submit(submitting.WAVE, submitting.entry_of(number))
                    except BusyError:
                        await asyncio.sleep(0.05)
                        continue
                    if isinstance(outcome, Accepted):
                        sys.stdout.write(f"{{number}} {{outcome.index}} {{outcome.leaf.decode()}}\\n")
                        sys.stdout.flush()
                    await asyncio.sleep(0.01)
            await asyncio.gather(*(send() for _ in range(32)))

asyncio.run(main())
"""


def survey(*arguments: str, **environ: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "survey", *arguments, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.long
def test_no_answer_acknowledged_before_the_backup_is_missing_after_a_kill(tmp_path: Path) -> None:
    data, passphrase = tmp_path / "data", tmp_path / "passphrase"
    passphrase.write_text("a long enough passphrase\n", encoding="utf-8")
    key = survey(
        "backup", "--new-key", str(tmp_path / "key"), "--passphrase-file", str(passphrase), "--data", str(data)
    )
    program = SERVING.format(here=str(Path(__file__).parent))
    serving = subprocess.Popen(
        [sys.executable, "-c", program, str(data)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    acked: list[tuple[int, str]] = []
    waits: list[float] = []
    ready = threading.Event()

    def read() -> None:
        assert serving.stdout is not None
        before = 0.0
        for line in serving.stdout:
            if line == "ready\n":
                ready.set()
                continue
            parts = line.split(" ", 2)
            if len(parts) == 3 and line.endswith("\n"):
                now = time.monotonic()
                waits.append(now - before if before else 0.0)
                before = now
                acked.append((int(parts[1]), parts[2].rstrip("\n")))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(60)
        time.sleep(1.0)
        n_before = len(acked)
        done = survey(
            "backup", str(tmp_path / "b.age"), "--keys", str(tmp_path / "k.age"), "--to", str(key["public"]),
            "--data", str(data),
        )  # fmt: skip
        time.sleep(0.5)
    finally:
        serving.send_signal(signal.SIGKILL)
        serving.wait()
        reader.join()
    restored = survey(
        "restore", str(tmp_path / "b.age"), "--key", str(tmp_path / "key"), "--keys", str(tmp_path / "k.age"),
        "--passphrase-file", str(passphrase), "--data", str(tmp_path / "new"),
    )  # fmt: skip
    leaves = asyncio.run(stored(tmp_path / "new"))
    size = done["waves"]["wave-1"]  # type: ignore[index]
    print(f"\n{n_before} before, {size} in the backup, {len(acked)} in the end; longest pause {max(waits):.3f} s")

    assert n_before > 100 and len(acked) > size >= n_before
    assert restored["started"] and len(leaves) == size == restored["waves"]["wave-1"]  # type: ignore[index]
    assert all(leaves[index].decode() == leaf for index, leaf in acked if index < size)
    assert not list(data.glob("backup-*"))


async def stored(data: Path) -> list[bytes]:
    from survey.settings import load_settings
    from survey.storage.database import open_database
    from survey.storage.office import IntakeOffice

    settings = load_settings({}, data=data)
    async with open_database(settings):
        office = IntakeOffice(settings)
        await office.start()
        leaves = await office.leaves("wave-1")
        await office.stop()
    return leaves
