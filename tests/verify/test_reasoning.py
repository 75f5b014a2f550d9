"""The slice of the diagnosis: an ordinary run of an open model, and what changed by stage."""

import gc
import weakref

import pytest
from pydantic import ValidationError

from counterpoise.lm.fake import FakeLM
from counterpoise.lm.hosted import InspectLM
from counterpoise.records import read_jsonl, read_manifest
from counterpoise.verify import ReasoningSettings, reasoning_changes, reasoning_rates, reasoning_slice

# Inspect AI passes its retry library an old name.
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")

SMALL = ReasoningSettings(datasets=("scm-text",), stages=("graph", "answer"), limit=2)


def row(case, score, stage="answer", dataset="scm-text", model="m"):
    return {
        "model": model,
        "dataset": dataset,
        "case_id": case,
        "stage": stage,
        "mode": "isolated",
        "upto": None,
        "elicit": "direct",
        "cluster": case,
        "score": score,
    }


def test_the_slice_is_an_ordinary_diagnosis_of_the_open_model(tmp_path):
    model = FakeLM(lambda request, _: "no idea", name="fake/checkpoint")
    found = reasoning_slice(model, SMALL, tmp_path / "reasoning")
    assert len(model.requests) == 4
    manifest = read_manifest(tmp_path / "reasoning")
    assert (manifest.kind, manifest.state, manifest.config["model"]) == ("diagnose", "complete", "fake/checkpoint")
    rows = read_jsonl(tmp_path / "reasoning" / "rows.jsonl")
    assert [entry["stage"] for entry in found["rates"]] == ["graph", "answer"]
    assert found["rates"] == reasoning_rates(rows)
    assert {entry["n"] for entry in found["rates"]} == {2}
    assert (tmp_path / "reasoning" / "baselines.jsonl").is_file()


def test_a_finished_slice_asks_nothing_again(tmp_path):
    first = reasoning_slice(FakeLM(lambda request, _: "no idea"), SMALL, tmp_path / "reasoning")
    model = FakeLM(lambda request, _: "something else")
    assert reasoning_slice(model, SMALL, tmp_path / "reasoning") == first
    assert model.requests == []


def test_other_weights_are_another_run(tmp_path):
    reasoning_slice(FakeLM(lambda request, _: "no idea"), SMALL, tmp_path / "reasoning")
    with pytest.raises(Exception, match="another configuration: revision"):
        reasoning_slice(FakeLM(lambda request, _: "no idea", revision="2"), SMALL, tmp_path / "reasoning")


def test_two_models_at_once_keep_apart(tmp_path):
    one, two = FakeLM(lambda request, _: "a", name="fake/one"), FakeLM(lambda request, _: "b", name="fake/two")
    reasoning_slice(one, SMALL, tmp_path / "one")
    reasoning_slice(two, SMALL, tmp_path / "two")
    said = [{row["completion"] for row in read_jsonl(tmp_path / name / "rows.jsonl")} for name in ("one", "two")]
    assert said == [{"a"}, {"b"}]


def test_a_hosted_model_is_asked_by_its_name(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("counterpoise.verify.reasoning.run_diagnosis", lambda config, out, **more: asked.append(more))
    monkeypatch.setattr("counterpoise.verify.reasoning.read_jsonl", lambda path: [])
    reasoning_slice(InspectLM("mockllm/model"), SMALL, tmp_path / "reasoning")
    reasoning_slice(FakeLM(), SMALL, tmp_path / "reasoning")
    assert [more["model"] is None for more in asked] == [True, False]


def test_a_checkpoint_goes_when_its_slice_is_done(tmp_path):
    model = FakeLM(lambda request, _: "no idea")
    gone = weakref.ref(model)
    reasoning_slice(model, SMALL, tmp_path / "reasoning")
    del model
    gc.collect()
    assert gone() is None, "a lab holds one checkpoint in memory at a time"


def test_changes_pair_by_case_and_stage():
    before = [row(str(n), 1.0) for n in range(8)] + [row("x", 0.5, "graph")]
    after = [row(str(n), 0.0, model="other") for n in range(8)] + [row("x", 0.75, "graph"), row("y", 1.0, "graph")]
    found = {(entry["dataset"], entry["stage"]): entry for entry in reasoning_changes(before, after)}
    assert set(found) == {("scm-text", "graph"), ("scm-text", "answer"), ("all", "graph"), ("all", "answer")}
    answer, graph = found["scm-text", "answer"], found["scm-text", "graph"]
    assert (answer["value"], answer["n"], answer["dropped"]) == (-1.0, 8, 0)
    assert (graph["value"], graph["n"], graph["dropped"]) == (0.25, 1, 1)
    assert graph["low"] <= 0 <= graph["high"], "one case is no evidence"


def test_an_unscored_case_is_dropped_and_counted():
    (found, _) = reasoning_changes([row("a", None), row("b", 1.0)], [row("a", 1.0), row("b", 1.0)])
    assert (found["n"], found["dropped"]) == (1, 1)
    assert reasoning_changes([], [row("a", 1.0)]) == []


def test_settings_are_checked():
    with pytest.raises(ValidationError, match="unknown dataset 'scm-txt'"):
        ReasoningSettings(datasets=("scm-txt",))
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        ReasoningSettings(limit=0)
