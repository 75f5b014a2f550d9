"""The commands about seed sets as a user meets them."""

import json

import pytest

from counterpoise.cli import main
from counterpoise.curation.seeds import builtin_seeds, load_seeds
from counterpoise.curation.seeds.build import BuildConfig
from counterpoise.curation.seeds.compare import find_seed
from counterpoise.lm.fake import FakeLM


@pytest.fixture(autouse=True)
def cheap_models(monkeypatch, embedder, reviser):
    from counterpoise.lm import embedding, names

    monkeypatch.setattr(embedding, "open_embedder", lambda name: embedder)
    monkeypatch.setattr(names, "open_model", lambda name: reviser)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main(["seeds", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.jsonl"
    entries = [
        {"keyword": "Fire exit", "category": "home"},
        {"keyword": "<b>bold</b> [red]", "category": "odd", "gloss": "Not markup."},
    ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def test_list(run, mine):
    code, out, _ = run("list", "--json")
    assert code == 0
    assert [entry["keyword"] for entry in json.loads(out)] == [seed.keyword for seed in builtin_seeds()]
    code, out, _ = run("list", "--category", "privacy")
    assert code == 0
    assert "30 keywords in 1 categories" in out
    assert "webcam cover" in out
    code, out, _ = run("list", mine)
    assert code == 0
    assert "<b>bold</b> [red]" in out


def test_show(run, mine):
    code, out, _ = run("show", "FIRE  exit", "--json")
    shown = json.loads(out)
    assert code == 0
    assert (shown["keyword"], shown["category"]) == ("fire exit", "physical-safety")
    assert "provenance" not in shown
    assert len(shown["nearest"]) == 5
    code, out, _ = run("show", "fire exit", "--seeds", mine, "--n", "0")
    assert code == 0
    assert "Fire exit" in out
    assert "home" in out


def test_show_tells_where_an_extracted_keyword_comes_from(run, tmp_path):
    documents = [f"doc{number}.md" for number in range(12)]
    entry = {
        "keyword": "gas leak",
        "category": "home",
        "provenance": {"documents": documents, "count": 40, "relevance": 0.4, "variants": ["leaking gas"]},
    }
    (tmp_path / "one.jsonl").write_text(json.dumps(entry))
    code, out, _ = run("show", "gas leak", "--seeds", "one.jsonl")
    assert code == 0
    assert "doc9.md and 2 more" in " ".join(out.split())
    assert "leaking gas" in out
    assert "gloss" not in out.replace("gloss source", "")


def test_diff(run, mine):
    code, out, _ = run("diff", "builtin", mine, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["kept"] == 1
    assert [seed["keyword"] for seed in found["added"]] == ["<b>bold</b> [red]"]
    assert len(found["removed"]) == len(builtin_seeds()) - 1
    code, out, _ = run("diff", mine, mine)
    assert code == 0
    assert out == "2 kept, 0 added, 0 removed, 0 field(s) changed, 0 near-duplicate(s)\n"
    code, out, _ = run("diff", "builtin", mine)
    assert "category: 'physical-safety' became 'home'" in out


def test_build(run, shelf, tmp_path):
    (shelf / "empty.txt").write_text("")
    arguments = ("build", shelf, "--base", "none", "--out", "built.jsonl", "--min-relevance", "-2")
    code, out, err = run(*arguments)
    assert code == 0
    assert "not used: document has no text (empty.txt)\n" in err
    built = load_seeds(tmp_path / "built.jsonl")
    assert {"gas leak", "smoke inhalation"} <= {seed.keyword for seed in built}
    assert f"wrote {len(built)} keywords in built.jsonl" in out
    assert "documents used" in out
    assert "2 of 3" in out
    assert "dropped: rare" in out

    code, out, _ = run(*arguments, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["out"], found["changed"], found["base"]) == ("built.jsonl", False, 0)
    assert [seed["keyword"] for seed in found["added"]] == [seed.keyword for seed in built]

    code, _, err = run(*arguments, "--max", "1")
    assert code == 2
    assert "built.jsonl exists and holds something else" in err
    assert load_seeds(tmp_path / "built.jsonl") == built


def test_build_adds_to_the_base_set(run, shelf, tmp_path, mine):
    code, _, _ = run("build", shelf, "--base", mine, "--out", "built.jsonl", "--min-relevance", "-2", "--max", "1")
    assert code == 0
    built = load_seeds(tmp_path / "built.jsonl")
    assert built[:2] == load_seeds(mine)
    assert len(built) == 3


def test_build_with_a_model_for_the_glosses(run, shelf, tmp_path, monkeypatch):
    from counterpoise.lm import names

    lm = FakeLM({"birdhouse": "A birdhouse is a small wooden box for birds."}, name="fake/writer", revision="3")
    monkeypatch.setattr(names, "open_model", {"fake/writer": lm}.__getitem__)
    (shelf / "birds.txt").write_text("A birdhouse is old. The birdhouse is new.")
    code, _, _ = run(
        *("build", shelf, "--base", "none", "--out", "built.jsonl", "--min-relevance", "-2"),
        *("--gloss-model", "fake/writer"),
    )
    assert code == 0
    birds = find_seed(load_seeds(tmp_path / "built.jsonl"), "birdhouse")
    assert birds.gloss == "A birdhouse is a small wooden box for birds."
    assert birds.provenance.gloss_source == "fake/writer@3"


def test_many_unusable_documents_do_not_fill_the_screen(run, shelf):
    for number in range(15):
        (shelf / f"empty{number}.txt").write_text("")
    code, out, err = run("build", shelf, "--out", "built.jsonl", "--min-relevance", "-2", "--json")
    assert code == 0
    assert err.count("not used: document has no text") == 10
    assert "not used: 5 more documents\n" in err
    assert sum(one["problem"] is not None for one in json.loads(out)["documents"]) == 15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("list", "nowhere.jsonl"), "cannot read file: No such file or directory (nowhere.jsonl)"),
        (("list", "--category", "privcy"), "unknown category 'privcy'; expected one of child-protection, "),
        (("show", "informd consent"), "no keyword 'informd consent' among 540; did you mean 'informed consent'"),
        (("show", "consent", "--seeds", "nowhere.jsonl"), "nowhere.jsonl"),
        (("diff", "builtin"), "Missing argument 'NEW'"),
        (("build", "--out", "x.jsonl"), "Missing argument 'DOCUMENTS...'"),
        (("build", "nowhere.pdf", "--out", "x.jsonl"), "no such file or folder (nowhere.pdf)"),
        (("build", ".", "--out", "."), ". is a folder; expected a file to write"),
        (("build", ".", "--out", "no/x.jsonl"), "no folder no; create it first"),
        (("build", ".", "--out", "x.jsonl"), "no documents (.); expected files ending in"),
        (("build", ".", "--out", "x.jsonl", "--min-relevance", "9"), "min_relevance is 9.0; expected a number in"),
        (("build", ".", "--out", "x.jsonl", "--max", "0"), "max_new is 0; expected at least 1"),
        (("build", ".", "--out", "x.jsonl", "--base", "nowhere.jsonl"), "cannot read file"),
    ],
)
def test_bad_usage_is_one_line(run, tmp_path, arguments, message):
    code, out, err = run(*arguments)
    assert code == 2
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_the_defaults_are_those_of_the_library(run):
    code, out, _ = run("build", "--help")
    assert code == 0
    text = " ".join(out.split())
    for name in ("min_relevance", "min_count", "per_document"):
        option = text.split(f"--{name.replace('_', '-')} ", 1)[1]
        assert f"[default: {getattr(BuildConfig(), name)}]" in option.split("--", 1)[0]
