"""The head of a wave's log, once a day, as a letter to the superior office.

Whoever keeps one of these letters can show afterwards that nothing of that day was taken out
or rewritten: the same lines must stand in the published `heads.txt`. The letter holds no more
than the public log does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from survey.certification.signed_plan import plan_code
from survey.jobs.receive_response import OFFICE_TIME
from survey.jobs.signed_papers import load_signed_plan
from survey.settings import Settings
from survey.storage.audit import audit_head, record_audit
from survey.storage.certificates import load_registry
from survey.storage.office import IntakeOffice
from survey.storage.plans import load_plan


async def daily_head(
    settings: Settings, office: IntakeOffice, wave: str, *, actor: str, now: datetime
) -> dict[str, Any]:
    """The letter of today, with the newest head of the wave and of the registry.

    Raises:
        EvidenceMissingError: the plan is not signed yet.
    """
    plan, signed = await load_plan(wave), await load_signed_plan(wave)
    await record_audit(actor, "daily_head", wave, now=now)
    entries, last = await audit_head()
    head, registry = await office.head(wave), (await load_registry()).note
    today = now.astimezone(OFFICE_TIME).date()
    lines = [
        f"{plan.office}：{plan.title}（{wave}）　{today}的日志头",
        "",
        "请把这封信原样存档，不用回复。调查结束以后会公布全部日志头（heads.txt），里面必须有一模一样的下面几行；",
        "少了或不一样，就说明这一天以前的答卷被人删改过。信里没有任何答案，也没有满意度。",
        "",
        f"计划编码　{plan_code(signed.digest)}",
        f"公开日志　{plan.base_url.rstrip('/')}/log/{wave}/heads",
        "",
        "── 填答日志 ──",
        head.rstrip("\n") if head else "（还没有收到答卷）",
        "",
        "── 登记日志 ──",
        registry.rstrip("\n") if registry else "（还没有登记）",
        "",
        "── 操作记录 ──",
        f"{entries} {last}",
        f"（核对：survey audit-trail verify --known {entries}:{last}）",
        "",
    ]
    return {
        "wave": wave,
        "on": today.isoformat(),
        "letter": "\n".join(lines),
        "head": head,
        "registry": registry,
    }
