"""Design, void, extension, re-issue and revocation: each by two, each before its hour, none ever undone."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from survey import canonical
from survey.certification.archive import unpack
from survey.certification.verification import verify_file
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.draw_sample import draw_wave
from survey.jobs.erase_answers import TooEarlyToEraseError, erase_answers
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.extend_wave import ExtensionRefusedError, extend_wave
from survey.jobs.issued_files import settle_files
from survey.jobs.open_wave import open_wave
from survey.jobs.revoke_statement import RevocationRefusedError, revoke_statement
from survey.jobs.sign_design import DesignMovedError, sign_design
from survey.jobs.sign_plan import sign_plan
from survey.jobs.stamp_notes import StampFailedError
from survey.jobs.void_domains import VoidRefusedError, void_domains
from survey.sampling.wave_sample import draw_key
from survey.settings import Settings
from survey.storage.cases import load_cases, load_salts
from survey.storage.plans import load_fielded_plan, load_plan
from survey.storage.samples import load_sample
from survey.storage.states import WrongStateError
from survey.web.verify.standing import standing_of_file, statement_in

from .conftest import LONG, NOW, Bureau, days_after

LOTTERY = "福利彩票双色球第2026135期，红球号码按从小到大"


@pytest.fixture(params=LONG)
def settings(request: pytest.FixtureRequest) -> Settings:
    return request.getfixturevalue(f"{request.param}_settings")


async def test_a_voided_domain_is_counted_nowhere_and_said_everywhere(bureau: Bureau) -> None:
    await bureau.go("closed")
    sample = await load_sample(bureau.wave)
    domain = next(draw.domain for draw in sample.domains if draw.group == "parent")
    with pytest.raises(VoidRefusedError):
        await bureau.act(void_domains, ["nowhere"], "留置填写码被用")
    with pytest.raises(VoidRefusedError):
        await bureau.act(void_domains, [domain], " \n ")
    await bureau.act(void_domains, [domain], "留置填写码被用")
    with pytest.raises(VoidRefusedError):
        await bureau.act(void_domains, [domain], "再一次")
    await bureau.act(open_wave)
    with pytest.raises(WrongStateError):
        await bureau.act(void_domains, [sample.domains[-1].domain], "开箱以后")
    results = await estimate_wave(bureau.office, bureau.wave, **bureau.by)
    certified = await bureau.act(certify_wave)
    statement = canonical.decode(certified.certificate.read_bytes())["statement"]
    verdict = verify_file(certified.bundle.read_bytes())
    [row] = [row for row in results["counts"] if row["domain"] == domain]

    assert {entry["reason"] for entry in statement["excluded"]} == {"X2"}
    assert len(statement["excluded"]) == row["used"] > 0 == row["counted"]
    assert "S7" in {entry["code"] for entry in statement["sentences"]}
    assert verdict.ok, verdict.lines()


async def test_a_later_closing_date_is_signed_before_the_old_one_and_counts(desk: Bureau) -> None:
    await desk.go("open")
    old = (await load_plan(desk.wave)).closes_on
    for wrong in (old, days_after(old, -1), days_after(old, 400)):
        with pytest.raises(ExtensionRefusedError):
            await desk.act(extend_wave, wrong)
    with pytest.raises(ExtensionRefusedError):
        await desk.act(extend_wave, days_after(old, 9), now=NOW + timedelta(days=30))
    await desk.act(extend_wave, days_after(old, 4))
    await desk.act(extend_wave, days_after(old, 7))
    fielded = await load_fielded_plan(desk.wave)
    await desk.answer()
    await desk.act(close_wave)
    await desk.act(open_wave)
    await estimate_wave(desk.office, desk.wave, **desk.by)
    certified = await desk.act(certify_wave)
    verdict = verify_file(certified.bundle.read_bytes())

    assert fielded.closes_on == days_after(old, 7)
    assert [claim.ok for claim in verdict.claims if claim.name.startswith("延期")] == [True] * 4
    assert verdict.ok, verdict.lines()


async def test_a_design_signed_before_a_public_draw_cannot_be_steered(desk: Bureau) -> None:
    signed = await desk.act(sign_design, LOTTERY)
    sample = await draw_wave(desk.wave, "03 08 11 19 22 30", reason="公开抽号", **desk.by)
    plan = (await desk.act(sign_plan)).document

    assert sample.design_digest == signed["design_digest"] == plan["design_digest"]
    assert plan["public_draw"] == LOTTERY and plan["seed"] == "03 08 11 19 22 30"
    assert (
        draw_key(sample.design_digest, sample.seed)
        == hashlib.sha256(f"{signed['design_digest']}03 08 11 19 22 30".encode()).hexdigest()
    )


async def test_a_second_design_leaves_the_sentence_about_the_seed(desk: Bureau) -> None:
    await desk.act(sign_design, LOTTERY)
    await desk.act(sign_design, LOTTERY + "，特别号码在后")
    await draw_wave(desk.wave, "1 2 3", reason="公开抽号", **desk.by)
    plan = (await desk.act(sign_plan)).document

    assert plan["public_draw"] is None


async def test_a_frame_changed_after_the_design_was_signed_stops_the_draw(desk: Bureau) -> None:
    from importlib.resources import files

    from survey.jobs.import_frame import import_frame

    await desk.act(sign_design, LOTTERY)
    frame = (files("survey.sampling") / "data" / "county" / "frame.csv").read_bytes()
    shorter = b"\n".join(frame.rstrip(b"\n").split(b"\n")[:-1]) + b"\n"
    await import_frame(desk.wave, shorter, "frame.csv", **desk.by)

    with pytest.raises(DesignMovedError):
        await draw_wave(desk.wave, "1 2 3", reason="公开抽号", **desk.by)


async def test_a_new_statement_names_the_old_and_a_revoked_one_stays_in_sight(estimated: Bureau) -> None:
    first = await estimated.act(certify_wave)
    old = first.certificate.read_bytes()
    with pytest.raises(WrongStateError):
        await estimated.act(certify_wave)
    second = await estimated.act(certify_wave, reason="补上回访份数")
    new = second.certificate.read_bytes()
    replaced, newest = [await standing_of_file(statement_in(data), verify_file(data)) for data in (old, new)]
    revoked = await estimated.act(revoke_statement, second.number, "计票表有误")
    with pytest.raises(RevocationRefusedError):
        await estimated.act(revoke_statement, second.number, "再一次")
    after = await standing_of_file(statement_in(new), verify_file(new))
    verdict = verify_file(second.bundle.read_bytes())
    statement = canonical.decode(new)["statement"]

    assert statement["supersedes"] == canonical.digest(canonical.decode(old)["statement"])
    assert statement["reason"] == "补上回访份数"
    assert (replaced.state, newest.state, after.state) == ("replaced", "matches", "revoked")
    assert after.reason == "计票表有误" and replaced.newest == second.number
    assert revoked["registered"] > second.number
    assert [claim.name for claim in verdict.claims if claim.ok is False] == ["撤回"]


async def test_a_bundle_tells_of_a_revocation_that_was_cut_off_beside_it(estimated: Bureau) -> None:
    issued = await estimated.act(certify_wave)
    waiting, valid = issued.bundle.with_name("bundle.zip.revoked"), issued.bundle.read_bytes()
    waiting.write_bytes(b"half")
    kept = await settle_files(estimated.settings)
    unrevoked = waiting.exists(), issued.bundle.read_bytes() == valid
    await estimated.act(revoke_statement, issued.number, "计票表有误")
    # As a process leaves it that dies between the books and the folder.
    issued.bundle.rename(waiting)
    issued.bundle.write_bytes(valid)
    settled = await settle_files(estimated.settings)

    assert kept == settled == (estimated.wave,)
    assert unrevoked == (False, True) and not waiting.exists()
    assert [claim.name for claim in verify_file(issued.bundle.read_bytes()).claims if claim.ok is False] == ["撤回"]


async def test_answers_are_erased_when_their_time_has_come_and_the_proofs_still_hold(
    estimated: Bureau,
) -> None:
    issued = await estimated.act(certify_wave)
    late = NOW + timedelta(days=200)
    with pytest.raises(TooEarlyToEraseError):
        await erase_answers(estimated.settings, estimated.office, estimated.wave, **estimated.by)
    erased = await erase_answers(estimated.settings, estimated.office, estimated.wave, actor="test", now=late)
    boxes = set((await estimated.office.boxes(estimated.wave)).values())

    assert erased["erased"] > 300 and boxes == {bytes(33)}
    assert await load_cases(estimated.wave) == [] and await load_salts(estimated.wave) == {}
    assert not list((estimated.settings.keys / estimated.wave).glob("share-*"))
    assert verify_file(issued.bundle.read_bytes()).ok


async def test_an_outside_program_may_stamp_the_notes_and_nothing_is_claimed_by_it(
    estimated: Bureau, tmp_path: Path
) -> None:
    program = tmp_path / "stamp.py"
    program.write_text(
        "import hashlib, sys\nsys.stdout.buffer.write(hashlib.sha256(sys.stdin.buffer.read()).digest())\n"
    )
    broken = replace(estimated.settings, stamp_command=f"{sys.executable} -c 1")
    with pytest.raises(StampFailedError):
        await certify_wave(broken, estimated.office, estimated.wave, estimated.signers, **estimated.by)
    stamping = replace(estimated.settings, stamp_command=f"{sys.executable} {program}")
    issued = await certify_wave(stamping, estimated.office, estimated.wave, estimated.signers, **estimated.by)
    members, _ = unpack(issued.bundle.read_bytes())
    statement = canonical.decode(issued.certificate.read_bytes())["statement"]

    assert members["plan.note.stamp"] == hashlib.sha256(members["plan.note"]).digest()
    assert members["closing.note.stamp"] == hashlib.sha256(members["closing.note"]).digest()
    assert "S10" not in {entry["code"] for entry in statement["sentences"]}
    assert verify_file(issued.bundle.read_bytes()).ok
