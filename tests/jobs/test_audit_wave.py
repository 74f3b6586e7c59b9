"""The auditor opens everything, adds a line, and the certificate says audited; nothing less will do."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from survey import canonical
from survey.certification.archive import pack, unpack
from survey.certification.signature import Signer
from survey.certification.verification import verify_file
from survey.exact import fraction_text
from survey.jobs.audit_wave import AuditFailedError, audit_bundle, sign_audit
from survey.jobs.auditor_bundle import auditor_bundle
from survey.jobs.certify_wave import Audited, OtherStatementError, SelfCheckError, certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.open_wave import open_wave
from survey.jobs.signers import register_vkey
from survey.scheme.presets import load_scheme
from survey.settings import Settings

from .conftest import LONG, NOW, Bureau
from .test_planted import planted_wave

AUDITOR = Signer("above.example/auditor", bytes(range(32)))
DAY = date(2026, 12, 20)


@pytest.fixture(params=LONG)
def settings(request: pytest.FixtureRequest) -> Settings:
    return request.getfixturevalue(f"{request.param}_settings")


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


@pytest.mark.long
async def test_whatever_an_insider_changed_is_named_by_the_audit(desk: Bureau) -> None:
    planted, bundle = await audited_wave(desk)
    members, _ = unpack(bundle)
    lines = members["records.jsonl"].split(b"\n")
    altered = (
        lines[0].replace(b'\\"day\\":1', b'\\"day\\":2')
        if b'\\"day\\":1' in lines[0]
        # Another last sign than the one that stands there.
        else lines[0][:-3] + (b'1"}' if lines[0].endswith(b'0"}') else b'0"}')
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


@pytest.mark.long
async def test_a_wave_of_points_and_items_is_recounted_from_its_records(desk: Bureau) -> None:
    """The parts of every row follow from the plan's scoring; another scoring is another table."""
    scheme = load_scheme("quality_balance_2017")
    figure = {**scheme.document["figure"], "formula": "points_mean", "from_items": "overall_and_content"}
    answers = dict(scheme.document["answers"])
    answers["scales"] = {name: {**one, "points": "even"} for name, one in answers["scales"].items()}
    await desk.draw(adopted_scheme={**scheme.document, "answers": answers, "figure": figure})
    _, bundle = await audited_wave(desk)
    members, _ = unpack(bundle)
    plan = canonical.decode(members["plan.json"])
    table = canonical.decode(members["table.json"])
    shares = {group: set(parts) for group, parts in plan["part_shares"].items()}
    row = next(row for row in table if row["group"] == "parent")
    part = min(row["parts"])
    row["parts"][part]["x"] = fraction_text(Fraction(row["parts"][part]["x"]) - Fraction(1, 4))
    lowered = audit_bundle(pack({**members, "table.json": canonical.encode(table)}), None)

    recount = next(one for one in audit_bundle(bundle, None).verdict.claims if one.name == "从答卷重算")
    assert plan["estimator"] == "weighted-parts/v1" and len(shares["parent"]) > 5
    assert all(set(one["parts"]) <= shares[one["group"]] for one in table)
    assert recount.ok, recount
    assert "从答卷重算" in false_claims(lowered.verdict)
