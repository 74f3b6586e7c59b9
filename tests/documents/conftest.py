"""A wave's imprint, and eyes: pages as pixels, text as read, codes by two independent decoders."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import cv2
import numpy as np
import pypdfium2 as pdfium
import pytest
import zxingcpp
from PIL import Image

from survey.documents.imprint import Imprint
from survey.fieldwork.code import random_code
from survey.scheme.plan import Approval

AT = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def at() -> datetime:
    """The moment written into files."""
    return AT


@pytest.fixture
def imprint() -> Imprint:
    """A demonstration wave of a county."""
    return Imprint(
        county="万安县",
        office="万安县人民政府教育督导室",
        telephone="0796-5701234",
        base_url="https://survey.wanan.cn",
        closes_on=date(2026, 12, 5),
        plan_code="NYABH6678WWP4ZFVD452KR2CNK",
        must_say="本调查由万安县人民政府教育督导室组织，不是国家组织的认定调查。",
        demonstration=True,
        approval=Approval(
            form_no="万教督调1号", approval_no="万统函〔2026〕12号", valid_until="2027年6月30日",
            made_by="万安县教育体育局", approved_by="万安县统计局",
        ),
    )


@pytest.fixture
def codes() -> Callable[[int], tuple[str, ...]]:
    """Slip codes with true check signs, the same in every run."""
    rng = np.random.default_rng(20261122)
    return lambda n: tuple(random_code(lambda size: rng.bytes(size)) for _ in range(n))


class Eyes:
    """What people and phones see of a PDF."""

    def text_of(self, pdf: bytes) -> list[str]:
        """The text of every page, without white space."""
        pages = pdfium.PdfDocument(pdf)
        return ["".join(page.get_textpage().get_text_bounded().split()) for page in pages]

    def sizes(self, pdf: bytes) -> list[tuple[int, int]]:
        """Width and height of every page in whole millimetres."""
        return [
            tuple(round(side / 72 * 25.4) for side in page.get_size()) for page in pdfium.PdfDocument(pdf)
        ]

    def bottoms(self, pdf: bytes, words: str) -> list[float]:
        """How far below the top of its page each place of some words ends, in millimetres."""
        found = []
        for page in pdfium.PdfDocument(pdf):
            text = page.get_textpage()
            search = text.search(words)
            while (at := search.get_next()) is not None:
                lowest = min(text.get_charbox(index)[1] for index in range(at[0], at[0] + at[1]))
                found.append((page.get_height() - lowest) / 72 * 25.4)
        return found

    def stretches(self, page: pdfium.PdfPage) -> list[pdfium.PdfTextObj]:
        """The stretches of text of a page, each set in one face and size."""
        found = page.get_objects(textpage=page.get_textpage())
        return [one for one in found if isinstance(one, pdfium.PdfTextObj)]

    def size_of_type(self, text: pdfium.PdfTextObj) -> float:
        """Points a stretch of text is set in."""
        return round(text.get_font_size() * text.get_matrix().a, 1)

    def pictures(self, pdf: bytes, dots_per_inch: int = 200) -> list[Image.Image]:
        """Every page in grey."""
        return [
            page.render(scale=dots_per_inch / 72).to_pil().convert("L") for page in pdfium.PdfDocument(pdf)
        ]

    def codes_by_zxing(self, picture: Image.Image) -> list[str]:
        """Every code on a picture, row by row."""
        found = zxingcpp.read_barcodes(np.asarray(picture), formats=zxingcpp.BarcodeFormat.QRCode)
        place = lambda one: (round(one.position.top_left.y / 40), one.position.top_left.x)
        return [one.text for one in sorted(found, key=place)]

    def code_by_opencv(self, picture: Image.Image) -> str:
        """The one code on a picture."""
        return cv2.QRCodeDetector().detectAndDecode(np.asarray(picture))[0]

    def structure(self, pdf: bytes) -> Structure:
        """What a reader for the blind, and an archive, find in the file."""
        document = pdfium.PdfDocument(pdf)
        fonts = {
            (one.get_font().get_base_name(), one.get_font().is_embedded)
            for page in document
            for one in page.get_objects()
            if isinstance(one, pdfium.PdfTextObj)
        }
        return Structure(
            title=document.get_metadata_value("Title"),
            fonts=frozenset(fonts),
            is_tagged=document.is_tagged(),
            language=re.search(rb"/Lang ?\(([^)]*)\)", pdf).group(1).decode(),
            claims_ua=b"pdfuaid:part" in pdf,
        )


@dataclass(frozen=True)
class Structure:
    """Title, fonts with whether they are embedded, tags, language, PDF/UA."""

    title: str
    fonts: frozenset[tuple[str, bool]]
    is_tagged: bool
    language: str
    claims_ua: bool


@pytest.fixture
def eyes() -> Eyes:
    """Readers of pages, text and codes."""
    return Eyes()
