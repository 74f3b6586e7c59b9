"""The one-file verifier, run by a bare Python outside every installed package."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import survey
from survey.certification.__main__ import main
from survey.certification.zipapp_verifier import build_zipapp


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verifier") / "survey-verify.pyz"
    path.write_bytes(build_zipapp())
    return path


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -I ignores the environment and the working folder, -S leaves site-packages out.
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), *arguments],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd="/",
        timeout=60,
    )


def test_the_zipapp_accepts_certificate_and_bundle_without_any_package(program, small_wave, tmp_path):
    certificate, bundle = tmp_path / "certificate.json", tmp_path / "bundle.zip"
    certificate.write_bytes(small_wave.certificate)
    bundle.write_bytes(small_wave.bundle)
    outcomes = [run(program, str(path)) for path in (certificate, bundle)]

    assert [outcome.returncode for outcome in outcomes] == [0, 0], outcomes
    assert all("✓ 满意度重算" in outcome.stdout for outcome in outcomes)
    assert all(outcome.stderr == "" for outcome in outcomes)


def test_the_zipapp_names_what_was_altered_and_what_it_cannot_read(program, small_wave, tmp_path):
    altered, noise = tmp_path / "altered.json", tmp_path / "noise"
    altered.write_bytes(small_wave.certificate.replace(b'"n":', b'"n":1', 1))
    noise.write_bytes(bytes(range(256)))
    first, second = run(program, "--json", str(altered)), run(program, str(noise))

    assert first.returncode == 1
    assert json.loads(first.stdout)["exit_code"] == 1
    assert second.returncode == 2 and "读不懂" in second.stdout
    assert run(program, str(tmp_path / "absent")).returncode == 2


def test_the_zipapp_reads_an_evidence_pack_and_names_the_file_that_is_not_as_its_list_says(program, small_wave, tmp_path):
    papers = {"09_签名和证书/bundle.zip": small_wave.bundle, "07_计数和算法/口径.txt": b"a"}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in papers.items())
    outcomes = []
    for changed in ({}, {"07_计数和算法/口径.txt": b"b"}):
        path = tmp_path / "建档.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
            for name, content in {**papers, "SHA256SUMS": sums.encode(), **changed}.items():
                pack.writestr(f"甲县_建档/{name}", content)
        outcomes.append(run(program, str(path)))

    assert [outcome.returncode for outcome in outcomes] == [0, 1], outcomes
    assert "✓ 建档包的清单：2个文件" in outcomes[0].stdout and "✓ 满意度重算" in outcomes[0].stdout
    assert "✗ 建档包的清单：有1个文件对不上：07_计数和算法/口径.txt" in outcomes[1].stdout


def test_the_zipapp_is_the_same_bytes_every_time():
    assert build_zipapp() == build_zipapp()


@pytest.mark.slow
def test_a_hundred_thousand_answers_verify_within_a_minute_and_a_gibibyte() -> None:
    program = Path(__file__).parents[2] / "benchmarks" / "verification.py"
    told = json.loads(subprocess.run([sys.executable, str(program)], capture_output=True, check=True).stdout)

    assert told["answers"] >= 100_000 and told["claims_true"] > 20
    assert (told["exit_code"], told["claims_false"]) == (0, 0)
    assert told["seconds"] < 60 and told["peak_mib"] < 1024


def test_the_verifier_is_written_for_python_3_10_and_imports_only_the_standard_library():
    house = Path(survey.__file__).parent
    beside = [house / name for name in ("canonical.py", "errors.py", "exact.py")]
    for path in [*beside, *sorted((house / "certification").glob("*.py"))]:
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))
        outside = [
            name
            for node in tree.body
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            if name.split(".")[0] != "survey" and name.split(".")[0] not in sys.stdlib_module_names
        ]

        assert outside == [], path.name


def test_the_program_prints_one_line_per_claim(small_wave, tmp_path, capsys):
    path = tmp_path / "certificate.json"
    path.write_bytes(small_wave.certificate)
    code = main([str(path)])
    lines = capsys.readouterr().out.splitlines()

    assert code == 0
    assert lines[-1].startswith("结论：") and all(line[0] in "✓✗–" for line in lines[:-1])
