"""Commands of the auditor: the confidential bundle, and the audit that adds a line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from survey import canonical
from survey.cli.guarding import read_planted
from survey.cli.session import actor, at_desk, command_options, emit, read_file, run, utc_now, write_file
from survey.errors import SurveyError
from survey.jobs.audit_wave import AUDITED_TYPE, audit_bundle, sign_audit
from survey.jobs.auditor_bundle import auditor_bundle
from survey.jobs.certify_wave import Audited
from survey.jobs.signers import AUDITOR, open_signer


class AuditedFileError(SurveyError):
    """Not the file that `survey audit --sign` writes."""

    code = "audit.file"
    kind = "invalid"

    def __init__(self, path: Path) -> None:
        super().__init__(f"文件 {path}", "不是核查人签过的文件", "用 survey audit --sign 写出的那一份")


def read_audited(path: Path) -> Audited:
    """The auditor's statement and line in a file a person named."""
    try:
        document = canonical.decode(read_file(path))
        if document["type"] != AUDITED_TYPE:
            raise AuditedFileError(path)
        return Audited(dict(document["statement"]), str(document["line"]))
    except (canonical.NotCanonicalError, KeyError, TypeError, ValueError) as error:
        raise AuditedFileError(path) from error


@click.command("auditor-bundle")
@click.argument("wave")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="写到哪个文件 (output ZIP)")
@command_options
def auditor_bundle_command(data: Path | None, wave: str, out: Path | None, as_json: bool) -> None:
    """给上级核查人的保密核查包：公开包，加上答卷和盐。The confidential bundle for the auditor."""
    target = out or Path(f"{wave}_auditor.zip")

    async def work() -> bytes:
        async with at_desk(data) as (settings, _):
            return await auditor_bundle(settings, wave, actor=actor(), now=utc_now())

    content = run(work())
    write_file(target, b"")
    target.chmod(0o600)
    write_file(target, content)
    emit(
        {"wave": wave, "bundle": str(target)},
        as_json,
        f"核查包（保密）：{target}\n当面交给核查人，不要放在网上。",
    )


@click.command("audit")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--planted",
    "planted_file",
    type=click.Path(path_type=Path),
    default=None,
    help="核对答卷的清单 (the confidential list)",
)
@click.option(
    "--sign",
    "signed_file",
    type=click.Path(path_type=Path),
    default=None,
    help="全部成立就签，写到这里 (sign, write here)",
)
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    default=None,
    help="核查人口令所在的文件 (passphrase file)",
)
@command_options
def audit_command(
    data: Path | None,
    file: Path,
    planted_file: Path | None,
    signed_file: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """核查人离线核查：逐份打开承诺、找核对答卷、重演抽样、从答卷重算。Audit a confidential bundle offline."""
    planted = None if planted_file is None else read_planted(planted_file)
    audit = audit_bundle(read_file(file), planted)
    document: dict[str, Any] = audit.verdict.document()
    lines = audit.verdict.lines()
    if signed_file is not None and audit.verdict.ok:
        if passphrase_file is not None:
            passphrase = read_file(passphrase_file).decode("utf-8", "replace").rstrip("\r\n")
        else:
            passphrase = click.prompt("上级核查口令 (auditor passphrase)", hide_input=True, err=True)

        async def work() -> dict[str, Any]:
            async with at_desk(data) as (settings, _):
                return sign_audit(audit, open_signer(settings, AUDITOR, passphrase), utc_now().date())

        write_file(signed_file, canonical.encode(run(work())))
        document["signed"] = str(signed_file)
        lines.append(
            f"已签：{signed_file}。交给承办单位，由经办和签发确认：survey certify WAVE --audited {signed_file}"
        )
    emit(document, as_json, "\n".join(lines))
    if not audit.verdict.ok:
        sys.exit(audit.verdict.exit_code)
