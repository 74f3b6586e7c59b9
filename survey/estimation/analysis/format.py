"""The format of a spec, told from its own types: a reference for people, a JSON Schema for editors."""

from __future__ import annotations

import json

import msgspec

from survey.estimation.analysis.spec import AnalysisSpec
from survey.scheme.typed_text import reference


def reference_text() -> str:
    """Every part of a spec with its keys, as Markdown."""
    parts = []
    for title, rows in reference(AnalysisSpec):
        lines = [f"### {title.rstrip('。')}", "", "| 写法 | 值 | 默认 | 意思 |", "|---|---|---|---|"]
        for name, said, default, words in rows:
            cells = (f"`{name}`", said, f"`{default}`" if default and default != "必填" else default, words)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def schema_text() -> str:
    """The JSON Schema of a spec, for editors that complete and check while one writes."""
    return json.dumps(msgspec.json.schema(AnalysisSpec), ensure_ascii=False, indent=1)
