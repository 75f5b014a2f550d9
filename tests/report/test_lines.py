import pytest

from counterpoise.report.lines import Baseline, Failures, StageLine
from counterpoise.statistics import Estimate


def line(low, value, high, *baselines):
    return StageLine(
        run="r",
        model="m",
        dataset="d",
        stage="graph",
        mode="isolated",
        elicit="direct",
        metric="edge F1",
        estimate=Estimate(value, low, high, 10, 10),
        failures=Failures(),
        baselines=tuple(Baseline(name, Estimate(v, v, v, 10, 10)) for name, v in baselines),
    )


@pytest.mark.parametrize(
    ("low", "value", "high", "expected"),
    [
        (0.56, 0.7, 0.8, "above"),
        (0.55, 0.7, 0.8, "level"),
        (0.2, 0.3, 0.55, "level"),
        (0.1, 0.3, 0.54, "below"),
    ],
)
def test_a_score_is_above_only_if_its_whole_interval_is(low, value, high, expected):
    scored = line(low, value, high, ("random", 0.1), ("constant-template", 0.55), ("oracle", 1.0))
    assert scored.floor is not None
    assert scored.floor.name == "constant-template"
    assert scored.standing == expected


def test_an_interval_without_width_is_never_evidence():
    assert line(1.0, 1.0, 1.0, ("random", 0.5)).standing == "unknown"
    assert line(0.0, 0.0, 0.0, ("random", 0.5)).standing == "level"


def test_without_a_baseline_or_a_value_the_standing_is_unknown():
    assert line(0.5, 0.6, 0.7, ("oracle", 1.0)).standing == "unknown"
    assert line(None, None, None, ("random", 0.5)).standing == "unknown"
