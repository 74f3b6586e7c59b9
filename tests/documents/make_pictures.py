"""Every paper as page images in a folder, to be looked at: `python -m tests.documents.make_pictures DIR`.

Made from the sample county's plan and names that are short, long, and in another script. The
folder is not committed; a contact sheet of each paper shows its pages side by side.
"""

from __future__ import annotations

import dataclasses
import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image

from survey.documents.emblem import data_address, safe_raster
from survey.documents.imprint import Imprint
from survey.documents.notice import guardian_notice, supervisor_sheet
from survey.documents.paper_form import paper_form
from survey.documents.poster import PAPERS, PosterPage, posters
from survey.documents.slip import SlipPile, slips
from survey.fieldwork.code import random_code
from survey.scheme.instrument import INSTRUMENTS, load_instrument
from survey.scheme.paper_words import PaperWords
from survey.scheme.plan import Approval
from survey.scheme.presets import load_scheme

from .pseudo import pseudo_catalogue

AT = datetime(2026, 11, 24, tzinfo=UTC)
EMBLEM = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><circle cx="50" cy="50" r="46" fill="#0F4C81"/>'
    b'<path d="M20 60 50 30 80 60z" fill="#fff"/><path d="M35 60h30v18H35z" fill="#fff"/></svg>'
)
SHORT = Imprint(
    county="万安县",
    office="万安县人民政府教育督导室",
    telephone="0796-5701234",
    base_url="https://survey.wanan.cn",
    closes_on=date(2026, 12, 5),
    plan_code="NYABH6678WWP4ZFVD452KR2CNK",
    must_say="本调查由万安县人民政府教育督导室组织，不是国家组织的认定调查。",
    must_say_in=load_scheme("quality_balance_2017").document["purpose"]["must_say"],
    demonstration=True,
    approval=Approval(
        form_no="万教督调1号",
        approval_no="万统函〔2026〕12号",
        valid_until="2027年6月30日",
        made_by="万安县教育体育局",
        approved_by="万安县统计局",
    ),
)
LONG_OFFICE = "克孜勒苏柯尔克孜自治州阿克陶县人民政府教育督导委员会办公室"
LONG = dataclasses.replace(
    SHORT,
    county="克孜勒苏柯尔克孜自治州阿克陶县",
    office=LONG_OFFICE,
    telephone="0908-5701234、5705678",
    base_url="https://jydd.aketao.gov.cn",
    must_say=f"本调查由{LONG_OFFICE}组织，不是国家组织的认定调查。",
    demonstration=False,
)
UNREAD = {"rtl": "ug", "korean": "ko", "tibetan": "bo", "yi": "ii"}
SCHOOLS = {
    "short": ("芙蓉镇中心小学", SHORT),
    "long": ("阿克陶县巴仁乡中心寄宿制九年一贯制学校东校区", LONG),
    "uyghur": ("ئۈرۈمچى شەھەرلىك باشلانغۇچ مەكتەپ", SHORT),
    "emblem": ("芙蓉镇中心小学", dataclasses.replace(SHORT, emblem=safe_raster(data_address(EMBLEM)))),
}


def english(imprint: Imprint) -> Imprint:
    """The same wave in English."""
    return dataclasses.replace(imprint, words=PaperWords("en"))


def unread(imprint: Imprint, language: str) -> Imprint:
    """The same wave in letters of a language, as words nobody says."""
    return dataclasses.replace(imprint, words=PaperWords(language, pseudo_catalogue(language)))


def papers() -> Iterator[tuple[str, bytes]]:
    """Name and PDF of every kind of paper."""
    rng = random.Random(1)
    for kind, (school, imprint) in SCHOOLS.items():
        for paper in PAPERS:
            groups = [PosterPage(group, 4, school_name=school) for group in ("parent", "student")]
            yield f"poster_{kind}_{paper}", posters(groups, imprint, paper, at=AT)
        codes = tuple(random_code(rng.randbytes) for _ in range(15))
        piles = [
            SlipPile("parent", codes[:12], school, "2136000123", "primary", "三年级2班"),
            SlipPile("parent", codes[12:], school, "2136000123", "primary", spare=True),
        ]
        yield f"slips_{kind}", slips(piles, imprint, at=AT)
    others = {
        "english": english(SHORT),
        "english_long": english(LONG),
        **{name: unread(SHORT, code) for name, code in UNREAD.items()},
    }
    for kind, other in others.items():
        for paper in PAPERS:
            yield f"poster_{kind}_{paper}", posters([groups[0]], SHORT, paper, at=AT, also=(other,))
        yield f"slips_{kind}", slips(piles, other, at=AT)
        for large in (False, True):
            form = paper_form(load_instrument("parents"), other, large=large, at=AT)
            yield f"form_parents_{kind}{'_large' if large else ''}", form
        notice = guardian_notice(SHORT, other, grades=(4, 9), reply_by=date(2026, 11, 23), at=AT)
        yield f"notice_guardian_{kind}", notice
        yield f"notice_supervisor_{kind}", supervisor_sheet(SHORT, other, at=AT)
    yield "notice_guardian", guardian_notice(SHORT, grades=(4, 9), reply_by=date(2026, 11, 23), at=AT)
    yield "notice_supervisor", supervisor_sheet(SHORT, at=AT)
    for name in INSTRUMENTS:
        for large in (False, True):
            form = paper_form(load_instrument(name), SHORT, large=large, at=AT)
            yield f"form_{name}{'_large' if large else ''}", form


def main(folder: Path) -> None:
    """Write the images and say how many."""
    folder.mkdir(parents=True, exist_ok=True)
    n_pages = 0
    for name, pdf in papers():
        pages = [page.render(scale=1.2).to_pil() for page in pdfium.PdfDocument(pdf)]
        n_pages += len(pages)
        sheet = Image.new("RGB", (sum(page.width for page in pages), max(page.height for page in pages)), "white")
        left = 0
        for page in pages:
            sheet.paste(page, (left, 0))
            left += page.width
        sheet.save(folder / f"{name}.png")
    print(f"{n_pages} pages in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots/papers"))
