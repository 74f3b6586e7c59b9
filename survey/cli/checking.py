"""Commands that need neither server nor data folder: verify a certificate, validate the formulas."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

MARKS = {True: "✓", False: "✗", None: "–"}


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "keys", multiple=True, help="认可的验证公钥，可多次给出 (trusted vkey, repeatable)")
@click.option("--json", "as_json", is_flag=True, help="只打印一个JSON (print one JSON document)")
def verify_command(file: Path, keys: tuple[str, ...], as_json: bool) -> None:
    """离线核验证书或公开核验包。退出码 0 全部成立，1 有假，2 读不出。Verify offline; exit 0, 1 or 2."""
    from survey.certification.verification import verify_file

    try:
        data = file.read_bytes()
    except OSError as error:
        message = f"文件 {file}：打不开（{error.strerror}）。看一看路径和权限。"
        click.echo(
            json.dumps({"error": {"code": "cli.unreadable_file", "reason": message}}, ensure_ascii=False)
            if as_json
            else message
        )
        sys.exit(2)
    verdict = verify_file(data, trusted_vkeys=keys or None)
    if as_json:
        click.echo(json.dumps(verdict.document(), ensure_ascii=False, indent=1))
    else:
        for line in verdict.lines():
            click.echo(line)
    sys.exit(verdict.exit_code)


@click.command("validate")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--topic", "topics", multiple=True, help="只验这些题目，可多次给出 (topic, repeatable)")
@click.option("--json", "as_json", is_flag=True, help="只打印一个JSON (print one JSON document)")
def validate_command(folder: Path, topics: tuple[str, ...], as_json: bool) -> None:
    """用参考值验证本机的计算和R一致。Prove that this installation computes as R does."""
    from survey.cli.vectors import read_vectors
    from survey.errors import SurveyError
    from survey.estimation.conformance import check_vector

    try:
        work = read_vectors(folder, topics)
    except SurveyError as refusal:
        click.echo(
            json.dumps({"error": refusal.document()}, ensure_ascii=False) if as_json else str(refusal),
            err=not as_json,
        )
        sys.exit(2)
    passed: dict[str, int] = {}
    failures = []
    for vector in work.vectors:
        outcome = check_vector(vector, work.dataset)
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
