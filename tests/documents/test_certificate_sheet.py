"""The certificate sheet: a view of its file on one page, with its doubts."""

from __future__ import annotations

import dataclasses
import hashlib
from fractions import Fraction
from typing import Any

import pytest

from survey import canonical
from survey.certification.certificate import build_certificate
from survey.certification.proof_table import NOT_PROVEN
from survey.certification.registry import prove_registered, registry_leaf
from survey.certification.signature import Signer
from survey.certification.signed_plan import build_plan, read_plan
from survey.certification.statement import STATEMENT_TYPE, build_statement, sentences, short_code
from survey.certification.transparency_log import sign_head, tree_root
from survey.documents.certificate_sheet import certificate_sheet, sheet_of

DIGEST = hashlib.sha256(b"").hexdigest()


@dataclasses.dataclass(frozen=True)
class Made:
    """A certificate file and its digests."""

    file: bytes
    plan_code: str
    statement_digest: str


def make(mode: str = "slip", **facts: Any) -> Made:
    signers = [
        Signer(f"survey.wanan.cn/{name}", bytes([n]) * 32)
        for n, name in enumerate(("w-1", "张经办", "李签发"))
    ]
    registry = Signer("survey.wanan.cn/registry", b"r" * 32)
    document = build_plan(
        wave="w-1",
        title="万安县2026年秋季义务教育满意度调查",
        domains=[{"domain": "1-P", "eligible": 400, "mode": mode, "slips": 60}],
        keys=[one.vkey for one in signers],
        estimator="stratified-mean/v1",
        decision="point-estimate-at-least-threshold",
        threshold="0.85",
        minimum_count=10,
        scoring={},
        instrument_digest=DIGEST,
        slip_key_digest=DIGEST,
        slips_root=DIGEST,
        box_key=None,
        registry_key=registry.vkey,
        opens_on="2026-11-24",
        closes_on="2026-12-05",
        frame_digest=DIGEST,
    )
    plan = read_plan(document)
    table = [{"domain": "1-P", "n": 52, "x": 46}]
    statement = build_statement(
        plan=plan,
        root=DIGEST,
        size=55,
        excluded=[],
        table_digest=canonical.digest(table),
        figure=Fraction(46, 52),
        **{
            "reached": True,
            "figure_name": "社会认可度",
            "interval": {"lower": "0.7650", "upper": "0.9569"},
            "evidence_class": {"slip": "A", "quota": "B", "open": "C"}[mode],
            "n": 52,
            "formula": "（非常满意＋比较满意）÷有效份数",
            "method_version": "1",
            "counts": [{"domain": "1-P", "slips": 60, "used": 55, "disputed": 1}],
            "sentences": sentences(["S1", "S5", "S6"]),
            **facts,
        },
    )
    leaves = [registry_leaf(DIGEST, STATEMENT_TYPE)] * 6 + [
        registry_leaf(canonical.digest(statement), STATEMENT_TYPE)
    ]
    head = sign_head(registry.name, 7, tree_root(leaves), [registry])
    file = build_certificate(
        plan=document,
        plan_note="note",
        statement=statement,
        statement_note="note",
        table=table,
        closing_note="note",
        registry=prove_registered(leaves, 6, head),
    )
    return Made(file, plan.code, canonical.digest(statement))


@pytest.fixture
def made() -> Made:
    return make()


def test_the_sheet_is_one_a4_page_whose_code_leads_to_verification(made, imprint, at, eyes) -> None:
    sheet = certificate_sheet(sheet_of(made.file, imprint), at=at)
    [picture] = eyes.pictures(sheet)
    signs = short_code(made.statement_digest)
    link = f"https://SURVEY.WANAN.CN/V/{signs.replace('-', '')}"

    assert eyes.sizes(sheet) == [(210, 297)]
    assert eyes.codes_by_zxing(picture) == [link]
    assert eyes.code_by_opencv(picture) == link
    assert signs in eyes.text_of(sheet)[0]


def test_the_sheet_says_what_the_file_says(made, imprint, at, eyes) -> None:
    [text] = eyes.text_of(certificate_sheet(sheet_of(made.file, imprint), at=at))

    for words in (
        "结果证书第6号",
        "万安县2026年秋季义务教育满意度调查",
        "社会认可度",
        "88.46%",
        "95%区间76.50%–95.69%，有效答卷52份",
        "真实数大约在76.50%到95.69%之间（把握95%）",
        "要求：85%以上（含85%）结论：达到",
        "发出60，使用55，声明未填1",
        "（非常满意＋比较满意）÷有效份数",
        "置信区间跨过要求线",
        "登记时共7条",
        "张经办",
        "李签发",
        made.plan_code,
        made.statement_digest,
        "演示数据",
        *NOT_PROVEN,
    ):
        assert words.replace(" ", "") in text, words


def test_digests_stand_in_groups_of_four(made, imprint) -> None:
    shown = dict(sheet_of(made.file, imprint).digests)

    assert shown["结果声明"].replace(" ", "") == made.statement_digest
    assert {len(group) for value in shown.values() for group in value.split(" ")} == {4}


def test_an_open_poster_gets_no_line_and_no_reading(imprint, at, eyes) -> None:
    made = make("open", reached=None, interval=None)
    [text] = eyes.text_of(certificate_sheet(sheet_of(made.file, imprint), at=at))

    assert "结论：" not in text and "要求：" not in text
    assert "95%区间" not in text
    assert "不是概率样本" in text


def test_a_figure_below_the_line_says_so(imprint) -> None:
    across, clear = sentences(["S5", "S6"]), sentences(["S5"])

    assert sheet_of(make(reached=False, sentences=clear).file, imprint).reading == "没有达到"
    assert sheet_of(make(reached=True, sentences=across).file, imprint).reading == "达到（区间跨过要求线）"
    assert sheet_of(make(reached=None, sentences=across).file, imprint).reading == "不作判断"


def test_all_that_may_have_to_be_said_still_fits_one_page(imprint, at, eyes) -> None:
    every = [f"S{number}" for number in range(1, 12)]
    made = make(sentences=sentences(every), case_file_digest=DIGEST, formula="很长的算法说明" * 20)

    assert len(eyes.sizes(certificate_sheet(sheet_of(made.file, imprint), at=at))) == 1


def test_only_a_demonstration_is_marked_as_one(made, imprint, at, eyes) -> None:
    real = dataclasses.replace(imprint, demonstration=False)

    assert "演示数据" not in eyes.text_of(certificate_sheet(sheet_of(made.file, real), at=at))[0]


def test_the_same_certificate_gives_the_same_bytes(made, imprint, at) -> None:
    sheet = sheet_of(made.file, imprint)

    assert certificate_sheet(sheet, at=at) == certificate_sheet(sheet, at=at)
