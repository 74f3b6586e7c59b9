"""The claims about the three lists of a bundle: slips, leaves and heads.

The lists and the typed plan enter; counts leave, beside one claim each: the slips are those
of the plan, one leaf per used slip, no submission key twice, every head follows from the
leaves. Standard library only.
"""

from __future__ import annotations

from collections import Counter

from survey import canonical
from survey.certification.bundle_lists import (
    HEADS,
    LEAVES,
    SLIPS,
    LeafList,
    SlipList,
    check_heads,
    read_heads,
    read_leaves,
    read_slips,
)
from survey.certification.bundle_reader import BundleOptions, BundleReader
from survey.certification.claims import Ledger
from survey.certification.core_claims import Core
from survey.certification.fields import FieldRefusedError
from survey.certification.signed_plan import SignedPlan
from survey.certification.transparency_log import Checkpoint, tree_root


def check_lists(
    ledger: Ledger, reader: BundleReader, core: Core, options: BundleOptions
) -> tuple[SlipList | None, LeafList | None]:
    """The slips and leaves of the bundle, with five claims written; None where they could not be read."""
    plan, head = core.plan, core.head
    slip_data, leaf_data, head_data = reader.raw(SLIPS), reader.raw(LEAVES), reader.raw(HEADS)
    key = reader.raw("slip_key")
    ledger.check("填写码密钥", "slip_key", _slip_key_fits, key, plan)
    slips = ledger.check("填写码清单", SLIPS, _slips_fit, slip_data, plan)
    leaves = ledger.check("答卷清单", LEAVES, _leaves_fit, leaf_data, plan, head)
    ledger.check("填写码数量", SLIPS, _slips_add_up, slips, leaves, plan)
    ledger.check("日志头", HEADS, _heads_fit, head_data, leaves, head, plan, options.check_all)
    return slips, leaves


def _slip_key_fits(key: bytes, plan: SignedPlan) -> tuple[bool, str]:
    text = key.decode("ascii", "replace")
    raw = bytes.fromhex(text[:64]) if _is_hex(text[:64]) else b""
    if key != raw.hex().encode() + b"\n" or len(raw) != 32:
        raise FieldRefusedError("slip_key", "", "要写成64个小写十六进制数字和换行")
    if canonical.sha256_hex(raw) != plan.slip_key_digest:
        raise FieldRefusedError("slip_key", "", "不是方案里的填写码密钥")
    return True, "与方案一致；码已作废，可以公开"


def _is_hex(text: str) -> bool:
    return all(sign in "0123456789abcdef" for sign in text) and len(text) % 2 == 0


def _slips_fit(data: bytes, plan: SignedPlan) -> tuple[SlipList, str]:
    slips = read_slips(data)
    if slips.root != plan.slips_root:
        raise FieldRefusedError(SLIPS, "", "算不出方案里的填写码根，清单被增删或改动")
    return slips, f"{slips.total}张，根与方案一致"


def _leaves_fit(data: bytes, plan: SignedPlan, final: Checkpoint) -> tuple[LeafList, str]:
    leaves = read_leaves(data, plan)
    if (len(leaves.leaves), tree_root(leaves.leaves)) != (final.size, final.root):
        raise FieldRefusedError(
            LEAVES, "", f"清单{len(leaves.leaves)}份，算不出截止时的根，有删改、增加或换序"
        )
    return leaves, f"{len(leaves.leaves)}份，根与截止时一致，提交键没有重复"


def _slips_add_up(slips: SlipList, leaves: LeafList, plan: SignedPlan) -> tuple[bool, str]:
    """Per domain: issued as planned, not more than could be, and one leaf per used slip."""
    arrived = Counter(leaves.domains)
    slack = plan.spares + (plan.canaries or 0) + plan.honey
    for issued in slips.issued:
        if issued not in plan.domains or plan.domains[issued].mode != "slip":
            raise FieldRefusedError(SLIPS, issued, "方案里没有这个发填写单的域")
    for domain in plan.domains.values():
        name, count = domain.domain, arrived[domain.domain]
        if domain.mode == "slip":
            if slips.issued[name] != domain.slips:
                raise FieldRefusedError(SLIPS, name, f"发出{slips.issued[name]}张，方案是{domain.slips}张")
            if domain.slips > domain.eligible + slack:
                raise FieldRefusedError("plan.json", f"domains.{name}.slips", "填写单多于应答人数和备用")
            if slips.used[name] != count:
                raise FieldRefusedError(SLIPS, name, f"用掉{slips.used[name]}张，却有{count}份答卷")
        elif domain.mode == "quota" and domain.eligible and count > domain.slips:
            raise FieldRefusedError(LEAVES, name, f"{count}份答卷，超过名额{domain.slips}")
    used, voided = sum(slips.used.values()), sum(slips.voided.values())
    return True, f"发出{slips.total}，使用{used}，作废{voided}，争议{sum(slips.disputed.values())}；逐域相符"


def _heads_fit(
    data: bytes, leaves: LeafList, final: Checkpoint, plan: SignedPlan, check_all: bool
) -> tuple[bool, str]:
    heads, checked = read_heads(data, plan, check_all=check_all)
    check_heads(heads, leaves.leaves)
    return True, f"{len(heads)}个头的根全部由清单算出，核对签名{checked}个"
