"""C12: parts of the report are chosen on the page, and every file says the same numbers."""

from __future__ import annotations

from io import BytesIO

import pypdfium2 as pdfium
from docx import Document

from ..conftest import Site

REPORT = "/console/waves/county-a/report"


def words_of(pdf: bytes) -> str:
    return "".join(page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(pdf))


async def test_parts_left_out_are_in_no_file_and_the_result_is_in_all(certified: Site) -> None:
    await certified.sign_in()
    page = (await certified.client.get(f"{REPORT}?chosen=1&part_tables=1")).text
    chosen = "?chosen=1&part_tables=1"
    whole, part = [(await certified.client.get(f"{REPORT}/pdf{query}")).content for query in ("", chosen)]
    word = (await certified.client.get(f"{REPORT}/docx{chosen}")).content
    heads = [one.text for one in Document(BytesIO(word)).paragraphs if one.style.name == "Heading 1"]
    preview = await certified.client.get(f"{REPORT}/preview{chosen}")

    assert heads == ["一、主要结果", "二、满意度与算法", "三、分组结果", "四、局限"]
    assert "逐题结果" in words_of(whole) and "逐题结果" not in words_of(part)
    assert "四、局限" in words_of(part) and len(part) < len(whole)
    assert f'href="{REPORT}/pdf?chosen=1&amp;part_tables=1"' in page
    assert "--without items" in page
    assert preview.headers["content-disposition"] == "inline" and preview.content == part


async def test_a_foreign_field_or_an_unknown_file_is_refused(certified: Site) -> None:
    await certified.sign_in()

    assert (await certified.client.get(f"{REPORT}?part_all=1")).status_code == 400
    assert (await certified.client.get(f"{REPORT}/exe")).status_code == 404
