"""Translations of the answering pages: for each language the one being filled and the one signed."""

from __future__ import annotations

from datetime import datetime

from survey import canonical
from survey.scheme.catalogue import Catalogue, catalogue_from
from survey.storage.current import transaction
from survey.storage.tables import Catalogues


async def save_catalogue(catalogue: Catalogue, *, now: datetime) -> None:
    """Keep a catalogue in place of the one of the same language and standing."""
    signed = catalogue.signed_by is not None
    async with transaction():
        await Catalogues.delete().where(
            Catalogues.language == catalogue.language, Catalogues.signed == signed
        )
        await Catalogues.insert(
            Catalogues(
                language=catalogue.language,
                signed=signed,
                document=canonical.encode(catalogue.document()).decode(),
                digest=catalogue.digest,
                saved_at=now,
            )
        )


async def find_catalogue(language: str, *, signed: bool) -> Catalogue | None:
    """The catalogue of a language as it is being filled, or as it was signed last."""
    rows = await Catalogues.select(Catalogues.document).where(
        Catalogues.language == language, Catalogues.signed == signed
    )
    return catalogue_from(canonical.decode(rows[0]["document"].encode())) if rows else None
