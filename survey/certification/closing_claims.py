"""The claims about closing, voiding, opening and registering a wave.

Papers of a bundle enter; the closing, the voids and the opening's digest leave. Together
they say that slips and heads are those of closing, that domains were voided before anyone
had seen an answer, and that all of it was registered in that order. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from survey import canonical
from survey.certification import checks
from survey.certification.bundle import void_names
from survey.certification.bundle_lists import HEADS, SLIPS
from survey.certification.bundle_reader import BundleReader
from survey.certification.claims import Ledger
from survey.certification.closing import Closing, read_closing, read_opening, read_void
from survey.certification.core_claims import Core
from survey.certification.fields import FieldRefusedError
from survey.certification.note import NoteRefusedError
from survey.certification.registry import (
    CLOSING_TYPE,
    EXTENSION_TYPE,
    OPENING_TYPE,
    VOID_TYPE,
    read_registry,
)
from survey.certification.signed_plan import PLAN_TYPE, SignedPlan
from survey.certification.statement import STATEMENT_TYPE, Statement
from survey.certification.transparency_log import Checkpoint


@dataclass(frozen=True)
class Voids:
    """The void documents of a bundle."""

    digests: tuple[str, ...]
    domains: frozenset[str]


def check_opening(
    ledger: Ledger, reader: BundleReader, core: Core
) -> tuple[Closing | None, Voids | None, str | None]:
    """Closing, voids and the opening's digest, each None where its claim failed."""
    plan, head = core.plan, core.head
    document, opening_document = reader.document("closing.json"), reader.document("opening.json")
    opening_note = reader.note("opening.note")
    opened = opening_document.get("closing_digest") if isinstance(opening_document, dict) else None
    papers = (document, plan, head, reader, str(opened))
    closing = ledger.check("截止清单", "closing.json", _closing_fits, *papers)
    voids = ledger.check("作废", "void.json", _voids_fit, reader, plan)
    # Signed first: a closing that does not fit an opening by the two is itself what was changed.
    digest = None if opening_document is None else canonical.digest(opening_document)
    note = "opening.note"
    ledger.check(
        "开封由两人签名", note, checks.signed_by_the_two, opening_note, plan, "opening", digest, note
    )
    opening = ledger.check("开封", "opening.json", _opening_fits, opening_document, plan, closing, voids)
    return closing, voids, opening


def _closing_fits(
    document: Any, plan: SignedPlan, head: Checkpoint, reader: BundleReader, opened: str
) -> tuple[Closing, str]:
    """The closing, once its lists are those it names; `opened` is the digest that the two opened."""
    closing = read_closing(document, plan.wave, plan.digest)
    if (closing.size, closing.root) != (head.size, head.root.hex()):
        raise FieldRefusedError("closing.json", "intake", "与截止时的日志头不一致")
    for name, digest in ((SLIPS, closing.slips_digest), (HEADS, closing.heads_digest)):
        if canonical.sha256_hex(reader.raw(name) or b"") != digest:
            # The closing that the two opened is genuine, so the list is not; another closing is itself to blame.
            blamed = name if closing.digest == opened else "closing.json"
            raise FieldRefusedError(blamed, "", f"{name}与截止时的摘要不一致，被改过")
    return closing, "填写码状态和日志头与截止时一致"


def _voids_fit(reader: BundleReader, plan: SignedPlan) -> tuple[Voids, str]:
    digests: list[str] = []
    domains: set[str] = set()
    for name in void_names(len([n for n in reader.names() if n.startswith("void") and n.endswith(".json")])):
        data, note_name = reader.raw(name), name.replace(".json", ".note")
        note = reader.note(note_name)
        if data is None or note is None:
            raise FieldRefusedError(name, "", "作废文件要依次编号，并带签名")
        try:
            digest, voided, _ = read_void(canonical.decode(data), plan.wave, name)
            checks.signed_by_the_two(note, plan, "void", digest, note_name)
        except canonical.NotCanonicalError as error:
            raise FieldRefusedError(name, "", error.reason) from error
        except NoteRefusedError as error:
            raise FieldRefusedError(note_name, "", error.reason) from error
        digests.append(digest)
        domains.update(voided)
    if unknown := sorted(domains - set(plan.domains)):
        raise FieldRefusedError("void.json", "domains", f"方案里没有域{unknown[0]}")
    return Voids(tuple(digests), frozenset(domains)), f"{len(domains)}个域" if domains else "没有作废的域"


def _opening_fits(document: Any, plan: SignedPlan, closing: Closing, voids: Voids) -> tuple[str, str]:
    digest = read_opening(document, plan.wave, plan.digest, closing, voids.digests)
    return digest, "开封的就是这次截止的答卷，作废都在开封之前"


def check_registry(
    ledger: Ledger,
    reader: BundleReader,
    core: Core,
    closing: Closing | None,
    voids: Voids | None,
    opening: str | None,
    extensions: Sequence[str],
) -> int | None:
    """The certificate's number, once every paper of the wave is registered in its order."""
    if core.plan is not None and core.plan.registry is None:
        ledger.write("登记", None, "方案没有指定登记日志")
        return None
    document = reader.document("registry.json")
    if document is None:
        ledger.write("登记", False, "缺少或读不出登记日志", "registry.json")
        return None
    papers = (core.plan, core.statement, closing, voids, opening, extensions)
    return ledger.check("登记", "registry.json", _registered_in_order, document, *papers)


def _registered_in_order(
    document: Any,
    plan: SignedPlan,
    statement: Statement,
    closing: Closing,
    voids: Voids,
    opening: str,
    extensions: Sequence[str],
) -> tuple[int, str]:
    """The statement's index, once plan, extensions, closing, voids, opening and statement follow one another."""
    assert plan.registry is not None
    entries, head = read_registry(document, plan.registry)
    first: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(entries):
        first.setdefault(entry, index)

    def place(digest: str, kind: str) -> int:
        if (digest, kind) not in first:
            raise FieldRefusedError("registry.json", "leaves", f"没有登记{kind}")
        return first[digest, kind]

    steps = [place(plan.digest, PLAN_TYPE), place(closing.digest, CLOSING_TYPE)]
    steps.append(place(opening, OPENING_TYPE))
    steps.append(place(statement.digest, STATEMENT_TYPE))
    if steps != sorted(steps) or any(place(d, VOID_TYPE) > steps[2] for d in voids.digests):
        raise FieldRefusedError("registry.json", "leaves", "登记的先后不对：方案、截止、作废、开封、声明")
    put_off = [steps[0], *(place(digest, EXTENSION_TYPE) for digest in extensions), steps[1]]
    if put_off != sorted(put_off):
        raise FieldRefusedError("registry.json", "leaves", "登记的先后不对：延期不在方案和截止之间")
    return steps[3], f"证书编号{steps[3]}，登记日志共{head.size}条，先后次序正确"
