"""Translations of the answering pages: handed out, taken in, signed, and pinned to a wave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from survey import canonical
from survey.errors import SurveyError
from survey.scheme.catalogue import Catalogue, catalogue_from, sign_off, translatable
from survey.scheme.catalogue_file import po_bytes, read_catalogue
from survey.scheme.texts import find_language, known_languages
from survey.storage.audit import record_audit
from survey.storage.catalogues import find_catalogue, save_catalogue
from survey.storage.current import transaction
from survey.storage.evidence import find_evidence

EVIDENCE = "translations.json"
"""The catalogues a wave shows, kept whole with its signed plan."""


class NoTranslationError(SurveyError):
    """Nothing of this language has been taken in."""

    code = "catalogue.not_imported"
    kind = "not_found"

    def __init__(self, language: str) -> None:
        super().__init__(
            f"语言“{language}”",
            "还没有导入译文",
            f"先运行 survey language export {language}，译好后再 import",
        )


class LanguageNotSignedError(SurveyError):
    """A plan wants a language that nobody stands for."""

    code = "catalogue.not_signed_off"
    kind = "conflict"

    def __init__(self, language: str) -> None:
        super().__init__(
            f"语言“{language}”",
            "没有经过审定的译文",
            f"先运行 survey language sign {language} --name 审定人，或从计划里去掉这种语言",
        )


async def export_catalogue(language: str) -> bytes:
    """The PO file of a language, with what is translated already."""
    translatable(language)
    known = await find_catalogue(language, signed=False) or await find_catalogue(language, signed=True)
    return po_bytes(language, known)


async def import_catalogue(data: bytes, language: str | None, *, actor: str, now: datetime) -> Catalogue:
    """Take a filled PO file in; nobody sees it before it is signed.

    Raises:
        FaultsError: every fault of the file at once.
    """
    catalogue = read_catalogue(data, language)
    details = {"digest": catalogue.digest, "missing": len(catalogue.missing)}
    async with transaction():
        await save_catalogue(catalogue, now=now)
        await record_audit(actor, "import_catalogue", catalogue.language, details=details, now=now)
    return catalogue


async def sign_catalogue(language: str, name: str, *, actor: str, now: datetime) -> Catalogue:
    """Let a named person stand for what was taken in; waves signed from now on may offer it.

    Raises:
        NoTranslationError: nothing was taken in. ScalesIncompleteError: an option is missing.
    """
    draft = await find_catalogue(translatable(language), signed=False)
    if draft is None:
        raise NoTranslationError(language)
    signed = sign_off(draft, name, now.date())
    async with transaction():
        await save_catalogue(signed, now=now)
        await record_audit(
            actor, "sign_catalogue", language, details={"digest": signed.digest, "name": name}, now=now
        )
    return signed


async def list_catalogues() -> list[dict[str, Any]]:
    """Every known language and how far its translation has come."""
    found = []
    for language in known_languages():
        entry: dict[str, Any] = {"language": language.code, "autonym": language.autonym, "zh": language.zh, "state": "shipped"}
        if not language.shipped:
            draft = await find_catalogue(language.code, signed=False)
            signed = await find_catalogue(language.code, signed=True)
            entry["state"] = "signed" if signed else "imported" if draft else "none"
            if signed:
                entry |= {"signed_by": signed.signed_by, "signed_on": str(signed.signed_on)}
            if current := signed or draft:
                entry["missing"] = len(current.missing)
        found.append(entry)
    return found


async def translations_document(languages: Iterable[str]) -> dict[str, Any] | None:
    """The signed catalogues of a plan's languages, to be kept with it; None when it needs none.

    Raises:
        LanguageNotSignedError: a language has no signed catalogue.
    """
    wanted = [code for code in languages if not find_language(code).shipped]
    found: dict[str, Any] = {}
    for code in wanted:
        signed = await find_catalogue(code, signed=True)
        if signed is None:
            raise LanguageNotSignedError(code)
        found[code] = signed.document()
    return {"type": "survey/translations/v1", "languages": found} if found else None


async def pinned_catalogues(wave: str) -> Mapping[str, Catalogue]:
    """The catalogues a wave was signed with."""
    text = await find_evidence(wave, EVIDENCE)
    if text is None:
        return {}
    return {code: catalogue_from(one) for code, one in canonical.decode(text.encode())["languages"].items()}
