"""Links on which a form can be tried before and during a wave, and which never count.

The link carries a mark that only this installation can make, so a stranger who knows a
wave's name sees nothing of a draft. It leads to no slip, no domain and no intake.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from survey.scheme.catalogue import Catalogue
from survey.scheme.plan import ALL
from survey.scheme.texts import known_languages
from survey.settings import Settings
from survey.storage.catalogues import find_catalogue
from survey.storage.keys import has_key, load_key, save_key
from survey.storage.plans import load_plan

KEY = "preview"


@dataclass(frozen=True)
class PreviewLink:
    """Where the form of a group at a stage can be tried."""

    group: str
    stage: str
    instrument: str
    address: str


async def preview_links(settings: Settings, wave: str) -> tuple[PreviewLink, ...]:
    """A link for every form of a wave, whatever its state.

    Raises:
        WaveNotFoundError: no such wave.
    """
    plan = await load_plan(wave)
    return tuple(
        PreviewLink(
            entry.group,
            stage,
            instrument,
            f"{settings.base_url}/preview/{wave}/{entry.group}/{stage}/{preview_mark(settings, wave, entry.group, stage)}",
        )
        for entry in plan.groups
        for stage, instrument in entry.instruments.items()
    )


def preview_mark(settings: Settings, wave: str, group: str, stage: str) -> str:
    """The mark of a preview link: 16 hexadecimal digits under a key of this installation."""
    if not has_key(settings, None, KEY):
        save_key(settings, None, KEY, secrets.token_bytes(32))
    said = f"survey/v1/preview\0{wave}/{group}/{stage}".encode()
    return hmac.new(load_key(settings, None, KEY), said, hashlib.sha256).hexdigest()[:16]


def stage_of(stage: str) -> str | None:
    """The stage of a link as a plan's domains know it."""
    return None if stage == ALL else stage


async def preview_catalogues() -> Mapping[str, Catalogue]:
    """Translations to look at: those being filled too, since nobody can sign what nobody has seen."""
    found = {}
    for language in known_languages():
        if not language.shipped:
            one = await find_catalogue(language.code, signed=False)
            one = one or await find_catalogue(language.code, signed=True)
            if one is not None:
                found[language.code] = one
    return found
