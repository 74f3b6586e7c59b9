"""What a statement proves and what it does not, in plain words, as every statement carries it.

Nothing enters; ten rows leave: a claim, what the public files show of it, and what an auditor
adds who opened the commitments. The words are those of TRUST section 14. Standard library only.
"""

from __future__ import annotations

PROOF_TABLE = (
    ("收下的答卷后来没有被删掉、换序或添加", "有一人留着日志头就能查出", "能"),
    ("我交的那一份被计入", "截止后，拿着完整回执的人能查", "不另查"),
    ("答卷收下以后内容没有被改", "不能", "能，逐份核对承诺"),
    ("答卷是照填写的内容收下的", "不能", "按概率能，靠事先混入的核对答卷"),
    ("只有拿到填写码的人填，一码一份", "能，按填写码的摘要", "能"),
    ("多余的填写码没有被人拿去填", "不能", "按概率能，靠留在上级手里的填写码"),
    ("是家长本人填的，不是老师或别人", "不能", "只能间接看：声明未填、回访、现场"),
    ("数字是照事先签下的规则算出来的", "能", "能"),
    ("截止以前没有人看过答卷", "只是声明", "只是声明"),
    ("没有人能把人和答卷对上", "对学校、外人和日后泄露的数据成立", "同左；发送那一刻的服务器要信得过"),
)
"""(claim, shown by the public files, shown to the auditor)."""

NOT_PROVEN = (
    "不能证明每份答卷都由本人填写；靠纸条当面打乱发放、声明未填和回访来约束。",
    "不能证明发放以前没有人看过纸条；靠封口、两人清点和剩余纸条作废来约束。",
    "不能证明学校没有提示过怎么选；只能看填答说明、举报和质量标记。",
    "不是国家或省级的认定结论；这一页纸本身也不是证明，以扫码核验的文件为准。",
)
"""The four sentences that the sheet has room for."""


def proof_document() -> list[dict[str, str]]:
    """The rows as a statement carries them."""
    return [{"audited": audited, "claim": claim, "public": public} for claim, public, audited in PROOF_TABLE]
