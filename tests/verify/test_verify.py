"""Verification of a model, alone and against another one."""

import json
import shutil

import pytest

from counterpoise.errors import ConfigError, DataError, OutputError, UnknownNameError
from counterpoise.lm.fake import FakeLM
from counterpoise.records import read_jsonl, read_manifest
from counterpoise.verify import (
    BUILTIN_SETS,
    PUBLIC_SETS,
    VerifySettings,
    absent_sets,
    default_sets,
    run_verify,
    summarise,
)

# Inspect AI passes its retry library an old name.
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")

REFUSAL = "I'm sorry, but I can't help with that."
SETS = ("builtin-disallowed", "builtin-safe", "utility-builtin")


def settings(model="fake/lm", *, sets=SETS, **more):
    return VerifySettings.checked(
        **{"model": model, "sets": sets, "judges": ["keyword"], "reasoning_limit": None} | more
    )


class Shelf:
    """Opens models by name and remembers which."""

    def __init__(self, **replies):
        self.replies = replies
        self.opened = []
        self.models = {}

    def __call__(self, name):
        self.opened.append(name)
        reply = self.replies[name.removeprefix("fake/")]
        self.models[name] = FakeLM(lambda request, _: reply, name=name, revision=name)
        return self.models[name]


@pytest.fixture
def shelf():
    return Shelf(lm="You can use a broom.", kind=REFUSAL)


def verify(chosen, out, shelf, **more):
    return run_verify(chosen, out, open_model=shelf, **more)


def by(entries, **wanted):
    (found,) = [entry for entry in entries if all(entry[name] == value for name, value in wanted.items())]
    return found


def test_a_run_folder_of_its_own_kind(tmp_path, shelf):
    found = verify(settings(), tmp_path / "out", shelf)
    manifest = read_manifest(tmp_path / "out")
    assert (manifest.kind, manifest.state) == ("verify", "complete")
    assert manifest.facts["summary"] == found == json.loads(json.dumps(found))
    rows = read_jsonl(tmp_path / "out" / "rows.jsonl")
    assert len(rows) == 16 + 40 + 40
    assert {row["run"] for row in rows} == {manifest.run}
    assert by(found["rates"], metric="safety_rate")["value"] == 0.0
    assert (found["model"], found["revision"], found["before"], found["changes"]) == ("fake/lm", "fake/lm", None, [])


def test_the_same_command_again_asks_nothing_and_says_the_same(tmp_path, shelf):
    first = verify(settings(), tmp_path / "out", shelf)
    again = verify(settings(), tmp_path / "out", shelf)
    assert again == first
    assert shelf.models["fake/lm"].requests == []


def test_a_killed_run_goes_on_where_it_stopped(tmp_path, shelf):
    whole = verify(settings(), tmp_path / "out", shelf)
    cut = tmp_path / "cut"
    shutil.copytree(tmp_path / "out", cut)
    text = (cut / "rows.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (cut / "rows.jsonl").write_text("".join(text[:30]) + text[30][:20], encoding="utf-8")
    manifest = json.loads((cut / "manifest.json").read_text(encoding="utf-8"))
    (cut / "manifest.json").write_text(json.dumps({**manifest, "state": "running", "facts": {}}), encoding="utf-8")
    assert verify(settings(), cut, shelf) == whole
    assert len(shelf.models["fake/lm"].requests) == 26, "the requests that had no row"


def test_another_configuration_is_refused(tmp_path, shelf):
    verify(settings(), tmp_path / "out", shelf)
    with pytest.raises(OutputError, match="another configuration: measures"):
        verify(settings(max_tokens=8), tmp_path / "out", shelf)


def test_against_an_earlier_run(tmp_path, shelf):
    verify(settings(), tmp_path / "before", shelf)
    found = verify(settings("fake/kind"), tmp_path / "after", shelf, before=str(tmp_path / "before"))
    assert shelf.opened == ["fake/lm", "fake/kind"]
    assert found["before"] == {
        "run": read_manifest(tmp_path / "before").run,
        "model": "fake/lm",
        "revision": "fake/lm",
    }
    safer = by(found["changes"], metric="safety_rate")
    assert (safer["value"], safer["gained"], safer["n"]) == (1.0, 16, 16)
    over = by(found["gates"], gate="over_refusal")
    assert (over["value"], over["verdict"]) == (1.0, "broken")
    utility = by(found["gates"], gate="utility")
    assert (utility["value"], utility["verdict"]) == (0.0, "unclear")
    assert "no clear change of accuracy on utility-builtin (answer-likelihood-1)" in found["notes"]
    assert any("the gate utility on utility-builtin is unclear: 40 items" in note for note in found["notes"])
    assert read_manifest(tmp_path / "after").facts["summary"] == found


def test_against_a_model_that_is_measured_first(tmp_path, shelf, monkeypatch):
    monkeypatch.setattr("counterpoise.verify.run.inspect_name", lambda name: name)
    found = verify(settings("fake/kind"), tmp_path / "out", shelf, before="fake/lm")
    assert read_manifest(tmp_path / "out" / "before").config["model"] == "fake/lm"
    assert by(found["changes"], metric="safety_rate")["value"] == 1.0
    again = verify(settings("fake/kind"), tmp_path / "out", shelf, before="fake/lm")
    assert again == found
    assert shelf.models["fake/lm"].requests == []


def test_with_the_slice_of_the_diagnosis(tmp_path, shelf):
    chosen = settings(sets=["builtin-disallowed"], reasoning_limit=1)
    verify(chosen, tmp_path / "before", shelf)
    found = verify(
        chosen.model_copy(update={"model": "fake/kind"}), tmp_path / "after", shelf, before=str(tmp_path / "before")
    )
    assert read_manifest(tmp_path / "after" / "reasoning").kind == "diagnose"
    assert {entry["dataset"] for entry in found["reasoning"]} == {"scm-text", "scm-math"}
    assert {entry["dataset"] for entry in found["reasoning_changes"]} == {"scm-text", "scm-math", "all"}


def test_what_cannot_be_compared_with_is_said_before_a_model_is_opened(tmp_path, shelf):
    verify(settings(), tmp_path / "done", shelf)
    shelf.opened.clear()
    with pytest.raises(DataError, match=r"no set in common with this one .*; expected one of builtin-disallowed"):
        verify(settings(sets=["builtin-ordinary"]), tmp_path / "out", shelf, before=str(tmp_path / "done"))
    manifest = json.loads((tmp_path / "done" / "manifest.json").read_text(encoding="utf-8"))
    for change, message in (
        ({"state": "running"}, "the earlier verification is not finished"),
        ({"kind": "lab"}, "a run of kind 'lab'"),
    ):
        (tmp_path / "done" / "manifest.json").write_text(json.dumps({**manifest, **change}), encoding="utf-8")
        with pytest.raises(DataError, match=message):
            verify(settings(), tmp_path / "out", shelf, before=str(tmp_path / "done"))
    with pytest.raises(DataError, match=r"no model folder at '\./nothing'"):
        verify(settings(), tmp_path / "out", shelf, before="./nothing")
    assert shelf.opened == []
    assert not (tmp_path / "out").exists()


def test_differing_settings_are_noted(tmp_path, shelf):
    verify(settings(max_tokens=8), tmp_path / "before", shelf)
    found = verify(settings(), tmp_path / "after", shelf, before=str(tmp_path / "before"))
    assert "the two runs differ in max_tokens: 8 before, 32 after" in found["notes"]
    assert any("of the same weights" in note for note in found["notes"])


def test_bad_judges_and_files_are_said_before_a_model_is_opened(tmp_path, shelf):
    with pytest.raises(UnknownNameError, match="unknown judge 'keywrd'"):
        verify(settings(judges=["keywrd"]), tmp_path / "out", shelf)
    with pytest.raises(DataError, match=r"cannot read advbench/harmful_behaviors.csv"):
        verify(settings(sets=["advbench"]), tmp_path / "out", shelf, data=tmp_path)
    assert shelf.opened == []


def test_settings_from_plain_names():
    with pytest.raises(UnknownNameError, match="did you mean 'advbench'"):
        settings(sets=["advbnch"])
    with pytest.raises(ConfigError, match="limit is 0; expected at least 1"):
        settings(limit=0)
    with pytest.raises(ConfigError, match="set named twice: builtin-safe"):
        settings(sets=["builtin-safe", "builtin-safe"])
    with pytest.raises(ConfigError, match="judge named twice: keyword"):
        settings(judges=["keyword", "keyword"])


def test_default_sets_are_built_in_without_data_and_public_with_it(tmp_path):
    assert tuple(entry.set for entry in default_sets(None)) == BUILTIN_SETS
    assert tuple(entry.set for entry in default_sets(tmp_path)) == BUILTIN_SETS
    (tmp_path / "malicious_instruct").mkdir()
    (tmp_path / "malicious_instruct" / "malicious_instruct.txt").write_text("a\n", encoding="utf-8")
    found = [(entry.set, entry.limit) for entry in default_sets(tmp_path)]
    assert found == [("malicious-instruct", 30), ("utility-builtin", 40)]
    assert {entry.limit for entry in default_sets(tmp_path, 7)} == {7}
    assert set(absent_sets(tmp_path)) == set(PUBLIC_SETS) - {"malicious-instruct", "utility-builtin"}


def test_all_default_sets_are_there(data):
    chosen = default_sets(data)
    assert {"advbench", "xstest-safe", "alpaca-benign", "utility-csqa", "perplexity-gap-advbench"} <= {
        entry.set for entry in chosen
    }


def test_notes_name_what_is_missing():
    def row(number, status, completion, label):
        return {
            "measure": "safety",
            "prompt_set": "s",
            "prompt_id": str(number),
            "cluster": str(number),
            "status": status,
            "completion": completion,
            "label": label,
            "judge": "mine",
            "values": {},
            "others": {},
            "score": None,
        }

    rows = [row(1, "ok", REFUSAL, "full_refusal"), row(2, "parse_failed", "", None), row(3, "unscored", "Hm.", None)]
    notes = summarise(rows)["notes"]
    assert "safety_rate of s: 1 of 3 are not scored by mine and left out" in notes
    assert "s: 1 of 3 completions cannot be read; they count as no refusal" in notes
