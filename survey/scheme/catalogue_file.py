"""A catalogue as a gettext PO file: what a translation office opens, fills and sends back.

Each message stands under its key as context, with the English draft and its place as
comments. Coming back, every entry is checked before any is kept: place-holders, digits,
invisible signs, options that read alike. Entries marked fuzzy are unfinished and are left
out; entries of an older release are passed over, since their Chinese has changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import PoFileError, read_po, write_po

from survey.errors import Fault, FaultsError
from survey.scheme.catalogue import SCALE_IS_WHOLE, Catalogue, Message, messages, translatable

MOST_BYTES = 4 * 1024 * 1024
MOST_SIGNS = 1000
_HOLES = re.compile(r"\{[a-z_]+\}")
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_REFUSED = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def po_bytes(language: str, known: Catalogue | None = None) -> bytes:
    """The catalogue of a language to be filled in, with what is translated already.

    Raises:
        UnknownLanguageError, LanguageShippedError.
    """
    translatable(language)
    po = Catalog(project="survey", charset="utf-8", fuzzy=False, header_comment=_HEADER)
    po.mime_headers = [
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
        ("Language", language),
    ]
    # No date: the same texts give the same file, so two exports can be compared.
    po.creation_date = po.revision_date = _NO_DATE
    for one in messages():
        text = known.find(one.key, one.zh) if known else None
        comments = [part for part in (_place(one), f"English: {one.en}" if one.en else "") if part]
        po.add(one.zh, text or "", auto_comments=comments, context=one.key)
    out = BytesIO()
    write_po(out, po, width=0, omit_header=False)
    return out.getvalue()


_HEADER = """\
# Texts of the answering pages and of paper. msgid is the Chinese source; fill msgstr.
# Keep the place-holders in braces; they may move inside the sentence. Digits stay 0-9.
# Plain words, polite form. An entry marked fuzzy is unfinished and is shown in Chinese."""


def _place(one: Message) -> str:
    longest = f", Chinese at most {one.most} characters" if one.most else ""
    return f"{one.where}{longest}"


def read_catalogue(data: bytes, language: str | None = None) -> Catalogue:
    """The catalogue in a PO file that came back.

    Args:
        data: the file.
        language: its language; without it the file's header says.

    Raises:
        FaultsError: every fault at once, with the line of its entry.
        UnknownLanguageError, LanguageShippedError.
    """
    if len(data) > MOST_BYTES:
        raise FaultsError("译文文件", (Fault("catalogue.too_large", "超过4 MB", "换成从本系统导出的文件"),))
    try:
        po = read_po(BytesIO(data), abort_invalid=True, charset="utf-8")
    except (PoFileError, ValueError, LookupError) as wrong:
        fault = Fault("catalogue.unreadable", f"不是能读的PO文件（{type(wrong).__name__}）", "用导出的文件，存成UTF-8")
        raise FaultsError("译文文件", (fault,)) from wrong
    # Babel hands the header's language back in its own spelling, with an underscore.
    said = translatable(language or str(po.locale_identifier or "").replace("_", "-"))
    known = {one.key: one for one in messages()}
    texts: dict[str, tuple[str, str]] = {}
    faults: list[Fault] = []
    for entry in po:
        if not entry.id or entry.fuzzy or not isinstance(entry.string, str) or not entry.string.strip():
            continue
        one = known.get(entry.context or "")
        if one is None or one.zh != entry.id:
            continue
        text = unicodedata.normalize("NFC", entry.string.strip())
        faults += _faults(one, entry, text)
        texts[one.key] = (one.zh, text)
    faults += _alike(texts)
    if faults:
        raise FaultsError(f"译文“{said}”", tuple(faults))
    return Catalogue(said, texts)


def _faults(one: Message, entry: Entry, text: str) -> Iterator[Fault]:
    def fault(code: str, problem: str, remedy: str) -> Fault:
        return Fault(f"catalogue.{code}", problem, remedy, row=entry.lineno, item=one.key)

    wanted, found = set(_HOLES.findall(one.zh)), set(_HOLES.findall(text))
    if wanted != found or "{" in _HOLES.sub("", text) or "}" in _HOLES.sub("", text):
        yield fault("placeholder", "花括号里的词和原文不一样", f"保留{'、'.join(sorted(wanted)) or '原样，不加花括号'}")
    if any(sign in _REFUSED or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text):
        yield fault("control_sign", "有看不见的控制字符", "删掉后重新输入")
    if any(unicodedata.category(sign) == "Nd" and not sign.isascii() for sign in text):
        yield fault("digits", "数字不是0到9", "改成0到9，和纸条上的码、日期一致")
    if len(text) > MOST_SIGNS:
        yield fault("too_long", f"超过{MOST_SIGNS}个字符", "缩短")


def _alike(texts: dict[str, tuple[str, str]]) -> Iterator[Fault]:
    """Two options of one scale that read the same cannot be told apart by anybody."""
    scales: dict[str, dict[str, str]] = defaultdict(dict)
    for key, (_, text) in texts.items():
        if key.startswith(SCALE_IS_WHOLE):
            scale = key.rpartition("/")[0]
            if text in scales[scale]:
                problem = f"和“{scales[scale][text]}”的译文一样"
                yield Fault("catalogue.options_alike", problem, "换成分得清的说法", item=key)
            scales[scale].setdefault(text, key)
