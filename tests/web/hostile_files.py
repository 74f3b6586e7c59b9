"""Files as their readers open them: what in a sheet would compute, in a document act, in a PDF run or lead away."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
import zlib

from openpyxl import load_workbook

from .conftest import BASE

ACTS = re.compile(rb"/(JavaScript|JS|Launch|SubmitForm|ImportData|GoToR|GoToE|RichMedia|EmbeddedFile|OpenAction|AA)\b")
LEADS = re.compile(rb"/URI ?\(([^)]*)\)")
WORD_ACTS = re.compile(
    rb'TargetMode="External"|<w:instrText(?![^>]*> ?(?:PAGE|NUMPAGES) ?<)|<w:fldSimple|<w:altChunk|vbaProject|<o:OLEObject'
)
"""What Word follows or computes; the number of the page is the only field we write."""
STREAM = re.compile(rb"(<<(?:(?!>>\s*stream|endobj).){0,2000}>>)\s*stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?%?")


def computing(cells: list[list[str]]) -> list[str]:
    """Cells that a spreadsheet would take for a formula, whatever blanks and unseen signs stand before it."""
    return [cell[:60] for row in cells for cell in row if _computes(cell)]


def _computes(cell: str) -> bool:
    if NUMBER.fullmatch(cell):
        return False
    seen = "".join(sign for sign in cell if unicodedata.category(sign)[0] not in "CZ")
    return unicodedata.normalize("NFKC", seen[:1])[:1] in ("=", "+", "-", "@")


def acting(data: bytes, kind: str) -> list[str]:
    """What in a file would act."""
    if data.startswith(b"%PDF"):
        return in_pdf(data)
    if data.startswith(b"PK"):
        return in_archive(data)
    if "csv" in kind:
        return [f"cell {cell!r}" for cell in computing(list(csv.reader(io.StringIO(data.decode("utf-8-sig")))))]
    return []


def in_archive(data: bytes) -> list[str]:
    """What in a workbook, a document or a plain archive would act; archives within it are opened too."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        names = packed.namelist()
        faults = [f"name {name}" for name in names if name.startswith(("/", "\\")) or ".." in name.split("/") or "\0" in name]
        if "xl/workbook.xml" in names:
            return faults + in_workbook(data)
        if "word/document.xml" in names:
            parts = [packed.read(name) for name in names if name.endswith((".xml", ".rels"))]
            return faults + [f"Word: {found[:40]!r}" for part in parts for found in WORD_ACTS.findall(part)]
        for name in names:
            inner = packed.read(name)
            kind = "csv" if name.endswith(".csv") and "answers" not in name else ""
            faults += [f"{name}: {fault}" for fault in acting(inner, kind)]
    return faults


def in_workbook(data: bytes) -> list[str]:
    """Cells that are not plain text or number, or whose text would compute once it is saved as CSV."""
    faults = []
    for sheet in load_workbook(io.BytesIO(data)):
        for row in sheet.iter_rows():
            faults += [f"{cell.coordinate} {cell.data_type}" for cell in row if cell.data_type not in ("s", "n", "inlineStr")]
            faults += [f"{cell.coordinate} {cell.value[:40]!r}" for cell in row if isinstance(cell.value, str) and _computes(cell.value)]
            faults += [f"{cell.coordinate} leads away" for cell in row if cell.hyperlink]
    return faults


def in_pdf(data: bytes) -> list[str]:
    """Actions, and links to anywhere but this installation, also in packed objects."""
    # What stands in a stream is a picture, a face or a page, unless the stream is said to pack objects.
    whole = [STREAM.sub(rb"\1", data)]
    whole += [zlib.decompress(found[2]) for found in STREAM.finditer(data) if b"/ObjStm" in found[1]]
    faults = [f"PDF: {found!r}" for part in whole for found in ACTS.findall(part)]
    return faults + [f"PDF leads to {link!r}" for part in whole for link in LEADS.findall(part) if not link.startswith(BASE.encode())]
