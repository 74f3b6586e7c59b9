"""The table of rights: which role holds which, on which level of the tree; and the scopes of tokens."""

from __future__ import annotations

from survey.scheme.divisions import Level
from survey.storage.accounts import Account

ROLES = {
    "admin": "管理员",
    "operator": "经办",
    "reviewer": "复核",
    "approver": "签发",
    "auditor": "上级核查",
    "contact": "学校联系人",
}

WHAT_ROLES_DO = {
    "admin": "管账号、令牌和设置，也能办调查",
    "operator": "建方案、导名册、抽样、打印、发布、计算",
    "reviewer": "复核结果，录纸质答卷，登记回访",
    "approver": "签署方案和证书，不能和经办是同一个人",
    "auditor": "上级或本级督学，只看不改",
    "contact": "学校的人，只进学校页面；要写明哪一所学校",
}

_ALL = frozenset(ROLES) - {"contact"}
"""Everybody at the desk; a school's contact sees the school's pages alone."""

RIGHTS: dict[str, frozenset[str]] = {
    "wave.see": _ALL,
    "plan.see": _ALL,
    "plan.write": frozenset({"admin", "operator"}),
    "launch.tick": frozenset({"admin", "operator", "reviewer"}),
    "frame.see": _ALL,
    "launch.see": _ALL,
    "frame.import": frozenset({"admin", "operator"}),
    "sample.see": _ALL,
    "sample.draw": frozenset({"admin", "operator"}),
    "wave.run": frozenset({"admin", "operator"}),
    "wave.sign": frozenset({"admin", "operator", "approver"}),
    "certify.prepare": frozenset({"operator"}),
    "certify.review": frozenset({"reviewer"}),
    "certify.send_back": frozenset({"reviewer", "approver"}),
    "certify.sign": frozenset({"approver"}),
    "signer.make": frozenset({"operator", "approver"}),
    "papers.download": frozenset({"admin", "operator"}),
    "paper.enter": frozenset({"admin", "operator", "reviewer"}),
    "callbacks.draw": frozenset({"admin", "operator"}),
    "callbacks.see": _ALL,
    "callbacks.record": frozenset({"admin", "operator", "reviewer"}),
    "board.see": _ALL,
    "board.clear": frozenset({"operator", "reviewer"}),
    "board.release": frozenset({"reviewer", "approver"}),
    "schools.see": _ALL,
    "schools.manage": frozenset({"admin", "operator"}),
    "school.enter": frozenset({"contact"}),
    "areas.see": _ALL,
    "areas.assign": frozenset({"admin", "operator"}),
    "areas.end": frozenset({"admin"}),
    "progress.see": _ALL,
    "results.see": _ALL,
    "results.of_area": _ALL,
    "certificate.see": _ALL,
    "answers.export": frozenset({"admin", "operator"}),
    "outside.estimate": frozenset({"admin", "operator", "reviewer"}),
    "ledger.see": _ALL,
    "ledger.keep": frozenset({"admin", "operator", "reviewer", "approver"}),
    "account.own": frozenset(ROLES),
    "people.see": frozenset({"admin", "auditor"}),
    "health.see": frozenset({"admin", "operator", "auditor"}),
    "people.manage": frozenset({"admin"}),
    "webhooks.manage": frozenset({"admin"}),
}
"""Each right with the roles that hold it; a test walks every route against this table."""

_FROM_COUNTY: frozenset[Level] = frozenset({"county"})
_BELOW: dict[str, frozenset[Level]] = {
    **dict.fromkeys(
        (
            "wave.see",
            "progress.see",
            "schools.see",
            "areas.see",
            "callbacks.see",
            "callbacks.record",
            "ledger.see",
            "ledger.keep",
            "results.of_area",
            "areas:read",
            "waves:read",
            "participation:read",
            "ledger:read",
            "ledger:write",
        ),
        frozenset({"county", "area"}),
    ),
    "account.own": frozenset({"county", "area", "school"}),
    "school.enter": frozenset({"school"}),
}
"""Rights and scopes that hold below the county too, or only there; storage narrows what they show."""


def levels_of(right: str) -> frozenset[Level]:
    """The levels of the tree on which a right or a scope holds at all."""
    return _BELOW.get(right, _FROM_COUNTY)

SCOPES = {
    "waves:read": "调查的清单、日期和状态",
    "participation:read": "参与情况：应收和已收的份数",
    "figure:read": "满意度、区间、各组结果和证书",
    "areas:read": "签发以后各督学责任区的一行；只管一个责任区的账号也可以取",
    "frame:read": "学校名册和抽中的学校",
    "ledger:read": "问题台账",
    "ledger:write": "登记问题、推进整改",
    "metrics:read": "运行指标：收了多少、排队、磁盘、内存，没有结果",
}


RIGHT_OF_SCOPE = {
    "waves:read": "wave.see",
    "participation:read": "progress.see",
    "figure:read": "results.see",
    "areas:read": "results.of_area",
    "frame:read": "frame.see",
    "ledger:read": "ledger.see",
    "ledger:write": "ledger.keep",
    "metrics:read": "health.see",
}
"""What the account behind a token must be allowed itself; a token never opens more than its account."""


def has_right(account: Account, right: str) -> bool:
    """Whether a page should offer the button; the guard decides again when it is pressed."""
    return bool(RIGHTS[right] & frozenset(account.roles)) and account.level in levels_of(right)
