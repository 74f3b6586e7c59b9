"""Times and sizes of paper: a thousand slips, posters, or a county's whole print job, as JSON.

Run by hand: `python benchmarks/papers.py slips|posters|county [--schools N]`, or `all --write` for
slips and posters in one go (`--county` adds 2 000 schools; without it the county's row of before
stays), kept in `papers.md` beside this. Each part runs in a process of its own, so that the peak
memory is its own.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from survey.documents.imprint import Imprint
from survey.documents.paper_form import paper_form_pieces
from survey.documents.poster import PosterPage, poster_pieces
from survey.documents.slip import SlipPile, slip_pieces, slips
from survey.fieldwork.code import random_code
from survey.jobs.print_job import write_papers
from survey.jobs.render_papers import PaperJob
from survey.scheme.instrument import load_instrument

AT = datetime(2026, 11, 24, tzinfo=UTC)
IMPRINT = Imprint(
    county="万安县",
    office="万安县人民政府教育督导室",
    telephone="0796-5701234",
    base_url="https://survey.wanan.cn",
    closes_on=date(2026, 12, 5),
    plan_code="NYABH6678WWP4ZFVD452KR2CNK",
    must_say="本调查由万安县人民政府教育督导室组织，不是国家组织的认定调查。",
    demonstration=True,
)
GROUPS = ("parent", "teacher", "student", "principal")


def piles_of(schools: int, slips_each: int, rng: random.Random) -> list[SlipPile]:
    """One pile for every school and its three larger groups."""
    return [
        SlipPile(
            group,
            tuple(random_code(rng.randbytes) for _ in range(slips_each)),
            f"万安县第{school}小学",
            f"21360{school:05d}",
            "primary",
        )
        for school in range(schools)
        for group in GROUPS[:3]
    ]


def peak_megabytes() -> int:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def timed(make: Any) -> tuple[Any, dict[str, float]]:
    """What a call gives, its seconds, those of all processors together, and the most memory held until its end."""
    began, worked = time.perf_counter(), time.process_time()
    made = make()
    return made, {
        "seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(time.process_time() - worked, 2),
        "peak_memory_megabytes": peak_megabytes(),
    }


def _paper_job(schools: int) -> PaperJob:
    """A county's whole print job: slips of three groups, posters of four, questionnaires in two sizes."""
    pages = [
        PosterPage(group, 4, school_name=f"第{n}小学", school_code=f"21360{n:05d}")
        for n in range(schools)
        for group in GROUPS
    ]
    forms = {name: load_instrument(name) for name in ("parents", "teachers", "students_g4_6", "principals")}
    pieces = [
        *slip_pieces(piles_of(schools, 10, random.Random(1)), IMPRINT, at=AT, folder="1/"),
        *poster_pieces(pages, IMPRINT, at=AT, folder="2/"),
        *paper_form_pieces(forms, IMPRINT, at=AT, folder="3/"),
    ]
    return PaperJob("benchmark", tuple(pieces), AT)


KEPT = Path(__file__).with_name("papers.md")
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def measured_apart(part: str, schools: int) -> dict[str, Any]:
    """The figures of one part, measured by a process of its own."""
    command = [sys.executable, __file__, part, "--schools", str(schools)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def kept_rows(part: str) -> list[str]:
    """The rows of a part as they stand in the table already."""
    table = KEPT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    return [line for line in table.splitlines() if line.startswith(f"| {part} of ")]


def all_parts(*, county: bool) -> str:
    """Every part as a table, for people; a county that is not measured keeps its row."""
    wanted = [("slips", 0), ("posters", 500), *([("county", 2000)] if county else [])]
    lines = ["| what | wall seconds | processor seconds | size | peak memory |", "|---|---|---|---|---|"]
    found: dict[str, Any] = {}
    for part, schools in wanted:
        found = measured_apart(part, schools)
        of = found[part]
        runs = [(f"1 000 slips, {how}", of[how]) for how in ("cold", "warm")] if part == "slips" else []
        if part != "slips":
            runs = [(f"{part} of {schools} schools, {of['files']} files, {of['pages']} pages", of)]
        size = f"{of.get('bytes', of.get('zip_bytes')) / 1e6:.1f} MB"
        for what, took in runs:
            figures = (f"{took['seconds']}", f"{took['processor_seconds']}", size, f"{took['peak_memory_megabytes']} MB")
            lines.append(f"| {what} | {' | '.join(figures)} |")
    if not county:
        lines += kept_rows("county")
    return "\n".join([*lines, "", f"Python {found['python']}, {found['processor']}."]) + "\n"


def main() -> None:
    """Measure one part, so that its peak memory is its own, and print; or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("slips", "posters", "county", "all"))
    parser.add_argument("--schools", type=int, default=500)
    parser.add_argument("--county", action="store_true", help="all: also a county of 2 000 schools")
    parser.add_argument("--write", action="store_true", help="all: keep the table in papers.md")
    given = parser.parse_args()
    if given.part == "all":
        table = all_parts(county=given.county)
        print(table)
        if given.write:
            before, _, rest = KEPT.read_text(encoding="utf-8").partition(BEGIN)
            KEPT.write_text(before + BEGIN + table + END + rest.partition(END)[2], encoding="utf-8")
        return
    figures: dict[str, Any] = {}
    if given.part == "slips":
        rng = random.Random(1)
        pile = [SlipPile("parent", tuple(random_code(rng.randbytes) for _ in range(1000)), "万安中学", "1")]
        sheet, cold = timed(lambda: slips(pile, IMPRINT, at=AT, covers=False))
        _, warm = timed(lambda: slips(pile, IMPRINT, at=AT, covers=False))
        figures = {"slips": 1000, "cold": cold, "warm": warm, "bytes": len(sheet)}
    else:
        with tempfile.TemporaryDirectory() as folder:
            job = _paper_job(given.schools)
            if given.part == "posters":
                only = tuple(piece for piece in job.pieces if piece.name.startswith("2/"))
                job = PaperJob("benchmark", only, AT)
            done, seconds = timed(lambda: write_papers(job, Path(folder) / "papers.zip"))
            figures = {
                "schools": given.schools,
                "files": done.files,
                "pages": done.pages,
                **seconds,
                "zip_bytes": done.path.stat().st_size,
            }
    about = {"processor": platform.machine(), "python": platform.python_version()}
    print(json.dumps({given.part: figures, **about}, indent=1))


if __name__ == "__main__":
    main()
