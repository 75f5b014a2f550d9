"""The command line as a user meets it: exit codes, one-line errors, shapes of the JSON, resume."""

import io
import json
from pathlib import Path

import click
import pytest
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from counterpoise.cli import cli, main

MOCK = "mockllm/model"
SUITES = {"scm-text", "scm-math", "scm-code", "scm-image"}
PUBLIC = {
    *("crass", "clomo", "rnn-typology", "malalgoqa", "arithmetic", "cvqa-bool", "cvqa-count", "coco"),
    *("humaneval-exe", "open-critic", "code-preference"),
}

# Inspect AI itself calls tenacity in a way that tenacity deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")


@pytest.fixture
def model_says(monkeypatch):
    """Let the mock model answer with a text, with its token counts: the mock's own counting needs a download."""

    def install(text):
        def respond(input, tools, tool_choice, config):
            if isinstance(text, Exception):
                raise text
            output = ModelOutput.from_content("mockllm", text)
            output.usage = ModelUsage(input_tokens=7, output_tokens=len(text.split()), total_tokens=9)
            return output

        def open_mock(name):
            return get_model(MOCK, custom_outputs=respond, memoize=False)

        monkeypatch.setattr("counterpoise.lm.hosted.open_inspect_model", open_mock)

    install("I would rather not say.")
    return install


@pytest.fixture(autouse=True)
def no_ambient_data(monkeypatch):
    monkeypatch.delenv("COUNTERPOISE_DATA", raising=False)


@pytest.fixture
def published(data):
    """The data folder, where it has the annotations that the protocol's authors published."""
    if not (data / "published_annotations").is_dir():
        pytest.skip(f"needs the published annotations in {data}")
    return data


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def diagnose(capsys, out, *more, datasets="scm-math", limit=2):
    return run(capsys, "diagnose", "--model", MOCK, "--dataset", datasets, "--limit", limit, "--out", out, *more)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diagnose", "--model", MOCK, "--dataset", "crss", "--out", "x"], "did you mean 'crass'?"),
        (["diagnose", "--model", "gpt", "--dataset", "scm-text", "--out", "x"], "unknown model 'gpt'; expected"),
        (["diagnose", "--model", "embedded/gpt", "--dataset", "scm-text", "--out", "x"], "unknown embedded model"),
        (["diagnose", "--model", "./nowhere", "--dataset", "scm-text", "--out", "x"], "no model folder at './nowhere'"),
        (["diagnose", "--model", MOCK, "--dataset", "crass", "--out", "x"], "dataset 'crass' needs downloaded data"),
        (["diagnose", "--model", MOCK, "--dataset", ",", "--out", "x"], "an empty list of names"),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--mode", "chain", "--out", "x"], "unknown mode"),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--elicit", "tott", "--out", "x"], "mean 'tot'?"),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--elicit", "tot", "--k", "0", "--out", "x"], "k is 0"),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--rating", "luck", "--out", "x"], "unknown rating"),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--matcher", "luck", "--out", "x"], "unknown matcher"),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--stage", "grph", "--out", "x"], "mean 'graph'?"),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--tools", "hint", "--out", "x"], "mean 'hints'?"),
        (
            ["diagnose", "--model", "embedded/smollm2", "--dataset", "crass", "--tools", "calls", "--out", "x"],
            "no tools",
        ),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--extractor", "sound=x", "--out", "x"], "text=ner:"),
        (
            ["diagnose", "--model", MOCK, "--dataset", "mine.py", "--out", "x"],
            "no such file (mine.py); expected a Python file that defines DATASET",
        ),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--limit", "0", "--out", "x"], "--limit"),
        (["diagnose", "--model", MOCK, "--dataset", "scm-text", "--data", "nowhere", "--out", "x"], "no data folder"),
        (["diagnose", "--model", MOCK], "Missing option"),
        (["diagnoze"], "No such command 'diagnoze'"),
        (["check-gold", "nope"], "unknown dataset 'nope'"),
        (["check-gold", "--published"], "no folder to read from; pass it with --data or COUNTERPOISE_DATA"),
        (["fetch", "--data", "x"], "Missing argument 'NAMES...'"),
        (["fetch", "clomo"], "no folder to put the files into; pass it with --data or COUNTERPOISE_DATA"),
        (["fetch", "clmo", "--data", "x"], "did you mean 'clomo'?"),
        (["fetch", "malalgoqa", "--data", "x"], "dataset 'malalgoqa' cannot be fetched; ask for the set"),
        (["fetch", "scm-text", "--data", "x"], "dataset 'scm-text' needs no files"),
        (["curate", "nowhere.jsonl", "--model", "embedded/smollm2", "--out", "x"], "nowhere.jsonl"),
        (["curate", "in.jsonl", "--model", MOCK, "--objective", "most", "--out", "x"], "objective"),
        (["lab", "nowhere.yaml", "--out", "x"], "nowhere.yaml"),
        (["report", "nowhere", "--out", "x.html"], "no run in folder nowhere"),
        (["models", "pull", "embedded/gpt"], "unknown embedded model"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_datasets_json_has_the_promised_shape(capsys):
    code, out, _ = run(capsys, "datasets", "--json")
    assert code == 0
    entries = {entry["name"]: entry for entry in json.loads(out)}
    assert entries.keys() == SUITES | PUBLIC
    for entry in entries.values():
        assert entry.keys() == {
            *("name", "title", "modality", "gold_kind", "available", "cases", "staged", "rejects"),
            *("source", "revision", "licence", "files"),
        }
    for name in SUITES:
        assert entries[name]["available"]
        assert (entries[name]["cases"], entries[name]["staged"], entries[name]["rejects"]) == (200, 200, 0)
        assert entries[name]["files"] == {}
    for name in PUBLIC:
        assert not entries[name]["available"]
        assert entries[name]["cases"] is entries[name]["staged"] is entries[name]["rejects"] is None
        assert set(entries[name]["files"].values()) <= {"absent"}
    assert entries["clomo"]["files"] == {"clomo/zero_test.json": "absent"}


def test_datasets_json_counts_what_is_in_the_data_folder(capsys, data):
    code, out, _ = run(capsys, "datasets", "--data", data, "--json")
    assert code == 0
    for entry in json.loads(out):
        if entry["available"]:
            assert 0 < entry["staged"] <= entry["cases"]
            assert entry["rejects"] >= 0
        assert set(entry["files"].values()) <= {"pinned", "differs", "unknown", "absent"}


def test_datasets_as_a_table_names_all_of_them(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = run(capsys, "datasets")
    assert code == 0
    assert all(name in out for name in SUITES | PUBLIC)
    assert "not here" in out


def test_fetch_json_says_what_became_of_every_file(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("counterpoise.counterfactual.datasets.fetch._open", lambda source: io.BytesIO(b"rows"))
    # One file is there already; of the other no digest is known, so any bytes are taken.
    (tmp_path / "clomo").mkdir()
    (tmp_path / "clomo" / "zero_test.json").write_text("mine")
    code, out, _ = run(capsys, "fetch", "clomo", "coco", "--data", tmp_path, "--json")
    assert code == 0
    found = {one["path"]: one for one in json.loads(out)}
    assert all(one.keys() == {"path", "address", "sha256", "state"} for one in found.values())
    assert found["clomo/zero_test.json"]["state"] == "kept"
    assert (tmp_path / "clomo" / "zero_test.json").read_text() == "mine"
    assert found["coco_counterfactuals/examples.jsonl"]["state"] == "fetched"
    assert (tmp_path / "coco_counterfactuals" / "examples.jsonl").read_bytes() == b"rows"
    assert len((tmp_path / "fetched.jsonl").read_text().splitlines()) == 1


def test_fetch_of_other_bytes_than_the_pinned_ones_is_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("counterpoise.counterfactual.datasets.fetch._open", lambda source: io.BytesIO(b"rows"))
    code, out, err = run(capsys, "fetch", "clomo", "--data", tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("error: sha256 is ")
    assert err.count("\n") == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_check_gold_json_has_the_promised_shape_and_the_oracle_is_perfect(capsys):
    code, out, _ = run(capsys, "check-gold", "scm-text", "scm-math", "--json")
    assert code == 0
    for result in json.loads(out):
        assert result.keys() == {"dataset", "cases", "rejects", "oracle", "baselines"}
        assert set(result["oracle"]) == {"variables", "graph", "intervention", "abduction", "outcome", "answer"}
        assert set(result["oracle"].values()) == {1.0}
        floors = {"constant-template", "copy-factual", "negate-exposure", "majority", "random"}
        assert result["baselines"].keys() == floors
        assert 0 < result["baselines"]["constant-template"]["graph"] < 1


@pytest.mark.parametrize(
    "datasets", [("crass", "arithmetic"), pytest.param((), marks=pytest.mark.slow, id="all of them")]
)
def test_check_gold_of_the_public_data(capsys, data, datasets):
    code, out, _ = run(capsys, "check-gold", *datasets, "--data", data, "--json")
    assert code == 0
    results = {result["dataset"]: result for result in json.loads(out)}
    for result in results.values():
        assert set(result["oracle"].values()) == {1.0}
        assert all(reject["reason"] for reject in result["rejects"])
    assert results["crass"]["cases"] == 219
    assert results["arithmetic"]["cases"] == 1200


def test_check_gold_of_the_published_annotations(capsys, published):
    code, out, _ = run(capsys, "check-gold", "--published", "--data", published, "--json")
    assert code == 0
    sets = json.loads(out)
    assert {"CRASS", "CLOMO", "MalAlgoQA"} <= sets.keys()
    for one in sets.values():
        assert one.keys() == {"records", "sound", "defects", "remarks"}
        assert 0 <= one["sound"] <= one["records"]
        assert max(one["defects"].values(), default=0) <= one["records"] - one["sound"]
    code, out, _ = run(capsys, "check-gold", "CRASS", "--published", "--data", published)
    assert code == 0
    assert "CRASS" in out
    assert "CLOMO" not in out


def test_an_unknown_set_of_published_annotations_is_one_line(capsys, published):
    code, out, err = run(capsys, "check-gold", "CRSS", "--published", "--data", published)
    assert (code, out) == (2, "")
    assert err.startswith("error: unknown published annotation set 'CRSS'; expected one of Arithmetic,")
    assert "did you mean 'CRASS'?" in err
    assert err.count("\n") == 1


def test_a_folder_without_published_annotations_is_one_line(capsys, tmp_path):
    code, out, err = run(capsys, "check-gold", "--published", "--data", tmp_path)
    assert (code, out) == (2, "")
    assert "no published annotations" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["lorem ipsum", "", "[" * 10_000, "word " * 10_000, "\x00\ud800<script>"])
def test_a_model_that_answers_nonsense_gives_rows_with_reasons(capsys, tmp_path, model_says, text):
    model_says(text)
    code, out, _ = diagnose(capsys, tmp_path / "run", "--json", datasets="scm-math,scm-text")
    assert code == 0
    rows = [json.loads(line) for line in (tmp_path / "run" / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == 2 * 2 * 6
    assert {row["status"] for row in rows if row["stage"] != "answer"} == {"parse_failed"}
    assert all(row["reason"] for row in rows if row["status"] != "ok")
    assert all(row["score"] == 0 for row in rows)
    required = "run case_id dataset modality stage mode elicit model status score tokens seconds".split()
    assert all(name in row for row in rows for name in required)
    assert {row["model"] for row in rows} == {MOCK}
    assert "<script>" not in (tmp_path / "run" / "report.html").read_text()
    assert any((tmp_path / "run" / "logs").glob("*.eval"))
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["state"] == "complete"
    for line in json.loads(out)["stages"]:
        assert line["estimate"]["n"] == 2


def test_a_model_that_fails_gives_rows_with_reasons(capsys, tmp_path, model_says):
    model_says(RuntimeError("no such deployment"))
    code, _, _ = diagnose(capsys, tmp_path / "run")
    assert code == 0
    rows = [json.loads(line) for line in (tmp_path / "run" / "rows.jsonl").read_text().splitlines()]
    assert {(row["status"], row["score"]) for row in rows} == {("model_failed", 0.0)}
    assert all("no such deployment" in row["reason"] for row in rows)


def test_an_interrupted_run_resumes_without_asking_again(capsys, tmp_path, model_says):
    out = tmp_path / "run"
    diagnose(capsys, out)
    whole = (out / "rows.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    # As a kill leaves it: some rows, and one that was being written.
    (out / "rows.jsonl").write_bytes(b"".join(lines[:4]) + lines[4][:20])
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(manifest | {"state": "running", "finished": None}))
    code, _, _ = diagnose(capsys, out)
    assert code == 0
    resumed = (out / "rows.jsonl").read_bytes().splitlines(keepends=True)
    assert resumed[:4] == lines[:4]

    def keys(lines):
        return sorted((row["case_id"], row["stage"]) for row in map(json.loads, lines))

    assert keys(resumed) == keys(lines)


def test_a_finished_run_asks_nothing_again(capsys, tmp_path, model_says):
    out = tmp_path / "run"
    diagnose(capsys, out)
    logs = sorted(path.name for path in (out / "logs").glob("*.eval"))
    assert logs
    before = (out / "rows.jsonl").read_bytes()
    code, _, _ = diagnose(capsys, out)
    assert code == 0
    assert (out / "rows.jsonl").read_bytes() == before
    assert sorted(path.name for path in (out / "logs").glob("*.eval")) == logs


def test_the_folder_of_another_run_is_refused(capsys, tmp_path, model_says):
    diagnose(capsys, tmp_path / "run")
    before = (tmp_path / "run" / "rows.jsonl").read_bytes()
    code, _, err = diagnose(capsys, tmp_path / "run", "--seed", 1)
    assert code == 2
    assert "another configuration: cases, seed; choose another folder" in err
    assert (tmp_path / "run" / "rows.jsonl").read_bytes() == before


def test_an_output_path_below_a_file_is_one_line(capsys, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = diagnose(capsys, tmp_path / "file" / "run")
    assert code == 2
    assert "cannot use output folder" in err


def test_a_malformed_dataset_file_is_named_with_its_line(capsys, tmp_path):
    (tmp_path / "crass").mkdir()
    (tmp_path / "crass" / "crass_274_calm_en.jsonl").write_text('{"index": 1, "premise": ')
    code, _, err = run(capsys, "check-gold", "crass", "--data", tmp_path)
    assert code == 2
    assert "crass_274_calm_en.jsonl line 1" in err


def test_a_data_folder_without_the_dataset_is_one_line(capsys, tmp_path):
    code, _, err = run(capsys, "check-gold", "arithmetic", "--data", tmp_path)
    assert code == 2
    assert "no data for dataset 'arithmetic'" in err


def test_an_interrupt_exits_with_130(capsys, monkeypatch, tmp_path):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("counterpoise.counterfactual.diagnose.run_diagnosis", interrupt)
    code, _, err = diagnose(capsys, tmp_path / "run")
    assert code == 130
    assert "the same command again resumes" in err


def test_doctor_json(capsys):
    code, out, _ = run(capsys, "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)}
    assert code == 0
    assert checks["torch"]["verdict"] == "ok"
    assert checks["embedded/smollm2"]["verdict"] in {"ok", "missing"}
    assert all(check["detail"] for check in checks.values())


def commands(group=cli, prefix=""):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_explains_itself_and_is_documented(capsys, command):
    code, out, _ = run(capsys, *command.split(), "--help")
    assert code == 0
    assert "Usage: counterpoise" in out
    documentation = (Path(__file__).parents[1] / "docs" / "commands.md").read_text(encoding="utf-8")
    assert f"counterpoise {command}" in documentation
