"""The verifier as one file that any Python from 3.10 runs: `python3 survey-verify.pyz FILE`.

This room's sources and the three modules it stands on enter; the bytes of a zipapp leave,
the same bytes for the same sources, so that an office can compare digests. The person who
checks installs nothing and needs no network. Standard library only.
"""

from __future__ import annotations

import io
import zipfile
from importlib.resources import files

NAME = "survey-verify.pyz"
BESIDE = ("__init__.py", "canonical.py", "errors.py", "exact.py")
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = "from survey.certification.__main__ import main\n\nraise SystemExit(main())\n"
_WITHOUT = (
    "conformance.py",
    "conformance_wave.py",
    "intake_check.py",
    "r_script.py",
    "signature.py",
    "zipapp_verifier.py",
)
"""Signing and the reference vectors need `cryptography`; the verifier leaves them at home."""


def build_zipapp() -> bytes:
    """The zipapp's bytes, deterministic."""
    house = files("survey")
    sources = {f"survey/{name}": house.joinpath(name).read_text(encoding="utf-8") for name in BESIDE}
    for entry in house.joinpath("certification").iterdir():
        if entry.name.endswith(".py") and entry.name not in _WITHOUT:
            sources[f"survey/certification/{entry.name}"] = entry.read_text(encoding="utf-8")
    sources["__main__.py"] = _MAIN
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(sources):
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o644 << 16
            archive.writestr(member, sources[name].encode())
    return _SHEBANG + buffer.getvalue()
