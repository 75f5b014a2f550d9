import json
from pathlib import Path

import pytest

from counterpoise.cli import main
from counterpoise.curation.export import FILES, export_run
from counterpoise.curation.export import run as run_module
from counterpoise.customization.examples import read_curated, read_uncurated
from counterpoise.errors import DataError, MissingExtraError, OutputError, UnknownNameError, UsageError


@pytest.fixture
def folder(run, row) -> Path:
    return run([row("a"), row("b", revised_question="Why b, safely?"), row("c"), row("d", revised=None)])


@pytest.fixture
def decisions(tmp_path: Path):
    def write(found: dict[str, str], run: str = "curate-1") -> Path:
        path = tmp_path / "decisions.json"
        path.write_text(json.dumps({"format": "counterpoise-decisions/1", "run": run, "decisions": found}))
        return path

    return write


def sources(out: Path) -> list[str]:
    return [example.source for example in read_curated(out / "curated.jsonl")]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_forms_that_are_asked_for_and_no_other(folder, tmp_path) -> None:
    done = export_run(folder, tmp_path / "out", ["sharegpt", "alpaca"])
    assert done.files == ("README.md", "curated.alpaca.jsonl", "curated.sharegpt.jsonl")
    assert (done.run, done.texts, done.exported, done.changed) == ("curate-1", 4, 3, True)
    assert done.left_out == {"no candidate passed": 1}
    assert done.decided == {}
    assert sorted(left(tmp_path / "out")) == list(done.files)


def test_all_forms_with_their_uncurated_twins(folder, tmp_path) -> None:
    done = export_run(folder, tmp_path / "out", list(FILES), originals=True)
    assert {*FILES.values(), *(f"un{name}" for name in FILES.values()), "snippets/trl_sft.py"} < set(done.files)


def test_an_export_with_originals_serves_the_lab_by_itself(folder, tmp_path) -> None:
    out = tmp_path / "out"
    export_run(folder, out, originals=True)
    texts = read_curated(out / "curated.jsonl")
    assert [text.prompt for text in texts] == ["Why a?", "Why b, safely?", "Why c?"]
    originals = read_uncurated(out / "curated.jsonl")
    assert [(text.prompt, text.completion) for text in originals] == [(f"Why {name}?", "So.") for name in "abc"]
    assert read_curated(out / "uncurated.jsonl") == originals


@pytest.mark.parametrize(
    ("only", "expected", "says"),
    [
        (None, ["b", "c"], "all that was not rejected"),
        ("not-rejected", ["b", "c"], "all that was not rejected"),
        ("accepted", ["b"], "only what was accepted"),
    ],
)
def test_decisions_choose(folder, tmp_path, decisions, only, expected, says) -> None:
    out = tmp_path / "out"
    path = decisions({"a": "reject", "b": "accept", "d": "accept"})
    done = export_run(folder, out, decisions=path, only=only)
    assert sources(out) == expected
    assert done.decided == {"accept": 1, "reject": 1, "undecided": 1}
    assert done.left_out["rejected in the review"] == 1
    assert done.exported == len(expected) == done.texts - sum(done.left_out.values())
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "1 accepted, 1 rejected, 1 undecided" in card
    assert says in card


def test_decisions_about_other_texts_are_refused(folder, tmp_path, decisions) -> None:
    with pytest.raises(DataError, match=r"2 decision\(s\) about texts .* 'x' for one"):
        export_run(folder, tmp_path / "out", decisions=decisions({"a": "accept", "y": "accept", "x": "reject"}))
    with pytest.raises(DataError, match=r"'curate-2'.*expected the run curate-1"):
        export_run(folder, tmp_path / "out", decisions=decisions({"a": "accept"}, run="curate-2"))
    assert left(tmp_path) == ["decisions.json", "run"]


def test_the_same_export_again_changes_nothing(folder, tmp_path) -> None:
    out = tmp_path / "out"
    first = export_run(folder, out, list(FILES))
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again = export_run(folder, out, list(FILES))
    assert (first.changed, again.changed) == (True, False)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times
    assert left(tmp_path) == ["out", "run"]


def test_a_folder_with_something_else_is_never_touched(folder, tmp_path) -> None:
    out = tmp_path / "out"
    export_run(folder, out)
    (out / "curated.jsonl").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="holds something else"):
        export_run(folder, out)
    assert (out / "curated.jsonl").read_text(encoding="utf-8") == "mine"
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot use output folder"):
        export_run(folder, tmp_path / "file")
    with pytest.raises(OutputError, match="holds something else"):
        export_run(folder, folder)
    assert left(tmp_path) == ["file", "out", "run"]


def test_an_empty_folder_is_used(folder, tmp_path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert export_run(folder, out).changed
    assert sources(out) == ["a", "b", "c"]


def test_an_export_is_whole_or_absent(folder, tmp_path, monkeypatch) -> None:
    def killed(*arguments, **options):
        write_set(*arguments, **options)
        raise KeyboardInterrupt

    write_set = run_module.write_set
    monkeypatch.setattr(run_module, "write_set", killed)
    with pytest.raises(KeyboardInterrupt):
        export_run(folder, tmp_path / "out")
    assert left(tmp_path) == ["run"]


def test_bad_requests(folder, tmp_path, run, row, monkeypatch) -> None:
    out = tmp_path / "out"
    with pytest.raises(UnknownNameError, match=r"unknown form 'aplaca'.*did you mean 'alpaca'"):
        export_run(folder, out, ["aplaca"])
    with pytest.raises(UsageError, match="no form"):
        export_run(folder, out, [])
    with pytest.raises(UsageError, match="none are given; pass --decisions"):
        export_run(folder, out, only="accepted")
    with pytest.raises(DataError, match="no run in folder"):
        export_run(tmp_path, out)
    with pytest.raises(DataError, match="is a lab run"):
        export_run(run([], kind="lab"), out)
    with pytest.raises(DataError, match="is not finished; repeat its command"):
        export_run(run([row()], state="running"), out)
    assert left(tmp_path) == ["run"]


def test_parquet_without_pyarrow_says_what_to_install(folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("counterpoise.curation.export.parquet.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"'pyarrow'.*counterpoise\[curate\]"):
        export_run(folder, tmp_path / "out", ["parquet"])
    assert export_run(folder, tmp_path / "out").exported == 3


def test_the_command(folder, tmp_path, decisions, capsys) -> None:
    out = tmp_path / "out"
    arguments = ["export", str(folder), "--out", str(out), "--decisions", str(decisions({"a": "reject"}))]
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"2 of 4 texts written to {out}",
        "review: 1 reject, 2 undecided",
        "left out: 1 no candidate passed, 1 rejected in the review",
        "files: README.md, curated.jsonl, curated.prompt_completion.jsonl, snippets/README.md, snippets/axolotl.yaml, "
        "snippets/llamafactory/dataset_info.json, snippets/llamafactory/sft.yaml, snippets/trl_sft.py",
    ]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"out", "run", "texts", "exported", "left_out", "decided", "files", "changed"}
    assert found["changed"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--form", "cvs"], "unknown form 'cvs'"),
        (["--form", ","], "an empty list of names"),
        (["--only", "accepted"], "pass --decisions"),
        (["--decisions", "none.json"], "none.json"),
    ],
)
def test_a_bad_command_is_one_line(folder, tmp_path, capsys, arguments, message) -> None:
    assert main(["export", str(folder), "--out", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
