"""A whole wave of the sample county: exact figure, error by the engine, tables, doubts, certificate rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import msgspec
import pytest
from county import changed, county, county_plan, county_scheme, small_school
from simulated import (
    estimated,
    instruments,
    one_group_wave,
    overall_id,
    record,
    wave_case_file,
    wave_outcomes,
    wave_records,
    wave_results,
    wave_sample,
)

from survey.canonical import decode, digest, encode
from survey.cases.derivation import content
from survey.certification.table import full_body, read_table, weighted_parts, weighted_ratio
from survey.estimation.figure_parts import estimator_of, part_shares
from survey.estimation.intervals import korn_graubard
from survey.estimation.results import CertificationRefusedError, MixedInputsError, estimate_results
from survey.estimation.wave_figure import NotEverybodyAskedError
from survey.exact import truncate
from survey.fieldwork.disposition import DomainOutcome
from survey.followup.published import read_published
from survey.sampling.frame import Frame
from survey.sampling.wave_sample import draw_sample
from survey.scheme.plan import GroupPlan, SampleGoal, instrument_of
from survey.scheme.presets import load_scheme
from survey.scheme.scheme import Scheme
from survey.weighting.domain_weights import NoAnswersError


def counts_of(counts: dict[str, tuple[int, int]]) -> dict[str, list[int]]:
    return {school: [5] * x + [2] * (n - x) for school, (n, x) in counts.items()}


def test_a_tiny_wave_is_what_a_hand_computes():
    # Each school stands for 100 parents: 12 answers at 100/12 and 20 at 100/20.
    results = one_group_wave({"1100000001": [5] * 9 + [2] * 3, "1100000002": [4] * 19 + [98]})

    top = Fraction(100, 12) * 9 + Fraction(100, 20) * 19
    base = Fraction(100, 12) * 12 + Fraction(100, 20) * 19
    assert results.figure == top / base == Fraction(34, 39)
    assert results.document()["figure"]["shown"] == "0.8717"
    assert results.document()["dont_know"]["shown"] == "0.0250"
    assert results.document()["conservative"]["shown"] == "0.8500"
    assert results.reached is True


def test_the_standard_error_of_a_census_of_schools_is_the_one_between_persons():
    # Every school is in, so only persons vary: V = Σ (1 − n/N)·n/(n − 1)·Σ(u − ū)² over schools.
    results = one_group_wave({"1100000001": [5] * 9 + [2] * 3, "1100000002": [5] * 16 + [2] * 4})
    p = Fraction(9, 12) / 2 + Fraction(16, 20) / 2
    variance = 0.0
    for n, x in ((12, 9), (20, 16)):
        w, rate = 100 / n / 200, x / n
        squares = x * (w * (1 - rate)) ** 2 + (n - x) * (w * rate) ** 2
        variance += (1 - n / 100) * n / (n - 1) * squares

    assert results.figure == p
    assert results.whole.estimate.variance == pytest.approx(variance, rel=1e-12)


def test_the_exact_figure_and_the_engine_agree():
    results = wave_results()

    assert float(results.figure) == pytest.approx(results.whole.estimate.value, abs=1e-12)
    for rate in results.whole.groups.values():
        assert float(rate.value) == pytest.approx(rate.estimate.value, abs=1e-12)


def test_the_verifiers_own_code_recomputes_the_figure_from_the_certified_table():
    results = wave_results()
    table = decode(encode(results.certified_table()))
    shares = {group: Fraction(share) for group, share in results.group_shares.items()}

    rows = read_table(table, "weighted-ratio/v1")

    assert weighted_ratio(rows, shares) == results.figure
    assert all(row.n >= 10 for row in rows)
    members = [d for row in rows for d in results.pooled.get(row.domain, [row.domain])]
    assert sorted(members) == [draw.domain for draw in wave_sample().domains]


def test_the_order_of_records_never_moves_a_digit():
    assert digest(estimated(tuple(reversed(wave_records()))).document()) == digest(wave_results().document())


def test_the_standard_error_of_drawn_schools_is_that_of_schools_plus_a_share_of_that_of_persons():
    # Two of four schools, 100 parents each: V = (1 − f)·2·Σ(u − ū)² + f·Σ (1 − n/N)·n/(n − 1)·Σ(u − ū)².
    counts = {"a": (12, 9), "b": (20, 18)}
    results = one_group_wave(counts_of(counts), n_schools=4)
    p = sum(200 / n / 400 * x for n, x in counts.values())
    totals, inside = [], 0.0
    for n, x in counts.values():
        w, rate = 200 / n / 400, x / n
        totals.append(w * (x - n * p))
        inside += (1 - n / 100) * n / (n - 1) * (x * (w * (1 - rate)) ** 2 + (n - x) * (w * rate) ** 2)
    mean = sum(totals) / 2
    variance = 0.5 * 2 * sum((u - mean) ** 2 for u in totals) + 0.5 * inside

    assert float(results.figure) == pytest.approx(p, abs=1e-15)
    assert results.whole.estimate.variance == pytest.approx(variance, rel=1e-12)
    assert results.whole.estimate.df == 1


def test_the_figure_of_the_simulated_county_lies_in_its_interval_with_its_error_beside():
    document = wave_results().document()

    assert (
        Fraction(document["interval"]["lower"])
        < wave_results().figure
        < Fraction(document["interval"]["upper"])
    )
    assert Fraction(document["one_sided"]["lower"]) > Fraction(document["interval"]["lower"])
    assert 0.005 < float(document["se"]) < 0.03
    assert document["response"]["rate"] == document["response"]["response_rate"]
    assert document["reached"] is (wave_results().figure >= Fraction(17, 20))


def test_the_document_is_canonical_and_holds_every_table():
    document = decode(encode(wave_results().document()))

    assert [row["key"] for row in document["by_group"]] == list(wave_sample().shares)
    assert {row["key"] for row in document["by_stage"]} == {"primary", "junior"}
    assert {row["key"] for row in document["by_place"]} == {"town", "rural"}
    assert len(document["by_dimension"]) >= 8
    assert len(document["another_formula"]) == 14
    assert document["digests"]["case_file"] == wave_case_file().digest
    assert document["demonstration"] is True
    assert {"S4", "S5", "S8"} <= {sentence["id"] for sentence in document["sentences"]}


def test_the_same_answers_by_other_formulas_stand_beside_in_their_known_order():
    ways = {row["way"]: row for row in wave_results().document()["another_formula"]}

    def value(way):
        return Fraction(ways[way]["shown"])

    assert value("top_two_over_valid") == Fraction(wave_results().document()["figure"]["shown"])
    assert value("top_two_over_all") == Fraction(wave_results().document()["conservative"]["shown"])
    assert value("top_option_over_all") <= value("top_option_over_valid") <= value("top_two_over_valid")
    assert value("points_0_100") <= value("points_20_100")
    assert ways["points_100_70_30"]["shown"] is None and ways["points_100_70_30"]["note"] == "要三个选项"


def test_parts_and_total_cannot_disagree():
    results = wave_results()
    together = sum(results.shares[group] * rate.value for group, rate in results.whole.groups.items())

    assert together == results.figure
    assert sum(results.shares.values()) == 1


def test_every_counted_answer_stands_somewhere_and_none_twice():
    document = wave_results().document()

    # Teachers and pupils are counted across places where they are few, and stand in no row of places.
    in_schools, by_place = (sum(row["n"] for row in document[table]) for table in ("by_stage", "by_place"))
    assert by_place + sum(row["left_out"] for row in document["by_place"]) == in_schools
    assert all(f"有{row['left_out']}份没有算进这一行" in row["cautions"][0] for row in document["by_place"])
    assert sum(row["counted"] for row in document["counts"]) == document["n"]
    for row in document["items"]:
        if not row.get("withheld") and row["options"] is not None:
            answered = sum(option["n"] for option in row["options"])
            assert answered + row["skipped"] + row["off_path"] == row["n"]


def test_counts_by_option_are_told_from_forty_answers_only():
    rows = [row for row in wave_results().document()["items"] if not row.get("withheld")]

    assert {row["options"] is not None for row in rows} == {True, False}
    assert all((row["options"] is not None) == (row["n_valid"] >= 40) for row in rows)


@pytest.mark.parametrize(("satisfied", "told"), [(True, "≥95%"), (False, "≤5%")])
def test_no_table_tells_whether_all_of_a_small_group_agree_or_all_but_one(satisfied, told):
    def rows(dissenters):
        """Every row about the principals, of whom so many answer otherwise than all the others."""
        kept, seen = [], 0
        for one in wave_records():
            if one["domain"] == "320704-L":
                items = {item.id for item in (*content(forms["320704-L"]), forms["320704-L"].overall_item)}
                value = (5 if satisfied else 1) if seen >= dissenters else (1 if satisfied else 5)
                one = {**one, "answers": one["answers"] | dict.fromkeys(items, value)}
                seen += 1
            kept.append(one)
        document = estimated(tuple(kept)).document()
        about = [row for row in document["by_group"] if row["key"] == "principal"]
        return seen, about + [row for row in document["items"] if row["group"] == "principal"]

    forms = instruments()
    (n, all_agree), (_, all_but_one) = rows(0), rows(1)

    assert 20 <= n < 40 and len(all_agree) > 5
    assert all_agree == all_but_one
    assert {row["display"] for row in all_agree} == {told}
    assert not {row["interval"] for row in all_agree} - {None}


def test_a_group_of_forty_and_the_figure_itself_are_told_exactly():
    document = one_group_wave({"A": [5] * 20, "B": [5] * 20}).document()
    few = one_group_wave({"A": [5] * 18, "B": [5] * 18}).document()

    assert (document["by_group"][0]["shown"], few["by_group"][0]["shown"]) == ("1.0000", None)
    assert few["figure"]["percent"] == "100.00%" and few["interval"] is not None


def test_what_people_said_happened_is_a_weighted_share_with_its_interval_and_its_counts():
    said = lambda yes, no, unsure: [{"PA21": 1}] * yes + [{"PA21": 0}] * no + [{"PA21": 98}] * unsure
    results = one_group_wave({"1100000001": said(5, 13, 2), "1100000002": said(3, 27, 0)})
    facts = {row["item"]: row for row in results.document()["facts"]}
    happened = facts["PA21"]
    (yes,) = happened["shares"]

    # 100 parents a school: of the first 5 of 20 at weight 5, of the second 3 of 30 at weight 10/3.
    assert yes["shown"] == truncate(Fraction(25 + 10, 90 + 100)) == "0.1842"
    assert yes["zh"] == "有" and float(yes["interval"]["lower"]) < 0.1842 < float(yes["interval"]["upper"])
    assert happened["n_valid"] == 48
    assert [option["n"] for option in happened["options"]] == [8, 40, 2]
    # Nobody answered the others, so nothing is told of them.
    assert facts["PA24"]["role"] == "quality" and facts["PA24"]["withheld"] and not facts["PA24"]["shares"]


def test_shares_of_a_fact_are_told_from_forty_answers_only_and_satisfaction_stands_elsewhere():
    document = wave_results().document()
    told = [row for row in document["facts"] if not row.get("withheld")]

    assert told and all(row["n_valid"] >= 40 and row["shares"] for row in told)
    assert {len(row["shares"]) for row in told} == {1, 3, 4}
    for row in told:
        whole = sum(float(share["shown"]) for share in row["shares"])
        assert whole <= 1 and (len(row["shares"]) == 1 or whole > 0.999)
    names = {row["asked_of"] for row in document["facts"]}
    assert "家长" in names and {name for name in names if name.startswith("学生（")} == {"学生（小学生问卷）", "学生（初中生问卷）"}
    assert not {row["item"] for row in document["facts"]} & {row["item"] for row in document["items"]}


def test_an_interval_is_widened_where_few_schools_hold_the_dissatisfied():
    results = wave_results()
    few = [rate for rate in results.whole.groups.values() if rate.few_against and rate.psus < rate.n_valid]

    for rate in few:
        plain = korn_graubard(rate.estimate.value, rate.estimate.variance, rate.n_valid, rate.estimate.df)
        assert rate.interval(0.95).lower <= plain.lower
    assert few


def test_a_group_too_small_is_withheld_with_the_next_smallest_and_stops_the_certificate():
    domain = "320704-L"
    kept, few = [], 0
    for one in wave_records():
        few += one["domain"] == domain
        if one["domain"] != domain or few <= 4:
            kept.append(one)

    results = estimated(tuple(kept))
    rows = {row["key"]: row for row in results.document()["by_group"]}

    assert rows["principal"]["withheld"] and rows["principal"]["shown"] == "不显示"
    assert sum(bool(row.get("withheld")) for row in rows.values()) == 2
    assert results.document()["certifiable"] is False
    with pytest.raises(CertificationRefusedError, match="校长只收回4份"):
        results.certified_table()


def test_a_group_with_no_answer_at_all_is_refused_by_name():
    records = tuple(one for one in wave_records() if one["domain"] != "320704-D")

    with pytest.raises(NoAnswersError, match="人大代表"):
        estimated(records)


def test_schools_that_stay_silent_are_stood_for_and_widen_the_error():
    silent = {draw.domain for draw in wave_sample().domains if draw.school_code in wave_sample().schools[:2]}
    records = tuple(one for one in wave_records() if one["domain"] not in silent)

    results = estimated(records)

    assert results.rates.n_rows == len(results.rates.positions) + 2
    assert sum(cell.people for cell in results.weights.cells) == sum(results.people.values())


def test_disputed_slips_show_the_worst_case_beside_the_figure():
    outcomes = [
        DomainOutcome(o.domain, o.issued, o.used, disputed=min(2, o.used))
        for o in wave_outcomes(wave_records())
    ]

    document = estimated(wave_records(), outcomes=outcomes).document()
    worst = next(row for row in document["beside"] if row["what"] == "worst_case_disputes")

    assert Fraction(worst["shown"]) < Fraction(document["figure"]["shown"])


def test_flagged_domains_stay_in_the_figure_and_are_taken_out_only_beside_it():
    domain = next(row["domain"] for row in wave_results().document()["counts"] if row["counted"] >= 15)
    outcomes = [
        DomainOutcome(o.domain, o.issued, o.used, disputed=3 if o.domain == domain else 0)
        for o in wave_outcomes(wave_records())
    ]

    results = estimated(wave_records(), outcomes=outcomes)
    without = next(row for row in results.document()["beside"] if row["what"] == "without_flagged_domains")

    assert [(flag.indicator, flag.domain) for flag in results.flags] == [("I1", domain)]
    assert results.figure == wave_results().figure
    assert without["shown"] != results.document()["figure"]["shown"]


def test_quota_posters_give_neither_interval_nor_verdict():
    groups = tuple(
        msgspec.structs.replace(entry, mode="quota") if entry.group == "parent" else entry
        for entry in county_plan().groups
    )
    plan = changed(county_plan(), groups=groups)
    sample = draw_sample(plan, county_scheme(), county(), "2026-42")
    known = set(sample.by_domain)
    records = [one for one in wave_records() if one["domain"] in known]
    outcomes = [DomainOutcome(d.domain, d.slips, min(d.slips, 5)) for d in sample.domains]

    results = estimated(records, plan=plan, sample=sample, outcomes=outcomes)
    allowed = msgspec.structs.replace(plan, pass_with_class_b=True)
    judged = {
        (said.pass_with_class_b, calls): replace(results, plan=said, callbacks=calls).reached
        for said in (plan, allowed)
        for calls in (0, 199, 200)
    }
    document = results.document()

    assert [key for key, reached in judged.items() if reached is not None] == [(True, 200)]
    assert document["evidence_class"] == "B"
    assert document["interval"] is None and document["reached"] is None
    assert document["decision"] == "不作判断"
    # Nobody drew the parents, so neither they nor what they are joined with have an error; teachers have.
    rows = {row["key"]: row for row in document["by_group"]}
    assert rows["parent"]["interval"] is None and rows["parent"]["se"] is None
    assert rows["teacher"]["interval"] is not None
    joined = [row for key in ("by_stage", "by_place", "by_dimension") for row in document[key]]
    assert {row.get("interval") for row in joined} == {None} and len(joined) > 5
    assert {str(row.get("interval")) for row in document["items"] if row["group"] == "parent"} == {"None"}
    assert {row["table"] for row in map(vars, read_published(document | {"method_version": "2"}).rows)} == {"by_group", "items"}


def with_figure(**changes) -> Scheme:
    return with_figure_of(county_scheme(), **changes)


def with_figure_of(scheme: Scheme, **changes) -> Scheme:
    document = dict(scheme.document)
    document["figure"] = dict(document["figure"], **changes)
    return Scheme.of(document)


def rescored(scheme: Scheme):
    sample = draw_sample(county_plan(), scheme, county(), "2026-42")
    known = set(sample.by_domain)
    records = tuple(one for one in wave_records() if one["domain"] in known)
    used = Counter(one["domain"] for one in records)
    outcomes = [DomainOutcome(d.domain, max(d.slips, used[d.domain]), used[d.domain]) for d in sample.domains]
    return estimated(records, scheme=scheme, sample=sample, outcomes=outcomes)


def recomputed(results, plan=None, scheme=None) -> Fraction:
    """The figure as a verifier computes it: from the table and what the plan signs, nothing else."""
    plan, scheme = plan or county_plan(), scheme or results.scheme
    table = decode(encode(results.certified_table()))
    estimator = estimator_of(scheme.figure)
    rows = read_table(table, estimator)
    if estimator == "full-body/v1":
        eligible = {
            row.domain: sum(
                results.sample.by_domain[d].eligible for d in results.pooled.get(row.domain, [row.domain])
            )
            for row in rows
        }
        return full_body([(row.group, eligible[row.domain], row.n, row.x) for row in rows], results.shares)
    parts = part_shares(plan, scheme, results.sample, results.stratum_people)
    return weighted_parts(rows, results.shares, parts)


FIGURES = {
    "items": {"from_items": "content_items"},
    "dimensions": {"from_items": "content_items", "dimension_weights": "equal"},
    "overall and items": {"from_items": "overall_and_content"},
    "points": {"formula": "points_mean"},
    "points of items": {
        "formula": "points_mean",
        "from_items": "content_items",
        "dimension_weights": "equal",
    },
    "groups alike": {"from_items": "content_items", "group_weights": "equal"},
    "groups fixed": {"formula": "points_mean", "group_weights": "population"},
    "two items of a form": {"from_items": "content_items", "item_weights": "first two"},
}


@pytest.mark.parametrize("changes", FIGURES.values(), ids=FIGURES)
def test_every_way_to_a_figure_is_certified_and_recomputed_from_its_counts(changes):
    if changes.get("item_weights"):
        firsts = [content(one)[:2] for one in instruments().values()]
        changes = changes | {"item_weights": {a.id: "2" for a, _ in firsts} | {b.id: "1" for _, b in firsts}}
    results = rescored(with_figure(**changes))

    assert 0 < results.figure < 1
    assert float(results.figure) == pytest.approx(results.whole.estimate.value, abs=1e-12)
    assert results.document()["certifiable"] is True
    assert recomputed(results) == results.figure


@pytest.mark.parametrize("dont_know", ["left_out", "not_satisfied", "middle"])
def test_every_rule_for_a_dont_know_is_certified_and_moves_the_base_as_it_says(dont_know):
    scheme = with_figure(formula="points_mean", from_items="content_items")
    document = dict(scheme.document)
    document["answers"] = dict(document["answers"], dont_know=dont_know)

    results = rescored(Scheme.of(document))
    rows = results.certified_table()
    valid = sum(part["v"] for row in rows for part in row["parts"].values())
    answered = sum(
        isinstance(answer, int) and results.case_file.instruments[case.domain].by_id[name].role == "content"
        for case in results.case_file.cases
        for name, answer in case.answers.items()
    )

    careful = Fraction(results.document()["conservative"]["shown"])

    assert recomputed(results) == results.figure
    assert (valid == answered) is (dont_know != "left_out")
    # A don't-know in the middle is worth half; the careful figure takes that away too.
    assert (careful == Fraction(truncate(results.figure))) is (dont_know == "not_satisfied")
    assert careful <= results.figure


def test_an_item_of_which_a_group_says_nothing_leaves_and_is_named():
    scheme = with_figure(from_items="content_items")
    first = content(next(form for name, form in instruments().items() if name.endswith("-P")))[0].id
    records = [
        dict(
            one,
            answers={
                k: (98 if k == first and one["domain"].endswith("-P") else v)
                for k, v in one["answers"].items()
            },
        )
        for one in wave_records()
    ]
    sample = draw_sample(county_plan(), scheme, county(), "2026-42")
    results = estimated(
        tuple(one for one in records if one["domain"] in sample.by_domain),
        scheme=scheme,
        sample=sample,
        outcomes=[],
    )

    assert results.whole.silent == (("parent", f"parents/{first}"),)
    assert any(first in note and "不计入" in note for note in results.document()["notes"])
    assert recomputed(results) == results.figure


def test_points_of_the_overall_item_equal_the_even_points_beside_a_share():
    points = rescored(with_figure(formula="points_mean"))

    even = next(row for row in points.document()["another_formula"] if row["way"] == "points_0_100")

    assert points.document()["figure"]["shown"] == even["shown"]


def test_a_scheme_without_design_weights_gives_the_plain_rate():
    results = rescored(with_figure(design_weights=False, group_weights="equal"))
    groups = [results.rates.plain(results.answers, [group]) for group in results.shares]

    assert results.figure == sum(groups, Fraction(0)) / len(groups)
    assert {row["w"] for row in results.certified_table()} == {"1"}


def test_a_vote_of_the_full_body_is_refused_by_name_where_it_was_sampled():
    with pytest.raises(NotEverybodyAskedError, match="过半数"):
        rescored(with_figure(formula="majority_vote", base="full_body"))


def full_vote(answers: list[int]):
    """One school of forty parents, all asked, who vote as given; the rest stay silent."""
    scheme = with_figure(formula="majority_vote", base="full_body", group_weights="equal")
    frame = Frame((small_school("1100000001", grades={4: 20, 5: 20}),))
    groups = (GroupPlan(group="parent", instruments={"all": "parents"}),)
    plan = changed(county_plan(), groups=groups, sample=SampleGoal(schools_per_stratum=1))
    sample = draw_sample(plan, scheme, frame, "1")
    sample = replace(sample, domains=tuple(replace(d, slips=d.eligible) for d in sample.domains))
    item = overall_id(next(d.domain for d in wave_sample().domains if d.group == "parent"))
    records = [record("1100000001-P", {item: value}) for value in answers]
    outcomes = [DomainOutcome(d.domain, d.eligible, len(records)) for d in sample.domains]
    return estimated(records, plan=plan, scheme=scheme, frame=frame, sample=sample, outcomes=outcomes), plan


@pytest.mark.parametrize(
    ("answers", "figure", "grade"),
    [
        ([5] * 21 + [2] * 5, "21/40", "满意"),
        ([5] * 20 + [4] * 4, "24/40", "基本满意"),
        ([5] * 20, "20/40", "不满意"),
    ],
)
def test_a_full_body_asked_whole_is_counted_over_everybody_in_it(answers, figure, grade):
    results, plan = full_vote(answers)
    document = results.document()

    assert results.figure == Fraction(figure)
    assert recomputed(results, plan) == results.figure
    assert document["interval"] is None and document["se"] == "0.0000"
    assert document["grade"] == grade


def test_another_frame_or_plan_than_the_draws_is_refused():
    smaller = Frame(county().schools[:-1])

    with pytest.raises(MixedInputsError, match="学校名册"):
        estimated(wave_records(), frame=smaller)
    with pytest.raises(MixedInputsError, match="计划"):
        estimate_results(
            changed(county_plan(), minimum_count=12),
            county_scheme(),
            county(),
            wave_sample(),
            wave_case_file(),
            [],
        )


def test_a_line_for_every_group_is_missed_when_one_group_misses_it():
    document = dict(county_scheme().document)
    document["requirement"] = dict(document["requirement"], applies_to="every_group")
    each = rescored(Scheme.of(document))
    line = each.scheme.requirement.line
    groups = {group: line.reached(rate.value) for group, rate in each.whole.groups.items()}
    told = each.document()

    assert len(set(groups.values())) == 2 or all(groups.values())
    assert each.reached is all(groups.values())
    assert told["line_in_words"].startswith("每一类人都要")
    assert (told["evidence_grade"] or "").startswith("pass" if each.reached else "fail")
    assert told["tipping"] is None


def test_sixty_thirty_eight_two_give_the_figures_of_the_rules_by_every_way():
    # RULES section 3: 60 满意, 30 基本满意, 8 不满意, 2 不了解, one body of a hundred asked whole.
    plan = changed(
        county_plan(),
        scheme="basic_balance_2012",
        groups=(GroupPlan(group="parent", instruments={"all": "parents"}),),
        sample=SampleGoal(schools_per_stratum=1),
    )
    scheme = with_figure_of(load_scheme("basic_balance_2012"), group_weights="equal")
    frame = Frame((small_school("1100000001", grades={4: 50, 5: 50}),))
    sample = draw_sample(plan, scheme, frame, "1")
    sample = replace(sample, domains=tuple(replace(d, slips=d.eligible) for d in sample.domains))
    form = instrument_of(plan, scheme, "parent", "primary")
    values = [3] * 60 + [2] * 30 + [1] * 8 + [98] * 2
    records = [record("1100000001-P", {form.overall_item.id: value}) for value in values]
    results = estimated(records, plan=plan, scheme=scheme, frame=frame, sample=sample, outcomes=[])
    told = {row["way"]: row["percent"] for row in results.document()["another_formula"]}

    assert {name: told[name] for name in RULES_SECTION_3} == RULES_SECTION_3


RULES_SECTION_3 = {
    "top_option_over_all": "60.00%",
    "top_option_over_valid": "61.22%",
    "top_two_over_all": "90.00%",
    "top_two_over_valid": "91.83%",
    "points_100_70_30": "85.10分",
    "points_20_100": "81.22分",
    "points_0_100": "76.53分",
    "points_0_100_middle": "76.00分",
    "votes_1_09_07_05": "80.61%",
    "majority_of_full_body": "满意",
    "bands_of_an_index": "60到79",
}
