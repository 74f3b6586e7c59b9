"""The report of a file collected elsewhere: results first, then everything they rest on.

Enters: the document of an analysis. Leaves: an A4 PDF. It carries no county, seal or verdict of an
inspection: what it says is what the spec asked of the file. Numbers are printed as the document has
them, cut off and never rounded up; a line left out for length is said to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from survey.documents.charts import IntervalRow, interval_chart, told_range
from survey.documents.imprint import grouped
from survey.documents.pdf import pages
from survey.documents.typeface import with_glyphs
from survey.exact import percent_text, truncate

ABSENT = "—"
MOST_LINES = 600
LONGEST_NAME = 200
"""Signs of a question or group; what a column held beyond that stands in the result tables alone."""
MOST_DOTS = 24
EVERYBODY = "全体"
STATISTICS = {
    "proportion": "占比",
    "distribution": "各选项占比",
    "mean": "平均",
    "total": "合计",
    "ratio": "比率",
    "quantile": "分位数",
    "composite": "合成数",
}
METHODS = {
    "korn_graubard": "Korn–Graubard",
    "logit": "logit",
    "mean": "正态（Wald）",
    "asin": "反正弦",
    "beta": "beta",
    "wilson": "Wilson",
    "likelihood": "似然",
}


def analysis_report(document: Mapping[str, Any], *, at: datetime) -> bytes:
    """The report as a PDF.

    Args:
        document: what `jobs.estimate_file` gives.
        at: aware; the date of the file and on the first page.
    """
    rows: list[Mapping[str, Any]] = [_in_short(row) for row in (*document["rows"], *document["composites"])]
    whole = [row for row in rows if row["domain"] == EVERYBODY]
    data = {
        "title": document["title"],
        "made_on": f"{at.year}年{at.month}月{at.day}日",
        "level": f"{document['interval']['level'] * 100:.4g}%",
        "method": METHODS[document["interval"]["method"]],
        "source": document["note"],
        "chart": _chart(whole),
        "whole": [_line(row) for row in whole[:MOST_LINES]],
        "lines": [_judged(row) for row in rows if row.get("decision")],
        "groups": _groups(rows, MOST_LINES - len(whole)),
        "comparisons": [_pair(_in_short(row)) for row in document["comparisons"][:MOST_LINES]],
        "design": _design(document),
        "steps": [_step(row) for row in document["weights"]],
        "effect": [_effect(row) for row in whole if row.get("base_weighted") is not None][:60],
        "published": _published(document["published"]),
        "quality": _quality(document["quality"]),
        "cautions": _cautions(rows),
        "notes": [f"{note.rstrip('。')}。" for note in document["notes"]] + _left_out(rows),
        "digests": [
            [name, grouped(digest)]
            for name, digest in (
                (document["file"]["name"], document["file"]["sha256"]),
                (document["spec"]["name"], document["spec"]["sha256"]),
                *document["beside"].items(),
            )
        ],
    }
    printable, replaced = with_glyphs(data)
    if replaced:
        printable["notes"].append(f"有{replaced}个字字体里没有，报告里用〓代替；结果表里是原样。")
    return pages("analysis", printable, title=with_glyphs(document["title"])[0], at=at)


def _in_short(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with every text cut to what fits a table."""
    return {
        key: f"{value[: LONGEST_NAME - 1]}…" if isinstance(value, str) and len(value) > LONGEST_NAME else value
        for key, value in row.items()
    }


def _line(row: Mapping[str, Any]) -> list[str]:
    """Item, result, standard error, interval, answers, design effect."""
    is_rate = bool(row.get("percent"))
    name = row["label"] + (f"：{row['option_label']}" if row.get("option_label") else "")
    n = row.get("n_shown") if row.get("withheld") and row.get("n") is None else row["n"]
    deff = row.get("deff")
    return [
        name,
        str(row.get("percent") or row.get("shown") or ABSENT),
        _number(row.get("se"), is_rate),
        _span(row, is_rate),
        str(n),
        ABSENT if deff is None else f"{deff:.2f}",
    ]


def _groups(rows: list[Mapping[str, Any]], most: int) -> list[dict[str, Any]]:
    """The lines of domains, one table for every item, as many as the report has room for."""
    made: dict[str, dict[str, Any]] = {}
    for row in [row for row in rows if row["domain"] != EVERYBODY][: max(most, 0)]:
        label = row["label"]
        group = made.setdefault(row["id"], {"name": label, "rows": []})
        _name, *rest = _line(row)
        option = f"：{row['option_label']}" if row.get("option_label") else ""
        group["rows"].append([f"{row['domain']}{option}", *rest])
    return list(made.values())


def _left_out(rows: list[Mapping[str, Any]]) -> list[str]:
    return (
        [f"结果共{len(rows)}行，报告只印前{MOST_LINES}行，全部在results.csv和results.xlsx里。"]
        if len(rows) > MOST_LINES
        else []
    )


def _chart(whole: list[Mapping[str, Any]]) -> str:
    told = [
        row for row in whole
        if row.get("percent") and not row.get("withheld") and row["statistic"] in ("proportion", "composite")
    ][:MOST_DOTS]  # fmt: skip
    if len(told) < 2:
        return ""
    lines = {row["line"] for row in told if row.get("line")}
    return interval_chart(
        [
            IntervalRow(
                _short(row["label"]),
                None if row.get("coded") else row["shown"],
                *_ends(row),
                row["n"],
                row["percent"],
            )
            for row in told
        ],
        lines.pop() if len(lines) == 1 else None,
        title="各题占比和区间：" + "，".join(f"{row['label']}{row['percent']}" for row in told),
    )


def _ends(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    if row.get("coded") or row.get("lower") is None:
        return told_range({"coded": row.get("coded")})
    return truncate(max(row["lower"], 0.0)), truncate(min(row["upper"], 1.0))


def _short(label: str) -> str:
    """A label that fits beside the chart's axis."""
    room, kept = 14, ""
    for sign in label:
        room -= 2 if ord(sign) > 0x2E80 else 1
        if room < 0:
            return kept[:-1] + "…"
        kept += sign
    return kept


def _judged(row: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['label']}（{row['domain']}）" if row["domain"] != EVERYBODY else row["label"],
        str(row.get("percent") or row["shown"]),
        row["line_in_words"],
        row["decision"],
        row["evidence_words"],
    ]


def _pair(row: Mapping[str, Any]) -> list[str]:
    span = ABSENT if row["lower"] is None else f"{row['lower']:.4f}到{row['upper']:.4f}"
    return [
        f"{row['label']}，{row['by']}：{row['second_label']} − {row['first_label']}",
        f"{row['difference']:.4f}",
        f"{row['se']:.4f}",
        span,
        *(ABSENT if row.get(key) is None else _p(row[key]) for key in ("p_value", "p_adjusted")),
    ]


def _p(value: float) -> str:
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def _design(document: Mapping[str, Any]) -> list[list[str]]:
    design = document["design"]
    rows = [["记录", f"{document['file']['records']}条"]]
    if design["left_out"]:
        rows.append(["不属于样本的", f"{design['left_out']}条"])
    rows.append(["设计", design["in_words"]])
    if "psus" in design:
        rows.append(["层和第一阶抽样单位", f"{design['strata']}层，{design['psus']}个"])
        with_population = design["with_population"]
        rows.append(
            [
                "有限总体校正",
                "、".join(
                    f"第{at}阶{'有' if known else '没有'}" for at, known in enumerate(with_population, 1)
                ),
            ]
        )
        rows.append(
            ["只抽中一个单位的层", f"{len(design['lonely_strata'])}层，处理办法{design['lonely_psu']}"]
        )
    if "replicates" in design:
        rows.append(
            ["重复权数", f"{design['replicates']}组，以{'全样本' if design['mse'] else '各组平均'}为中心"]
        )
    rows.append(["自由度", str(design["df"])])
    response = document["response"]
    if response is not None:
        rows.append(
            [
                "应答率",
                f"{response['answered']}/{response['sampled']}，{percent_text(truncate(response['rate']))}（加权{percent_text(truncate(response['weighted_rate']))}）",
            ]
        )
    return rows


def _step(row: Mapping[str, Any]) -> list[str]:
    return [
        row["name"] + (f"（{row['note']}）" if row["note"] else ""),
        _weight(row["total"]),
        f"{_weight(row['smallest'])}–{_weight(row['largest'])}",
        f"{_weight(row['smallest_factor'])}–{_weight(row['largest_factor'])}",
        f"{row['kish_deff']:.3f}",
        f"{row['effective_n']:,.0f}",
    ]


def _weight(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _effect(row: Mapping[str, Any]) -> list[str]:
    """An item unweighted, under base weights, and under the final ones."""
    name = row["label"] + (f"：{row['option_label']}" if row.get("option_label") else "")
    is_rate = bool(row.get("percent"))

    def told(value: float | None) -> str:
        if value is None:
            return ABSENT
        return percent_text(truncate(min(max(value, 0.0), 1.0))) if is_rate else _number(value, False)

    return [name, told(row["unweighted"]), told(row["base_weighted"]), told(row["value"])]


def _published(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    text = f"文件的每一行是已公布的占比，共{len(found['rows'])}行，逐行的区间在results.csv里。"
    if found["compared"]:
        text += (
            f"同公布的区间核对{found['compared']}行：相差不超过{found['tolerance']:g}的有{found['agree']}行，"
            f"最大相差{found['largest_gap']:.6f}。"
        )
    return text


def _quality(found: Mapping[str, Any] | None) -> list[list[str]]:
    if found is None:
        return []
    share = found["straight_line_share"]
    alpha = found["cronbach_alpha"]
    return [
        ["题数", str(len(found["items"]))],
        ["每题都答了的", f"{found['complete_rows']}份"],
        [
            "全部同一个答案",
            f"{found['straight_line_rows']}份"
            + (f"，{percent_text(truncate(share))}" if share is not None else ""),
        ],
        ["与别的记录完全相同", f"{found['identical_rows']}份"],
        ["Cronbach α", ABSENT if alpha is None else f"{alpha:.4f}"],
    ]


def _cautions(rows: list[Mapping[str, Any]]) -> list[str]:
    """Lines with something to beware of, many of one kind gathered."""
    by_words: dict[str, list[str]] = {}
    for row in rows:
        if row.get("caution_words"):
            name = row["label"] if row["domain"] == EVERYBODY else f"{row['label']}（{row['domain']}）"
            for words in row["caution_words"].split("；"):
                by_words.setdefault(words, []).append(name)
    return [
        f"{words}：{'、'.join(names[:8])}{f'等{len(names)}行' if len(names) > 8 else ''}。"
        for words, names in by_words.items()
    ]


def _number(value: float | None, is_rate: bool) -> str:
    if value is None:
        return ABSENT
    return f"{value * 100:.2f}点" if is_rate else f"{value:,.4f}" if abs(value) < 1000 else f"{value:,.1f}"


def _span(row: Mapping[str, Any], is_rate: bool) -> str:
    if row.get("lower") is None:
        return ABSENT
    if is_rate:
        return "–".join(percent_text(truncate(min(max(row[key], 0.0), 1.0))) for key in ("lower", "upper"))
    return f"{_number(row['lower'], False)}–{_number(row['upper'], False)}"
