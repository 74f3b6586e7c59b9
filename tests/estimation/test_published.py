"""Results that somebody else published come out as they were printed, or are named as inconsistent."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from survey.estimation.means import mean, proportion
from survey.estimation.scores import item_score, mean_score, shown, weighted_score
from survey.estimation.totals import total
from survey.sampling.design import Design
from survey.scheme.lint import parts_and_total_disagree
from survey.weighting.calibration import poststratify, rake, recalibrated
from survey.weighting.margins import Margin
from survey.weighting.replicates import jackknife_1

PUBLISHED = Path(__file__).resolve().parents[1] / "golden" / "published"


def published(name: str) -> dict:
    return json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def awards():
    return published("r_survey_api_awards")


def test_the_stratified_share_of_the_r_survey_package_comes_out(awards):
    strata = awards["table"]["stratified"]["strata"]
    labels = np.concatenate([np.full(one["n"], name) for name, one in strata.items()])
    yes = np.concatenate([np.arange(one["n"]) < one["yes"] for one in strata.values()]).astype(float)
    size = np.concatenate([np.full(one["n"], float(one["N"])) for one in strata.values()])
    weights = np.concatenate([np.full(one["n"], one["N"] / one["n"]) for one in strata.values()])
    known = Design(weights, strata=(labels,), population=(size,))
    share, count = proportion(yes, known), total(yes, known)
    without = proportion(yes, Design(weights, strata=(labels,)))
    printed = awards["published_figure"]["stratified"]

    assert share.value == pytest.approx(printed["share_yes"], abs=1e-8)
    assert share.se == pytest.approx(printed["se_with_fpc"], abs=1e-8)
    assert without.se == pytest.approx(printed["se_without_fpc"], abs=1e-8)
    assert count.value == pytest.approx(printed["total_yes_with_fpc"], abs=0.01)
    assert count.se == pytest.approx(printed["total_se_with_fpc"], abs=1e-4)


def test_the_cluster_share_of_the_r_survey_package_comes_out(awards):
    table = awards["table"]["cluster"]
    label = np.concatenate([np.full(one["n"], int(name)) for name, one in table["clusters"].items()])
    yes = np.concatenate([np.arange(one["n"]) < one["yes"] for one in table["clusters"].values()]).astype(
        float
    )
    population = np.full(len(yes), float(table["clusters_in_population"]))
    with_fpc = proportion(yes, Design(np.ones(len(yes)), psu=(label,), population=(population,)))
    without = proportion(yes, Design(np.ones(len(yes)), psu=(label,)))
    printed = awards["published_figure"]["cluster"]

    assert with_fpc.value == pytest.approx(printed["share_yes"], abs=1e-9)
    assert with_fpc.se == pytest.approx(printed["se_with_fpc"], abs=1e-9)
    assert without.se == pytest.approx(printed["se_without_fpc"], abs=1e-9)


def test_the_calibrated_means_of_the_r_survey_package_come_out(awards):
    table, printed = awards["table"]["calibration"], awards["published_figure"]["calibration"]
    district, stype, wide, api = (np.array(column) for column in zip(*table["units"], strict=True))
    api = api.astype(float)
    base = np.full(len(api), table["base_weight"])
    types = Margin("stype", stype, table["population_stype"])
    targets = Margin("sch.wide", wide, table["population_sch_wide"])
    design = Design(base, psu=(district,))
    post = mean(api, poststratify(base, types).applied_to(design))
    # The printed jackknife error centres on the full sample.
    around_full = replace(jackknife_1(design), mse=True)
    post_jk = mean(api, recalibrated(around_full, lambda w: poststratify(w, types)))
    raked = mean(api, rake(base, [types, targets]).applied_to(design))
    raked_jk = mean(api, recalibrated(jackknife_1(design), lambda w: rake(w, [types, targets])))

    assert post.value == pytest.approx(printed["poststratify_stype_mean_api00"], abs=1e-6)
    assert post.se == pytest.approx(printed["poststratify_linearised_se"], abs=1e-6)
    assert raked.value == pytest.approx(printed["rake_mean_api00"], abs=1e-3)
    assert raked.value == pytest.approx(641.230321, abs=5e-7)
    assert raked_jk.se == pytest.approx(printed["rake_jackknife_JK1_se"], abs=5e-3)
    assert post_jk.se == pytest.approx(printed["poststratify_jackknife_JK1_se"], abs=1e-6)


def test_every_score_that_new_york_printed_comes_out():
    survey = published("nyc_school_survey_2011")
    thirds = {3.3333: Fraction(10, 3), 6.6667: Fraction(20, 3)}
    points = {
        item: [None if p is None else thirds.get(p, Fraction(str(p))) for p in row]
        for item, row in survey["table"]["points_per_option"].items()
    }
    compared, different = 0, []

    def compare(printed: float | None, score: Fraction | None, where: str) -> None:
        nonlocal compared
        if printed is not None:
            compared += 1
            if float(shown(score)) != printed:
                different.append(where)

    for school in survey["table"]["schools"]:
        dimensions: dict = defaultdict(list)
        for group in school["groups"].values():
            for name, dimension in group.items():
                items = [one for one in dimension["items"] if one["published_score"] is not None]
                scores = [
                    item_score([int(n or 0) for n in one["counts"]], points[one["item"]]) for one in items
                ]
                for one, score in zip(items, scores, strict=True):
                    compare(one["published_score"], score, f"{school['dbn']} {one['item']}")
                dimensions[name].append(mean_score(scores))
                compare(dimension["published_domain_score"], mean_score(scores), f"{school['dbn']} {name}")
        for name, printed in school["published_total"].items():
            compare(printed, mean_score(dimensions[name]), f"{school['dbn']} {name} total")

    assert different == []
    assert compared == 2053


def test_the_points_rule_of_a_county_review_takes_dont_know_out_of_the_votes():
    review = published("county_review_100_70_30")["table"]
    votes = list(review["example_votes"].values())
    score = item_score(votes, [review["points"][name] for name in review["example_votes"]])

    assert sum(votes[:3]) == 98
    assert shown(score) == "85.1"


def test_an_article_whose_parts_do_not_give_its_total_is_found_inconsistent():
    article = published("inconsistent_published_figure")
    groups = article["table"]
    rates = {name: Fraction(str(one["满意率"])) for name, one in groups.items()}
    people = sum(one["n"] for one in groups.values())
    by_people = weighted_score(rates, {name: Fraction(one["n"], people) for name, one in groups.items()})
    equal = weighted_score(rates, {name: Fraction(1, 3) for name in groups})

    assert people == article["published_figure"]["有效"]
    assert (shown(by_people, 2), shown(equal, 2)) == ("87.34", "86.07")
    assert str(article["published_figure"]["总体满意率"]) not in (shown(by_people), shown(equal))


def test_a_mean_of_five_points_times_twenty_is_the_printed_percentage():
    example = published("scale_conversions")["table"]["conversions"][0]["example"]

    assert shown(Fraction(str(example["mean"])) * 20) == str(example["published_percent"])


def test_the_printed_mean_of_points_lies_between_the_bounds_that_its_shares_allow():
    survey = published("scale_conversions")["table"]["conversions"][1]
    points = list(survey["points"].values())
    shares = {name: Fraction(str(one)) for name, one in survey["published_shares"].items()}
    bad, good = shares["很不满意+不太满意"], shares["很满意+比较满意"]
    rest = 100 - bad - good
    low = (bad * points[0] + rest * points[2] + good * points[3]) / 100
    high = (bad * points[1] + rest * points[2] + good * points[4]) / 100

    assert (shown(low), shown(high)) == ("29.7", "46.1")
    assert low < Fraction(str(survey["published"]["总体"])) < high


def test_the_counts_of_the_national_report_add_up_and_give_its_shares():
    table = published("national_report_2019")["table"]
    counties = table["东部"] + table["中部"] + table["西部"]
    visited = table["实地督查县"] + table["复查县"]

    assert counties == table["已认定县"] == 2767
    assert table["中小学"] + table["教学点"] + table["特教学校"] == table["检查学校"] == 388
    assert shown(Fraction(100 * counties, counties + table["尚未通过"]), 2) == "95.32"
    west = table["中部"] + table["西部"]
    assert shown(Fraction(100 * west, west + table["尚未通过"]), 2) == "93.24"
    assert shown(Fraction(table["满意度网络调查问卷"], visited), 0) == "499"


@pytest.mark.parametrize("year", ["2015", "2017"])
def test_the_groups_of_the_national_satisfaction_survey_add_up(year):
    counts = published("cnier_basic_education_2015_2017")["table"][year]
    others = ("counties", "schools", "valid_total", "questionnaires")

    assert sum(n for name, n in counts.items() if name not in others) == counts["valid_total"]


def test_the_series_of_eleven_years_has_no_gap():
    table = published("act_school_satisfaction_2010_2020")["table"]
    years = [row[0] for row in table["rows"]]

    assert years == list(range(2010, 2021))
    assert all(0 < share <= 100 for row in table["rows"] for share in row[1:])


def test_every_published_file_is_recomputed_by_some_test():
    tests = Path(__file__).resolve().parents[1]
    told = "\n".join(path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py"))

    assert [path.stem for path in sorted(PUBLISHED.glob("*.json")) if path.stem not in told] == []


def test_the_inconsistent_article_is_reported_under_its_code():
    article = published("inconsistent_published_figure")
    parts = {name: (one["n"], str(one["满意率"])) for name, one in article["table"].items()}
    found = parts_and_total_disagree(parts, str(article["published_figure"]["总体满意率"]))

    assert found is not None and found.code == "report.parts_and_total_disagree"
