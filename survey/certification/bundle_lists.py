"""The three long lists of a bundle, read and checked: slips, leaves, heads.

Bytes of `slips.jsonl`, `leaves.jsonl` and `heads.txt` enter; counts per domain and a tree
leave, or a refusal that names file and line. A hundred thousand lines take seconds: a line
in its usual shape is recognised by one expression, any other goes the long way through
canonical JSON. Standard library only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from survey import canonical
from survey.certification.closing import STATES, USED
from survey.certification.ed25519_verify import verify
from survey.certification.fields import FieldRefusedError, Fields
from survey.certification.note import strict_base64
from survey.certification.sealing import read_leaf, slip_leaf
from survey.certification.signed_plan import SignedPlan
from survey.certification.transparency_log import (
    Checkpoint,
    CheckpointRefusedError,
    CompactTree,
    parse_checkpoint,
)

SLIPS, LEAVES, HEADS = "slips.jsonl", "leaves.jsonl", "heads.txt"
SAMPLED_HEADS = 200
_PLAIN = rb'((?:[^"\\\x00-\x1f\x7f-\xff])+)'
_LEAF = re.compile(rb'\{"c":"[0-9a-f]{64}","domain":"' + _PLAIN + rb'","k":"([0-9a-f]{64})","v":1\}')
_SLIP = re.compile(rb'\{"domain":"' + _PLAIN + rb'","e":"([0-9a-f]{64})","state":"([a-z]+)"\}')
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SlipList:
    """The slips of a wave."""

    issued: Counter[str]
    used: Counter[str]
    voided: Counter[str]
    disputed: Counter[str]
    root: str

    @property
    def total(self) -> int:
        """All slips issued."""
        return sum(self.issued.values())


@dataclass(frozen=True)
class LeafList:
    """The leaves of a wave in log order."""

    leaves: Sequence[bytes]
    domains: Sequence[str]


def _lines(data: bytes, file: str) -> list[bytes]:
    if data and not data.endswith(b"\n"):
        raise FieldRefusedError(file, "", "最后一行没有换行")
    return data.split(b"\n")[:-1]


def read_slips(data: bytes) -> SlipList:
    """The slip list.

    Raises:
        FieldRefusedError: a malformed line, an unknown state, or slips not sorted by digest.
    """
    issued, used, voided, disputed = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    tree, last = CompactTree(), ""
    for number, line in enumerate(_lines(data, SLIPS), 1):
        domain, e, state = _read_slip(line, number)
        if e <= last:
            raise FieldRefusedError(SLIPS, f"第{number}行", "没有按摘要排序，或者有重复")
        last = e
        tree.add(slip_leaf(domain, e))
        issued[domain] += 1
        used[domain] += state in USED
        voided[domain] += state == "voided"
        disputed[domain] += state == "disputed"
    return SlipList(issued, used, voided, disputed, tree.root().hex())


def _read_slip(line: bytes, number: int) -> tuple[str, str, str]:
    if (found := _SLIP.fullmatch(line)) is not None:
        domain, e, state = (part.decode() for part in found.groups())
    else:
        try:
            fields = Fields.of(SLIPS, canonical.decode(line, canonical.MAX_RECORD_BYTES), f"第{number}行")
        except canonical.NotCanonicalError as error:
            raise FieldRefusedError(SLIPS, f"第{number}行", error.reason) from error
        fields.only(("domain", "e", "state"))
        domain, e, state = fields.text("domain"), fields.text("e", _HEX), fields.text("state")
    if state not in STATES:
        raise FieldRefusedError(SLIPS, f"第{number}行", f"不认识的状态{state}")
    return domain, e, state


def read_leaves(data: bytes, plan: SignedPlan) -> LeafList:
    """The leaf list.

    Raises:
        FieldRefusedError: a malformed leaf, a domain the plan does not have, or a submission
            key that occurs twice.
    """
    leaves = _lines(data, LEAVES)
    domains: list[str] = []
    seen: set[str] = set()
    for number, line in enumerate(leaves):
        if (found := _LEAF.fullmatch(line)) is not None:
            domain, k = found[1].decode(), found[2].decode()
        else:
            try:
                value = read_leaf(line)
            except canonical.NotCanonicalError as error:
                raise FieldRefusedError(LEAVES, f"第{number + 1}行", error.reason) from error
            domain, k = value["domain"], value["k"]
        if domain not in plan.domains:
            raise FieldRefusedError(LEAVES, f"第{number + 1}行", f"方案里没有域{domain}")
        if k in seen:
            raise FieldRefusedError(LEAVES, f"第{number + 1}行", "提交键重复")
        seen.add(k)
        domains.append(domain)
    return LeafList(leaves, domains)


def read_heads(data: bytes, plan: SignedPlan, *, check_all: bool) -> tuple[list[Checkpoint], int]:
    """All heads, and how many of their signatures were checked.

    Raises:
        FieldRefusedError: a malformed head, another log's, sizes that do not grow, a line
            that is not the log's, or a signature that does not hold.
    """
    if not data:
        return [], 0
    try:
        parts = data.decode("utf-8").split("\n\n")
    except UnicodeDecodeError as error:
        raise FieldRefusedError(HEADS, "", "不是UTF-8") from error
    if len(parts) % 2 or not parts[-1].endswith("\n"):
        raise FieldRefusedError(HEADS, "", "头与签名没有成对")
    parts[-1] = parts[-1][:-1]
    count = len(parts) // 2
    step = 1 if check_all else max(1, count // SAMPLED_HEADS)
    heads: list[Checkpoint] = []
    checked = 0
    for position in range(count):
        head = _read_head(parts[2 * position] + "\n", position, heads[-1].size if heads else -1, plan)
        signature = _log_signature(parts[2 * position + 1], position, plan)
        if position % step == 0 or position == count - 1:
            checked += 1
            if not verify(plan.log.public, head.text.encode(), signature):
                raise FieldRefusedError(HEADS, f"第{position + 1}个头", "日志的签名不成立")
        heads.append(head)
    return heads, checked


def _read_head(text: str, position: int, last: int, plan: SignedPlan) -> Checkpoint:
    try:
        head = parse_checkpoint(text)
    except CheckpointRefusedError as error:
        raise FieldRefusedError(HEADS, f"第{position + 1}个头", error.reason) from error
    if head.origin != plan.origin or head.size <= last:
        raise FieldRefusedError(HEADS, f"第{position + 1}个头", "不是这个日志的，或者大小没有增加")
    return head


def _log_signature(line: str, position: int, plan: SignedPlan) -> bytes:
    start = f"— {plan.log.name} "
    data = strict_base64(line[len(start) :]) if line.startswith(start) else None
    if data is None or data[:4] != plan.log.key_id or len(data) != 68:
        raise FieldRefusedError(HEADS, f"第{position + 1}个头", "不是日志公钥的签名行")
    return data[4:]


def check_heads(heads: Sequence[Checkpoint], leaves: Sequence[bytes]) -> None:
    """Refuses a head whose root is not that of the leaves so far, and a last one that is not final.

    Args:
        heads: in the order of their sizes.
        leaves: the whole list, whose root is already known to be the closing's.

    Raises:
        FieldRefusedError: the leaves do not give a root, by the size of its head.
    """
    tree, done = CompactTree(), 0
    for head in heads:
        for leaf in leaves[done : head.size]:
            tree.add(leaf)
        done = head.size
        if (tree.size, tree.root()) != (head.size, head.root):
            raise FieldRefusedError(HEADS, f"大小{head.size}", "清单算不出这个头的根")
    if done != len(leaves):
        raise FieldRefusedError(HEADS, "", "最后一个头不是截止时的头")
