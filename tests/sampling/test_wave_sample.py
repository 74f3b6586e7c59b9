"""The draw: owed forms are covered, the seed replays it, and anyone can do it by hand."""

from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction

import pytest
from county import changed, county, county_plan, county_scheme, small_school
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.canonical import decode, digest, encode
from survey.sampling.frame import Frame
from survey.sampling.stratification import strata_of
from survey.sampling.wave_allocation import allocate_wave, place_shares
from survey.sampling.wave_sample import (
    FrameTooSmallError,
    Sample,
    SeedError,
    design_document,
    draw_key,
    draw_sample,
    drawn_places,
    preview_sample,
    replays,
    slips_by_school,
    ticket,
)
from survey.scheme.plan import GroupPlan, SampleGoal, plan_document
from survey.scheme.presets import load_scheme

SEED = "2026-11-24 双色球 03 07 11 19 26 31 + 09"


def drawn(seed: str = SEED) -> Sample:
    return draw_sample(county_plan(), county_scheme(), county(), seed)


def test_the_same_seed_draws_the_same_sample_and_another_seed_another():
    assert drawn().document() == drawn().document()
    assert drawn().schools != drawn("2").schools
    assert replays(drawn(), county_plan(), county_scheme(), county())


def test_a_sample_survives_its_document():
    sample = drawn()

    assert Sample.from_document(decode(encode(sample.document()))) == sample


def test_schools_are_drawn_by_tickets_that_anyone_can_compute():
    sample = drawn()
    design = design_document(county_plan(), county_scheme(), county())
    key = hashlib.sha256((digest(design) + SEED).encode()).hexdigest()

    assert sample.design_digest == digest(design)
    for stratum in design["strata"]:
        tickets = {
            code: hashlib.sha256(f"{key}/{stratum['stratum']}/{code}".encode()).hexdigest()
            for code in stratum["schools"]
        }
        by_hand = sorted(sorted(tickets, key=tickets.get)[: stratum["drawn"]])
        drawn_here = {d.school_code for d in sample.domains if d.stratum == stratum["stratum"]}
        assert sorted(drawn_here) == by_hand


def test_each_school_of_a_stratum_is_drawn_as_often_as_chance_says():
    frame = Frame(tuple(small_school(f"11{at:08d}") for at in range(6)))
    plan = changed(
        county_plan(),
        groups=(GroupPlan(group="parent", instruments={"all": "parents"}),),
        sample=SampleGoal(schools_per_stratum=2),
    )
    counts = Counter(
        code for n in range(600) for code in draw_sample(plan, county_scheme(), frame, str(n)).schools
    )

    assert sum(counts.values()) == 1200
    # 200 expected each; the standard deviation is 11.5.
    assert all(150 < n < 250 for n in counts.values())


def test_slips_cover_the_forms_owed_at_the_expected_response():
    sample, preview = drawn(), preview_sample(county_plan(), county_scheme(), county())
    issued = Counter()
    for draw in sample.domains:
        issued[draw.group] += draw.slips

    assert preview.required_total == 300
    assert preview.required["parent"] == 150
    for group, required in preview.required.items():
        assert issued[group] == preview.issued[group]
        assert issued[group] * Fraction(65, 100) >= required


def test_no_domain_gets_more_slips_than_people_nor_a_drawn_school_fewer_than_two():
    for draw in drawn().domains:
        assert min(2, draw.eligible) <= draw.slips <= draw.eligible


def test_persons_of_one_stratum_and_group_have_nearly_one_chance():
    chances: dict[tuple[str, str], list[float]] = {}
    for draw in drawn().domains:
        if draw.eligible >= 150 and draw.group == "parent":
            chance = float(Fraction(draw.psu_probability)) * draw.slips / draw.eligible
            chances.setdefault((draw.stratum, draw.group), []).append(chance)

    assert chances
    for found in chances.values():
        assert max(found) <= 1.15 * min(found)


def test_pupils_are_asked_from_grade_four_with_the_form_of_their_stage():
    sample = drawn()

    for draw in sample.domains:
        if draw.group == "student":
            assert draw.eligible == county().school(draw.school_code).pupils_from(4)
            assert draw.instrument == {"primary": "students_g4_6", "junior": "students_g7_9"}[draw.stage]


def test_county_lists_are_one_domain_each_and_name_no_school():
    lists = {draw.group: draw for draw in drawn().domains if draw.school_code is None}

    assert set(lists) == {"principal", "deputy", "cppcc"}
    assert lists["principal"].eligible == 56
    assert lists["principal"].domain == "320704-L"


def test_places_lie_within_the_schemes_tolerance_where_they_can():
    allocation = allocate_wave(county_plan(), county_scheme(), county())
    places = {s.id: s.places for s in allocation.strata}
    slips = allocation.slips["parent"]
    town = sum(n for stratum, n in slips.items() if "town" in places[stratum]) / sum(slips.values())

    assert abs(town - 0.40) <= 0.05


def test_place_shares_come_from_the_plan_else_from_the_frames_pupils():
    schools = county().schools
    strata = strata_of(schools)
    plan = county_plan()

    assert place_shares(plan, county_scheme(), strata) == {"town": 0.4, "rural": 0.6}
    without = place_shares(changed(plan, place_shares=None), county_scheme(), strata)
    assert round(without["rural"], 4) == round(11682 / 18137, 4)


def test_the_preview_says_how_wide_the_interval_will_be_before_anything_is_drawn():
    preview = preview_sample(county_plan(), county_scheme(), county())

    assert 0.02 < float(preview.half_width) < 0.08
    assert float(preview.half_widths["parent"]) > float(preview.half_width)
    assert preview.firm_from is not None and float(preview.firm_from) > 0.85
    encode(preview.document())


def test_more_likeness_within_schools_widens_the_expected_interval():
    def width(rho: str) -> float:
        plan = changed(county_plan(), sample=SampleGoal(rho=rho))
        return float(preview_sample(plan, county_scheme(), county()).half_width)

    assert width("0.00") < width("0.05") < width("0.20")


def test_a_frame_of_one_school_is_taken_whole_and_told():
    frame = Frame((small_school("1100000001", grades={4: 200, 5: 200}, teachers=30),))

    preview = preview_sample(county_plan(), county_scheme(), frame)
    sample = draw_sample(county_plan(), county_scheme(), frame, SEED)

    assert sample.schools == ("1100000001",)
    assert "sampling.one_school" in [warning.code for warning in preview.warnings]
    assert "sampling.stratum_of_one" in [warning.code for warning in preview.warnings]
    assert {draw.psu_probability for draw in sample.domains} == {"1"}


def test_a_stratum_of_one_is_joined_and_told():
    schools = [small_school(f"11{at:08d}", grades={4: 100, 5: 100}) for at in range(4)]
    frame = Frame((*schools, small_school("2200000001", place_code="111", grades={4: 100})))

    preview = preview_sample(county_plan(), county_scheme(), frame)

    assert "sampling.strata_joined" in [warning.code for warning in preview.warnings]


def test_one_unlucky_drawing_of_small_schools_never_asks_for_more_people_than_there_are():
    schools = [small_school(f"11{at:08d}", grades={4: 3, 5: 3}, teachers=1) for at in range(12)]

    sample = draw_sample(county_plan(), county_scheme(), Frame(tuple(schools)), SEED)

    assert all(draw.slips <= draw.eligible for draw in sample.domains)


@pytest.mark.parametrize("seed", ["", "   ", "a\nb", "x" * 201])
def test_a_seed_nobody_could_read_out_is_refused(seed):
    with pytest.raises(SeedError):
        drawn(seed)


def test_a_plan_that_asks_nobody_of_the_frame_is_refused():
    frame = Frame((small_school("1100000001"),))
    plan = changed(
        county_plan(), groups=(GroupPlan(group="public", instruments={"all": "public"}, mode="open"),)
    )

    with pytest.raises(FrameTooSmallError):
        draw_sample(plan, load_scheme("quality_balance_2017"), frame, SEED)


def test_an_open_group_stands_apart_with_no_slips_and_no_share():
    plan = changed(
        county_plan(),
        groups=(*county_plan().groups, GroupPlan(group="public", instruments={"all": "public"}, mode="open")),
    )

    sample = draw_sample(plan, county_scheme(), county(), SEED)

    assert sample.by_domain["320704-G"].slips == 0
    assert "public" not in sample.shares
    assert sum(Fraction(share) for share in sample.shares.values()) == 1


def test_places_on_a_schools_list_are_drawn_too_so_that_nobody_chooses():
    sample = drawn()
    domain = next(draw for draw in sample.domains if draw.group == "parent")

    places = drawn_places(sample, domain.domain)

    assert len(set(places)) == domain.slips
    assert set(places) <= set(range(1, domain.eligible + 1))
    assert places == drawn_places(drawn(), domain.domain)


@given(
    st.integers(0, 400),
    st.dictionaries(st.integers(0, 99).map(str), st.integers(0, 90), min_size=1, max_size=10),
)
@settings(max_examples=200, deadline=None)
def test_slips_of_schools_keep_their_total_as_far_as_there_are_people(total, people):
    quotas = slips_by_school(total, people)
    minima = sum(min(2, n) for n in people.values())

    assert all(quotas[code] <= n for code, n in people.items())
    assert sum(quotas.values()) == (min(max(total, minima), sum(people.values())) if total else 0)


def test_the_schools_of_a_stratum_are_those_with_the_smallest_tickets_as_written_down():
    sample = draw_sample(county_plan(), county_scheme(), county(), "20261122")
    key = draw_key(sample.design_digest, sample.seed)
    drawn = {(draw.stratum, draw.school_code) for draw in sample.domains if draw.school_code}
    for stratum in allocate_wave(county_plan(), county_scheme(), county()).strata:
        here = {code for name, code in drawn if name == stratum.id}
        ranked = sorted((school.code for school in stratum.schools), key=lambda c: ticket(key, stratum.id, c))

        assert here == set(ranked[: len(here)])


def test_a_group_asked_whole_is_asked_in_every_school_and_the_others_as_many_as_ever():
    plan = changed(county_plan(), everybody=("student",))
    preview, before = (preview_sample(one, county_scheme(), county()) for one in (plan, county_plan()))
    sample = draw_sample(plan, county_scheme(), county(), "2026-42")
    pupils = [draw for draw in sample.domains if draw.group == "student"]
    note = next(one for one in preview.warnings if one.code == "sampling.everybody")

    assert all(draw.slips == draw.eligible and draw.psu_probability == "1" for draw in pupils)
    assert sum(draw.slips for draw in pupils) == preview.numbers["student"] == preview.issued["student"]
    assert f"共{preview.numbers['student']}张纸条" in note.problem
    assert {group: n for group, n in preview.issued.items() if group != "student"} == {
        group: n for group, n in before.issued.items() if group != "student"
    }
    assert float(preview.half_widths["student"]) < float(before.half_widths["student"])
    assert "everybody" not in plan_document(county_plan()) and "everybody" in plan_document(plan)
