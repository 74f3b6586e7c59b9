"""The typeface of every sheet, from an installed package and never from the machine.

Leaves: the fonts typst may use, loaded once, and a check that they hold every character
about to be printed; typst itself draws a missing glyph as a box without a word.
Noto Sans SC (variable, one Hei face) sets the text; Noto Sans Arabic what stands in Uyghur
or Kazakh; DejaVu Sans Mono, which typst carries, sets codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

from survey.errors import SurveyError

FAMILY = "Noto Sans SC"
ARABIC = "Noto Sans Arabic"
MONO = "DejaVu Sans Mono"
# Line ends, joiners and isolates that typst consumes itself need no glyph.
INVISIBLE = frozenset("\n\r\t\u200b\u200c\u200d\u2060\u2068\u2069\ufeff")


class MissingGlyphError(SurveyError):
    """The typeface has no glyph for something that is to be printed."""

    code = "documents.missing_glyph"
    kind = "invalid"

    def __init__(self, characters: Iterable[str], text: str) -> None:
        named = "、".join(f"“{sign}”（U+{ord(sign):04X}）" for sign in characters)
        super().__init__(
            f"要印的文字“{text[:40]}”", f"字体里没有{named}", "换一种写法，或者用同音、同义的常用字"
        )


def typeface_file() -> Path:
    """The file of the text face inside its package.

    Raises:
        FileNotFoundError: the package was installed without its font.
    """
    folder = Path(str(files("justmytype_intl_cjk"))) / "fonts" / "ofl" / "notosanssc"
    return next(iter(sorted(folder.glob("NotoSansSC*.ttf"))), folder / "NotoSansSC[wght].ttf")


def arabic_file() -> Path:
    """The file of the face for Uyghur and Kazakh inside its package."""
    folder = Path(str(files("fontpkg_noto_sans_arabic"))) / "files"
    return next(iter(sorted(folder.glob("NotoSansArabic*.ttf"))), folder / "NotoSansArabic.ttf")


@cache
def fonts() -> typst.Fonts:
    """The fonts typst may use: the text faces and typst's own, nothing of the machine."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,
        font_paths=[str(typeface_file().parent), str(arabic_file().parent)],
    )


@cache
def _covered() -> frozenset[str]:
    covered: set[str] = set(INVISIBLE)
    for file in (typeface_file(), arabic_file()):
        with TTFont(file, lazy=True) as font:
            covered |= set(map(chr, font.getBestCmap()))
    return frozenset(covered)


def check_glyphs(data: Any) -> None:
    """Refuse when any text inside `data` holds a character without a glyph.

    Args:
        data: the JSON value handed to a template; only its values are printed.

    Raises:
        MissingGlyphError: names the characters and the text they stand in.
    """
    covered = _covered()
    for text in _texts(data):
        missing = set(text) - covered
        if missing:
            raise MissingGlyphError(sorted(missing), text)


def with_glyphs(data: Any) -> tuple[Any, int]:
    """The JSON value with 〓 for every character the typeface lacks, and how many there were.

    For tables of other people's words, which nobody can put otherwise; what we print of our own is
    checked by `check_glyphs`.

    >>> with_glyphs({"a": ["甲😀"]})
    ({'a': ['甲〓']}, 1)
    """
    covered = _covered()
    replaced = 0

    def mended(value: Any) -> Any:
        nonlocal replaced
        if isinstance(value, str):
            replaced += sum(sign not in covered for sign in value)
            return "".join(sign if sign in covered else "〓" for sign in value)
        if isinstance(value, dict):
            return {key: mended(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [mended(one) for one in value]
        return value

    return mended(data), replaced


def _texts(data: Any) -> Iterable[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _texts(value)
