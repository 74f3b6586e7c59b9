"""A census from plan to certificate: everybody of seven small schools and a list is asked, nobody is drawn."""

from __future__ import annotations

from fractions import Fraction

from click.testing import CliRunner

from survey import canonical
from survey.cli.main import main
from survey.estimation.census import break_even_rate
from survey.estimation.wave_figure import majority_grade
from survey.exact import truncate
from survey.jobs.certify_wave import certify_wave
from survey.jobs.draw_sample import preview_wave
from survey.jobs.estimate_wave import estimate_wave, wave_results
from survey.scheme.plan import GroupPlan
from survey.scheme.presets import load_scheme
from survey.storage.samples import load_sample

from .conftest import Bureau, county_frame

SCHOOLS = ("花果山小学", "大浦小学", "虎窝小学", "张旐小学", "草地小学", "马山小学", "新村小学")
GROUPS = (
    GroupPlan(group="parent", instruments={"all": "parents"}),
    GroupPlan(group="teacher", instruments={"all": "teachers"}),
    GroupPlan(group="deputy", instruments={"all": "public"}),
)


def small_county() -> bytes:
    lines = county_frame().decode("utf-8").splitlines(keepends=True)
    return "".join([lines[0], *(line for line in lines if line.split(",")[1] in SCHOOLS)]).encode("utf-8")


async def census(bureau: Bureau, **changes: object) -> None:
    await bureau.draw(
        frame=small_county(), groups=GROUPS, lists={"deputy": 60}, everybody=("all",), confirmed={}, **changes
    )


async def test_everybody_is_asked_counted_certified_and_verified(desk: Bureau) -> None:
    await census(desk)
    preview, sample = await preview_wave(desk.wave), await load_sample(desk.wave)
    note = next(one for one in preview.warnings if one.code == "sampling.everybody")
    await desk.go("estimated")
    results, document = (
        await wave_results(desk.office, desk.wave),
        await estimate_wave(desk.office, desk.wave, **desk.by),
    )
    certified = await desk.act(certify_wave)
    verdict = CliRunner().invoke(main, ["verify", str(certified.bundle)])
    rr = {
        group: Fraction(
            sum(one.used for d, one in results.outcomes.items() if sample.by_domain[d].group == group), n
        )
        for group, n in results.people.items()
    }
    together = sum(share * rr[group] for group, share in results.shares.items())
    answered = sum(
        share * rr[group] * results.whole.groups[group].value for group, share in results.shares.items()
    )

    # Every school, every eligible person, a slip; the seed moves nothing.
    assert preview.slips_total == sum(preview.numbers.values()) == len(desk.codes) and preview.schools == 7
    assert f"{preview.slips_total}张纸条" in note.problem
    assert all(draw.slips == draw.eligible and draw.psu_probability == "1" for draw in sample.domains)
    assert {row["design_weight"] for row in document["weighting"]["history"]} == {"1"}
    # Doubt comes from silence alone: respondents in response cells.
    assert results.whole.estimate.df == len(results.case_file.cases) - len(results.weights.pools)
    assert results.whole.interval(results.shares, 0.95).width > 0
    turning = break_even_rate(0.85, float(answered / together), float(together))
    assert document["tipping"]["break_even"] == truncate(Fraction(turning))
    assert verdict.exit_code == 0, verdict.output


async def test_a_majority_of_the_full_body_is_reached_by_a_wave_that_asks_it_whole(desk: Bureau) -> None:
    scheme = load_scheme("quality_balance_2017")
    figure = {**scheme.document["figure"], "formula": "majority_vote", "base": "full_body"}
    await census(desk, adopted_scheme={**scheme.document, "figure": figure})
    await desk.go("estimated")
    document = await estimate_wave(desk.office, desk.wave, **desk.by)
    certified = await desk.act(certify_wave)
    plan, table = (canonical.decode(certified.certificate.read_bytes())[name] for name in ("plan", "table"))
    verdict = CliRunner().invoke(main, ["verify", str(certified.bundle)])
    eligible = {}
    for domain in plan["domains"]:
        eligible[domain["group"]] = eligible.get(domain["group"], 0) + domain["eligible"]
    by_hand = sum(
        Fraction(share) * Fraction(sum(row["x"] for row in table if row["group"] == group), eligible[group])
        for group, share in plan["group_shares"].items()
    )

    assert plan["estimator"] == "full-body/v1"
    assert document["figure"]["shown"] == truncate(by_hand)
    assert document["se"] == "0.0000" and document["interval"] is None
    assert document["grade"] in ("满意", majority_grade(Fraction(0), by_hand))
    assert verdict.exit_code == 0, verdict.output
