"""A small wave on a real SQLite file, with slips to type: what the answering side's tests stand on."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

from survey.canonical import encode
from survey.certification.sealing import box_public_key
from survey.fieldwork.code import random_code
from survey.fieldwork.invitation import slip_digest
from survey.jobs.translate import EVIDENCE
from survey.sampling.sample import DomainDraw, Sample
from survey.scheme.catalogue import Catalogue, messages
from survey.scheme.plan import Plan, example_plan_text, plan_document, read_plan
from survey.settings import Settings, load_settings
from survey.storage.cases import erase_cases, save_cases
from survey.storage.database import Database, open_database
from survey.storage.evidence import save_evidence
from survey.storage.intake import About, Poster
from survey.storage.office import IntakeOffice
from survey.storage.plans import save_plan, set_state
from survey.storage.samples import save_sample

WAVE = "yuntai-test"
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
SLIP_KEY = bytes(range(32))
PARENT, PUPIL, DEPUTY = "3207042001-P", "3207042001-S", "320704-D"
QUOTA, SURPLUS, OPEN = "3207042001-T", "3207042001-T-surplus", "320704-C"
OPEN_SCHOOLS = tuple(f"32070430{number:02d}-PO" for number in range(1, 13))
NAMES = ("新浦", "龙河", "海州", "岗埠", "青口", "塔山", "石桥", "班庄", "黑林", "厉庄", "金山", "沙河")
SCHOOL = "芙蓉镇<中心>小学"


@dataclass
class Ground:
    """An intake with a wave on it, and codes nobody has used."""

    settings: Settings
    database: Database
    office: IntakeOffice
    plan: Plan
    codes: dict[str, list[str]]
    receipts: list[str] = field(default_factory=list)
    """Of what was really sent."""

    def code(self, domain: str = PARENT) -> str:
        """A fresh code of a domain."""
        return self.codes[domain].pop()

    async def go(self, *states: str) -> None:
        """Take the wave and its intake on, state by state."""
        for state in states:
            now = await self.office.state(WAVE)
            await set_state(WAVE, now, state, now=NOW)
            await self.office.set_state(WAVE, now, state)

    async def certify(self) -> None:
        """Take a closed wave on to where its answers may be destroyed; one case stands for all of them."""
        await save_cases(WAVE, [("a" * 64, "b" * 64, "{}")])
        for before, after in itertools.pairwise(("closed", "opened", "estimated", "certified")):
            await set_state(WAVE, before, after, now=NOW)

    async def erase(self) -> None:
        """Destroy the answers of a closed wave, as its plan promised."""
        await self.certify()
        await erase_cases(WAVE)


@asynccontextmanager
async def ground(
    folder: Path,
    state: str = "open",
    *,
    slips: int = 40,
    base_url: str = "https://survey.example",
    **changes: object,
) -> AsyncIterator[Ground]:
    """A wave in `state` with `slips` codes in each of three domains; `changes` go into its plan."""
    settings = load_settings({}, data=folder, base_url=base_url, least_free_share=0.0)
    plan = _plan(base_url, changes)
    codes = {domain: [_code(domain, number) for number in range(slips)] for domain in (PARENT, PUPIL, DEPUTY)}
    async with open_database(settings) as database:
        office = IntakeOffice(settings, lambda: NOW)
        await office.start()
        await save_plan(plan, now=NOW)
        await set_state(WAVE, "draft", "framed", now=NOW)
        await save_sample(_sample(), now=NOW)
        await set_state(WAVE, "framed", "drawn", now=NOW)
        await set_state(WAVE, "drawn", "planned", now=NOW)
        pseudo = [code for code in plan.languages if code in LETTERS]
        if pseudo:
            await save_evidence(WAVE, EVIDENCE, encode(pseudo_translations(pseudo)).decode(), now=NOW)
        posters = (
            *(Poster(QUOTA, "quota", 2, SURPLUS), Poster(SURPLUS, "surplus"), Poster(OPEN, "open")),
            *(Poster(domain, "open") for domain in OPEN_SCHOOLS),
        )
        box_key = box_public_key(bytes(range(1, 33))) if plan.sealed else None
        await office.create(
            About(WAVE, f"{settings.host_name}/{WAVE}", box_key, plan.opens_on, posters),
            [
                (bytes.fromhex(slip_digest(SLIP_KEY, code)), domain)
                for domain, made in codes.items()
                for code in made
            ],
            slip_key=SLIP_KEY,
            log_seed=bytes(range(32, 64)),
        )
        laid = Ground(settings, database, office, plan, codes)
        await laid.go(
            *{"planned": (), "open": ("open",), "paused": ("open", "paused"), "closed": ("open", "closed")}[
                state
            ]
        )
        try:
            yield laid
        finally:
            await office.stop()


def form_body(page: str, answers: dict[str, str], **changes: str) -> str:
    """What a browser sends for a form page: its hidden fields and the answers."""
    hidden = dict(re.findall(r'<input type="hidden" name="([kvs])" value="([^"]*)"', page))
    return urlencode({**hidden, **answers, **changes})


def pseudo_translations(languages: list[str]) -> dict[str, object]:
    """Languages nobody speaks: every Chinese sign as two letters of the script, place-holders kept.

    Hints stay untranslated, so that pages show how Chinese stands inside such a page.
    """
    made = {}
    for code in languages:
        texts = {
            one.key: (one.zh, "".join(_pseudo(part, code) for part in re.split(r"(\{[a-z_]+\})", one.zh)))
            for one in messages()
            if not one.key.endswith("/hint")
        }
        made[code] = Catalogue(code, texts, "测试", NOW.date()).document()
    return {"type": "survey/translations/v1", "languages": made}


LETTERS = {
    "ug": ("ابتجدرزسشغفقكلمنھۇۆۈۋېىي", " "),
    "bo": ("ཀཁགངཅཆཇཉཏཐདནཔཕབམཙཚཛཝཞཟརལ", "་"),
    "mn-Mong": ("ᠠᠡᠢᠣᠤᠥᠦᠨᠩᠪᠫᠬᠭᠮᠯᠰᠱᠲᠳᠴᠵᠶᠷᠸ", " "),
}


def _pseudo(part: str, code: str) -> str:
    if part.startswith("{"):
        return part
    letters, joint = LETTERS[code]
    signs = {"，": "، ", "。": ". ", "？": "؟ ", "：": ": ", "、": "، "} if code == "ug" else {}
    return "".join(
        letters[ord(sign) % 24] + letters[ord(sign) // 24 % 24] + (joint if ord(sign) % 3 == 0 else "")
        if 0x3400 <= ord(sign) <= 0x9FFF
        else signs.get(sign, sign)
        for sign in part
    ).strip()


def _plan(base_url: str, changes: dict[str, object]) -> Plan:
    document = plan_document(read_plan(example_plan_text()))
    document.update({"wave": WAVE, "base_url": base_url, **changes})
    return read_plan(encode(document))


def _code(domain: str, number: int) -> str:
    seed = f"{domain}/{number}".encode()
    return random_code(lambda size: (sha256(seed).digest() * 2)[:size])


def _sample() -> Sample:
    def draw(domain: str, group: str, instrument: str, school: bool = True) -> DomainDraw:
        return DomainDraw(
            domain=domain,
            group=group,
            school_code="3207042001" if school else None,
            school_name=SCHOOL if school else "云台区名单",
            stratum="town/primary" if school else f"county/{group}",
            place="town" if school else None,
            stage="primary" if school else None,
            eligible=40,
            slips=40,
            psu_probability="1",
            instrument=instrument,
        )

    domains = (
        draw(PARENT, "parent", "parents"),
        draw(PUPIL, "student", "students_g4_6"),
        draw(QUOTA, "teacher", "teachers"),
        draw(SURPLUS, "teacher", "teachers"),
        draw(DEPUTY, "deputy", "public", school=False),
        draw(OPEN, "cppcc", "public", school=False),
        *(
            replace(draw(domain, "parent", "parents"), school_code=domain[:10], school_name=f"{name}镇中心小学")
            for domain, name in zip(OPEN_SCHOOLS, NAMES, strict=True)
        ),
    )
    return Sample(WAVE, "test", "0" * 64, "0" * 64, "0" * 64, (), domains, {})
