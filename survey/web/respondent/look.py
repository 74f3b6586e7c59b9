"""How a person wants the page: text size and language, from the address alone.

`?z=0|1|2` and `?lang=zh|en|…` work without scripts and without a cookie; whatever else the
address says is read as the default, because a mangled link should still open. `c=1` keeps
a pupil's pages in the pupils' layout after the form, where nothing else would tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from survey.web.respondent.words import Words, vocabularies, words


@dataclass(frozen=True)
class Look:
    """One language, one text size (0, 1, 2), and whether a pupil is reading."""

    words: Words = field(default_factory=lambda: words("zh"))
    size: int = 0
    child: bool = False

    @property
    def lang(self) -> str:
        """The code of the language."""
        return self.words.lang

    @property
    def query(self) -> str:
        """The look as the end of an address, empty for the default.

        >>> Look().query, Look(words("en"), 2).query, Look(child=True).query
        ('', '?z=2&lang=en', '?z=0&lang=zh&c=1')
        """
        if not self.child and self.size == 0 and self.lang == "zh":
            return ""
        return f"?z={self.size}&lang={self.lang}" + ("&c=1" if self.child else "")


def read_look(query: Mapping[str, str], offered: Mapping[str, Words] | None = None) -> Look:
    """The look an address asks for, within what is offered; without that, within what is shipped."""
    known = offered if offered is not None else vocabularies(("zh", "en"))
    size = query.get("z", "0")
    return Look(
        known.get(query.get("lang", "zh"), known["zh"]),
        int(size) if size in ("0", "1", "2") else 0,
        query.get("c") == "1",
    )
