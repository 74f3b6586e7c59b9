"""Languages nobody speaks, in letters of those people read: what is translated shows at a glance."""

from __future__ import annotations

import re

from survey.scheme.catalogue import Catalogue, messages

LETTERS = {
    "ug": "ابتجدرزسشغفقكلمنھۇۆۈۋېىي",
    "kk-Arab": "ابتجدرزسشعفقكلمنۇۆۋىيچگڭ",
    "bo": "ཀཁགངཅཆཇཉཏཐདནཔཕབམཙཚཛཝཞཟརལ",
    "mn-Mong": "ᠠᠡᠢᠣᠤᠥᠦᠨᠩᠪᠫᠬᠭᠮᠯᠰᠱᠲᠳᠴᠵᠶᠷᠸ",
    "za": "abcdefghiklmnoprstuvyzqx",
    "ii": "ꀀꀁꀂꀃꀄꀅꀆꀇꀈꀉꀊꀋꀌꀍꀎꀏꀐꀑꀒꀓꀔꀕꀖꀗ",
    "ko": "가나다라마바사아자차카타파하거너더러머버서어저처",
}
SIGNS = str.maketrans({"，": "،", "。": ".", "？": "؟", "：": ":", "、": "،", "“": "«", "”": "»"})


def pseudo_catalogue(language: str = "ug") -> Catalogue:
    """Every message in letters of a language, about as long as a translation is."""
    texts = {one.key: (one.zh, _said(one.zh, LETTERS[language])) for one in messages()}
    return Catalogue(language, texts, "测试")


def _said(zh: str, letters: str) -> str:
    signs = SIGNS if letters[0] == "ا" else str.maketrans("，。？：、", ",.?:,")
    return "".join(
        part if part.startswith("{") else "".join(_letters(sign, letters) for sign in part.translate(signs))
        for part in re.split(r"(\{[a-z_]+\})", zh)
    ).strip()


def _letters(sign: str, letters: str) -> str:
    if not 0x3400 <= ord(sign) <= 0x9FFF:
        return f"{sign} " if sign in "،.,:" else sign
    number = ord(sign)
    return letters[number % 24] + letters[number // 24 % 24] + (" " if number % 3 == 0 else "")
