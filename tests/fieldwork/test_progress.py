from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import canonical
from survey.fieldwork.progress import DomainReturn, Participation, participation

OPENS, CLOSES = date(2026, 11, 24), date(2026, 12, 3)


def domain(group: str, school: str | None, used: int, issued: int = 50, need: int = 40) -> DomainReturn:
    place, stage = (None, None) if school is None else ("town", "primary")
    return DomainReturn(f"{school}-{group}", group, school, f"学校{school}", place, stage, issued, used, need)


WAVE = [
    domain("parent", "2", 45),
    domain("teacher", "2", 9, issued=20, need=15),
    domain("parent", "1", 0),
    domain("principal", None, 21, issued=24, need=24),
]


def at(today: date, returns: list[DomainReturn] = WAVE) -> Participation:
    return participation(returns, opens_on=OPENS, closes_on=CLOSES, today=today)


def test_groups_places_stages_and_the_whole_are_summed() -> None:
    found = at(date(2026, 11, 26))

    assert (found.whole.used, found.whole.need, found.whole.issued) == (75, 119, 144)
    assert [(t.key, t.used, t.shown) for t in found.groups] == [
        # Parents and teachers are all of the town: with the parents the nine teachers follow.
        ("parent", 45, "不显示"),
        ("teacher", 9, "<10"),
        ("principal", 21, "21"),
    ]
    assert [(t.key, t.used) for t in found.places] == [("town", 54)]
    assert [(t.key, t.percent) for t in found.groups] == [
        ("parent", None),
        ("teacher", None),
        ("principal", 87),
    ]


def test_a_school_is_shown_a_band_and_never_a_number() -> None:
    schools = at(date(2026, 11, 26)).schools

    assert [(s.school_code, s.words, s.is_empty) for s in schools] == [
        ("1", "不到三成", True),
        ("2", "六成以上", False),
    ]
    assert all("used" not in entry and "issued" not in entry for entry in at(OPENS).document()["schools"])


def test_schools_without_an_answer_are_listed() -> None:
    assert [school.school_code for school in at(date(2026, 11, 26)).empty_schools] == ["1"]


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (0, "不到三成"),
        (14, "不到三成"),
        (15, "三成到六成"),
        (29, "三成到六成"),
        (30, "六成以上"),
        (50, "六成以上"),
    ],
)
def test_bands_are_cut_exactly(used: int, words: str) -> None:
    assert at(OPENS, [domain("parent", "1", used)]).schools[0].words == words


def test_pace_counts_the_days_that_are_left() -> None:
    pace = at(date(2026, 11, 26)).pace

    assert (pace.day, pace.days, pace.days_left) == (3, 10, 8)
    assert pace.needed_by_today == 36
    assert pace.needed_per_day == 6
    assert not pace.is_behind
    assert pace.enough_on == date(2026, 11, 28)


def test_a_wave_that_will_not_make_it_says_so() -> None:
    pace = at(date(2026, 11, 30), [domain("parent", "1", 5, issued=500, need=400)]).pace

    assert pace.is_behind and pace.enough_on is None
    assert pace.needed_per_day == 99


def test_before_the_first_day_and_after_the_last_nothing_is_divided_by_zero() -> None:
    before, after = at(date(2026, 11, 1)).pace, at(date(2026, 12, 24)).pace

    assert (before.day, before.days_left, before.needed_by_today) == (0, 10, 0)
    assert (after.day, after.days_left, after.needed_per_day) == (10, 0, None)
    assert at(OPENS, []).whole.used == 0


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12))
def test_nothing_under_ten_leaves_as_a_number(counts: list[int]) -> None:
    returns = [replace(domain("parent", str(n), used), group=f"g{n % 3}") for n, used in enumerate(counts)]
    document = at(date(2026, 11, 26), returns).document()

    tallies = [document["whole"], *document["groups"], *document["places"], *document["stages"]]
    assert all(t["received"] is None or t["received"] >= 10 for t in tallies)
    assert all((t["shown"] in ("<10", "不显示")) == (t["received"] is None) for t in tallies)
    canonical.encode(document)
