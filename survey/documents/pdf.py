"""Pages from a template and data, by typst: tagged, titled, the same bytes for the same input.

What people typed travels as JSON beside the template and is never pasted into its markup.
The date written into the file is handed in. Every sheet is PDF/UA-1 in Chinese.
Why typst: no system package, Chinese and right-to-left scripts shaped, subsets embedded, a
thousand slips in about a second (STACK section 3).
"""

from __future__ import annotations

import json
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from survey.documents.typeface import (
    ARABIC,
    FAMILY,
    KAI,
    KOREAN,
    MONO,
    SONG,
    TIBETAN,
    YI,
    check_glyphs,
    fonts,
    with_glyphs,
)
from survey.errors import SurveyError

STANDARD: Literal["ua-1"] = "ua-1"

LARGE = 200_000
"""Characters of data, about eighty slips, beyond which what typst remembers of a document is not kept."""
GENERATIONS = 11
"""typst drops what none of the last ten documents has used."""


class PaperError(SurveyError):
    """The pages could not be set; a fault of ours, told with typst's own words."""

    code = "documents.not_set"
    kind = "refused"

    def __init__(self, template: str, why: str) -> None:
        super().__init__(f"版式“{template}”", f"排版时出错：{why}", "请把这句话和所用的材料发给维护人员")


def templates() -> Path:
    """The folder of the typst templates inside the package."""
    return Path(str(files("survey.documents"))) / "typst"


def picture(svg: str, *, width_pt: float, at: datetime, pixels_per_inch: float = 200.0) -> bytes:
    """A drawing of ours as PNG, for files that cannot hold vectors.

    Args:
        svg: as `charts` draws it; a sign that no face has is drawn as 〓.
        width_pt: how wide it will be printed, in points.
        at: aware; nothing of it is seen, typst asks for a date.

    Raises:
        PaperError: typst refused.
    """
    import typst

    source = (
        "#set page(width: float(sys.inputs.width) * 1pt, height: auto, margin: 0pt)\n"
        "#image(bytes(sys.inputs.svg), format: \"svg\", width: 100%)"
    )
    try:
        compiler = typst.Compiler(
            source.encode(),
            font_paths=fonts(),
            ignore_system_fonts=True,
            sys_inputs={"svg": with_glyphs(svg)[0], "width": str(width_pt)},
        )
        made = compiler.compile(format="png", ppi=pixels_per_inch, timestamp=at)
    except typst.TypstError as error:
        raise PaperError("图", "; ".join([str(error), *error.hints])) from error
    if not isinstance(made, bytes):
        raise PaperError("图", "没有得到一个PNG文件")
    return made


def pages(template: str, data: Any, *, title: str, at: datetime) -> bytes:
    """The PDF of a template filled with data.

    Args:
        template: name without ending, such as "slip".
        data: a JSON value; every text in it may be printed.
        title: the document's title, shown by readers in place of the file name.
        at: aware; written as the date of the file.

    Raises:
        MissingGlyphError: a text holds a character the typeface lacks.
        PaperError: typst refused.
    """
    import typst

    check_glyphs([data, title])
    inputs = {
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        "title": title,
        "face": FAMILY,
        "mono": MONO,
        "arabic": ARABIC,
        "korean": KOREAN,
        "tibetan": TIBETAN,
        "yi": YI,
        "song": SONG,
        "kai": KAI,
    }
    folder = templates()
    try:
        compiler = typst.Compiler(
            str(folder / f"{template}.typ"),
            root=str(folder),
            font_paths=fonts(),
            ignore_system_fonts=True,
            sys_inputs=inputs,
        )
        made = compiler.compile(format="pdf", timestamp=at, pdf_standards=STANDARD)
    except typst.TypstError as error:
        raise PaperError(template, "; ".join([str(error), *error.hints])) from error
    if not isinstance(made, bytes):
        raise PaperError(template, "没有得到一个PDF文件")
    if len(inputs["data"]) > LARGE:
        _forget()
    return made


def _forget() -> None:
    """Let typst drop what it remembers, by setting some documents of nothing: a hundredth of a second.

    A school's slips are never set a second time, and remembering ten files of them takes 400 MB.
    """
    import typst

    for _ in range(GENERATIONS):
        typst.Compiler(b" ", font_paths=fonts(), ignore_system_fonts=True).compile(format="pdf")
