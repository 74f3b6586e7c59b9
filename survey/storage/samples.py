"""Samples of waves: who is asked, replayable from the seed inside the document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from survey.canonical import decode, encode
from survey.errors import SurveyError
from survey.sampling.sample import Sample
from survey.storage.areas import own_schools
from survey.storage.branch import is_below_county
from survey.storage.current import transaction
from survey.storage.tables import Samples


class SampleMissingError(SurveyError):
    """Nothing was drawn for the wave yet."""

    code = "storage.sample_missing"
    kind = "not_found"

    def __init__(self, wave: str) -> None:
        super().__init__(f"调查 {wave}", "还没有抽样", "先抽样（survey draw），再做这一步")


async def save_sample(sample: Sample, *, now: datetime) -> None:
    """Keep the sample of a wave, in place of an earlier one."""
    row: dict[Any, Any] = {
        Samples.document: encode(sample.document()).decode(),
        Samples.digest: sample.digest,
        Samples.saved_at: now,
    }
    async with transaction():
        if not await Samples.update(row).where(Samples.wave == sample.wave).returning(Samples.wave):
            await Samples.insert(Samples({Samples.wave: sample.wave, **row}))


async def find_sample(wave: str) -> Sample | None:
    """The sample of a wave, or None; below the county the domains of schools that may be seen."""
    rows = await Samples.select(Samples.document).where(Samples.wave == wave)
    sample = _sample_in(rows[0]["document"]) if rows else None
    own = await own_schools(wave)
    if sample is None or own is None:
        return sample
    return replace(sample, domains=tuple(draw for draw in sample.domains if draw.school_code in own))


@lru_cache(maxsize=8)
def _sample_in(text: str) -> Sample:
    """The sample of a text; the last few are remembered by the text itself, whatever its row's digest says."""
    return Sample.from_document(decode(text.encode()))


async def sample_digests(waves: Sequence[str]) -> dict[str, str]:
    """The digests of several waves' samples, in one query; a wave without one is left out.

    Below the county none: nobody there sees a whole sample.
    """
    if not waves or is_below_county():
        return {}
    rows = await Samples.select(Samples.wave, Samples.digest).where(Samples.wave.is_in(list(waves)))
    return {row["wave"]: row["digest"] for row in rows}


async def load_samples(waves: Sequence[str]) -> dict[str, Sample]:
    """The samples of several waves, in one query; a wave without one is left out. Below the county none."""
    if not waves or is_below_county():
        return {}
    rows = await Samples.select(Samples.wave, Samples.document).where(Samples.wave.is_in(list(waves)))
    return {row["wave"]: Sample.from_document(decode(row["document"].encode())) for row in rows}


async def load_sample(wave: str) -> Sample:
    """The sample of a wave; refuses when nothing was drawn."""
    sample = await find_sample(wave)
    if sample is None:
        raise SampleMissingError(wave)
    return sample
