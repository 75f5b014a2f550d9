import pytest

from counterpoise.customization.results.reasoning import (
    FOLDER,
    INDEX,
    ReasoningRow,
    diagnosed,
    reasoning_changes,
    reasoning_rates,
    reasoning_rows,
)
from counterpoise.records import RunFolder, append_line, canonical_json

PLACE = {
    "cell": "c",
    "phase": "none",
    "arm": "nothing",
    "seed": 1,
    "checkpoint": "aligned",
    "attack": "",
    "ratio": 0.0,
    "dose": 0.0,
}


def row(case, score, *, stage="graph", seed=0, status="ok"):
    shared = {"dataset": "scm", "stage": stage, "cluster": case, "case_id": case, "seed": seed}
    return {**shared, "score": score, "status": status}


def test_rows_carry_the_place_of_their_checkpoint(tmp_path):
    with RunFolder.open(tmp_path / FOLDER / "s1-align", kind="diagnose", config={}) as run:
        run.rows(key=lambda entry: entry["case_id"]).append({"case_id": "a", "dataset": "d", "stage": "graph"})
        assert not diagnosed(tmp_path / FOLDER / "s1-align")
        run.complete()
    append_line(tmp_path / INDEX, canonical_json(ReasoningRow(folder="s1-align", **PLACE).model_dump(mode="json")))
    (found,) = reasoning_rows(tmp_path)
    assert found == {"case_id": "a", "dataset": "d", "stage": "graph", **PLACE}
    assert diagnosed(tmp_path / FOLDER / "s1-align")
    assert not diagnosed(tmp_path / "elsewhere")


def test_a_run_without_reasoning_has_no_rows(tmp_path):
    assert list(reasoning_rows(tmp_path)) == []


def test_rates_count_failures():
    rows = [row("a", 1.0), row("b", 0.0, status="parse_failed"), row("c", None, status="unscored")]
    (found,) = reasoning_rates(rows)
    assert (found["value"], found["n"], found["unreadable"], found["unscored"]) == (0.5, 2, 1, 1)


def test_changes_are_paired_by_case_and_seed():
    before = [row("a", 0.0), row("b", 1.0), row("a", 0.0, seed=1), row("c", 1.0)]
    after = [row("a", 1.0), row("b", 1.0), row("a", 0.5, seed=1), row("c", None, status="unscored")]
    (found,) = reasoning_changes(before, after)
    assert found["value"] == pytest.approx(0.5)
    assert (found["n"], found["dropped"], found["clusters"]) == (3, 1, 2)


def test_stages_stay_apart():
    rows = [row("a", 1.0), row("a", 0.0, stage="answer")]
    assert {entry["stage"]: entry["value"] for entry in reasoning_rates(rows)} == {"graph": 1.0, "answer": 0.0}
    assert [entry["stage"] for entry in reasoning_changes(rows, rows)] == ["graph", "answer"]
