"""Taking a statement back: a note by the two over its digest and a reason, never a deletion.

`<origin>/revocation`, the digest of what is revoked, the reason on one line. Statement and
revocation both stay in the registry. Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from survey.certification.fields import FieldRefusedError
from survey.certification.note import open_note
from survey.certification.signed_plan import SignedPlan

REVOCATION = "revocation.note"
_TEXT = re.compile(r"([^\n]+)/revocation\nsha256:([0-9a-f]{64})\nreason: ([^\n]{1,200})\n")


@dataclass(frozen=True)
class Revocation:
    """A revocation that has been read: what is revoked, and why."""

    digest: str
    reason: str


def revocation_text(origin: str, digest: str, reason: str) -> str:
    """The text the two sign.

    >>> revocation_text("survey.example/demo", "ab", "算错了")
    'survey.example/demo/revocation\\nsha256:ab\\nreason: 算错了\\n'
    """
    return f"{origin}/revocation\nsha256:{digest}\nreason: {reason}\n"


def read_revocation(note: str, plan: SignedPlan, file: str = REVOCATION) -> Revocation:
    """The revocation in a note that operator and approver of the plan both signed.

    Raises:
        NoteRefusedError: malformed, or a line that does not hold.
        FieldRefusedError: another text, or one of the two missing.
    """
    opened = open_note(note, plan.people, only_known=True)
    found = _TEXT.fullmatch(opened.text)
    if found is None or found[1] != plan.origin:
        raise FieldRefusedError(file, "", "不是这次调查的撤回书")
    if not {plan.operator, plan.approver} <= set(opened.signed_by):
        raise FieldRefusedError(file, "", "撤回要经办和签发两人都签")
    return Revocation(found[2], found[3])
