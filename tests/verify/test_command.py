"""The command ``counterpoise verify``."""

import json

import pytest

from counterpoise.cli import main
from counterpoise.records import read_manifest

# Inspect AI passes its retry library an old name.
pytestmark = pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning")

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
FEW = ["--judge", "keyword", "--limit", "4", "--max-tokens", "4", "--no-reasoning"]


@pytest.fixture(scope="module")
def folder(tiny_llama):
    return tiny_llama(TEMPLATE, merges=True)


@pytest.fixture(autouse=True)
def _without_data(monkeypatch):
    monkeypatch.delenv("COUNTERPOISE_DATA", raising=False)


def call(capsys, *arguments):
    code = main(["verify", *map(str, arguments)])
    return code, capsys.readouterr()


def test_a_model_folder_alone_and_against_its_own_run(folder, tmp_path, capsys):
    code, shown = call(capsys, "--model", folder, "--out", tmp_path / "a", *FEW)
    assert code == 0, shown.err
    for text in ("safety_rate", "over_refusal_rate", "accuracy", "log_perplexity_gap", "keyword-1", "0.70"):
        assert text in shown.out
    assert "change against" not in shown.out
    assert (tmp_path / "a" / "report.html").stat().st_size > 10_000
    code, shown = call(capsys, "--model", folder, "--out", tmp_path / "b", *FEW, "--before", tmp_path / "a", "--json")
    assert code == 0, shown.err
    found = json.loads(shown.out)
    assert {entry["value"] for entry in found["changes"]} == {0.0}
    assert {entry["gate"] for entry in found["gates"]} == {"utility", "over_refusal"}
    assert found == read_manifest(tmp_path / "b").facts["summary"]
    code, shown = call(capsys, "--model", folder, "--out", tmp_path / "b", *FEW, "--before", tmp_path / "a")
    assert code == 0
    for text in ("change against", "gates", "unclear", "note: the two runs are of the same weights"):
        assert text in shown.out


def test_the_slice_runs_on_a_model_folder(folder, tmp_path, capsys):
    arguments = ["--judge", "keyword", "--set", "builtin-disallowed", "--limit", "2", "--max-tokens", "2"]
    code, shown = call(capsys, "--model", folder, "--out", tmp_path / "a", *arguments, "--reasoning-limit", "1")
    assert code == 0, shown.err
    assert "reasoning by stage" in shown.out
    assert read_manifest(tmp_path / "a" / "reasoning").state == "complete"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "./nothing"], "no model folder at './nothing'"),
        (["--model", "embedded/smol"], "unknown embedded model 'embedded/smol'"),
        (["--set", "advbnch"], "unknown set 'advbnch'"),
        (["--judge", "keywrd"], "unknown judge 'keywrd'"),
        (["--set", "advbench"], "needs the data folder"),
        (["--before", "./nothing"], "no model folder at './nothing'"),
        (["--data", "./nothing"], "no data folder at nothing"),
        (["--max-tokens", "0"], "max-tokens is 0"),
    ],
)
def test_bad_input_is_one_line(folder, tmp_path, capsys, arguments, message):
    defaults = [] if "--model" in arguments else ["--model", folder]
    judge = [] if "--judge" in arguments else ["--judge", "keyword"]
    code, shown = call(capsys, *defaults, *judge, "--out", tmp_path / "a", *arguments)
    assert (code, shown.out) == (2, "")
    assert message in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert not (tmp_path / "a").exists()


def test_a_model_without_a_chat_template_is_one_line(tiny_llama, tmp_path, capsys):
    folder = tiny_llama(None, merges=True)
    capsys.readouterr()
    code, shown = call(capsys, "--model", folder, "--out", tmp_path / "a", *FEW)
    assert code == 2
    assert "has no chat template" in shown.err
    assert len(shown.err.strip().splitlines()) == 1


def test_an_adapter_whose_base_is_missing_is_one_line(tmp_path, capsys):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "/no/such/base"}', encoding="utf-8")
    code, shown = call(capsys, "--model", adapter, "--out", tmp_path / "a", *FEW)
    assert code == 2
    assert "/no/such/base" in shown.err
    assert len(shown.err.strip().splitlines()) == 1
