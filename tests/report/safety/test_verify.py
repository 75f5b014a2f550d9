import json

import pytest

from counterpoise.errors import DataError
from counterpoise.report.folders import read_runs
from counterpoise.report.safety.lines import MODEL, MODEL_BEFORE
from counterpoise.report.safety.verify import verify_found
from counterpoise.report.tables import tables_of, to_json


def found_in(*folders):
    runs = read_runs(folders)
    return verify_found(next(run for run in runs if run.folder == "after"), runs)


def rate(found, place, metric, prompt_set):
    (line,) = [
        line
        for line in found.rates
        if (line.place, line.what.metric, line.what.prompt_set) == (place, metric, prompt_set)
        and line.what.judge == "keyword-1"
    ]
    return line.estimate.value


def test_rates_before_and_after_come_from_rows(verified):
    found = found_in(verified())
    assert rate(found, MODEL, "safety_rate", "all") == 1.0
    assert rate(found, MODEL_BEFORE, "safety_rate", "all") == 0.0
    assert found.before == ("earlier-0123456789ab", "models/plain")
    assert {line.place for line in found.gaps} == {MODEL, MODEL_BEFORE}
    assert {line.place for line in found.reasoning} == {MODEL, MODEL_BEFORE}


def test_changes_and_gates_are_those_that_the_verification_found(verified):
    found = found_in(verified())
    change = next(c for c in found.changes if c.what.metric == "safety_rate" and c.what.prompt_set == "all")
    assert (change.estimate.value, change.gained, change.lost) == (1.0, 16, 0)
    gates = {(gate.gate, gate.measure): gate.verdict for gate in found.gates if gate.judge != "second-1"}
    assert gates["over_refusal", "over_refusal"] == "broken"
    assert found.reasoning_changes[0].estimate.value == 0.0


def test_the_earlier_run_may_be_another_folder_of_the_report(verified, tmp_path):
    folder = verified(inside=False)
    assert {line.place for line in found_in(folder).rates} == {MODEL}
    assert {line.place for line in found_in(folder, tmp_path / "earlier").rates} == {MODEL, MODEL_BEFORE}


def test_without_the_earlier_rows_the_changes_are_still_there(verified):
    found = found_in(verified(inside=False))
    assert found.changes
    assert found.gates
    assert found.before[1] == "models/plain"


def test_an_unfinished_verification_has_its_rates_alone(verified):
    found = found_in(verified(state="running", facts={}))
    assert found.rates
    assert (found.changes, found.gates, found.before) == ((), (), ())


def test_a_verification_without_rows_has_no_lines(make_folder):
    assert tables_of([make_folder("verify", state="running")]).verification == ()


@pytest.mark.parametrize(
    "damage",
    [
        lambda said: said | {"changes": [{}]},
        lambda said: said | {"changes": 3},
        lambda said: said | {"changes": [said["changes"][0] | {"p_value": "small"}]},
        lambda said: said | {"changes": [said["changes"][0] | {"value": "much"}]},
        lambda said: said | {"changes": [said["changes"][0] | {"judge": ["keyword-1"]}]},
        lambda said: said | {"gates": [said["gates"][0] | {"verdict": "passed"}]},
        lambda said: said | {"gates": None},
        lambda said: said | {"reasoning_changes": [{"dataset": 1}]},
        lambda said: said | {"before": {"run": "earlier-0123456789ab"}},
        lambda said: said | {"notes": 1},
        lambda said: {"before": {"run": "r", "model": "m"}},
    ],
)
def test_a_damaged_summary_is_one_clear_line(verified, damage):
    with pytest.raises(DataError) as caught:
        found_in(verified(summary=damage))
    message = str(caught.value)
    assert "\n" not in message
    assert "the summary in the manifest is damaged (after/manifest.json)" in message


def test_what_lies_in_before_must_be_a_verification(verified, make_folder, lab_row):
    folder = verified(inside=False)
    make_folder("lab", [lab_row()]).rename(folder / "before")
    with pytest.raises(DataError, match="a run of kind 'lab'"):
        read_runs([folder])


def test_all_of_it_is_json(verified):
    plain = to_json(tables_of([verified()]))
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    (run,) = plain["verification"]
    assert run["changes"][0]["comparison"] == "before"
