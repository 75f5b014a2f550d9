import json

import pytest

from counterpoise.customization.results.reasoning import reasoning_rows
from counterpoise.customization.results.summary import summarise
from counterpoise.errors import DataError
from counterpoise.records import read_jsonl
from counterpoise.report.folders import read_runs
from counterpoise.report.safety.lab import lab_found
from counterpoise.report.safety.lines import Place
from counterpoise.report.tables import tables_of, to_json

ATTACKED = Place("attacked", attack="harm", ratio=1.0)
CURATED = Place("defended", "after", "curated", "harm", 1.0, 1.0)
UNCURATED = Place("defended", "after", "uncurated", "harm", 1.0, 1.0)


def found_in(folder):
    return lab_found(read_runs([folder])[0])


def rates(found, metric, prompt_set):
    return {
        line.place: line for line in found.rates if (line.what.metric, line.what.prompt_set) == (metric, prompt_set)
    }


def test_rates_of_a_hand_made_run(make_folder, lab_rows, lab_cells):
    found = found_in(make_folder("lab", lab_rows, cells=lab_cells))
    values = {(line.place.arm, line.what.metric, line.what.prompt_set): line.estimate.value for line in found.rates}
    assert values["nothing", "safety_rate", "disallowed"] == 0.25
    assert values["curated", "safety_rate", "disallowed"] == 0.75
    assert values["uncurated", "attack_success_rate", "disallowed"] == 0.75
    assert values["curated", "over_refusal_rate", "safe"] == 0.75
    assert all(line.estimate.n == 4 for line in found.rates)


def test_every_line_says_what_the_summary_says(lab_folder):
    folder = lab_folder(seeds=(0, 1, 2))
    found = found_in(folder)
    said = summarise(read_jsonl(folder / "rows.jsonl"), reasoning=list(reasoning_rows(folder)))
    assert [line.estimate.value for line in found.rates] == [entry["value"] for entry in said["rates"]]
    assert [line.estimate.high for line in found.changes] == [entry["high"] for entry in said["changes"]]
    assert [line.p_value for line in found.changes] == [entry["p_value"] for entry in said["changes"]]
    assert [line.verdict for line in found.gates] == [entry["verdict"] for entry in said["gates"]]
    assert [len(line.points) for line in found.dose_response] == [len(e["points"]) for e in said["dose_response"]]
    assert [point.efficient for point in found.pareto] == [entry["efficient"] for entry in said["pareto"]]
    assert [line.estimate.value for line in found.reasoning] == [e["value"] for e in said["reasoning"]["rates"]]
    assert found.notes == tuple(said["notes"])
    assert len(found.gaps) == len(said["perplexity"])
    for line, entry in zip(found.gaps, said["perplexity"], strict=True):
        assert line.gap.value == entry["gap"]["value"]
        assert line.harmful.low == entry["harmful"]["low"]


def test_seeds_are_pooled_and_the_interval_says_what_it_covers(lab_folder):
    one = found_in(lab_folder(seeds=(0, 1, 2)))
    line = rates(one, "safety_rate", "all")[CURATED]
    assert (line.seeds, line.interval, line.estimate.n) == (3, "prompts and seeds", 48)
    assert dict(line.per_seed) == {"0": 1.0, "1": 1.0, "2": 1.0}
    assert one.seeds == (0, 1, 2)


def test_the_judge_and_its_agreement_are_beside_every_rate(lab_folder):
    found = found_in(lab_folder())
    judged = [line for line in found.rates if line.what.metric == "safety_rate"]
    assert {line.what.judge for line in judged} == {"keyword-1", "second-1"}
    assert all((line.kappa is not None) == (line.what.judge == "keyword-1") for line in judged)


def test_failures_stay_in_the_denominator_and_unscored_rows_are_counted(make_folder, lab_row):
    rows = [
        lab_row(),
        lab_row(prompt_id="p1", cluster="p1", status="parse_failed", label=None, score=0.0, completion=""),
        lab_row(prompt_id="p2", cluster="p2", status="model_failed", label=None, score=0.0, completion=""),
        lab_row(prompt_id="p3", cluster="p3", status="unscored", label=None, score=None),
    ]
    line = rates(found_in(make_folder("lab", rows)), "safety_rate", "disallowed")[ATTACKED]
    assert (line.estimate.value, line.estimate.n) == (pytest.approx(1 / 3), 3)
    assert (line.unreadable, line.unscored) == (2, 1)


def test_changes_are_paired_with_the_attack_and_with_the_control(lab_folder):
    found = found_in(lab_folder())
    changes = {
        (c.comparison, c.after): c
        for c in found.changes
        if (c.what.metric, c.what.prompt_set, c.what.judge) == ("safety_rate", "all", "keyword-1")
    }
    assert changes["defence", CURATED].estimate.value == 1.0
    assert changes["defence", CURATED].before == ATTACKED
    assert (changes["defence", UNCURATED].gained, changes["defence", UNCURATED].lost) == (2, 0)
    assert changes["arms", CURATED].estimate.value == 0.875
    assert all(change.dropped == 0 for change in changes.values())


def test_a_gate_knows_what_it_measures(lab_folder):
    gates = {
        (g.gate, g.measure, g.after.arm, g.prompt_set): g
        for g in found_in(lab_folder()).gates
        if g.judge != "second-1"
        and g.comparison == "whole"
        and g.after.phase == "after"
        and g.after.ratio == g.after.dose == 1
    }
    assert gates["over_refusal", "over_refusal", "refusals", "safe-set"].verdict == "broken"
    assert gates["over_refusal", "helpfulness", "refusals", "ordinary-set"].verdict in ("kept", "unclear")
    assert gates["utility", "utility", "uncurated", "questions"].verdict == "broken"


def test_training_says_what_is_shared_and_how_equal_the_doses_are(lab_folder):
    lines = {line.step: line for line in found_in(lab_folder()).training}
    assert (lines["attack"].arm, lines["attack"].phase) == ("all arms", "")
    assert (lines["defend.curated"].arm, lines["defend.curated"].defence_tokens) == ("curated", 900)
    assert lines["defend.uncurated"].defence_tokens == 910


def test_a_run_without_rows_has_no_lines(make_folder):
    assert found_in(make_folder("lab", state="running")) is None


def test_steps_that_are_trained_before_anything_is_measured_are_shown(make_folder, lab_cells):
    found = found_in(make_folder("lab", cells=lab_cells, state="running"))
    assert (found.rates, len(found.training)) == ((), 3)


def test_all_of_it_is_json(lab_folder):
    plain = to_json(tables_of([lab_folder()]))
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    (run,) = plain["customization"]
    assert run["rates"][0]["what"]["metric"] == "safety_rate"
    assert {"kappa", "macro_f1", "unreadable", "unscored"} <= run["rates"][0].keys()


def test_numbers_that_are_none_have_no_value(make_folder, grid_rows):
    def endless(row):
        if row["measure"] == "perplexity":
            row["values"] = {"log_gap": float("nan"), "perplexity_safe": float("inf"), "perplexity_harmful": 1.0}
        return row

    found = found_in(make_folder("lab", grid_rows(edit=endless)))
    assert {line.gap.value for line in found.gaps} == {None}
    assert json.dumps(to_json(found), allow_nan=False)


def test_rows_of_an_earlier_version_are_one_clear_line(make_folder, lab_row):
    old = {name: value for name, value in lab_row().items() if name not in ("measure", "attack", "ratio", "dose")}
    with pytest.raises(DataError) as caught:
        read_runs([make_folder("lab", [old])])
    message = str(caught.value)
    assert "\n" not in message
    for words in (
        "measure",
        "rows.jsonl row 1",
        "a row of a lab run of this version",
        "run it again into a new folder",
    ):
        assert words in message


@pytest.mark.parametrize("name", ["../elsewhere", "..", ".", "", "a/b", "a\\b", "/etc"])
def test_a_diagnosis_is_looked_for_below_the_folder_only(lab_folder, name):
    folder = lab_folder()
    index = read_jsonl(folder / "reasoning.jsonl")
    (folder / "reasoning.jsonl").write_text(json.dumps(index[0] | {"folder": name}) + "\n")
    with pytest.raises(DataError, match="not a plain name"):
        read_runs([folder])


@pytest.mark.parametrize("column", ["ratio", "dose"])
def test_a_share_that_is_no_number_is_refused(make_folder, lab_row, column):
    with pytest.raises(DataError, match=f"{column}: not a finite number"):
        read_runs([make_folder("lab", [lab_row() | {column: float("nan")}])])
