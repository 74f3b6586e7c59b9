"""What stands beside the figure: don't-know, silence, how close the verdict is, and cautions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from simulated import estimated, one_group_wave, overall_id, wave_outcomes, wave_records, wave_results

from survey.estimation.census import break_even_rate
from survey.estimation.doubts import fewest_to_turn
from survey.exact import fraction
from survey.scheme.scheme import Line


def tiny(happy: int = 19):
    """Each school stands for 100 parents: 12 answers at 100/12 and 20 at 100/20."""
    return one_group_wave(
        {"1100000001": [5] * 9 + [2] * 3, "1100000002": [4] * happy + [2] * (19 - happy) + [98]}
    )


def test_the_dont_know_rate_has_an_interval_of_its_own():
    unsure = tiny().document()["dont_know"]

    assert (unsure["n"], unsure["of"], unsure["shown"]) == (1, 32, "0.0250")
    assert fraction(unsure["interval"]["lower"]) < Fraction(25, 1000) < fraction(unsure["interval"]["upper"])


def test_the_careful_figure_says_when_it_decides_otherwise():
    # 83.3 + 75 of 178.3 valid is 88.8%, reached; of all 200 it is 79.2%, missed.
    document = one_group_wave(
        {"1100000001": [5] * 10 + [98] * 2, "1100000002": [4] * 15 + [2] * 4 + [98]}
    ).document()

    assert document["reached"] is True
    assert document["conservative"]["shown"] == "0.7916"
    assert (
        document["conservative"]["reached"] is False and document["conservative"]["changes_verdict"] is True
    )
    assert "把说不清、不了解都算作不满意，结论就不同" in document["cautions"]
    assert tiny().document()["conservative"]["changes_verdict"] is False


def test_one_answer_turns_a_verdict_that_hangs_on_one():
    tipping = tiny().document()["tipping"]

    # One answer of the first school moves the figure by (100/12)/195 = 4.3 points; it stands 2.2 above the line.
    assert tipping["answers"] == 1
    assert "最少要有1份" in tipping["words"]


def test_the_fewest_answers_turn_the_verdict_and_one_fewer_does_not():
    results = wave_results()
    line = Line("at_least", "0.85")
    fewest = fewest_to_turn(results.beside, results.whole, line)
    assert fewest is not None
    reached = line.reached(results.figure)
    rates, shares = results.rates, results.shares
    counted = rates.sums(results.answers)
    base = {
        group: sum(
            rates.weights.weight(d) * row[1]
            for d, row in counted.items()
            if d.split("-")[0] and rates.draws[d].group == group
        )
        for group in shares
    }
    moves = sorted(
        (
            shares[rates.draws[d].group] * rates.weights.weight(d) / base[rates.draws[d].group]
            for d, row in counted.items()
            for _ in range(int(row[0] if reached else row[1] - row[0]))
        ),
        reverse=True,
    )
    sign = -1 if reached else 1

    assert line.reached(results.figure + sign * sum(moves[:fewest])) is not reached
    assert line.reached(results.figure + sign * sum(moves[: fewest - 1])) is reached


def test_what_the_silent_must_think_is_methods_break_even_rate():
    results = tiny()
    document = results.document()
    rate = Fraction(document["response"]["used"], document["response"]["issued"])
    expected = break_even_rate(0.85, float(results.figure), float(rate))

    assert 0 < rate < 1
    assert float(document["tipping"]["break_even"]) == pytest.approx(expected, abs=1e-4)


def test_a_skipped_item_is_counted_as_item_nonresponse_and_not_as_dont_know():
    records = [
        dict(
            one,
            answers={
                k: (None if k == overall_id(one["domain"]) and at % 10 == 0 else v)
                for k, v in one["answers"].items()
            },
        )
        for at, one in enumerate(wave_records())
    ]
    document = estimated(tuple(records), outcomes=wave_outcomes(tuple(records))).document()

    completed = next(row for row in document["beside"] if row["what"] == "blanks_imputed")
    assert abs(fraction(completed["shown"]) - fraction(document["figure"]["shown"])) < Fraction(3, 100)
    blank = document["item_nonresponse"]
    assert blank["n"] == len(range(0, len(records), 10))
    assert blank["of"] == len(records)
    assert document["n_valid"] + blank["n"] + document["dont_know"]["n"] == len(records)


def test_much_dont_know_is_a_caution():
    records = [
        dict(
            one,
            answers={
                k: (98 if k == overall_id(one["domain"]) and at % 6 == 0 else v)
                for k, v in one["answers"].items()
            },
        )
        for at, one in enumerate(wave_records())
    ]
    document = estimated(tuple(records), outcomes=wave_outcomes(tuple(records))).document()

    assert any("超过10%" in words for words in document["cautions"])


def test_dissatisfied_people_of_few_schools_are_a_caution_of_the_figure_itself():
    unhappy = {one["domain"] for one in wave_records() if one["domain"].endswith("-P")}
    worst = sorted(unhappy)[:2]
    records = tuple(
        dict(
            one,
            answers={
                k: ((1 if one["domain"] in worst else 5) if k == overall_id(one["domain"]) else v)
                for k, v in one["answers"].items()
            },
        )
        for one in wave_records()
    )
    document = estimated(records, outcomes=wave_outcomes(records)).document()

    assert any("很少几所学校" in words for words in document["cautions"])
