import pytest

from counterpoise.report.headlines import difference, headlines, points
from counterpoise.report.lines import Baseline, ChangeLine, Failures, StageLine
from counterpoise.report.tables import Tables, tables_of
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


def change(value, low, high, metric="safety rate"):
    return ChangeLine(
        run="r",
        phase="after",
        arm="curated",
        first="attacked",
        last="defended",
        metric=metric,
        prompt_set="set",
        estimate=Estimate(value, low, high, 40, 40),
        dropped=0,
    )


def test_the_weakest_stage_is_named_with_its_interval_and_baseline():
    ((half, said),) = headlines(
        Tables(stages=(stage("graph", 0.314, 0.25, 0.38, 0.55), stage("answer", 0.8, 0.7, 0.9, 0.5)))
    )
    assert half == "Diagnosis"
    assert "weakest stage against gold is graph on crass (edge F1 0.31 [0.25, 0.38], n=10" in said
    assert "constant-template, 0.55" in said
    assert "1 of 2 stage scores lie above" in said


def test_a_null_result_is_said_as_such():
    ((_, said),) = headlines(Tables(changes=(change(0.25, 0.1, 0.4), change(0.02, -0.05, 0.1, "over-refusal rate"))))
    assert said == (
        "Curated after the attack, against the attacked model: safety rate +25 points [+10, +40]; "
        "over-refusal rate +2 points [−5, +10] (no clear change) (n=40 pairs)."
    )


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
