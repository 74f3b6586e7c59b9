"""Progress is told to a person at a terminal, on the error stream, and to nobody else."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from survey.certification.__main__ import main as verify_program
from survey.certification.archive import pack
from survey.certification.bundle_reader import PARTS, BundleOptions
from survey.certification.verification import verify_bundle
from survey.cli.progress import counted, shares


class Terminal(io.StringIO):
    """An error stream that somebody looks at."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_person_at_a_terminal_sees_how_many_of_how_many(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    with counted("备份", as_json=False) as tell:
        assert tell is not None
        for done in (0, 1200, 600, 2400):
            tell(done, 2400)

    assert "备份" in seen.getvalue()
    assert "1,200 / 2,400" in seen.getvalue()
    assert "100%" in seen.getvalue()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("as_json", [True, False])
def test_nothing_is_told_with_json_or_into_a_file(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    seen = Terminal() if as_json else io.StringIO()
    monkeypatch.setattr(sys, "stderr", seen)
    with counted("备份", as_json) as one, shares("计数", as_json) as other:
        assert one is None and other is None

    assert seen.getvalue() == ""


def test_verifying_a_bundle_tells_each_part_before_it_begins() -> None:
    told: list[tuple[int, int, str]] = []
    verify_bundle({}, BundleOptions(progress=lambda done, of, part: told.append((done, of, part))))

    assert [part for _, _, part in told] == list(PARTS[:-1])
    assert [done for done, _, _ in told] == list(range(len(PARTS) - 1))
    assert {of for _, of, _ in told} == {len(PARTS)}


def test_the_program_tells_a_person_and_never_with_json(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(pack({"plan.json": b"{}"}))
    seen, quiet = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    verify_program([str(bundle)])
    monkeypatch.setattr(sys, "stderr", quiet)
    verify_program([str(bundle), "--json"])

    assert "核对 2/8　填写码和答卷清单" in seen.getvalue()
    assert quiet.getvalue() == ""
