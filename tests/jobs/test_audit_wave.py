"""The auditor opens everything, adds a line, and the certificate says audited; nothing less will do."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date

import pytest

from survey import canonical
from survey.certification.archive import pack, unpack
from survey.certification.signature import Signer
from survey.certification.verification import verify_file
from survey.jobs.audit_wave import AuditFailedError, audit_bundle, sign_audit
from survey.jobs.auditor_bundle import auditor_bundle
from survey.jobs.certify_wave import Audited, OtherStatementError, SelfCheckError, certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.open_wave import open_wave
from survey.jobs.signers import register_vkey

from .conftest import NOW, Bureau
from .test_planted import planted_wave

AUDITOR = Signer("above.example/auditor", bytes(range(32)))
DAY = date(2026, 12, 20)


async def audited_wave(bureau: Bureau) -> tuple[object, bytes]:
    """A certified wave with canaries, and its confidential bundle."""
    register_vkey(bureau.settings, "auditor", AUDITOR.vkey)
    planted = await planted_wave(bureau)
    await bureau.act(close_wave)
    await bureau.act(open_wave, planted=planted)
    await estimate_wave(bureau.office, bureau.wave, **bureau.by)
    await bureau.act(certify_wave)
    return planted, await auditor_bundle(bureau.settings, bureau.wave, actor="test", now=NOW)


def false_claims(verdict: object) -> list[str]:
    return [claim.name for claim in verdict.claims if claim.ok is False]


async def test_an_audit_that_holds_raises_the_level_under_three_lines(bureau: Bureau) -> None:
    planted, bundle = await audited_wave(bureau)
    audit = audit_bundle(bundle, planted)
    signed = sign_audit(audit, AUDITOR, DAY)
    with pytest.raises(OtherStatementError):
        other = {**signed["statement"], "n": signed["statement"]["n"] + 1}
        await bureau.act(certify_wave, audited=Audited(other, signed["line"]))
    stranger = Signer(AUDITOR.name, secrets.token_bytes(32))
    with pytest.raises(SelfCheckError):
        line = stranger.sign("something else\n")
        await bureau.act(certify_wave, audited=Audited(signed["statement"], line))
    issued = await bureau.act(certify_wave, audited=Audited(signed["statement"], signed["line"]))
    certificate = canonical.decode(issued.certificate.read_bytes())
    without = certificate | {
        "statement_note": "".join(certificate["statement_note"].splitlines(keepends=True)[:-1])
    }

    assert audit.verdict.ok, audit.verdict.lines()
    assert certificate["statement"]["level"] == "audited"
    assert "S5" not in {entry["code"] for entry in certificate["statement"]["sentences"]}
    assert certificate["statement_note"].count("— ") == 3
    assert verify_file(issued.certificate.read_bytes()).ok and verify_file(issued.bundle.read_bytes()).ok
    assert false_claims(verify_file(canonical.encode(without))) == ["声明由两人签名"]


async def test_whatever_an_insider_changed_is_named_by_the_audit(desk: Bureau) -> None:
    planted, bundle = await audited_wave(desk)
    members, _ = unpack(bundle)
    lines = members["records.jsonl"].split(b"\n")
    altered = (
        lines[0].replace(b'\\"day\\":1', b'\\"day\\":2')
        if b'\\"day\\":1' in lines[0]
        else lines[0][:-3] + b'0"}'
    )
    cases = {
        "承诺": {"records.jsonl": b"\n".join([altered, *lines[1:]])},
        "抽样重演": {
            "wave_plan.json": members["wave_plan.json"].replace(b'"minimum_count":10', b'"minimum_count":9')
        },
    }
    found = {
        name: false_claims(audit_bundle(pack({**members, **change}), planted).verdict)
        for name, change in cases.items()
    }
    shorter = audit_bundle(pack({**members, "records.jsonl": b"\n".join(lines[1:])}), planted)
    other_list = audit_bundle(bundle, replace(planted, salt="0" * 64))
    no_list = audit_bundle(bundle, None)
    offline = {name: verify_file(pack({**members, **change})) for name, change in {**cases, "": {}}.items()}

    # The offline verifier opens every commitment by itself, and names the file that was altered.
    assert [offline[name].exit_code for name in ("承诺", "抽样重演", "")] == [1, 1, 0], offline[""].lines()
    assert offline["承诺"].first_false.file == "records.jsonl"
    assert offline["抽样重演"].first_false.file == "wave_plan.json"
    opened = next(claim for claim in offline[""].claims if claim.name == "承诺")
    assert opened.ok and opened.detail.startswith(f"{len(lines) - 1}/{len(lines) - 1}")
    assert all(name in claims for name, claims in found.items()), found
    assert "承诺" in false_claims(shorter.verdict)
    assert false_claims(other_list.verdict) == ["核对答卷"] == false_claims(no_list.verdict)
    for failed in (shorter, other_list, no_list):
        with pytest.raises(AuditFailedError):
            sign_audit(failed, AUDITOR, DAY)
    with pytest.raises(AuditFailedError):
        sign_audit(audit_bundle(bundle, planted), Signer("someone.example/else", bytes(32)), DAY)
