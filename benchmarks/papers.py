"""Times and sizes of paper: a thousand slips, posters, or a county's whole print job, as JSON.

Run by hand: `python benchmarks/papers.py slips|large|posters|county [--schools N]` prints one part;
several parts, or `--write`, are measured each in a process of its own, so that the peak memory is its
own, and `--write` keeps their rows in `papers.md` beside this. Rows of other parts stay.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
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


def _large_job(schools: int) -> PaperJob:
    """Slips of schools with 800 parents, teachers and pupils each, as many as a school of a city has."""
    return PaperJob("benchmark", tuple(slip_pieces(piles_of(schools, 800, random.Random(1)), IMPRINT, at=AT)), AT)


def peak_megabytes() -> int:
    """The most memory this process has held; on Linux without what its parent held, which `ru_maxrss` counts in."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))[1]) // 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def timed(make: Any) -> tuple[Any, dict[str, float]]:
    """What a call gives, its seconds, those of all processors together, and the most memory held until its end."""
    busy = os.getloadavg()[0]
    began, worked = time.perf_counter(), time.process_time()
    made = make()
    return made, {
        "load_before": round(busy, 1),
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
LABELS = {"slips": "1 000 slips", "large": "slips, 2 400 a school,", "posters": "posters", "county": "county"}
"""How the rows of each part begin, in the table's order."""
BUSY = 1.0
"""Load of the minute before from which wall seconds are marked; two processors were measured."""
SCHOOLS = {"slips": 0, "large": 5, "posters": 500, "county": 2000}
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def measured_apart(part: str, schools: int) -> dict[str, Any]:
    """The figures of one part, measured by a process of its own."""
    command = [sys.executable, __file__, part, "--schools", str(schools)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(part: str, found: dict[str, Any]) -> list[str]:
    """The rows of one part, for people."""
    of = found[part]
    if part == "slips":
        runs = [(f"1 000 slips, {how}", of[how]) for how in ("cold", "warm")]
    else:
        runs = [(f"{LABELS[part]} of {of['schools']} schools, {of['files']} files, {of['pages']} pages", of)]
    size = f"{of.get('bytes', of.get('zip_bytes')) / 1e6:.1f} MB"
    busy = " (busy machine)"
    return [
        f"| {what} | {took['seconds']}{busy if took['load_before'] > BUSY else ''} | {took['processor_seconds']} | {size} | {took['peak_memory_megabytes']} MB |"
        for what, took in runs
    ]


def renewed(parts: list[str], schools: int | None) -> str:
    """The table with some parts measured anew; the rows of the others as they stand."""
    before = KEPT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].splitlines()
    lines = ["| what | wall seconds | processor seconds | size | peak memory |", "|---|---|---|---|---|"]
    found: dict[str, Any] = {}
    for part, label in LABELS.items():
        if part in parts:
            found = measured_apart(part, SCHOOLS[part] if schools is None else schools)
            lines += rows(part, found)
        else:
            lines += [line for line in before if line.startswith(f"| {label}")]
    return "\n".join([*lines, "", f"Python {found['python']}, {found['processor']}."]) + "\n"


def measured(part: str, schools: int) -> dict[str, Any]:
    """The figures of one part, measured in this process."""
    if part == "slips":
        rng = random.Random(1)
        pile = [SlipPile("parent", tuple(random_code(rng.randbytes) for _ in range(1000)), "万安中学", "1")]
        sheet, cold = timed(lambda: slips(pile, IMPRINT, at=AT, covers=False))
        _, warm = timed(lambda: slips(pile, IMPRINT, at=AT, covers=False))
        return {"slips": 1000, "cold": cold, "warm": warm, "bytes": len(sheet)}
    job = _large_job(schools) if part == "large" else _paper_job(schools)
    if part == "posters":
        job = PaperJob("benchmark", tuple(piece for piece in job.pieces if piece.name.startswith("2/")), AT)
    with tempfile.TemporaryDirectory() as folder:
        done, took = timed(lambda: write_papers(job, Path(folder) / "papers.zip"))
        size = done.path.stat().st_size
    return {"schools": schools, "files": done.files, "pages": done.pages, **took, "zip_bytes": size}


def main() -> None:
    """Measure one part and print it, or several, each apart, and keep their rows if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=tuple(LABELS))
    parser.add_argument("--schools", type=int)
    parser.add_argument("--write", action="store_true", help="keep the rows in papers.md")
    given = parser.parse_args()
    if given.write or len(given.parts) > 1:
        table = renewed(given.parts, given.schools)
        print(table)
        if given.write:
            before, _, rest = KEPT.read_text(encoding="utf-8").partition(BEGIN)
            KEPT.write_text(before + BEGIN + table + END + rest.partition(END)[2], encoding="utf-8")
        return
    [part] = given.parts
    figures = measured(part, SCHOOLS[part] if given.schools is None else given.schools)
    print(json.dumps({part: figures, "processor": platform.machine(), "python": platform.python_version()}, indent=1))


if __name__ == "__main__":
    main()
