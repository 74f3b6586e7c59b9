"""How long and how much memory the one-file verifier needs for a large county, standard library only.

    python benchmarks/verification.py [--answers 100000]

Makes a whole wave with the tests' own maker (slips, leaves, a signed head every three answers,
closing, opening, registry, table), writes bundle and one-file verifier to a temporary folder,
and runs `python3 -I -S survey-verify.pyz bundle.zip` in a process of its own, without any
installed package. Figures kept in `verification.md`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from survey.certification.zipapp_verifier import build_zipapp

PER_DOMAIN = 60
RETURNED = 0.7
"""The share of slips after each domain's first that `make_wave` lets come back."""
WEIGHED = """
import atexit, runpy, sys
atexit.register(lambda: print(*(line for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr))
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a program and tells the most memory held; a child's `ru_maxrss` counts in what its parent held when it forked."""


def wave_maker() -> ModuleType:
    """The module of the tests that makes random waves."""
    path = Path(__file__).parents[1] / "tests" / "certification" / "conftest.py"
    spec = importlib.util.spec_from_file_location("waves", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["waves"] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Make, verify, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--answers", type=int, default=100_000)
    options = parser.parse_args()
    schools = round(options.answers / (2 * (1 + RETURNED * (PER_DOMAIN - 1)))) + 3
    began = time.perf_counter()
    wave = wave_maker().make_wave(1, schools=schools, issued=(PER_DOMAIN, PER_DOMAIN), void=False)
    made = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        bundle, program = Path(folder, "bundle.zip"), Path(folder, "survey-verify.pyz")
        bundle.write_bytes(wave.bundle)
        program.write_bytes(build_zipapp())
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", WEIGHED, str(program), "--json", str(bundle)],
            check=False,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - began
    peak = int(done.stderr.split()[-2]) / 1024
    document = json.loads(done.stdout)
    print(
        json.dumps(
            {
                "answers": len(wave.facts["leaves"]),
                "heads": len(wave.facts["heads"]),
                "bundle_mib": round(len(wave.bundle) / 2**20, 1),
                "exit_code": done.returncode,
                "claims_true": sum(claim["ok"] is True for claim in document["claims"]),
                "claims_false": sum(claim["ok"] is False for claim in document["claims"]),
                "seconds": round(seconds, 1),
                "peak_mib": round(peak),
                "making_seconds": round(made, 1),
                "python": platform.python_version(),
            },
            indent=1,
        )
    )
    if done.returncode or document["exit_code"]:
        raise SystemExit("the bundle did not verify")


if __name__ == "__main__":
    main()
