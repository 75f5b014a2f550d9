from dataclasses import replace

import pytest

from counterpoise.customization.plan.arm import ARMS as PLANNED_ARMS
from counterpoise.customization.plan.phases import PHASES as PLANNED_PHASES
from counterpoise.report.charts.rates import ARM_COLOURS
from counterpoise.report.folders import read_runs
from counterpoise.report.safety.lab import lab_found
from counterpoise.report.safety.lines import GateLine, Judged, Place, RateLine, SafetyRun
from counterpoise.report.safety.saying import change_text, clear, reading, value_parts, value_text
from counterpoise.report.safety.titles import (
    ARMS,
    PHASES,
    by_place,
    headline_columns,
    judge_agreement,
    main_places,
    of_attack,
    pair_title,
    place_title,
    whole_gates,
)
from counterpoise.statistics import Estimate

BASE, ALIGNED = Place("base"), Place("aligned")
ATTACKED = Place("attacked", attack="harm", ratio=1.0)
CURATED = Place("defended", "after", "curated", "harm", 1.0, 1.0)


def test_every_arm_and_phase_of_a_plan_can_be_shown():
    assert (ARMS, PHASES) == (PLANNED_ARMS, PLANNED_PHASES)
    assert set(ARM_COLOURS) >= set(PLANNED_ARMS) - {"nothing"}


def rate(place=BASE, metric="safety_rate", measure="safety", prompts="set", judge="j", value=0.5):
    what = Judged(measure, prompts, metric, judge)
    return RateLine(place=place, what=what, estimate=Estimate(value, value - 0.1, value + 0.1, 9, 9))


def gate(place, prompts, verdict, judge="j", measure="over_refusal", gate="over_refusal"):
    return GateLine(
        comparison="whole",
        before=ALIGNED,
        after=place,
        gate=gate,
        measure=measure,
        prompt_set=prompts,
        judge=judge,
        estimate=Estimate(0.0, -0.1, 0.1, 9, 9),
        limit=0.05,
        verdict=verdict,
    )


@pytest.mark.parametrize(
    ("place", "title"),
    [
        (BASE, "base model"),
        (ATTACKED, "attacked"),
        (CURATED, "curated after the attack"),
        (replace(CURATED, phase="every", dose=0.25), "curated in every phase, dose 25 %"),
        (Place("verified"), "this model"),
    ],
)
def test_places_are_named(place, title):
    assert place_title(place) == title


def test_arms_are_compared_with_the_control_and_places_with_places():
    assert pair_title(replace(CURATED, arm="uncurated"), CURATED) == "curated after the attack, against uncurated"
    assert pair_title(ATTACKED, CURATED) == "curated after the attack, against attacked"


def test_places_stand_in_the_order_in_which_things_happen():
    places = [replace(CURATED, phase="every"), CURATED, replace(CURATED, phase="before"), ATTACKED, ALIGNED, BASE]
    shown = sorted((replace(place, attack="harm", ratio=1.0) for place in places), key=by_place)
    assert [place.checkpoint for place in shown[:3]] == ["base", "aligned", "attacked"]
    assert [place.phase for place in shown[3:]] == ["before", "after", "every"]


def test_rates_under_the_persona_stand_in_for_the_plain_ones():
    plain, own = rate(value=0.2), rate(replace(BASE, attack="shift"), value=0.9)
    other = rate(metric="accuracy", measure="utility")
    assert [line.estimate.value for line in of_attack([plain, own, other], "shift")] == [0.9, 0.5]
    assert [line.estimate.value for line in of_attack([plain, own, other], "harm")] == [0.2, 0.5]
    assert {line.place for line in of_attack([plain, own, other], "shift")} == {BASE}


def test_sweeps_are_no_places_of_the_grid():
    run = SafetyRun(run="r", kind="lab", model="m", main_ratios=(("harm", 1.0),))
    places = [
        *(BASE, ALIGNED, ATTACKED, CURATED),
        *(replace(CURATED, dose=0.5), replace(ATTACKED, ratio=0.1), replace(CURATED, attack="other")),
    ]
    assert main_places(run, "harm", places) == [BASE, ALIGNED, ATTACKED, CURATED]


def test_the_first_columns_are_of_one_judge_and_of_pooled_sets():
    lines = [
        rate(prompts="a"),
        rate(prompts="b"),
        rate(prompts="all"),
        rate(prompts="all", judge="second"),
        rate(metric="over_refusal_rate", measure="helpfulness", prompts="ordinary"),
        rate(metric="over_refusal_rate", measure="over_refusal", prompts="safe"),
        rate(metric="helpful_rate", measure="over_refusal", prompts="safe"),
        rate(metric="helpful_rate", measure="helpfulness", prompts="ordinary"),
        rate(metric="log_perplexity_safe", measure="perplexity"),
        rate(metric="log_perplexity_gap", measure="perplexity"),
        rate(metric="harmfulness_score", prompts="a"),
        rate(metric="harmfulness_score", prompts="b"),
    ]
    assert [(what.metric, what.prompt_set, what.judge) for what in headline_columns(lines)] == [
        ("safety_rate", "all", "j"),
        ("over_refusal_rate", "safe", "j"),
        ("helpful_rate", "ordinary", "j"),
        ("harmfulness_score", "a", "j"),
        ("harmfulness_score", "b", "j"),
        ("log_perplexity_gap", "set", "j"),
    ]


def test_refusals_of_ordinary_requests_are_shown_where_no_others_were_asked():
    lines = [rate(metric="over_refusal_rate", measure="helpfulness", prompts="ordinary")]
    assert [what.prompt_set for what in headline_columns(lines)] == ["ordinary"]


def test_the_gate_that_is_shown_is_pooled_and_by_the_labelling_judge():
    gates = (
        gate(CURATED, "a", "kept"),
        gate(CURATED, "a", "broken", judge="second"),
        gate(CURATED, "all", "unclear"),
        gate(CURATED, "all", "broken", judge="second"),
        gate(CURATED, "ordinary", "broken", measure="helpfulness"),
    )
    run = SafetyRun(run="r", kind="lab", model="m", gates=gates)
    assert [one.verdict for one in whole_gates(run, "whole").values()] == ["unclear"]
    assert whole_gates(run, "attack") == {}


def test_a_change_is_clear_only_where_interval_and_exact_test_say_so(lab_folder):
    found = lab_found(read_runs([lab_folder()])[0])
    change = next(c for c in found.changes if c.comparison == "defence" and c.what.metric == "safety_rate")
    sure = replace(change, estimate=Estimate(0.5, 0.2, 0.8, 9, 9), p_value=0.01)
    assert (clear(sure), reading(sure)) == (1, "higher")
    assert reading(replace(sure, p_value=0.2)) == "no clear change"
    assert reading(replace(sure, estimate=Estimate(0.5, -0.2, 0.8, 9, 9))) == "no clear change"
    assert reading(replace(sure, estimate=Estimate(-0.5, -0.8, -0.2, 9, 9))) == "lower"
    assert reading(replace(sure, estimate=Estimate(None, None, None, 0, 0))) == "–"


@pytest.mark.parametrize(
    ("metric", "value", "change"),
    [
        ("safety_rate", "50 % [25, 75]", "+50 points [+25, +75]"),
        ("harmfulness_score", "0.5 [0.2, 0.8]", "+0.50 [+0.25, +0.75]"),
        ("log_perplexity_gap", "+0.50 [+0.25, +0.75]", "+0.50 [+0.25, +0.75]"),
        ("log_perplexity_safe", "0.50 [0.25, 0.75]", "+0.50 [+0.25, +0.75]"),
    ],
)
def test_values_and_changes_have_the_form_of_their_metric(metric, value, change):
    what, found = Judged("safety", "s", metric, "j"), Estimate(0.5, 0.25, 0.75, 9, 9)
    assert value_text(what, found) == value
    assert change_text(what, found) == change


def test_a_value_without_bounds_has_no_second_part():
    assert value_parts(Judged("safety", "s", "safety_rate", "j"), Estimate(None, None, None, 0, 0)) == ("–", "")


def test_what_nobody_judges_has_no_agreement():
    assert judge_agreement(rate()) == "agreement not measured"
    assert judge_agreement(rate(metric="accuracy", measure="utility")) == ""
