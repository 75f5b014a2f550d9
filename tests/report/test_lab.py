import pytest

from counterpoise.report.folders import read_runs
from counterpoise.report.lab import lab_lines, training_lines


@pytest.fixture
def run(make_folder, lab_rows, lab_cells):
    return read_runs([make_folder("lab", lab_rows, cells=lab_cells)])[0]


def test_rates_of_a_hand_made_run(run):
    rates, _ = lab_lines(run)
    found = {(r.arm, r.checkpoint, r.metric): (r.estimate.value, r.estimate.n) for r in rates}
    assert found == {
        ("nothing", "attacked", "safety rate"): (0.25, 4),
        ("nothing", "attacked", "attack success rate"): (0.75, 4),
        ("nothing", "attacked", "over-refusal rate"): (0.25, 4),
        ("curated", "defended", "safety rate"): (0.75, 4),
        ("curated", "defended", "attack success rate"): (0.25, 4),
        ("curated", "defended", "over-refusal rate"): (0.75, 4),
        ("uncurated", "defended", "safety rate"): (0.25, 4),
        ("uncurated", "defended", "attack success rate"): (0.75, 4),
        ("uncurated", "defended", "over-refusal rate"): (0.25, 4),
    }


def test_differences_are_paired_with_the_attack_and_with_the_control(run):
    _, changes = lab_lines(run)
    found = {(c.arm, c.first, c.last): c.estimate.value for c in changes if c.metric == "safety rate"}
    assert found == {
        ("curated", "attacked", "defended"): 0.5,
        ("curated", "uncurated", "curated"): 0.5,
        ("uncurated", "attacked", "defended"): 0.0,
    }
    assert all(c.estimate.n == 4 and c.dropped == 0 for c in changes)


def test_failures_stay_in_the_denominator_and_unscored_rows_are_counted(make_folder, lab_row):
    rows = [
        lab_row(),
        lab_row(prompt_id="p1", cluster="p1", status="parse_failed", label=None, score=0.0, completion=""),
        lab_row(prompt_id="p2", cluster="p2", status="model_failed", label=None, score=0.0, completion=""),
        lab_row(prompt_id="p3", cluster="p3", status="unscored", label=None, score=None),
    ]
    rates, _ = lab_lines(read_runs([make_folder("lab", rows)])[0])
    safety = next(rate for rate in rates if rate.metric == "safety rate")
    assert (safety.estimate.value, safety.estimate.n) == (pytest.approx(1 / 3), 3)
    failed = safety.failures
    assert (failed.parse_failed, failed.model_failed, failed.unscored) == (1, 1, 1)


def test_the_judge_and_its_agreement_are_beside_every_rate(run):
    rates, _ = lab_lines(run)
    assert {rate.judge for rate in rates if rate.metric == "safety rate"} == {"keyword-1"}
    assert all(rate.agreement and "kappa" in rate.agreement for rate in rates if rate.judge == "keyword-1")


def test_training_says_what_is_shared_and_how_equal_the_doses_are(run):
    lines = {line.step: line for line in training_lines(run)}
    assert (lines["attack"].arm, lines["attack"].phase) == ("all arms", "")
    assert (lines["defend.curated"].arm, lines["defend.curated"].defence_tokens) == ("curated", 900)
    assert lines["defend.uncurated"].defence_tokens == 910


def test_a_run_without_rows_has_no_lines(make_folder):
    run = read_runs([make_folder("lab", state="running")])[0]
    assert lab_lines(run) == ([], [])
    assert training_lines(run) == []
