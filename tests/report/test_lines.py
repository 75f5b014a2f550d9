from dataclasses import replace

import pytest

from counterpoise.report.lines import Baseline, Failures, StageLine, by_elicitation, main_lines
from counterpoise.statistics import Estimate


def line(*baselines):
    return StageLine(
        run="r",
        model="m",
        dataset="d",
        stage="graph",
        mode="isolated",
        elicit="direct",
        metric="edge F1",
        estimate=Estimate(0.7, 0.6, 0.8, 10, 10),
        failures=Failures(),
        baselines=baselines,
    )


def baseline(name, value, low=None, gain=None, high=None):
    return Baseline(name, Estimate(value, value, value, 10, 10), Estimate(gain, low, high, 10, 10))


@pytest.mark.parametrize(
    ("low", "gain", "high", "expected"),
    [
        (0.01, 0.15, 0.3, "above"),
        (0.0, 0.15, 0.3, "level"),
        (-0.3, -0.15, 0.0, "level"),
        (-0.3, -0.15, -0.01, "below"),
        (0.0, 0.0, 0.0, "level"),
        (0.1, 0.1, 0.1, "unknown"),
        (None, None, None, "unknown"),
    ],
)
def test_standing_is_the_paired_advantage_over_the_best_baseline(low, gain, high, expected):
    scored = line(
        baseline("random", 0.1, 0.5, 0.6, 0.7),
        baseline("constant-template", 0.55, low, gain, high),
        baseline("oracle", 1.0, -0.4, -0.3, -0.2),
    )
    assert scored.floor is not None
    assert scored.floor.name == "constant-template"
    assert scored.standing == expected


def test_without_a_baseline_the_standing_is_unknown():
    assert line(baseline("oracle", 1.0, -0.4, -0.3, -0.2)).standing == "unknown"


def test_main_lines_are_those_of_the_plainest_mode_and_elicitation_of_each_run():
    plain = line()
    lines = [replace(plain, elicit="tot"), plain, replace(plain, mode="chained"), replace(plain, run="s", elicit="cot")]
    assert main_lines(lines) == [plain, lines[3]]


def test_an_elicitation_with_tools_stands_right_behind_itself_without():
    order = [
        "direct",
        "direct+hints",
        "direct+calls",
        "direct+other",
        "few-shot",
        "cot",
        "cot+hints",
        "own",
        "own+hints",
    ]
    assert sorted(sorted(order), key=by_elicitation) == order


def test_the_main_lines_are_those_without_tools():
    plain = line()
    assert main_lines([replace(plain, elicit="direct+hints"), plain]) == [plain]
