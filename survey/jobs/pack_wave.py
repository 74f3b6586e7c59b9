"""Pack a certified wave's evidence (建档): the papers an inspection asks for, in one ZIP.

Signed papers and counts are taken from the public bundle, byte for byte, so that what is packed
is what the verifier has checked; notices, forms, tables and the report are set anew with the
date of the statement. The same wave therefore gives the same bytes whenever it is packed.
Never inside: an answer, a text somebody wrote, a slip code, a key that is not public.
"""

from __future__ import annotations

import csv
import json
from asyncio import to_thread
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from importlib.resources import files
from io import StringIO
from typing import IO, Any

from survey.canonical import digest
from survey.certification.archive import unpack
from survey.certification.statement import short_code
from survey.certification.zipapp_verifier import build_zipapp
from survey.columns import plain_cell
from survey.documents.certificate_sheet import certificate_sheet, sheet_of
from survey.documents.evidence_pack import PackFacts, Paper, evidence_pack
from survey.documents.pieces import Piece, make_pieces
from survey.errors import SurveyError
from survey.exact import percent_text
from survey.jobs.launch_lines import LINES
from survey.jobs.render_papers import form_and_notice_pieces, wave_imprint
from survey.jobs.render_report import render_report
from survey.jobs.revocations import withdrawn
from survey.sampling.sample import Sample
from survey.scheme.texts import find_language
from survey.settings import Settings
from survey.storage.audit import record_audit
from survey.storage.certificates import list_certificates
from survey.storage.certification_steps import list_steps
from survey.storage.frames import load_frame
from survey.storage.launch_ticks import list_ticks
from survey.storage.plans import load_fielded_plan, require_state
from survey.storage.results import load_results
from survey.storage.samples import load_sample
from survey.storage.school_contacts import list_handouts

PLAN, NOTICES, FORMS, SAMPLE, RETURNS, FLAGS, COUNTS, RESULT, SIGNED = (
    "方案和审批", "通知和告知", "问卷", "名册和抽样", "发放和回收", "质量提示", "计数和算法", "结果", "签名和证书",
)  # fmt: skip

FROM_BUNDLE = (
    ("plan.json", PLAN, "签下的计划，全部规则和摘要"),
    ("plan.note", PLAN, "计划上两人的签名"),
    ("scheme.json", PLAN, "指标体系：要问谁、要求线、算法和出处"),
    ("extension.json", PLAN, "延期"),
    ("extension.note", PLAN, "延期上两人的签名"),
    ("instrument.json", FORMS, "全部问卷的原文，摘要写在计划里"),
    ("frame.json", SAMPLE, "签计划时的名册原件"),
    ("design.json", SAMPLE, "抽样设计"),
    ("design.note", SAMPLE, "抽签以前签下的设计"),
    ("sample.json", SAMPLE, "样本原件：种子、层、抽中的学校"),
    ("slips.jsonl", RETURNS, "每张纸条的密文摘要和状态，没有填写码"),
    ("void.json", FLAGS, "开箱以前作废的学校组和理由"),
    ("void.note", FLAGS, "作废上两人的签名"),
    ("table.json", COUNTS, "计数表：满意度由它算出"),
    ("results.json", RESULT, "结果全文，证书里有它的摘要"),
    ("closing.json", SIGNED, "结束时的日志头和名单"),
    ("closing.note", SIGNED, "结束上两人的签名"),
    ("opening.json", SIGNED, "开箱记录"),
    ("opening.note", SIGNED, "开箱上两人的签名"),
    ("statement.json", SIGNED, "满意度声明"),
    ("statement.note", SIGNED, "声明上的签名"),
    ("revocation.note", SIGNED, "撤回上两人的签名和理由"),
    ("registry.json", SIGNED, "登记册"),
)
"""Members of the public bundle that an inspector looks for by name."""

REPORTS = (("pdf", "报告"), ("docx", "报告，Word格式"), ("xlsx", "结果表，每个数带份数和区间"))


class NoPackYetError(SurveyError):
    """The public bundle is not on this machine, so there is nothing to pack."""

    code = "pack.no_bundle"
    kind = "conflict"

    def __init__(self, wave: str) -> None:
        super().__init__(
            f"调查 {wave} 的建档包", "最新一号证书的公开核验包不在这台机器上", "在签发证书的那台机器上装，或者把 bundle.zip 拷回来"
        )


async def pack_wave(
    settings: Settings,
    wave: str,
    target: IO[bytes],
    *,
    actor: str,
    now: datetime,
    progress: Callable[[float, str], None] | None = None,
) -> None:
    """Write the evidence pack of a certified wave.

    Args:
        target: open for writing bytes.
        progress: told the share done and what is being done, also from another thread; whatever it raises
            ends the work there, and what `target` holds by then is no pack.

    Raises:
        WrongStateError: the wave is not certified. NoPackYetError: its public bundle is not here, or is not
            that of its newest certificate.
    """
    tell = progress or (lambda share, what: None)
    await require_state(wave, "certified")
    path = settings.out_of(wave) / "bundle.zip"
    if not path.is_file():
        raise NoPackYetError(wave)
    tell(0, "读公开核验包")
    bundle = await to_thread(path.read_bytes)
    members, _ = await to_thread(unpack, bundle)
    statement = json.loads(members["statement.json"])
    at = datetime.combine(date.fromisoformat(statement["issued_on"]), time(), UTC)
    plan, results = await load_fielded_plan(wave), await load_results(wave)
    sample, imprint = await load_sample(wave), await wave_imprint(plan)
    newest = (await list_certificates(wave))[-1]
    if short_code(digest(statement)) != newest.signs:
        raise NoPackYetError(wave)
    printed = await form_and_notice_pieces(plan, sample, imprint, at)
    pieces = await to_thread(_set, printed, tell)
    reports = []
    for kind, about in REPORTS:
        tell(0.6, f"排印{about}")
        reports.append((kind, about, await render_report(wave, kind, now=at)))
    papers = [
        *(Paper(section, name, members[name], about) for name, section, about in FROM_BUNDLE if name in members),
        *(
            Paper(
                NOTICES if name.startswith("4_") else FORMS,
                name.rpartition("/")[2],
                made,
                _about_piece(name),
            )
            for name, made in pieces
        ),
        _listing(PLAN, "发布前检查.csv", await _ticks(wave), "由人确认的每一项：谁、什么时候、备注"),
        Paper(SAMPLE, "学校名册.csv", _frame(await load_frame(wave)), "名册，一校一行"),
        Paper(SAMPLE, "样本.csv", _sample(sample), f"抽中的学校×人群；种子 {sample.seed}"),
        Paper(SAMPLE, "怎样重新抽一遍.md", _replay(), "用种子和名册重抽的步骤"),
        Paper(RETURNS, "回收.csv", _returns(results), "每个学校×人群：应有、发出、交回、作废、计入"),
        _listing(RETURNS, "学校发放登记.csv", await _handouts(wave), "学校登记的发放：班、份数、日期"),
        _listing(FLAGS, "质量提示.csv", _flags(results), "规则、学校组、看到的、界限"),
        Paper(COUNTS, "口径.txt", _formula(results), "满意度怎样算，用一句话说清"),
        *(
            Paper(COUNTS, name, content, "在R里由计数表重新算出满意度")
            for name, content in sorted(members.items())
            if name in (statement.get("attachments") or {}) and not name.endswith(".stamp")
        ),
        *(
            Paper(RESULT, f"报告.{kind}" if kind != "xlsx" else "结果表.xlsx", made, about)
            for kind, about, made in reports
        ),
        Paper(COUNTS, "statement.json", members["statement.json"], "满意度声明，figure.R要同它核对"),
        Paper(SIGNED, "certificate.json", newest.data, "结果证书，可离线核验"),
        Paper(
            SIGNED, "结果证书.pdf", await to_thread(certificate_sheet, sheet_of(newest.data, imprint), at=at), "证书的纸面，A4一页"
        ),
        Paper(SIGNED, "bundle.zip", bundle, "公开核验包原件"),
        Paper(SIGNED, "survey-verify.pyz", build_zipapp(), "核验程序：python3 survey-verify.pyz bundle.zip"),
        _listing(SIGNED, "签发步骤.csv", await _steps(wave), "经办、复核、签发：谁、什么时候、看的是哪一份"),
    ]  # fmt: skip
    facts = PackFacts(
        title=plan.title,
        wave=wave,
        figure=_figure(results),
        certificate=f"第{newest.number}号，核验码 {short_code(digest(statement))}，{statement['issued_on']}签发"
        + "".join(f"；已撤回，不能再引用，理由：{reason}" for reason in (await withdrawn([wave])).values()),
    )
    tell(0.8, "编目录，装进压缩包")
    await to_thread(evidence_pack, target, papers, facts, imprint, at=at)
    await record_audit(actor, "pack_wave", wave, details={"files": len(papers)}, now=now)


def _set(printed: Sequence[Piece], tell: Callable[[float, str], None]) -> list[tuple[str, bytes]]:
    """Every notice and form by name."""
    made = []
    for number, (piece, content) in enumerate(make_pieces(printed), 1):
        tell(0.1 + 0.5 * number / len(printed), f"排印问卷和告知 {number} / {len(printed)}")
        made.append((piece.name, content))
    return made


def _about_piece(name: str) -> str:
    """What a printed piece is: its language, where it is not Chinese, and its size."""
    if name.startswith("4_"):
        return "发给学校的原文"
    code = name.rpartition("/")[2].partition("_")[0]
    language = find_language(code).zh if code.isascii() else ""
    return "，".join(part for part in ("纸质问卷", language, "大字" if "_大字" in name else "") if part)


def _figure(results: Mapping[str, Any]) -> str:
    interval, shown = results.get("interval"), percent_text(results["figure"]["shown"])
    between = f"（95%区间 {percent_text(interval['lower'])}–{percent_text(interval['upper'])}）" if interval else ""
    return f"{results['name']} {shown}{between}，有效{results['n_valid']}份"


def _listing(section: str, name: str, content: bytes, about: str) -> Paper:
    """A sheet of what was recorded; the index says where nothing was, so that nobody looks for a lost page."""
    return Paper(section, name, content, about if content.count(b"\r\n") > 1 else f"{about}（没有记录）")


def _sheet(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = StringIO()
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(head)
    for row in rows:
        sheet.writerow(["" if cell is None else plain_cell(str(cell)) for cell in row])
    return text.getvalue().encode("utf-8-sig")


async def _ticks(wave: str) -> bytes:
    ticks = await list_ticks(wave)
    return _sheet(
        ("项目", "确认的内容", "谁", "时间（UTC）", "备注"),
        [
            (line.title, line.asked, tick.person, f"{tick.ticked_at.astimezone(UTC):%Y-%m-%d %H:%M}", tick.note)
            for line in LINES
            if (tick := ticks.get(line.key)) is not None
        ],
    )


async def _steps(wave: str) -> bytes:
    names = {"prepare": "经办", "review": "复核", "send_back": "退回", "sign": "签发"}
    return _sheet(
        ("第几份证书", "步骤", "谁", "时间（UTC）", "声明的摘要", "理由"),
        [
            (one.issue, names[one.step], one.person, f"{one.done_at.astimezone(UTC):%Y-%m-%d %H:%M}", one.digest, one.document.get("note"))
            for one in await list_steps(wave)
        ],
    )  # fmt: skip


async def _handouts(wave: str) -> bytes:
    return _sheet(
        ("学校代码", "人群", "班", "份数", "日期"),
        [
            (one.school_code, one.group, one.class_name, one.n, one.on)
            for one in await list_handouts(wave)
        ],
    )


def _frame(frame: Any) -> bytes:
    rows = frame.document()["schools"]
    head = list(rows[0]) if rows else ["code"]
    return _sheet(head, [[_flat(row.get(key)) for key in head] for row in rows])


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _sample(sample: Sample) -> bytes:
    return _sheet(
        ("学校×人群", "学校代码", "学校", "人群", "学段", "城乡", "层", "应有人数", "发出"),
        [
            (one.domain, one.school_code, one.school_name, one.group, one.stage, one.place, one.stratum, one.eligible, one.slips)
            for one in sample.domains
        ],
    )  # fmt: skip


def _returns(results: Mapping[str, Any]) -> bytes:
    keys = ("domain", "eligible", "slips", "used", "disputed", "voided", "counted", "paper", "telephone", "spares")
    head = ("学校×人群", "应有人数", "发出", "用了", "声明未填", "作废", "计入", "纸质", "电话", "备用")
    return _sheet(head, [[row.get(key) for key in keys] for row in results.get("counts") or ()])


def _flags(results: Mapping[str, Any]) -> bytes:
    keys = ("indicator", "name", "domain", "text", "limit", "honest")
    head = ("规则", "名称", "学校×人群", "看到的", "界限", "老实填的也会碰上")
    return _sheet(head, [[row.get(key) for key in keys] for row in results.get("flags") or ()])


def _formula(results: Mapping[str, Any]) -> bytes:
    figure = results["figure"]
    lines = [
        str(results["formula_in_words"]),
        f"准确值 {figure['numerator']}/{figure['denominator']}，截取显示 {percent_text(figure['shown'])}。",
        f"方法版本 {results['method_version']}。",
        *(str(sentence.get("zh")) for sentence in results.get("sentences") or ()),
    ]
    return ("\n".join(lines) + "\n").encode()


def _replay() -> bytes:
    return (files("survey.sampling") / "REPLAY.md").read_bytes()
