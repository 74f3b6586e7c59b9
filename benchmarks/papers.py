"""Times and sizes of paper: slips, posters and a county's whole print job, as one JSON document.

Run by hand: `python benchmarks/papers.py [--schools N]`. Prints seconds, bytes, pages and the
peak memory of the process, with the machine's name, so that numbers can be kept side by side.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import time
from datetime import UTC, date, datetime
from typing import Any

from survey.documents.archive import archive
from survey.documents.imprint import Imprint
from survey.documents.poster import PosterPage, poster_files
from survey.documents.slip import SlipPile, slip_files, slips
from survey.fieldwork.code import random_code

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


def timed(make: Any) -> tuple[Any, float]:
    """What a call gives, and the seconds it took."""
    began = time.perf_counter()
    made = make()
    return made, round(time.perf_counter() - began, 2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=500, help="schools of the poster and county jobs")
    schools = parser.parse_args().schools
    rng = random.Random(1)

    thousand = [SlipPile("parent", tuple(random_code(rng.randbytes) for _ in range(1000)), "万安中学", "1")]
    sheet, cold = timed(lambda: slips(thousand, IMPRINT, at=AT, covers=False))
    _, warm = timed(lambda: slips(thousand, IMPRINT, at=AT, covers=False))

    pages = [
        PosterPage(group, 4, school_name=f"第{n}小学", school_code=str(n))
        for n in range(schools)
        for group in GROUPS
    ]
    posters, posters_seconds = timed(lambda: poster_files(pages, IMPRINT, at=AT))

    county = piles_of(schools, 10, rng)
    files, county_seconds = timed(lambda: slip_files(county, IMPRINT, at=AT))
    packed, packing_seconds = timed(lambda: archive(files, at=AT))
    print(
        json.dumps(
            {
                "machine": platform.node(),
                "processor": platform.machine(),
                "python": platform.python_version(),
                "slips_1000": {"seconds_cold": cold, "seconds_warm": warm, "bytes": len(sheet)},
                "posters": {"files": len(posters), "pages": len(pages), "seconds": posters_seconds},
                "county": {
                    "schools": schools,
                    "slips": sum(len(pile.codes) for pile in county),
                    "seconds": county_seconds,
                    "zip_seconds": packing_seconds,
                    "zip_bytes": len(packed),
                },
                "peak_memory_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            },
            ensure_ascii=False,
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
