"""A language nobody speaks, written from right to left: what is translated shows at a glance."""

from __future__ import annotations

import re

from survey.scheme.catalogue import Catalogue, messages

LETTERS = "ابتجدرزسشغفقكلمنھۇۆۈۋېىي"
SIGNS = str.maketrans({"，": "،", "。": ".", "？": "؟", "：": ":", "、": "،", "　": " ", "“": "«", "”": "»"})


def pseudo_catalogue(language: str = "ug") -> Catalogue:
    """Every message in letters of the Uyghur alphabet, about as long as a translation is."""
    texts = {one.key: (one.zh, _said(one.zh)) for one in messages()}
    return Catalogue(language, texts, "测试")


def _said(zh: str) -> str:
    return "".join(
        part if part.startswith("{") else "".join(map(_letters, part.translate(SIGNS)))
        for part in re.split(r"(\{[a-z_]+\})", zh)
    ).strip()


def _letters(sign: str) -> str:
    if not 0x3400 <= ord(sign) <= 0x9FFF:
        return f"{sign} " if sign in "،.:" else sign
    number = ord(sign)
    return LETTERS[number % 24] + LETTERS[number // 24 % 24] + (" " if number % 3 == 0 else "")
