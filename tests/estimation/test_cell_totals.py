"""What rows give, cells give: rates, errors, intervals, quantiles, composites, raking and replicates."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey.cases.answer_counts import CountedItem, Counting, MissingColumnError
from survey.cases.counting import count_columns
from survey.estimation.cell_rates import by_key, cell_estimate, cell_quantile, rate_table, replicate_rates
from survey.estimation.cell_totals import Reading, ReadingError, cell_totals, design_of, rake_cell_totals
from survey.estimation.composite import composite
from survey.estimation.intervals import korn_graubard, korn_graubard_bounds, proportion_interval
from survey.estimation.linearization import covariance_of_scores, variances_of_scores
from survey.estimation.means import mean, ratio
from survey.estimation.quantiles import quantile
from survey.sampling.design import Design
from survey.weighting.calibration import NotConvergedError, rake
from survey.weighting.cell_raking import rake_replicates
from survey.weighting.margins import EmptyMarginError, Margin, MarginMismatchError
from survey.weighting.replicates import rao_wu_factors

OPTIONS = (1, 2, 3, 4, 9)
COUNTING = Counting(
    ("stratum", "school", "class", "group", "gender"),
    (CountedItem("q1", OPTIONS), CountedItem("q2", OPTIONS)),
    "w",
)
READINGS = [
    Reading.share("q1", [1, 2], [1, 2, 3, 4]),
    Reading.share("q1", [1, 2], OPTIONS, "careful"),
    Reading("points", "q2", {1: 100, 2: 70, 3: 30, 4: 0}),
]
MARGINS = {
    "stratum": {0: 900, 1: 800, 2: 1300, 3: 1000},
    "group": {0: 2000, 1: 1200, 2: 800},
    "gender": {0: 1900, 1: 2100},
}


def answers(seed: int, n: int = 3000) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    school = rng.integers(0, 24, n)
    given = {
        name: rng.choice([1.0, 2, 3, 4, 9, np.nan], n, p=[0.5, 0.3, 0.08, 0.04, 0.05, 0.03])
        for name in ("q1", "q2")
    }
    return {
        "stratum": school % 4,
        "school": school,
        "class": rng.integers(0, 3, n),
        "group": rng.integers(0, 3, n),
        "gender": rng.integers(0, 2, n),
        "w": rng.uniform(1, 5, n),
    } | given


def as_rows(reading: Reading, columns) -> tuple[np.ndarray, np.ndarray]:
    """The reading's points and base, row by row."""
    answer = columns[reading.item]
    points = np.zeros(len(answer))
    base = np.isin(answer, list(reading.points)).astype(float)
    for option, value in reading.points.items():
        points[answer == option] = value
    return points, base


@given(seed=st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_cells_give_what_rows_give_before_and_after_raking(seed):
    columns = answers(seed)
    cells = cell_totals(count_columns(columns, COUNTING), READINGS)
    by_cells = design_of(cells, "school", "stratum")
    by_rows = Design(columns["w"], strata=(columns["stratum"],), psu=(columns["school"],))
    raked_cells, _ = rake_cell_totals(cells, by_cells, MARGINS, tolerance=1e-12)
    raked_rows = rake(
        columns["w"], [Margin(k, columns[k], t) for k, t in MARGINS.items()], tolerance=1e-12
    ).applied_to(by_rows)

    for cell_design, row_design in ((by_cells, by_rows), (raked_cells, raked_rows)):
        for one in rate_table(cells, cell_design, by_key(cells, "group")):
            reading = next(r for r in READINGS if r.name == one.reading)
            inside = columns["group"] == int(one.domain)
            points, base = as_rows(reading, columns)
            rows = ratio(
                np.where(base > 0, points, np.nan), base, row_design, domain=inside, skip_missing=True
            )
            assert one.value == pytest.approx(rows.value, rel=1e-9)
            assert one.se == pytest.approx(rows.se, rel=1e-8)
            assert (one.df, one.n) == (rows.df, rows.n)
            if reading.is_share:
                interval = korn_graubard(rows.value, rows.variance, rows.n, rows.df)
                assert (one.lower, one.upper) == pytest.approx((interval.lower, interval.upper), rel=1e-7)


def test_two_stages_with_known_populations_come_from_cells():
    columns = answers(3)
    cells = cell_totals(count_columns(columns, COUNTING), READINGS)
    classes = {"schools": 20.0, "classes": 7.0}
    by_cells = design_of(
        cells,
        ("school", "class"),
        "stratum",
        population=(np.full(len(cells), classes["schools"]), np.full(len(cells), classes["classes"])),
    )
    by_rows = Design(
        columns["w"],
        strata=(columns["stratum"],),
        psu=(columns["school"], columns["class"]),
        population=(np.full(3000, 20.0), np.full(3000, 7.0)),
    )
    points, base = as_rows(READINGS[0], columns)
    rows = ratio(np.where(base > 0, points, np.nan), base, by_rows, skip_missing=True)

    assert rate_table(cells, by_cells).se[0, 0] == pytest.approx(rows.se, rel=1e-9)


@given(seed=st.integers(0, 1000), p=st.sampled_from([0.1, 0.25, 0.5, 0.9]))
@settings(max_examples=10, deadline=None)
def test_quantiles_of_options_are_those_of_rows(seed, p):
    columns = answers(seed)
    cells = cell_totals(count_columns(columns, COUNTING), READINGS)
    by_rows = Design(columns["w"], strata=(columns["stratum"],), psu=(columns["school"],))
    values = {1: 100.0, 2: 70, 3: 30, 4: 0}
    scores = np.full(3000, np.nan)
    for option, value in values.items():
        scores[columns["q2"] == option] = value
    inside = columns["group"] == 1
    rows = quantile(scores, by_rows, p, domain=inside, skip_missing=True)
    one = cell_quantile(
        cells, design_of(cells, "school", "stratum"), "q2", values, p, domain=cells.key("group") == 1
    )

    assert (one.value, one.lower, one.upper, one.df) == (rows.value, rows.lower, rows.upper, rows.df)


def test_a_composite_of_cells_is_that_of_rows():
    columns = answers(12)
    cells = cell_totals(count_columns(columns, COUNTING), READINGS)
    by_cells = design_of(cells, "school", "stratum")
    by_rows = Design(columns["w"], strata=(columns["stratum"],), psu=(columns["school"],))
    points, base = as_rows(READINGS[0], columns)
    y = np.where(base > 0, points, np.nan)
    shares = [0.5, 0.3, 0.2]
    rows = composite(
        shares, [mean(y, by_rows, domain=columns["group"] == g, skip_missing=True) for g in range(3)], by_rows
    )
    made = composite(
        shares,
        [cell_estimate(cells, by_cells, "q1", mask) for mask in by_key(cells, "group").values()],
        by_cells,
    )

    assert (made.value, made.se) == (pytest.approx(rows.value, rel=1e-10), pytest.approx(rows.se, rel=1e-9))
    assert (made.df, made.n) == (rows.df, rows.n)


def test_weights_given_to_cells_are_those_given_to_rows():
    columns = answers(5)
    counts = count_columns(columns, replace(COUNTING, weight=None))
    of_school = np.random.default_rng(1).uniform(2, 9, 24)
    cells = cell_totals(counts, READINGS, cell_weights=of_school[counts.keys["school"]])
    rows = mean(
        np.where(np.isnan(columns["q1"]), np.nan, np.isin(columns["q1"], [1, 2])),
        Design(of_school[columns["school"]], strata=(columns["stratum"],), psu=(columns["school"],)),
        skip_missing=True,
    )
    table = rate_table(cells, design_of(cells, "school", "stratum"))

    assert table.value[0, 1] == pytest.approx(rows.value, rel=1e-12)
    assert table.se[0, 1] == pytest.approx(rows.se, rel=1e-10)


def test_every_replicate_is_raked_again_as_rows_would_be():
    columns = answers(9)
    cells = cell_totals(count_columns(columns, COUNTING), READINGS)
    design = design_of(cells, "school", "stratum")
    factors = rao_wu_factors(design, 5, np.random.default_rng(4))
    raked = rake_replicates(design, factors, cells.counts.keys, MARGINS, tolerance=1e-12)
    known = [Margin(k, columns[k], t) for k, t in MARGINS.items()]
    points, base = as_rows(READINGS[0], columns)
    _, school = np.unique(columns["school"], return_inverse=True)
    # PSUs of the design are numbered stratum by stratum.
    number = design.stages[0].unit[[np.flatnonzero(cells.key("school") == s)[0] for s in range(24)]]
    expected = []
    for r in range(5):
        w = rake(columns["w"] * factors[number[school], r], known, tolerance=1e-12).weights
        expected.append((w @ points) / (w @ base))

    assert replicate_rates(cells, raked)[:, 0] == pytest.approx(expected, rel=1e-9)
    full, _ = rake_cell_totals(cells, design, MARGINS, tolerance=1e-12)
    assert raked.weights == pytest.approx(full.weights, rel=1e-9)
    table = rate_table(cells, raked)
    spread = np.array(expected) - table.value[0, 0]
    assert table.se[0, 0] == pytest.approx(np.sqrt((spread**2).mean()), rel=1e-6)


def test_raking_of_replicates_refuses_as_raking_does():
    cells = cell_totals(count_columns(answers(9), COUNTING), READINGS)
    design = design_of(cells, "school", "stratum")
    factors = rao_wu_factors(design, 5, np.random.default_rng(4))
    keys = cells.counts.keys

    with pytest.raises(MarginMismatchError):
        rake_replicates(design, factors, keys, MARGINS | {"gender": {0: 1900, 1: 2101}})
    with pytest.raises(EmptyMarginError):
        rake_replicates(design, factors, keys, MARGINS | {"gender": {0: 1900, 1: 2000, 2: 100}})
    with pytest.raises(NotConvergedError):
        rake_replicates(design, factors, keys, MARGINS, max_sweeps=1)
    with pytest.raises(NotConvergedError, match="第3组"):
        factors[:, 2] = 0
        rake_replicates(design, factors, keys, MARGINS)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_bounds_of_a_table_are_those_of_each_rate(seed):
    rng = np.random.default_rng(seed)
    p = rng.choice([0, 1, 1 - 1e-15, 0.5, 0.95, 0.999, np.nan], 40)
    v = rng.choice([0, 1e-35, 1e-6, 1e-3, 0.2], 40)
    n = rng.choice([0, 1, 2, 12, 5000], 40)
    df = rng.choice([-1.0, 0, 1, 7, 144], 40)
    lower, upper = korn_graubard_bounds(p, v, n, df, 0.9)
    for at in range(40):
        one = None if np.isnan(p[at]) else korn_graubard(p[at], v[at], int(n[at]), df[at], 0.9)
        if one is None:
            assert np.isnan(lower[at]) and np.isnan(upper[at])
        else:
            assert (lower[at], upper[at]) == pytest.approx((one.lower, one.upper), rel=1e-12, abs=1e-300)


def test_variances_are_the_diagonal_of_the_covariance():
    columns = answers(2)
    scores = np.random.default_rng(0).normal(size=(3000, 4))
    for policy in ("adjust", "average", "remove"):
        design = Design(
            columns["w"],
            strata=(np.where(columns["school"] == 3, 99, columns["stratum"]),),
            psu=(columns["school"],),
            lonely_psu=policy,
        )
        assert variances_of_scores(scores, design) == pytest.approx(
            np.diag(covariance_of_scores(scores, design)), rel=1e-12
        )


def test_other_intervals_and_empty_domains():
    cells = cell_totals(count_columns(answers(2), COUNTING), READINGS)
    design = design_of(cells, "school", "stratum")
    nobody = {"": np.zeros(len(cells), dtype=bool)}
    logit = rate_table(cells, design, method="logit")
    one = proportion_interval(
        logit.value[0, 0], logit.se[0, 0] ** 2, logit.n[0, 0], logit.df[0], 0.95, "logit"
    )

    assert (logit.lower[0, 0], logit.upper[0, 0]) == pytest.approx((one.lower, one.upper))
    assert np.isnan(rate_table(cells, design, nobody).value).all()
    assert [row.lower for row in rate_table(cells, design, nobody)] == [None] * 3
    with pytest.raises(ReadingError, match="没有一份"):
        cell_estimate(cells, design, "q1", nobody[""])
    with pytest.raises(ReadingError, match="没有这一项"):
        cell_estimate(cells, design, "q7")
    with pytest.raises(ReadingError, match="没有计数"):
        cells.read([Reading.share("q7", [1], [1, 2])])
    with pytest.raises(ReadingError, match="没有选项"):
        cells.read([Reading.share("q1", [8], [8])])
    with pytest.raises(MissingColumnError, match="county"):
        design_of(cells, "county")


@pytest.mark.slow
def test_any_table_from_counts_takes_under_ten_milliseconds():
    cells = cell_totals(count_columns(answers(1, 100_000), COUNTING), READINGS)
    design = design_of(cells, "school", "stratum")
    took = []
    for _ in range(5):
        began = perf_counter()
        rate_table(cells, design, by_key(cells, "group"))
        took.append(perf_counter() - began)

    assert min(took) < 0.010
