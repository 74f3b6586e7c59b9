"""Commands that need neither server nor data folder: verify a certificate, validate the formulas."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from survey.certification.conformance import Check
    from survey.estimation.conformance import VectorOutcome


@click.command("verify", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def verify_command(arguments: tuple[str, ...]) -> None:
    """离线核验证书或公开证据包。退出码 0 全部成立，1 有假，2 读不出。Verify offline; exit 0, 1 or 2."""
    # One program for both: what the one-file verifier prints and returns, this command does too.
    from survey.certification.__main__ import main

    sys.exit(main(arguments, program="survey verify"))


@click.command("validate")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--topic", "topics", multiple=True, help="只验这些题目，可多次给出 (topic, repeatable)")
@click.option("--json", "as_json", is_flag=True, help="只打印一个JSON (print one JSON document)")
def validate_command(folder: Path, topics: tuple[str, ...], as_json: bool) -> None:
    """用参考值验证本机：统计和R一致，证据格式和公开向量一致。Prove that this installation computes as R does, or seals as the published vectors say."""
    from survey.errors import SurveyError

    try:
        outcomes = _outcomes(folder, topics)
    except SurveyError as refusal:
        click.echo(
            json.dumps({"error": refusal.document()}, ensure_ascii=False) if as_json else str(refusal),
            err=not as_json,
        )
        sys.exit(2)
    passed: dict[str, int] = {}
    failures = []
    for outcome in outcomes:
        if outcome.passed:
            passed[outcome.topic] = passed.get(outcome.topic, 0) + 1
        else:
            failures.append(outcome)
            if not as_json:
                click.echo(f"✗ {outcome.id}: {outcome.detail}")
    n_passed, n_failed = sum(passed.values()), len(failures)
    if as_json:
        document = {
            "passed": n_passed,
            "failed": n_failed,
            "passed_by_topic": passed,
            "failures": [{"id": one.id, "topic": one.topic, "detail": one.detail} for one in failures],
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        for topic, count in passed.items():
            click.echo(f"✓ {topic}: {count}")
        click.echo(f"{n_passed} passed, {n_failed} failed")
    sys.exit(1 if n_failed or not n_passed else 0)


def _outcomes(folder: Path, topics: tuple[str, ...]) -> Iterator[VectorOutcome | Check]:
    """What became of every vector of a folder, whichever kind it holds.

    Raises:
        NotAReferenceFolderError: it holds neither, or a file that cannot be read.
    """
    from survey.certification.conformance import check_evidence_vectors
    from survey.certification.conformance_wave import NAME, check_worked_wave
    from survey.cli.vectors import is_evidence_folder, read_evidence_vectors, read_vectors
    from survey.estimation.conformance import run_vectors
    from survey.fieldwork.code import is_code
    from survey.fieldwork.invitation import slip_digest

    if not is_evidence_folder(folder):
        work = read_vectors(folder, topics)
        return run_vectors(work.vectors, work.dataset)
    files = read_evidence_vectors(folder)
    every = chain(check_evidence_vectors(files), check_worked_wave(files.get(NAME, {}), slip_digest, is_code))
    return (check for check in every if not topics or check.topic in topics)
