"""The command ``curate`` as a user meets it, with models that cost nothing."""

import json
from pathlib import Path

import pytest

from counterpoise.cli import main
from counterpoise.records import read_jsonl, read_manifest

SMALL = ("--rounds", "1", "--beam", "1", "--temperatures", "0.2,0.8", "--top-ps", "0.9", "--min-helpfulness", "0.5")


@pytest.fixture(autouse=True)
def cheap_models(monkeypatch, reviser, embedder):
    from counterpoise.lm import embedding, names

    opened: list[str] = []

    def open_model(name: str):
        opened.append(name)
        return reviser

    monkeypatch.setattr(names, "open_model", open_model)
    monkeypatch.setattr(embedding, "open_embedder", lambda name: embedder)
    monkeypatch.setattr(names, "runs_here", lambda name: True)
    return opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    lines = [
        {"query": "What is ice good for?", "reply": "People use ice to keep food cool on warm days."},
        {"query": "What is wool good for?", "reply": "People use wool to keep warm on cold days."},
        {"query": "What is wool good for?", "reply": "people use wool  to keep warm on cold days."},
    ]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_fields_are_named_and_what_is_left_out_is_said(capsys, tmp_path, source) -> None:
    out = tmp_path / "run"
    fields = ("--field", "question=query", "--field", "answer=reply")
    code, shown, said = run(capsys, "curate", source, "--model", "m", *fields, *SMALL, "--out", out)
    assert code == 0
    assert "3 texts, 2 usable" in said
    assert "1 repeated" in said
    assert "report.html" in shown
    assert [row["status"] for row in read_jsonl(out / "rows.jsonl")] == ["ok", "ok", "unscored"]
    config = read_manifest(out).config
    assert (config["rounds"], config["temperatures"], config["top_ps"]) == (1, [0.2, 0.8], [0.9])


def test_settings_come_from_a_file_and_options_go_first(capsys, tmp_path, source) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("rounds: 3\nbeam: 1\ntemperatures: [0.2]\ntop_ps: [0.9]\ngates: {keywords: 0}\n")
    out = tmp_path / "run"
    fields = ("--field", "question=query", "--field", "answer=reply")
    code, _, _ = run(
        capsys, "curate", source, "--model", "m", *fields, "--config", settings, "--rounds", "2", "--out", out
    )
    assert code == 0
    config = read_manifest(out).config
    assert (config["rounds"], config["beam"], config["gates"]["keywords"]) == (2, 1, 0)


def test_a_dry_run_writes_nothing(capsys, tmp_path, source) -> None:
    fields = ("--field", "question=query", "--field", "answer=reply")
    before = sorted(tmp_path.iterdir())
    code, shown, _ = run(
        capsys, "curate", source, "--model", "m", *fields, *SMALL, "--dry-run", "--price", "1,4", "--json"
    )
    assert code == 0
    found = json.loads(shown)
    assert (found["texts"], found["usable"], found["candidates"]) == (3, 2, 4)
    assert found["cost"] > 0
    code, shown, _ = run(capsys, "curate", source, "--model", "m", *fields, *SMALL, "--dry-run")
    assert "texts: 2 of 3 usable" in shown
    assert sorted(tmp_path.iterdir()) == before


def test_seeds_target_and_judge_are_chosen(capsys, tmp_path, source, cheap_models) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"keyword": "fire exit", "category": "test"}\n{"keyword": "privacy", "category": "test"}\n')
    out = tmp_path / "run"
    fields = ("--field", "question=query", "--field", "answer=reply")
    more = ("--target", "t", "--judge", "j", "--seeds", seeds, "--cache", tmp_path / "cache", "--limit", "1")
    code, _, _ = run(capsys, "curate", source, "--model", "m", *fields, *SMALL, *more, "--out", out)
    assert code == 0
    assert cheap_models == ["m", "t", "j"]
    (row,) = read_jsonl(out / "rows.jsonl")
    # A reviser that writes prose is no judge, and that is what the row says.
    assert "judge_failed" in row["reason"]
    made = [one for record in read_jsonl(out / "candidates.jsonl") for one in record["candidates"]]
    assert {keyword for one in made for keyword in one["keywords"]} == {"fire exit", "privacy"}
    assert any((tmp_path / "cache").rglob("*.gz"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no run folder; pass it with --out"),
        (("--out", "x", "--temperatures", "warm"), "--temperatures is 'warm'; expected numbers"),
        (("--out", "x", "--temperatures", "0.2,3", "--beam", "0"), "beam: Input should be greater than or equal to 1"),
        (("--out", "x", "--config", "nowhere.yaml"), "cannot read file"),
        (("--out", "x", "--config", "list.yaml"), "a list (list.yaml); expected settings by name"),
        (("--out", "x", "--config", "bad.yaml"), "not valid YAML"),
        (("--out", "x", "--config", "typo.yaml"), "the settings are not valid: beems"),
        (("--out", "x", "--price", "free"), "--price is 'free'; expected two numbers"),
        (("--out", "x", "--field", "question=qury"), "did you mean 'query'?"),
        (("--out", "x", "--field", "query"), "--field"),
        (("--out", "x", "--shape", "round"), "round"),
        (("--out", "x", "--seeds", "nowhere.jsonl"), "cannot read file"),
    ],
)
def test_mistakes_are_one_line(capsys, tmp_path, source, monkeypatch, arguments, message) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.yaml").write_text("- a\n")
    Path("bad.yaml").write_text("a: [\n")
    Path("typo.yaml").write_text("beems: 2\n")
    before = sorted(tmp_path.iterdir())
    code, out, err = run(capsys, "curate", "in.jsonl", "--model", "m", *arguments)
    assert code == 2
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert out == ""
    assert sorted(tmp_path.iterdir()) == before
