"""Completions made elsewhere: matched to cases or reported, never guessed, and scored like those of a run."""

import json
from pathlib import Path

import pytest

from counterpoise.cli import main
from counterpoise.counterfactual.baselines import BASELINES
from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.baselines.rows import baseline_rows
from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.completions import match_lines, read_completions, score_completions
from counterpoise.counterfactual.datasets import Loaded, Reject, load
from counterpoise.counterfactual.match.registry import DEFAULT, open_matcher
from counterpoise.counterfactual.score import row
from counterpoise.errors import DataError, OutputError, UnknownNameError
from counterpoise.lm.protocol import Completion
from counterpoise.records import canonical_json, read_jsonl

CASES = 4


@pytest.fixture
def cases(lamp):
    """Four lamps in places of their own, and one without stage gold."""
    places = ("hall", "yard", "attic", "cellar")
    several = [
        lamp.model_copy(
            update={
                "id": f"lamp-{i}",
                "cluster": f"lamp-{i}",
                "question": f"How would the lamp in the {place} have been if the switch had been down?",
            }
        )
        for i, place in enumerate(places)
    ]
    bare = lamp.model_copy(
        update={
            "id": "bare",
            "cluster": "bare",
            "question": "Is it dark?",
            "gold_kind": "annotated",
            "variables": (),
            "edges": (),
            "intervention": {},
            "exogenous": (),
            "mechanisms": (),
            "execution": None,
        }
    )
    return [*several, bare]


@pytest.fixture
def dataset(cases, tmp_path):
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(case.model_dump_json() + "\n" for case in cases), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    def write(*lines, name="told.jsonl"):
        path = tmp_path / name
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return path

    return write


def matched(cases, path, stage=Stage.ANSWER, rejects=()):
    return match_lines(read_completions(path), Loaded(tuple(cases), tuple(rejects)), stage)


def found(result):
    return {model: {case: line.number for case, line in lines.items()} for model, lines in result.answered.items()}


def reasons(result):
    return {one.line: one.reason for one in result.unmatched}


def test_a_line_is_of_the_case_with_its_id_else_with_its_question(cases, file):
    path = file(
        {"case_id": "lamp-2", "completion": "a"},
        {"question": f"  {cases[0].question}\n", "completion": "b"},
        {"question": f"{cases[1].context}\n\n{cases[1].question}", "completion": "c"},
        {"case_id": "elsewhere-7", "question": cases[3].question, "completion": "d"},
    )
    result = matched(cases, path)
    assert found(result) == {"told": {"lamp-2": 1, "lamp-0": 2, "lamp-1": 3, "lamp-3": 4}}
    assert result.unmatched == ()
    assert result.unanswered == [("told", "bare")]


@pytest.mark.parametrize(
    "question",
    [
        "how would the lamp in the hall have been if the switch had been down?",
        "How would the lamp in the hall have been if the switch had been down",
        "How would the lamp in the hall have been?",
        "Q: How would the lamp in the hall have been if the switch had been down?",
        "",
    ],
)
def test_a_question_that_is_only_like_that_of_a_case_is_of_none(cases, file, question):
    path = file({"case_id": "lamp-1", "completion": "x"}, {"question": question, "completion": "x"})
    result = matched(cases, path)
    assert found(result) == {"told": {"lamp-1": 1}}
    assert reasons(result) == {2: "no case has this question"}


def test_a_question_of_several_cases_is_of_none(cases, file):
    twin = cases[0].model_copy(update={"id": "twin", "context": "Another room. " + cases[0].context})
    path = file(
        {"question": cases[0].question, "completion": "x"},
        {"question": f"{twin.context} {twin.question}", "completion": "x"},
    )
    result = matched([*cases, twin], path)
    assert found(result) == {"told": {"twin": 2}}
    assert reasons(result) == {1: "2 cases have this question, such as lamp-0 and twin"}


def test_ids_that_are_not_of_a_measured_case_say_why(cases, file):
    path = file(
        {"case_id": "lamp-0", "completion": "x"},
        {"case_id": "lamp-00", "completion": "x"},
        {"case_id": "LAMP-0", "completion": "x"},
        {"case_id": "bare", "completion": "x"},
        {"case_id": "odd", "question": cases[1].question, "completion": "x"},
        {"case_id": "lamp-2", "question": cases[1].question, "completion": "x"},
        {"case_id": 7, "completion": "x"},
    )
    result = matched(cases, path, Stage.GRAPH, [Reject("odd", "the graph has a cycle")])
    assert found(result) == {"told": {"lamp-0": 1}}
    assert reasons(result) == {
        2: "no case has the id 'lamp-00'",
        3: "no case has the id 'LAMP-0'",
        4: "case 'bare' has no gold for stage 'graph'",
        5: "case 'odd' is rejected: the graph has a cycle",
        6: "case_id and question name different cases",
        7: "no case has the id '7'",
    }
    assert [case for _, case in result.unanswered] == ["lamp-1", "lamp-2", "lamp-3"]


def test_models_are_measured_on_all_cases_each(cases, file):
    path = file(
        {"case_id": "lamp-0", "completion": "x", "model": "one"},
        {"case_id": "lamp-0", "completion": "y", "model": "two"},
        {"case_id": "lamp-1", "completion": "z", "model": "two"},
    )
    result = matched(cases, path)
    assert found(result) == {"one": {"lamp-0": 1}, "two": {"lamp-0": 2, "lamp-1": 3}}
    assert len(result.unanswered) == 4 + 3


BAD = {
    "not json": (["{"], "not valid JSON (PATH line 1)"),
    "cut off": (
        [{"case_id": "lamp-0", "completion": "x"}, '{"case_id": "lamp-1", "comp'],
        "not valid JSON (PATH line 2)",
    ),
    "a list": (["[1]"], "a list (PATH line 1); expected a JSON object"),
    "no completion": (["", {"case_id": "lamp-0", "answer": "x"}], "no field 'completion' (PATH line 2)"),
    "null": ([{"case_id": "lamp-0", "completion": None}], "no field 'completion' (PATH line 1)"),
    "a number": ([{"case_id": "lamp-0", "completion": 3}], "'completion' is a int (PATH line 1)"),
    "no case": ([{"completion": "x"}], "no field 'case_id' or 'question' (PATH line 1)"),
    "an odd id": ([{"case_id": ["lamp-0"], "completion": "x"}], "'case_id' is a list (PATH line 1)"),
    "an odd model": ([{"case_id": "lamp-0", "completion": "x", "model": "baseline/oracle"}], "called like a baseline"),
    "empty": ([], "no completion in the file (PATH)"),
    "blank": (["", "  "], "no completion in the file (PATH)"),
    "foreign": (
        [{"case_id": "q1", "completion": "x"}, {"case_id": "q2", "completion": "x"}],
        "no completion of 'told' is of a case of the dataset (line 1: no case has the id 'q1'); "
        "expected case ids such as 'lamp-0'",
    ),
    "a foreign model": (
        [{"case_id": "lamp-0", "completion": "x"}, {"case_id": "q", "completion": "x", "model": "m"}],
        "no completion of 'm' is of a case of the dataset (line 2: no case has the id 'q')",
    ),
    "twice": (
        [
            {"case_id": "lamp-0", "completion": "x"},
            {"case_id": "lamp-1", "completion": "x"},
            {"question": "How would the lamp in the hall have been if the switch had been down?", "completion": "x"},
        ],
        "two completions of 'told' for case 'lamp-0': lines 1 and 3",
    ),
}


@pytest.mark.parametrize(("lines", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line_and_exit_code_2(dataset, file, tmp_path, capsys, lines, message):
    path = file(*lines)
    out = tmp_path / "run"
    code = main(["score", str(path), "--dataset", str(dataset), "--stage", "answer", "--out", str(out)])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message.replace("PATH", str(path)) in captured.err
    assert captured.out == ""
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dataset", "crss", "--stage", "answer"], "unknown dataset 'crss'"),
        (["--dataset", "DATASET", "--stage", "anser"], "unknown stage 'anser'; expected one of"),
        (["--dataset", "BARE", "--stage", "graph"], "no case has gold for stage 'graph'; expected one of answer"),
        (
            ["--dataset", "nowhere.jsonl", "--stage", "answer"],
            "cannot read file: No such file or directory (nowhere.jsonl)",
        ),
        (["--dataset", "crass", "--stage", "answer"], "dataset 'crass' needs downloaded data"),
        (["--dataset", "DATASET"], "Missing option '--stage'"),
    ],
)
def test_bad_options_are_one_line(dataset, cases, file, tmp_path, capsys, monkeypatch, options, message):
    monkeypatch.delenv("COUNTERPOISE_DATA", raising=False)
    bare = file(cases[-1].model_dump(mode="json"), name="bare.jsonl")
    path = file({"case_id": "lamp-0", "completion": "x"})
    options = [{"DATASET": str(dataset), "BARE": str(bare)}.get(option, option) for option in options]
    assert main(["score", str(path), *options, "--out", str(tmp_path / "run")]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_rows_are_those_of_a_run(dataset, cases, file, tmp_path):
    texts = ["**Answer:** dark", "lit", "Answer: dark. Answer: lit."]
    path = file(*({"case_id": f"lamp-{i}", "completion": text, "model": "m"} for i, text in enumerate(texts)))
    out = tmp_path / "run"
    score_completions(path, str(dataset), "answer", out)
    rows = read_jsonl(out / "rows.jsonl")
    assert [(one["case_id"], one["status"], one["score"]) for one in rows] == [
        ("lamp-0", "ok", 1.0),
        ("lamp-1", "ok", 0.0),
        ("lamp-2", "parse_failed", 0.0),
        ("lamp-3", "model_failed", 0.0),
        ("bare", "model_failed", 0.0),
    ]
    assert {one["reason"] for one in rows[3:]} == {"no completion in the file"}
    for case, text, one in zip(cases, texts, rows, strict=False):
        same = row(case, Stage.ANSWER, Completion(text=text), run=one["run"], model="m").model_dump(mode="json")
        assert one == json.loads(canonical_json({**same, "prompt_version": "elsewhere"}))
    beside = read_jsonl(out / "baselines.jsonl")
    assert len(beside) == len(BASELINES) * len(cases)
    habits = Habits(cases)
    expected = [
        one.model_dump(mode="json")
        for case in cases
        for one in baseline_rows(case, (Stage.ANSWER,), habits, run=rows[0]["run"], matcher=open_matcher(DEFAULT))
    ]
    assert beside == json.loads(json.dumps(expected))


@pytest.mark.parametrize("stage", ["variables", "graph", "intervention", "abduction", "outcome"])
def test_every_stage_can_be_scored(dataset, cases, file, tmp_path, stage):
    from counterpoise.counterfactual.stages import gold_answer, render

    right = [{"case_id": c.id, "completion": render(Stage(stage), gold_answer(c, Stage(stage)))} for c in cases[:CASES]]
    score_completions(file(*right), str(dataset), stage, tmp_path / "run")
    rows = read_jsonl(tmp_path / "run" / "rows.jsonl")
    # The case without gold for the stage is no row.
    assert [one["score"] for one in rows] == [1.0] * CASES


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_same_command_again_changes_nothing_and_another_is_refused(dataset, file, tmp_path, capsys):
    path = file({"case_id": "lamp-0", "completion": "dark"}, {"case_id": "q", "completion": "dark"})
    arguments = ["score", path, "--dataset", dataset, "--stage", "answer", "--out", tmp_path / "run"]
    code, first, _ = run(capsys, *arguments)
    assert code == 0
    assert "0.20" in first

    def content():
        return {
            name: (tmp_path / "run" / name).read_bytes() for name in ("rows.jsonl", "baselines.jsonl", "manifest.json")
        }

    before = content()
    code, again, _ = run(capsys, *arguments)
    assert (code, again) == (0, first)
    assert content() == before
    file({"case_id": "lamp-0", "completion": "lit"})
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert "another configuration: content" in err
    assert content() == before


def test_a_killed_run_is_finished(dataset, file, tmp_path):
    path = file({"case_id": "lamp-0", "completion": "dark"}, {"case_id": "lamp-2", "completion": "lit"})
    score_completions(path, str(dataset), "answer", tmp_path / "run")
    rows = tmp_path / "run" / "rows.jsonl"
    whole = rows.read_bytes()
    rows.write_bytes(whole[: len(whole) // 2])
    score_completions(path, str(dataset), "answer", tmp_path / "run")
    assert rows.read_bytes() == whole


def test_what_does_not_match_is_counted_and_named(dataset, file, tmp_path, capsys):
    foreign = [{"case_id": f"q{i}", "completion": "x"} for i in range(9)]
    path = file({"case_id": "lamp-0", "completion": "dark"}, *foreign)
    code, out, err = run(
        capsys, "score", path, "--dataset", dataset, "--stage", "answer", "--out", tmp_path / "run", "--json"
    )
    assert code == 0
    printed = json.loads(out)
    assert (printed["unmatched"], printed["unanswered"]) == (9, 4)
    (line,) = printed["stages"]
    assert line["estimate"]["n"] == 5
    assert line["failures"] == {"parse_failed": 0, "model_failed": 4, "unscored": 0}
    assert {one["name"] for one in line["baselines"]} == set(BASELINES)
    assert err.count("unmatched: line") == 5
    assert "unmatched: line 2: no case has the id 'q0'" in err
    assert "unanswered: told: case lamp-1" in err
    assert "lines unmatched: 9; cases unanswered: 4" in err
    assert read_jsonl(tmp_path / "run" / "unmatched.jsonl") == [
        {"line": i + 2, "reason": f"no case has the id 'q{i}'"} for i in range(9)
    ]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (manifest["kind"], manifest["state"]) == ("diagnose", "complete")
    assert (manifest["facts"]["unmatched"], manifest["facts"]["unanswered"]) == (9, 4)
    assert len(manifest["facts"]["first_unmatched"]) == 5
    assert len(manifest["warnings"]) == 2
    code, _, _ = run(capsys, "report", tmp_path / "run", "--out", tmp_path / "page.html")
    assert code == 0
    assert "told" in (tmp_path / "page.html").read_text()


def test_a_file_that_answers_everything_says_nothing_more(dataset, cases, file, tmp_path, capsys):
    path = file(*({"case_id": case.id, "completion": "dark"} for case in cases))
    code, out, err = run(
        capsys, "score", path, "--dataset", dataset, "--stage", "answer", "--out", tmp_path / "run", "--json"
    )
    assert code == 0
    assert (json.loads(out)["unmatched"], json.loads(out)["unanswered"]) == (0, 0)
    assert "unmatched" not in err
    assert (tmp_path / "run" / "unmatched.jsonl").read_bytes() == b""


def test_hostile_text_is_stored_and_shown(dataset, file, tmp_path, capsys):
    path = file(
        '{"case_id": "lamp-0", "completion": "\\ud800 <script>here</script>\\u0000", "model": "m\\udfff"}',
        '{"case_id": "\\ud800", "completion": "x", "model": "m\\udfff"}',
    )
    code, _, err = run(capsys, "score", path, "--dataset", dataset, "--stage", "answer", "--out", tmp_path / "run")
    assert code == 0
    assert "unmatched: line 2" in err
    (told,) = [one for one in read_jsonl(tmp_path / "run" / "rows.jsonl") if one["case_id"] == "lamp-0"]
    assert told["model"] == "m\N{REPLACEMENT CHARACTER}"
    assert "<script>here</script>" in told["completion"]
    assert "<script>here" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_a_registered_dataset_by_its_own_questions(file, tmp_path):
    cases = load("scm-math").cases[:3]
    path = file(*({"question": f"{c.context}\n{c.question}", "completion": c.target} for c in cases))
    result = score_completions(path, "scm-math", "answer", tmp_path / "run")
    assert found(result) == {"told": {case.id: i + 1 for i, case in enumerate(cases)}}
    rows = {one["case_id"]: one for one in read_jsonl(tmp_path / "run" / "rows.jsonl")}
    assert len(rows) == 200
    assert all(rows[case.id]["score"] == 1.0 for case in cases)


def test_the_functions_raise_what_they_say(dataset, file, tmp_path):
    path = file({"case_id": "lamp-0", "completion": "x"})
    with pytest.raises(UnknownNameError, match="unknown stage"):
        score_completions(path, str(dataset), "all", tmp_path / "run")
    with pytest.raises(DataError, match="cannot read file"):
        read_completions(Path("nowhere.jsonl"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").touch()
    with pytest.raises(OutputError, match="not empty"):
        score_completions(path, str(dataset), "answer", tmp_path / "other")
