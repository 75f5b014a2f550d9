import pytest

from counterpoise.counterfactual.results.tools import ToolGain
from counterpoise.report.headlines import headlines
from counterpoise.report.lines import Baseline, Failures, StageLine
from counterpoise.report.tables import Tables, tables_of
from counterpoise.report.wording import difference, points
from counterpoise.statistics import Estimate


def stage(name, value, low, high, floor):
    return StageLine(
        run="r",
        model="m",
        dataset="crass",
        stage=name,
        mode="isolated",
        elicit="direct",
        metric="edge F1",
        estimate=Estimate(value, low, high, 10, 10),
        failures=Failures(),
        baselines=(
            Baseline(
                "constant-template",
                Estimate(floor, floor, floor, 10, 10),
                Estimate(value - floor, low - floor, high - floor, 10, 10),
            ),
        ),
    )


def test_the_weakest_stage_is_named_with_its_interval_and_baseline():
    ((half, said),) = headlines(
        Tables(stages=(stage("graph", 0.314, 0.25, 0.38, 0.55), stage("answer", 0.8, 0.7, 0.9, 0.5)))
    )
    assert half == "Diagnosis"
    assert "weakest stage against gold is graph on crass (edge F1 0.31 [0.25, 0.38], n=10" in said
    assert "constant-template, 0.55" in said
    assert "1 of 2 stage scores lie above" in said


def test_nothing_is_said_without_numbers(make_folder):
    assert headlines(tables_of([make_folder("diagnose"), make_folder("lab")])) == ()
    nothing = Estimate(None, None, None, 0, 0)
    assert headlines(Tables(stages=(StageLine(**{**_fields(stage("graph", 0, 0, 0, 0)), "estimate": nothing}),))) == ()


def _fields(line):
    return {name: getattr(line, name) for name in StageLine.__dataclass_fields__}


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-0.001, "0"), (0.006, "+1"), (-0.25, "−25")])
def test_signs(value, text):
    assert points(Estimate(value, value, value, 1, 1)).startswith(f"{text} points")


def test_a_difference_without_value_is_a_dash():
    assert difference(Estimate(None, None, None, 0, 0)) == "–"


def diagnosis(folder):
    return [said for half, said in headlines(tables_of([folder])) if half == "Diagnosis"]


def test_clear_costs_are_listed_largest_first_and_the_baseline_is_named(diagnosed):
    _, costs = diagnosis(diagnosed(cases=40, elicits=["direct"]))
    assert "direct elicitation: the chained result is" in costs
    assert "on 2 datasets pooled (n=80). Clear costs, largest first: outcome (abduction included) 0." in costs
    assert "Going through the stages is clearly better than asking at once on 0 of 2 datasets" in costs
    assert "The chained answer is not clearly better than the best baseline on" in costs


def test_elicitations_are_compared_at_equal_cost(diagnosed):
    *_, equal = diagnosis(diagnosed(cases=6, elicits=["direct", "cot-sc", "tot"]))
    assert "against as many samples of cot-sc as write no more tokens, tot is clearly better on" in equal


def test_costs_that_are_not_clear_are_said_to_be_indistinguishable_from_none(diagnosed):
    _, costs = diagnosis(diagnosed(cases=3, elicits=["direct"], datasets={"crass": False}))
    assert "on crass (n=3). No stage's cost is distinguishable from 0 (largest: " in costs
    assert "Going through the stages instead of asking at once: " in costs
    assert "no clear change" in costs


def test_nothing_is_said_of_costs_that_could_not_be_computed(diagnosed):
    folder = diagnosed(cases=3, elicits=["direct"], edit=lambda row: None if row["upto"] == "graph" else row)
    assert len(diagnosis(folder)) == 1


def gain(stage, value, low, high, use="hints", mode="isolated"):
    some = Estimate(0.5, 0.4, 0.6, 10, 10)
    return ToolGain(
        run="r",
        model="m",
        dataset="crass",
        mode=mode,
        upto="",
        stage=stage,
        elicit="direct",
        use=use,
        metric="accuracy",
        with_tools=some,
        without=some,
        gain=Estimate(value, low, high, 10, 10),
        failed=0,
        left_out=0,
    )


def test_gains_by_tools_that_are_clear_are_counted_up_and_down():
    gains = (gain("graph", 0.2, 0.1, 0.3), gain("outcome", -0.2, -0.3, -0.1), gain("answer", 0.1, 0.0, 0.2))
    assert headlines(Tables(tool_gains=gains)) == (
        (
            "Diagnosis",
            "m: tools against the same elicitation without them, isolated mode: hints are clearly better on 1 and "
            "clearly worse on 1 of 3 stage scores.",
        ),
    )


def test_it_is_said_plainly_when_no_gain_by_tools_is_clear():
    gains = (gain("graph", -0.2, -0.5, 0.1), gain("answer", 0.1, 0.0, 0.2), gain("answer", 0.5, 0.4, 0.6, "calls"))
    ((_, said),) = headlines(Tables(tool_gains=gains))
    assert said.endswith(
        "isolated mode: no gain by hints is distinguishable from 0 (2 compared; largest change: graph on crass "
        "−0.20 [−0.50, +0.10]); calls are clearly better on 1 and clearly worse on 0 of 1 stage scores."
    )


def test_gains_by_tools_are_counted_in_the_plainest_mode_only():
    chained = gain("graph", 0.2, 0.1, 0.3, mode="chained")
    ((_, said),) = headlines(Tables(tool_gains=(chained, gain("graph", 0.2, -0.1, 0.3))))
    assert "isolated mode: no gain by hints is distinguishable from 0 (1 compared" in said
    ((_, said),) = headlines(Tables(tool_gains=(chained,)))
    assert "chained mode: hints are clearly better on 1" in said


def test_nothing_is_said_of_tools_whose_gain_has_no_value():
    assert headlines(Tables(tool_gains=(gain("graph", None, None, None),))) == ()
