"""The auditor's bundle: the public one, and what only an auditor may see.

Records with their salts, the plan of the bureau and the version of the program are added to
the members of the public bundle, whose bytes stay what they are. Confidential: it is written
where it was asked for, readable by its owner alone, and named in the audit trail.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable
from datetime import datetime

from survey import METHOD_VERSION, __version__, canonical
from survey.certification.archive import pack, unpack
from survey.certification.closing import jsonl
from survey.certification.record_claims import CONFIDENTIAL, CONFIDENTIAL_TYPE, RECORDS, WAVE_PLAN
from survey.errors import SurveyError
from survey.scheme.plan import plan_document
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.cases import load_cases, load_salts
from survey.storage.plans import load_plan, require_state


class NoBundleYetError(SurveyError):
    """There is no public bundle to build on, or the answers are gone."""

    code = "audit.no_bundle"
    kind = "conflict"

    def __init__(self, wave: str, reason: str) -> None:
        super().__init__(f"调查 {wave} 的核查包", reason, "签发以后、销毁以前才能给核查人")


async def auditor_bundle(settings: Settings, wave: str, *, actor: str, now: datetime) -> bytes:
    """The confidential bundle of a certified wave.

    Raises:
        WrongStateError: the wave is not certified. NoBundleYetError: bundle or answers are not there.
    """
    await require_state(wave, "certified")
    public = settings.out_of(wave) / "bundle.zip"
    if not public.is_file():
        raise NoBundleYetError(wave, "公开包不在这台机器上")
    members, _ = await to_thread(unpack, public.read_bytes())
    cases, salts = await load_cases(wave), await load_salts(wave)
    if not cases:
        raise NoBundleYetError(wave, "答卷已经按期销毁")
    secret = {
        CONFIDENTIAL: canonical.encode(
            {
                "method_version": METHOD_VERSION,
                "software": __version__,
                "type": CONFIDENTIAL_TYPE,
                "wave": wave,
            }
        ),
        RECORDS: records_jsonl((c, salts.get(c, ""), record) for c, record in cases),
        WAVE_PLAN: canonical.encode(plan_document(await load_plan(wave))),
    }
    await record_audit(actor, "auditor_bundle", wave, details={"records": len(cases)}, now=now)
    return await to_thread(pack, {**members, **secret})


def records_jsonl(opened: Iterable[tuple[str, str, str]]) -> bytes:
    """(commitment, salt, record) one a line; the record is text, byte for byte what was committed to."""
    return jsonl({"c": c, "record": record, "salt": salt} for c, salt, record in opened)
