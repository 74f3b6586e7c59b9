"""`survey count`: answers of any size counted where they lie, and tables from the counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from survey.cli.progress import shares
from survey.cli.session import command_options, emit, read_file


@click.command("count")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--spec", required=True, type=click.Path(path_type=Path), help="计数说明，YAML (what to count)")
@click.option("--keep", type=click.Path(path_type=Path), help="把计数存成这个文件 (keep the counts)")
@click.option(
    "--kept", type=click.Path(path_type=Path), help="用以前存的计数，不再读答卷 (counts kept before)"
)
@click.option("--spark", help="由Spark集群计数：它的地址，例如spark://HOST:7077 (a Spark master)")
@click.option("--postgres", help="答卷在PostgreSQL里：postgresql://… (a database)")
@click.option("--table", help="PostgreSQL里的表或视图 (its table or view)")
@command_options
def count_command(
    data: Path | None,
    files: tuple[Path, ...],
    spec: Path,
    keep: Path | None,
    kept: Path | None,
    spark: str | None,
    postgres: str | None,
    table: str | None,
    as_json: bool,
) -> None:
    """大份数据：在原处按格计数，由计数算满意度、误差和区间。Count answers of any size, then tabulate.

    \b
    答卷不进内存，只取回各格的计数；存下计数，以后换分组、换选项口径不用再读答卷：
      survey count 答卷-*.parquet --spec 说明.yaml --keep 计数.parquet
      survey count --kept 计数.parquet --spec 另一张表.yaml

    \b
    说明的写法：
      title: 全县家长满意度
      stratum: 层            # 可以不写
      units: [学校]          # 两阶写[学校, 班]
      by: [学段, 城乡]
      weight: 权数           # 可以不写
      rake: {性别: {男: 5210, 女: 4990}}
      items:
        - {column: 总体评价, options: [满意, 基本满意, 不满意, 不了解],
           satisfied: [满意, 基本满意], base: [满意, 基本满意, 不满意]}
    """
    from survey.jobs.count_answers import AnswerPlace, count_and_tabulate

    text_of_spec, place = read_file(spec), AnswerPlace(files, spark, postgres, table)
    with shares("计数", as_json) as progress:
        document = count_and_tabulate(text_of_spec, place, keep=keep, kept=kept, progress=progress)
    text = _text(document)
    if keep is not None:
        text += f"\n\n计数已存：{keep}"
    emit(document, as_json, text)


def _text(document: dict[str, Any]) -> str:
    """The tables for people."""
    lines = [
        f"{document['title']}：{document['answers']:,}份答卷，{document['cells']:,}格",
        f"权数合计{document['weights_total']:,.1f}，Kish设计效应{document['kish_deff']:.3f}",
    ]
    if document["rake"]:
        lines.append(f"迭代加权{document['rake']['sweeps']}轮，边际误差{document['rake']['error']:.1e}")
    shown = None
    for row in document["rows"]:
        head = row.get("set", "")
        if head != shown:
            lines += ["", f"按{head}" if head else "全体"]
            shown = head
        lines.append(f"  {row['domain']}  {row['label']}  {_figures(row)}")
    return "\n".join(lines)


def _figures(row: dict[str, Any]) -> str:
    if row.get("withheld"):
        return f"{row['n_shown']}份，{row['shown']}"
    if row.get("coded"):
        return f"{row['percent']}  没有区间  {row['n']:,}份"
    if row["value"] is None:
        return "没有一份有效回答"
    limits = f"[{'，'.join(row['interval_percent'])}]" if "interval_percent" in row else "没有区间"
    return f"{row['percent']}  {limits}  标准误{row['se']:.2%}  {row['n']:,}份"
