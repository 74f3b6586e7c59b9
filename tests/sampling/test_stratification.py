"""Strata are place × stage, and a stratum of one joins its neighbour by the stated rule."""

from __future__ import annotations

from county import county, small_school
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.sampling.stratification import strata_of


def of(*places: tuple[str, int]):
    code = iter(range(1, 1000))
    return [small_school(f"11{next(code):08d}", place_code=place) for place, n in places for _ in range(n)]


def test_the_county_falls_into_its_three_strata():
    found = {stratum.id: len(stratum.schools) for stratum in strata_of(county().schools)}

    assert found == {"town/primary": 3, "rural/primary": 47, "town/junior": 6}


def test_a_stratum_of_one_joins_the_neighbour_with_more_schools():
    found = strata_of(of(("111", 2), ("121", 1), ("220", 5)))

    assert [(s.id, len(s.schools)) for s in found] == [("urban/primary", 2), ("town+rural/primary", 6)]
    assert found[1].place == "rural"
    assert found[1].name == "镇区和乡村小学"


def test_two_strata_of_one_join_each_other():
    (only,) = strata_of(of(("111", 1), ("121", 1)))

    assert only.id == "urban+town/primary"
    assert not only.take_all


def test_a_stage_of_one_school_stands_alone_and_is_taken_whole():
    schools = [*of(("220", 3)), small_school("2200000001", kind_code="311", grades={7: 30})]

    alone = next(stratum for stratum in strata_of(schools) if stratum.stage == "junior")

    assert len(alone.schools) == 1
    assert alone.take_all


@given(
    st.lists(
        st.tuples(st.sampled_from(["111", "121", "220"]), st.sampled_from(["211", "311", "312"])),
        min_size=1,
        max_size=25,
    )
)
@settings(max_examples=150, deadline=None)
def test_every_school_lies_in_one_stratum_of_its_stage_whatever_the_order(kinds):
    schools = [
        small_school(f"11{at:08d}", place_code=place, kind_code=kind)
        for at, (place, kind) in enumerate(kinds)
    ]

    found = strata_of(schools)

    assert sorted(s.code for stratum in found for s in stratum.schools) == [s.code for s in schools]
    assert all(school.stage == stratum.stage for stratum in found for school in stratum.schools)
    assert strata_of(reversed(schools)) == found
    assert all(
        len(stratum.schools) >= 2 or sum(s.stage == stratum.stage for s in schools) == 1 for stratum in found
    )
