"""How a person wants the page: text size and language, from the address alone.

`?z=0|1|2` and `?lang=zh|en` work without scripts and without a cookie; whatever else the
address says is read as the default, because a mangled link should still open.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from survey.web.respondent.words import LANGUAGES, Words, words


@dataclass(frozen=True)
class Look:
    """One language, one text size (0, 1, 2)."""

    lang: str = "zh"
    size: int = 0

    @property
    def words(self) -> Words:
        return words(self.lang)

    @property
    def query(self) -> str:
        """The look as the end of an address, empty for the default.

        >>> Look().query, Look("en", 2).query
        ('', '?z=2&lang=en')
        """
        return "" if self == Look() else f"?z={self.size}&lang={self.lang}"


def read_look(query: Mapping[str, str], offered: tuple[str, ...] = LANGUAGES) -> Look:
    """The look an address asks for, within what is offered."""
    lang = query.get("lang", "zh")
    size = query.get("z", "0")
    return Look(
        lang if lang in LANGUAGES and lang in offered else "zh", int(size) if size in ("0", "1", "2") else 0
    )
