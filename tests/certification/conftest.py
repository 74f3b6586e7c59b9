"""Small waves with all their evidence, made from one number, for the tests of this room."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from survey import canonical
from survey.certification.bundle import attachment_digests, build_bundle, numbered
from survey.certification.certificate import build_certificate
from survey.certification.closing import (
    build_closing,
    build_extension,
    build_opening,
    build_void,
    heads_text,
    slips_jsonl,
)
from survey.certification.note import digest_note_text, make_note
from survey.certification.registry import (
    CLOSING_TYPE,
    EXTENSION_TYPE,
    OPENING_TYPE,
    VOID_TYPE,
    prove_registered,
    registry_document,
    registry_leaf,
)
from survey.certification.sealing import commitment, key_digest, leaf, record_bytes, slip_leaf
from survey.certification.signature import Signer
from survey.certification.signed_plan import PLAN_TYPE, build_plan, read_plan
from survey.certification.statement import (
    STATEMENT_TYPE,
    build_statement,
    read_statement,
    required_sentences,
    sentences,
)
from survey.certification.table import decide, figure_of, members_of, read_table
from survey.certification.transparency_log import CompactTree, sign_head, tree_root

GOLDEN = Path(__file__).parents[1] / "golden" / "trust"


@dataclass
class Wave:
    """One wave's evidence, as documents and as files."""

    plan: dict[str, Any]
    statement: dict[str, Any]
    table: list[dict[str, Any]]
    certificate: bytes
    bundle: bytes
    receipts: dict[str, str]
    signers: dict[str, Signer]
    facts: dict[str, Any] = field(default_factory=dict)


def make_wave(
    seed: int,
    *,
    weighted: bool | None = None,
    void: bool | None = None,
    schools: int | None = None,
    issued: tuple[int, int] = (4, 9),
    plan_changes: dict[str, Any] | None = None,
    statement_changes: dict[str, Any] | None = None,
    estimator: str | None = None,
    decision: str = "point-estimate-at-least-threshold",
    satisfied: float | Mapping[str, float] | None = None,
    eligible: Mapping[str, int] | None = None,
    modes: Mapping[str, str] | None = None,
    extended: tuple[str, ...] = (),
    late: bool = False,
    callbacks: int | None = None,
) -> Wave:
    """A random wave with every kind of file; the same seed gives the same bytes.

    Args:
        satisfied: the chance of a satisfied answer, for all or by letter of the group.
        eligible: persons by domain, for domains whose number matters.
        modes: how a group answers, by its letter; slips unless told.
        extended: later closing dates, each a signed extension.
        callbacks: how many the opening names; those of the statement unless told.
        late: register the extensions after the closing, as must not be.
    """
    rng = random.Random(seed)
    weighted = rng.random() < 0.6 if weighted is None else weighted
    estimator = estimator or ("weighted-ratio/v1" if weighted else "stratified-mean/v1")
    wave, host = f"wave-{seed}", "survey.example"
    origin = f"{host}/{wave}"
    signers = {
        role: Signer(name, rng.randbytes(32))
        for role, name in (
            ("log", origin),
            ("operator", f"{host}/operator"),
            ("approver", f"{host}/approver"),
            ("registry", f"{host}/registry"),
        )
    }
    domains, slips, slip_key = _draw(rng, schools or rng.randint(2, 6), issued)
    for domain in domains:
        domain["mode"] = (modes or {}).get(domain["domain"][-1], "slip")
        domain["eligible"] = (eligible or {}).get(domain["domain"], domain["eligible"])
        # A poster in the open counts nobody off; its people are not part of the figure's base.
        domain["slips"] = 0 if domain["mode"] == "open" else domain["slips"]
    leaves, heads, satisfied_at, slips = _answer(rng, domains, slips, wave, signers, satisfied)
    by_slip = {domain["domain"] for domain in domains if domain["mode"] == "slip"}
    slips = [slip for slip in slips if slip[1] in by_slip]
    instrument = {"type": "survey/instruments/v1", "instruments": {"parents/full": {"items": ["q01"]}}}
    rules: dict[str, Any] = {
        "estimator": estimator,
        "decision": decision,
        "threshold": "0.85",
        "box_key": rng.randbytes(32).hex(),
        **({"group_shares": {"parent": "7/10", "teacher": "3/10"}} if weighted else {}),
        **({"part_shares": PARTS} if estimator == "weighted-parts/v1" else {}),
        **(plan_changes or {}),
    }
    plan_document = build_plan(
        wave=wave,
        title="示例县满意度调查",
        domains=domains,
        keys=[signers[role].vkey for role in ("log", "operator", "approver")],
        minimum_count=3,
        scoring={"item": "q01", "satisfied_if_at_least": 3},
        instrument_digest=canonical.digest(instrument),
        slip_key_digest=canonical.sha256_hex(slip_key),
        slips_root=tree_root([slip_leaf(d, e) for e, d, _ in sorted(slips)]).hex(),
        registry_key=signers["registry"].vkey,
        canaries={"count": 2},
        demonstration=True,
        **rules,
    )
    plan = read_plan(plan_document)
    two = [signers["operator"], signers["approver"]]
    closing = build_closing(
        wave=wave,
        plan_digest=plan.digest,
        root=tree_root(leaves).hex(),
        size=len(leaves),
        slips=slips_jsonl(slips),
        heads=heads_text(heads),
    )
    voided = _voidable(rng, domains) if (rng.random() < 0.3 if void is None else void) else []
    voids = [build_void(wave=wave, domains=voided, reason="蜜罐单被使用")] if voided else []
    called = int((statement_changes or {}).get("callbacks", 0)) if callbacks is None else callbacks
    opening = build_opening(
        wave=wave, plan_digest=plan.digest, closing=closing, voids=voids, callbacks=called
    )
    excluded = _excluded(rng, leaves, set(voided))
    table, pooled = _table(rng, plan, leaves, satisfied_at, dict(excluded), weighted)
    table = [_as_of(row, estimator) for row in table]
    rows = read_table(table, plan.estimator)
    members = members_of(rows, plan, pooled)
    figure = figure_of(rows, plan, members)
    attachments = {"figure.R": b"# R\n"}
    more: dict[str, Any] = {
        "attachments": attachment_digests(attachments),
        "counts": _counts(plan, leaves, slips, dict(excluded)),
        "pooled": {name: list(inside) for name, inside in pooled.items()},
        "interval": {"lower": "0.8000", "upper": "0.9000"},
        "level": "public",
        "sentences": sentences(["S1", "S4", "S5", "S6", "S7"]),
        **(statement_changes or {}),
    }
    arguments: dict[str, Any] = {
        "plan": plan,
        "root": tree_root(leaves).hex(),
        "size": len(leaves),
        "excluded": excluded,
        "table_digest": canonical.digest(table),
        "figure": figure,
        "reached": decide(figure, plan, rows, members, more.get("callbacks", 0)),
    }
    draft = read_statement(build_statement(**{**arguments, **more}))
    if "sentences" not in (statement_changes or {}):
        more["sentences"] = sentences(required_sentences(plan, draft))
    statement = build_statement(**{**arguments, **more})

    def signed(kind: str, document: Any) -> str:
        return make_note(digest_note_text(origin, kind, canonical.digest(document)), two)

    extensions = [build_extension(wave=wave, plan_digest=plan.digest, closes_on=on) for on in extended]
    put_off = [(canonical.digest(document), EXTENSION_TYPE) for document in extensions]
    names = [numbered("extension", at) for at in range(1, len(extensions) + 1)]
    entries = [
        (canonical.digest("another"), PLAN_TYPE),
        (plan.digest, PLAN_TYPE),
        *([] if late else put_off),
        (canonical.digest(closing), CLOSING_TYPE),
        *(put_off if late else []),
        *((canonical.digest(document), VOID_TYPE) for document in voids),
        (canonical.digest(opening), OPENING_TYPE),
        (canonical.digest(statement), STATEMENT_TYPE),
    ]
    registry = [registry_leaf(*entry) for entry in entries]
    head = sign_head(f"{host}/registry", len(registry), tree_root(registry), [signers["registry"]])
    closing_note = sign_head(origin, len(leaves), tree_root(leaves), [signers["log"], *two])
    certificate = build_certificate(
        plan=plan_document,
        plan_note=signed("plan", plan_document),
        statement=statement,
        statement_note=signed("statement", statement),
        table=table,
        closing_note=closing_note,
        registry=prove_registered(registry, len(registry) - 1, head),
    )
    bundle = build_bundle(
        plan=plan_document,
        plan_note=signed("plan", plan_document),
        closing=closing,
        closing_note=closing_note,
        opening=opening,
        opening_note=signed("opening", opening),
        statement=statement,
        statement_note=signed("statement", statement),
        table=table,
        slips=slips,
        leaves=leaves,
        heads=heads,
        slip_key=slip_key,
        instrument=instrument,
        registry=registry_document(registry, head),
        voids=[(document, signed("void", document)) for document in voids],
        documents={f"{name}.json": document for name, document in zip(names, extensions)},
        notes={f"{name}.note": signed("extension", document) for name, document in zip(names, extensions)},
        attachments=attachments,
    )
    facts = {"figure": figure, "leaves": leaves, "heads": heads, "number": len(registry) - 1}
    return Wave(plan_document, statement, table, certificate, bundle, {}, signers, facts)


def _draw(
    rng: random.Random, schools: int, between: tuple[int, int]
) -> tuple[list[dict[str, Any]], list[tuple[str, str]], bytes]:
    """Domains of a few schools, and (e, domain) of their slips."""
    slip_key = rng.randbytes(32)
    domains, slips = [], []
    for school in range(schools):
        for letter, group in (("P", "parent"), ("T", "teacher")):
            issued = rng.randint(*between)
            name = f"{school:04d}-{letter}"
            domains.append(
                {
                    "domain": name,
                    "eligible": rng.randint(issued, issued + 400),
                    "mode": "slip",
                    "slips": issued,
                    "group": group,
                }
            )
            for position in range(issued):
                code = f"{name}{position}".encode()
                e = hmac.new(slip_key, b"survey/v1/slip\x00" + code, hashlib.sha256).hexdigest()
                slips.append((e, name))
    return domains, slips, slip_key


def _answer(
    rng: random.Random,
    domains: list[dict[str, Any]],
    slips: list[tuple[str, str]],
    wave: str,
    signers: dict[str, Signer],
    satisfied: float | Mapping[str, float] | None,
) -> tuple[list[bytes], list[str], list[bool | None], list[tuple[str, str, str]]]:
    """Leaves, heads, whether each was satisfied (None: no opinion), and slips with states."""
    rate = rng.uniform(0.7, 0.98) if satisfied is None else satisfied
    at_least_one = {domain["domain"] for domain in domains}
    order = slips[:]
    rng.shuffle(order)
    tree, leaves, heads, answers, states = CompactTree(), [], [], [], []
    batch = 0
    for e, domain in order:
        if domain not in at_least_one and rng.random() < 0.3:
            states.append((e, domain, rng.choice(["unused", "voided"])))
            continue
        at_least_one.discard(domain)
        states.append((e, domain, "disputed" if rng.random() < 0.05 else "used"))
        chance = rate[domain[-1]] if isinstance(rate, Mapping) else rate
        value = None if rng.random() < 0.05 else rng.random() < chance
        record = record_bytes(
            {"answers": {"q01": 4 if value else 1}, "day": 1, "domain": domain, "v": 1, "wave": wave},
            pad=True,
        )
        data = leaf(commitment(rng.randbytes(32), record), domain, key_digest(rng.randbytes(16)))
        leaves.append(data)
        answers.append(value)
        tree.add(data)
        batch += 1
        if batch == 3:
            heads.append(sign_head(signers["log"].name, tree.size, tree.root(), [signers["log"]]))
            batch = 0
    if batch:
        heads.append(sign_head(signers["log"].name, tree.size, tree.root(), [signers["log"]]))
    return leaves, heads, answers, states


def _counts(
    plan: Any, leaves: list[bytes], slips: list[tuple[str, str, str]], excluded: dict[int, str]
) -> list[dict[str, Any]]:
    """What became of every domain's slips, as the product's statement says it."""
    at = [json.loads(data)["domain"] for data in leaves]
    rows = []
    for name, domain in plan.domains.items():
        states = [state for _, where, state in slips if where == name]
        used = sum(d == name and excluded.get(i) != "X1" for i, d in enumerate(at))
        rows.append(
            {
                "domain": name,
                "eligible": domain.eligible,
                "slips": domain.slips,
                "used": used,
                "voided": states.count("voided"),
                "disputed": states.count("disputed"),
                "paper": min(used, 1),
                "telephone": min(max(used - 1, 0), 1),
                "spares": 0,
                "counted": sum(d == name and i not in excluded for i, d in enumerate(at)),
            }
        )
    return rows


def _voidable(rng: random.Random, domains: list[dict[str, Any]]) -> list[str]:
    return [rng.choice(domains)["domain"]]


def _excluded(rng: random.Random, leaves: list[bytes], voided: set[str]) -> list[tuple[int, str]]:
    domains = [json.loads(data)["domain"] for data in leaves]
    excluded = {index: "X2" for index, domain in enumerate(domains) if domain in voided}
    for index in rng.sample(range(len(leaves)), 2):
        if domains.count(domains[index]) > 3:
            excluded.setdefault(index, "X1")
    return sorted(excluded.items())


def _table(
    rng: random.Random,
    plan: Any,
    leaves: list[bytes],
    answers: list[bool | None],
    excluded: dict[int, str],
    weighted: bool,
) -> tuple[list[dict[str, Any]], dict[str, tuple[str, ...]]]:
    """The table, small domains of a group merged into one pool."""
    counts = {name: [0, 0, 0] for name in plan.domains}
    for index, (data, value) in enumerate(zip(leaves, answers)):
        if index not in excluded:
            count = counts[json.loads(data)["domain"]]
            count[0] += 1
            count[1] += value is not None
            count[2] += value is True
    pools: dict[str, list[str]] = {}
    for group in ("parent", "teacher"):
        names = [name for name, domain in plan.domains.items() if domain.more["group"] == group]
        small = [name for name in names if counts[name][1] < 3]
        if small:
            small = small if sum(counts[name][1] for name in small) else names
            pools[f"pool/{group}"] = small
        for name in names:
            if name not in small:
                pools[name] = [name]
    table = []
    for name, inside in sorted(pools.items()):
        n, v, x = (sum(counts[domain][part] for domain in inside) for part in range(3))
        row: dict[str, Any] = {"domain": name, "n": n, "x": x}
        if weighted:
            eligible = sum(plan.domains[domain].eligible for domain in inside)
            group = plan.domains[inside[0]].more["group"]
            row |= {"v": v, "group": group, "w": _text(Fraction(eligible * rng.randint(3, 9), 7 * max(n, 1)))}
        table.append(row)
    return table, {
        name: tuple(inside) for name, inside in pools.items() if len(inside) > 1 or name != inside[0]
    }


def _as_of(row: dict[str, Any], estimator: str) -> dict[str, Any]:
    """A weighted row in the shape of another estimator, with the same counts in it."""
    if estimator == "weighted-parts/v1":
        parts = {"parents/q01": {"v": row["v"], "x": f"{row['x']}"}, "silent": {"v": 0, "x": "0"}}
        if row["v"]:
            parts["parents/q02"] = {"v": row["v"] - 1, "x": f"{2 * row['v'] - 2}/3"}
        return {key: row[key] for key in ("domain", "group", "n", "w")} | {"parts": parts}
    if estimator == "full-body/v1":
        return {key: row[key] for key in ("domain", "group", "n", "x")}
    return row


PARTS = {
    group: {"parents/q01": "1/2", "parents/q02": "1/3", "silent": "1/6"} for group in ("parent", "teacher")
}


def _text(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


@pytest.fixture(scope="session")
def wave_of() -> Callable[..., Wave]:
    """`make_wave`, handed to tests."""
    return make_wave


@pytest.fixture(scope="session")
def small_wave() -> Wave:
    """One small weighted wave with a voided domain."""
    return make_wave(7, weighted=True, void=True, schools=2)


@pytest.fixture(scope="session")
def trust_example() -> dict[str, Any]:
    """TRUST's worked wave."""
    return json.loads((GOLDEN / "evidence_example.json").read_text(encoding="utf-8"))
