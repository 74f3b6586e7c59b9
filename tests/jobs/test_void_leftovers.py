"""Leftover slips: voided by code or by number before closing, and a wave with spares holds to the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from fractions import Fraction

import pytest

from survey.canonical import decode
from survey.certification.verification import verify_file
from survey.errors import FaultsError
from survey.jobs.certify_wave import certify_wave
from survey.jobs.close_wave import close_wave
from survey.jobs.estimate_wave import estimate_wave
from survey.jobs.open_wave import open_wave
from survey.jobs.run_fieldwork import LeftoversVoidedError, pause_wave, resume_wave
from survey.jobs.sign_plan import sign_plan
from survey.jobs.void_leftovers import LeftoversRefusedError, void_leftovers
from survey.settings import Settings
from survey.storage.audit import list_audit
from survey.storage.samples import load_sample

from .conftest import Bureau, bureau_at

SPARES = 2
TWO = ("甲", "乙")


async def void(bureau: Bureau, lines: list[str], people: tuple[str, ...] = TWO) -> dict[str, int]:
    return await void_leftovers(bureau.settings, bureau.office, bureau.wave, lines, people, **bureau.by)


@pytest.fixture
async def with_spares(settings: Settings) -> AsyncIterator[Bureau]:
    """An open wave with spare slips, once on SQLite and once on PostgreSQL."""
    async with bureau_at(settings) as opened:
        yield await opened_with_spares(opened)


async def opened_with_spares(bureau: Bureau) -> Bureau:
    await bureau.draw(spares=SPARES)
    await bureau.act(sign_plan)
    await bureau.publish()
    return bureau


async def test_a_wave_with_spares_closes_certifies_and_verifies_with_its_response_rate(
    sqlite_settings: Settings,
) -> None:
    async with bureau_at(sqlite_settings) as bureau:
        await opened_with_spares(bureau)
        sample = await load_sample(bureau.wave)
        piles: dict[str, list[str]] = {}
        for code, domain in bureau.codes:
            piles.setdefault(domain, []).append(code)
        slips = {domain: len(pile) - SPARES for domain, pile in piles.items()}
        bureau.codes = [(code, of) for of, pile in piles.items() for code in pile[: slips[of]]]
        await bureau.answer()
        first, *others = sorted(piles)
        spare = piles[first][-SPARES:]

        by_code = await void(bureau, [f"{spare[0][:4]}-{spare[0][4:8]}-{spare[0][8:]}", "", spare[1].lower()])
        await pause_wave(bureau.office, bureau.wave, **bureau.by)
        by_count = await void(bureau, [f"{domain},{SPARES}" for domain in others])
        used = sum(one.used for one in await bureau.office.participation(bureau.wave))
        await bureau.act(close_wave)
        await bureau.act(open_wave)
        await estimate_wave(bureau.office, bureau.wave, **bureau.by)
        certified = await bureau.act(certify_wave)
        content = certified.certificate.read_bytes()
        verdicts = [verify_file(content), verify_file(certified.bundle.read_bytes())]
        statement = decode(content)["statement"]
        counts = {row["domain"]: row for row in statement["counts"] if row["domain"] in piles}

    assert by_code == {first: SPARES}
    assert by_count == dict.fromkeys(others, SPARES)
    assert [one.exit_code for one in verdicts] == [0, 0]
    assert {name: row["slips"] for name, row in counts.items()} == slips
    assert {(row["spares"], row["voided"]) for row in counts.values()} == {(SPARES, SPARES)}
    assert sum(slips.values()) == sum(draw.slips for draw in sample.domains)
    assert Fraction(statement["response_rate_2"]) == Fraction(used * 10_000 // sum(slips.values()), 10_000)


async def test_numbers_need_a_pause_and_the_wave_never_goes_on(with_spares: Bureau) -> None:
    bureau = with_spares
    (code, domain), *_ = bureau.codes
    free = Counter(of for _, of in bureau.codes)[domain]

    with pytest.raises(LeftoversRefusedError):
        await void(bureau, [f"{domain},{SPARES}"])
    by_code = await void(bureau, [code])
    await pause_wave(bureau.office, bureau.wave, **bureau.by)
    await resume_wave(bureau.office, bureau.wave, **bureau.by)
    await pause_wave(bureau.office, bureau.wave, **bureau.by)
    by_count = await void(bureau, [f"{domain}，{free - 1}"])
    with pytest.raises(LeftoversVoidedError):
        await resume_wave(bureau.office, bureau.wave, **bureau.by)
    details = str([one.details for one in await list_audit() if one.what == "void_leftovers"])
    voided = {one.domain: one.voided for one in await bureau.office.participation(bureau.wave) if one.voided}

    assert (by_code, by_count) == ({domain: 1}, {domain: free - 1})
    assert voided == {domain: free}
    assert code not in details and "甲" in details and "乙" in details


async def test_every_line_that_cannot_be_followed_is_named_and_nothing_is_voided(with_spares: Bureau) -> None:
    bureau = with_spares
    code, domain = bureau.codes[0]
    free = Counter(of for _, of in bureau.codes)[domain]
    lines = [code, code, "7KQ4-M2XH-9DTX", "2222-2222-2222", f"{domain},{free}", f"{domain} 1"]

    with pytest.raises(FaultsError) as refusal:
        await void(bureau, lines)
    with pytest.raises(FaultsError):
        await void(bureau, [])
    for people in (("甲",), ("甲", " 甲 "), ("甲", "乙", "丙")):
        with pytest.raises(LeftoversRefusedError):
            await void(bureau, [code], people)

    assert [fault.row for fault in refusal.value.faults] == [2, 3, 4, 5, 6]
    assert sum(one.voided for one in await bureau.office.participation(bureau.wave)) == 0
