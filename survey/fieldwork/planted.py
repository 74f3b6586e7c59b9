"""What an office above the bureau plants in a wave, to learn whether somebody tampers with it.

Canaries are answers known beforehand, sent through the door every phone uses: one that is
missing or different afterwards shows that answers were removed or altered. Honey slips are
codes that nobody is given: one that is used shows that spare slips were filled in. A sample
and its instruments enter; the confidential list leaves, with the announcement that the plan
signs: counts, the list's digest, and how many slips each domain needs for both. Which slip
is a canary and which is honey is known to the holder of the list alone.

Half of the canaries say "not satisfied": whoever alters answers alters those.
Source: TRUST sections 10 and 15 (I2, I3).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from survey.canonical import digest
from survey.errors import SurveyError
from survey.fieldwork.invitation import shuffled
from survey.sampling.sample import Sample
from survey.scheme.answers import read_answers
from survey.scheme.instrument import Instrument, Item

LIST_TYPE = "survey/canaries/v1"
PLANTED_TYPE = "survey/planted/v1"
ANNOUNCEMENT_TYPE = "survey/planted-announcement/v1"
CANARIES, HONEY = 60, 30
SALT_BYTES = 32
CANNOT_SAY = 16
"""One in so many answers is "can't say", as among real ones."""


class PlantedListError(SurveyError):
    """A list or announcement that is not ours, or not of this wave."""

    code = "planted.list"
    kind = "invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("核对答卷的清单", reason, "请用 survey canaries 生成的、这次调查的那一份")


def caught(planted: int, share: Fraction) -> Fraction:
    """The chance that tampering with a share of answers or slips touches at least one planted one.

    Args:
        planted: canaries or honey slips that the tampering could touch.
        share: of all answers (or unused slips), each as likely as any other.

    Source: TRUST section 15: 1 − (1 − f)^k.

    >>> round(float(caught(60, Fraction(5, 100))), 3), round(float(caught(30, Fraction(10, 100))), 3)
    (0.954, 0.958)
    """
    return 1 - (1 - share) ** planted


def fewest(share: Fraction, power: Fraction) -> int:
    """How many must be planted so that tampering with `share` is noticed with chance `power`.

    >>> fewest(Fraction(5, 100), Fraction(95, 100))
    59
    """
    if not 0 < share < 1 or not 0 < power < 1:
        raise PlantedListError("份额和把握都要在0和1之间")
    k = max(math.floor(math.log(1 - power) / math.log(1 - share)) - 1, 1)
    while caught(k, share) < power:
        k += 1
    return k


@dataclass(frozen=True)
class Canary:
    """One known answer: its domain and what its record will hold; the receipt once it was sent."""

    domain: str
    answers: Mapping[str, Any]
    code: str = ""
    receipt: str = ""

    @property
    def form(self) -> dict[str, list[str]]:
        """The fields a phone would send."""
        fields = {}
        for item, answer in self.answers.items():
            given = answer if isinstance(answer, list) else [] if answer is None else [answer]
            if given:
                fields[item] = [str(one) for one in given]
        return fields


@dataclass(frozen=True)
class Announcement:
    """What the plan signs of a list: nothing that tells a canary from any other answer."""

    wave: str
    canaries: int
    list_digest: str | None
    honey: int
    held: Mapping[str, int] = field(default_factory=dict)
    """Domain → slips kept back for both kinds together."""

    def document(self) -> dict[str, Any]:
        """The announcement as a file."""
        return {
            "canaries": {"count": self.canaries, "list_digest": self.list_digest},
            "held": dict(sorted(self.held.items())),
            "honey": {"count": self.honey},
            "type": ANNOUNCEMENT_TYPE,
            "wave": self.wave,
        }

    @classmethod
    def from_document(cls, document: Any) -> Announcement:
        """The announcement in a file.

        Raises:
            PlantedListError: anything else.
        """
        try:
            held = {str(name): int(n) for name, n in document["held"].items()}
            found = cls(
                str(document["wave"]),
                int(document["canaries"]["count"]),
                str(document["canaries"]["list_digest"]),
                int(document["honey"]["count"]),
                held,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PlantedListError("公开的那一份写法不对") from error
        kept = sum(found.held.values())
        if (
            found.document() != document
            or kept != found.canaries + found.honey
            or min(held.values(), default=0) < 0
        ):
            raise PlantedListError("公开的那一份写法不对")
        return found


@dataclass(frozen=True)
class Planted:
    """The confidential list: known answers, honey domains, and codes and receipts as they come."""

    wave: str
    salt: str
    canaries: tuple[Canary, ...]
    honey: tuple[tuple[str, str], ...]
    """(domain, code), the code empty until the codes are made."""

    @property
    def list_document(self) -> dict[str, Any]:
        """What the digest in the plan covers: the known answers and a salt that keeps them from being guessed."""
        return {
            "canaries": [{"answers": dict(one.answers), "domain": one.domain} for one in self.canaries],
            "salt": self.salt,
            "type": LIST_TYPE,
            "wave": self.wave,
        }

    @property
    def list_digest(self) -> str:
        """The digest that the plan announces."""
        return digest(self.list_document)

    def announce(self) -> Announcement:
        """What the bureau is told."""
        held = Counter([one.domain for one in self.canaries] + [domain for domain, _ in self.honey])
        return Announcement(self.wave, len(self.canaries), self.list_digest, len(self.honey), dict(held))

    def with_codes(self, codes: Sequence[tuple[str, str]], token_bytes: Callable[[int], bytes]) -> Planted:
        """The list with a held code for every canary and honey slip.

        Args:
            codes: (code, domain) of the slips that were kept back.

        Raises:
            PlantedListError: not the slips this list asked for.
        """
        piles: dict[str, list[str]] = {}
        for code, domain in shuffled(codes, token_bytes):
            piles.setdefault(domain, []).append(code)
        if {domain: len(pile) for domain, pile in piles.items()} != dict(self.announce().held):
            raise PlantedListError("留置的填写码和清单对不上")
        return replace(
            self,
            canaries=tuple(replace(one, code=piles[one.domain].pop()) for one in self.canaries),
            honey=tuple((domain, piles[domain].pop()) for domain, _ in self.honey),
        )

    def document(self) -> dict[str, Any]:
        """The whole list as the file its holder keeps."""
        return {
            "canaries": [
                {"answers": dict(one.answers), "code": one.code, "domain": one.domain, "receipt": one.receipt}
                for one in self.canaries
            ],
            "honey": [{"code": code, "domain": domain} for domain, code in self.honey],
            "salt": self.salt,
            "type": PLANTED_TYPE,
            "wave": self.wave,
        }

    @classmethod
    def from_document(cls, document: Any) -> Planted:
        """The list in a file.

        Raises:
            PlantedListError: anything else.
        """
        try:
            found = cls(
                str(document["wave"]),
                str(document["salt"]),
                tuple(
                    Canary(one["domain"], dict(one["answers"]), str(one["code"]), str(one["receipt"]))
                    for one in document["canaries"]
                ),
                tuple((one["domain"], one["code"]) for one in document["honey"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PlantedListError("清单的写法不对") from error
        if found.document() != document:
            raise PlantedListError("清单的写法不对")
        return found


def plant(
    sample: Sample,
    instruments: Mapping[str, Instrument],
    token_bytes: Callable[[int], bytes],
    *,
    canaries: int = CANARIES,
    honey: int = HONEY,
) -> Planted:
    """A new list, spread over the domains as their slips are.

    Args:
        instruments: by domain; only domains answered by slips.
        token_bytes: secure random bytes.

    Raises:
        PlantedListError: nothing is asked by slips, or more is wanted than there are slips.
    """
    places = [draw.domain for draw in sample.domains if draw.domain in instruments for _ in range(draw.slips)]
    if canaries + honey > len(places) or min(canaries, honey) < 0:
        raise PlantedListError(f"一共只有{len(places)}张填写码，放不下这么多核对答卷")
    order = shuffled(places, token_bytes)
    chance = _Chance(token_bytes)
    known = tuple(
        Canary(domain, _answers(instruments[domain], at % 2 == 0, chance))
        for at, domain in enumerate(order[:canaries])
    )
    kept = tuple((domain, "") for domain in order[canaries : canaries + honey])
    return Planted(sample.wave, token_bytes(SALT_BYTES).hex(), shuffled(known, token_bytes), kept)


class _Chance:
    """Choices from secure random bytes."""

    def __init__(self, token_bytes: Callable[[int], bytes]) -> None:
        self._bytes = token_bytes

    def below(self, limit: int) -> int:
        # 64 bits over a few options: the bias is far below what any test of answers could see.
        return int.from_bytes(self._bytes(8), "big") % limit


def _answers(instrument: Instrument, satisfied: bool, chance: _Chance) -> dict[str, Any]:
    """What the record of one filled form will hold, as `read_answers` reads it."""
    form = {item.id: value for item in instrument.items if (value := _choose(item, satisfied, chance))}
    answers, faults = read_answers(instrument, form)
    # A later item may be off the path that earlier choices opened: it is left out, then all is read again.
    for fault in faults:
        form.pop(str(fault.item), None)
    if faults:
        answers, faults = read_answers(instrument, form)
    if faults:
        raise PlantedListError(f"问卷{instrument.id}填不出一份合格的答卷（{faults[0].problem}）")
    return dict(answers)


def _choose(item: Item, satisfied: bool, chance: _Chance) -> list[str]:
    if item.kind == "text":
        return []
    graded = [option for option in item.options if option.kind != "none"]
    aside = [option for option in item.options if option.kind == "none"]
    if aside and item.role != "overall" and chance.below(CANNOT_SAY) == 0:
        return [str(aside[0].value)]
    if item.role in ("content", "overall") and len(graded) > 1:
        half = (len(graded) + 1) // 2
        among = graded[:half] if satisfied else graded[half:]
        return [str(among[chance.below(len(among))].value)]
    return [str(graded[chance.below(len(graded))].value)] if graded else []
