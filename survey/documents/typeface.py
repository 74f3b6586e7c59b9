"""The typeface of every sheet, from an installed package and never from the machine.

Leaves: the fonts typst may use, loaded once, and a check that they hold every character
about to be printed; typst itself draws a missing glyph as a box without a word.
Noto Sans SC (variable, one Hei face) sets the text; Noto Sans Arabic what stands in Uyghur
or Kazakh, Noto Sans KR what stands in Korean; Noto Serif Tibetan and Noto Sans Yi, which no wheel
holds, stand in `faces/` with their licences; DejaVu Sans Mono, which typst carries, sets codes.
The report is set as an office would: WenKai Light, whose strokes lie between Fangsong and Kai, for
its text, Noto Serif bold (Song) for its title; both stand in `faces/`, cut to what an office writes
(`tests.documents.make_faces`), and Noto Sans SC draws what they lack.
Mongolian runs in columns from the left, which typst cannot set: it is refused before it is set.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survey.errors import SurveyError
from survey.scheme.paper_words import PaperWords
from survey.scheme.texts import Language

if TYPE_CHECKING:
    import typst

FAMILY = "Noto Sans SC"
ARABIC = "Noto Sans Arabic"
KOREAN = "Noto Sans KR"
TIBETAN = "Noto Serif Tibetan"
YI = "Noto Sans Yi"
SONG = "Noto Serif CJK SC"
KAI = "Survey WenKai"
MONO = "DejaVu Sans Mono"
# Line ends, joiners and isolates that typst consumes itself need no glyph.
INVISIBLE = frozenset("\n\r\t\u200b\u200c\u200d\u2060\u2068\u2069\ufeff")

MOST_LETTERS_NAMED = 5
MOST_MARKS = 30
"""Marks on one letter: as many as Unicode's Stream-Safe Text Format allows (UAX #15, section 13).

Typst's memory grows with the square of such a run: 4 000 marks take 1.2 GB, 20 000 more than 20.
"""


class MissingGlyphError(SurveyError):
    """The typeface has no glyph for something that is to be printed."""

    code = "documents.missing_glyph"
    kind = "invalid"

    def __init__(self, characters: Iterable[str], text: str) -> None:
        named = "、".join(f"“{sign}”（U+{ord(sign):04X}）" for sign in characters)
        super().__init__(
            f"要印的文字“{text[:40]}”", f"字体里没有{named}", "换一种写法，或者用同音、同义的常用字"
        )


class StackedMarksError(SurveyError):
    """One letter carries more marks than any language writes."""

    code = "documents.stacked_marks"
    kind = "invalid"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"要印的文字“{text[:40]}”", f"一个字上叠了超过{MOST_MARKS}个附加符号", "删去叠加的符号，多半是从别处粘贴来的"
        )


class NoTypefaceError(SurveyError):
    """No face of ours draws the script of a language."""

    code = "documents.no_typeface"
    kind = "conflict"

    def __init__(self, language: Language, letters: Iterable[str]) -> None:
        named = "、".join(f"“{letter}”（U+{ord(letter):04X}）" for letter in letters)
        super().__init__(
            f"{language.zh}（{language.autonym}）的海报、纸条和纸质问卷",
            "这种文字要竖写，从左往右排，排版程序排不了"
            if language.is_vertical
            else f"随产品的字体里没有这种文字的字母，如{named}，印出来会是空框",
            "请用中文或计划里的另一种语言排印；手机上照常可以选这种语言填写。"
            "纸质问卷确实要用这种文字的，把译文（survey language export）交给会排这种文字的印刷厂",
        )


@cache
def font_files() -> tuple[Path, ...]:
    """The files of the text faces inside their packages.

    Raises:
        FileNotFoundError: a package was installed without its font.
    """
    chinese = Path(str(files("justmytype_intl_cjk"))) / "fonts" / "ofl"
    arabic = Path(str(files("fontpkg_noto_sans_arabic"))) / "files"
    own = Path(str(files("survey.documents"))) / "faces"
    wanted = (
        (chinese / "notosanssc", "NotoSansSC"),
        (arabic, "NotoSansArabic"),
        (chinese / "notosanskr", "NotoSansKR"),
        (own, "NotoSerifTibetan"),
        (own, "NotoSansYi"),
        (own, "NotoSerifCJKsc"),
        (own, "SurveyWenKai"),
    )
    found = []
    for folder, face in wanted:
        there = sorted(folder.glob(f"{face}*.[ot]tf"))
        if not there:
            raise FileNotFoundError(folder / f"{face}.ttf")
        found.append(there[0])
    return tuple(found)


@cache
def fonts() -> typst.Fonts:
    """The fonts typst may use: the text faces and typst's own, nothing of the machine."""
    import typst

    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,
        font_paths=sorted({str(file.parent) for file in font_files()}),
    )


@cache
def _covered() -> frozenset[str]:
    from fontTools.ttLib import TTFont

    covered: set[str] = set(INVISIBLE)
    for file in font_files():
        with TTFont(file, lazy=True) as font:
            covered |= set(map(chr, font.getBestCmap()))
    return frozenset(covered)


@cache
def _stacked() -> re.Pattern[str]:
    """As many marks as may stand on one letter, and those beyond."""
    marks = "".join(sign for sign in _covered() if unicodedata.category(sign)[0] == "M")
    return re.compile(f"([{re.escape(marks)}]{{{MOST_MARKS}}})([{re.escape(marks)}]+)")


def missing_letters(words: PaperWords) -> list[str]:
    """Letters of a language's own texts that none of our faces draws.

    A stray sign is no letter: `check_glyphs` names it, with the text it stands in.
    """
    said = words.catalogue.texts.values() if words.catalogue else ()
    unknown = set().union(*(text for _, text in said)) - _covered()
    return sorted(sign for sign in unknown if unicodedata.category(sign)[0] in "LM")


def check_language(words: PaperWords) -> None:
    """Refuse a language before anything is set, when our faces lack letters that it is written with.

    Raises:
        NoTypefaceError: names the language and some of the letters.
    """
    if letters := missing_letters(words):
        raise NoTypefaceError(words.language, letters[:MOST_LETTERS_NAMED])


def check_glyphs(data: Any) -> None:
    """Refuse when any text inside `data` holds a character without a glyph.

    Args:
        data: the JSON value handed to a template; only its values are printed.

    Raises:
        MissingGlyphError: names the characters and the text they stand in.
        StackedMarksError: a letter carries more than `MOST_MARKS` marks.
    """
    covered, stacked = _covered(), _stacked()
    for text in _texts(data):
        missing = set(text) - covered
        if missing:
            raise MissingGlyphError(sorted(missing), text)
        if stacked.search(text):
            raise StackedMarksError(text)


def with_glyphs(data: Any) -> tuple[Any, int]:
    """The JSON value with 〓 for every character the typeface lacks or that is one mark too many on a letter.

    Returns:
        The value, and how many signs were replaced.

    For tables of other people's words, which nobody can put otherwise; what we print of our own is
    checked by `check_glyphs`.

    >>> with_glyphs({"a": ["甲😀"]})
    ({'a': ['甲〓']}, 1)
    """
    covered, stacked = _covered(), _stacked()
    replaced = 0

    def mended(value: Any) -> Any:
        nonlocal replaced
        if isinstance(value, str):
            told = "".join(sign if sign in covered else "〓" for sign in value)
            told = stacked.sub(lambda found: found[1] + "〓" * len(found[2]), told)
            replaced += sum(one != other for one, other in zip(value, told, strict=True))
            return told
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
