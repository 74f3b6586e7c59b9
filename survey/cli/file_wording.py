"""The results of a file as a terminal shows them: a table of plain Chinese, columns aligned."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from survey.estimation.analysis.rows import words_of
from survey.exact import percent_text, truncate

MOST_LINES = 400
"""Lines of a table that a terminal gets; the files have them all."""


def file_text(document: Mapping[str, Any]) -> str:
    """The results of a file as a terminal shows them."""
    design = document["design"]
    lines = [document["title"], _design_text(design)]
    response = document["response"]
    if response is not None:
        lines.append(
            f"应答：{response['sampled']}条里回答{response['answered']}条，{_percent(response['rate'])}（加权{_percent(response['weighted_rate'])}）"
        )
    lines += ["", *_weights_text(document["weights"])]
    rows = [*document["rows"], *document["composites"]]
    if rows:
        lines += [
            "",
            *_table(
                (
                    "题目",
                    "分组",
                    "结果",
                    "标准误",
                    f"{document['interval']['level'] * 100:.4g}%区间",
                    "有效",
                    "提醒",
                ),
                [_row(row) for row in rows[:MOST_LINES]],
            ),
        ]
        if len(rows) > MOST_LINES:
            lines.append(f"……共{len(rows)}行，其余在results.csv里")
    for row in rows:
        if row.get("decision"):
            lines.append(
                f"要求线：{row['label']}（{row['domain']}）{row['line_in_words']}；{row['decision']}。{row['evidence_words']}"
            )
    if document["comparisons"]:
        lines += [
            "",
            *_table(
                ("比较", "差", "标准误", "区间", "p", "校正后p"),
                [_pair(row) for row in document["comparisons"][:MOST_LINES]],
            ),
        ]
    published = document["published"]
    if published is not None:
        lines += ["", _published_text(published)]
    quality = document["quality"]
    if quality is not None:
        alpha = quality["cronbach_alpha"]
        lines += ["", f"答题质量（{len(quality['items'])}题）：一条线到底{quality['straight_line_rows']}份"
                  + (f"（{_percent(quality['straight_line_share'])}）" if quality["straight_line_share"] is not None else "")
                  + f"，与别的记录完全相同{quality['identical_rows']}份，Cronbach α "
                  + ("算不出" if alpha is None else f"{alpha:.4f}")]  # fmt: skip
    if document["notes"]:
        lines += ["", *(f"说明：{note}" for note in document["notes"])]
    return "\n".join(lines)


def _design_text(design: Mapping[str, Any]) -> str:
    parts = [f"{design['records']}条记录", design["in_words"]]
    if "psus" in design:
        parts.append(f"{design['strata']}层{design['psus']}个抽样单位")
    if "replicates" in design:
        parts.append(f"{design['replicates']}组")
    return "设计：" + "，".join([*parts, f"自由度{design['df']}"])


def _weights_text(steps: list[Mapping[str, Any]]) -> list[str]:
    rows = [
        [s["name"], _weight(s["total"]), _weight(s["smallest"]), _weight(s["largest"]), f"{s['kish_deff']:.4f}", f"{s['effective_n']:,.1f}", s["note"]]
        for s in steps
    ]  # fmt: skip
    return _table(("加权", "合计", "最小", "最大", "Kish设计效应", "有效样本量", "说明"), rows)


def _weight(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.6g}"


def _row(row: Mapping[str, Any]) -> list[str]:
    name = row["label"] + (f"：{row['option_label']}" if row.get("option_label") else "")
    is_rate = bool(row.get("percent"))
    shown = row.get("percent") or row.get("shown") or "—"
    n = row.get("n_shown") if row.get("withheld") and row.get("n") is None else row["n"]
    cautions = words_of(row.get("cautions", []))
    return [
        name,
        row["domain"],
        shown,
        _number(row.get("se"), is_rate),
        _span(row, is_rate),
        str(n),
        cautions,
    ]


def _pair(row: Mapping[str, Any]) -> list[str]:
    p = [("—" if row.get(key) is None else f"{row[key]:.4f}") for key in ("p_value", "p_adjusted")]
    span = "—" if row["lower"] is None else f"{row['lower']:.4f}到{row['upper']:.4f}"
    return [
        f"{row['label']}，{row['by']}：{row['second_label']} − {row['first_label']}",
        f"{row['difference']:.4f}",
        f"{row['se']:.4f}",
        span,
        *p,
    ]


def _published_text(published: Mapping[str, Any]) -> str:
    text = f"公布的占比{len(published['rows'])}行，逐行的区间在results.csv里"
    if published["compared"]:
        text += f"；同公布的区间核对{published['compared']}行，相差不超过{published['tolerance']:g}的{published['agree']}行，最大相差{published['largest_gap']:.6f}"
    return text


def _number(value: float | None, is_rate: bool) -> str:
    if value is None:
        return "—"
    return f"{value * 100:.2f}点" if is_rate else f"{value:,.4f}" if abs(value) < 1000 else f"{value:,.1f}"


def _span(row: Mapping[str, Any], is_rate: bool) -> str:
    if row.get("lower") is None:
        return "—"
    if is_rate:
        return f"{_percent(row['lower'])}–{_percent(row['upper'])}"
    return f"{_number(row['lower'], False)}–{_number(row['upper'], False)}"


def _percent(rate: float) -> str:
    return percent_text(truncate(rate))


def _table(head: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    """Lines with columns aligned, Chinese signs two wide; the last column runs free."""
    widths = [max(_wide(line[at]) for line in (head, *rows)) for at in range(len(head))]
    widths[:2] = [min(width, 40) for width in widths[:2]]
    return [
        "  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (head, *rows)
    ]


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, width: int) -> str:
    if len(text) > width:
        text = text[:width] + "…"
    while _wide(text) > width:
        text = text.removesuffix("…")[:-1] + "…"
    return text + " " * (width - _wide(text))
