import shutil
from types import SimpleNamespace

import pytest

from counterpoise.customization.finetune import Finetuner, Recipe, checkpoint_bytes, preflight
from counterpoise.customization.finetune.checks import check_disk
from counterpoise.errors import OutputError, UnsupportedError


def size(folder):
    return sum(file.stat().st_size for file in folder.iterdir())


def test_nothing_to_say_of_a_model_that_fits(tiny, finetuner):
    assert preflight(str(tiny), Recipe()) == []
    assert finetuner.problems([Recipe(), Recipe.named("full")]) == []


def test_all_problems_at_once(retokenized):
    def strip(tokenizer):
        tokenizer.chat_template = None

    folder = retokenized(strip)
    first = Recipe(targets=("q_proj", "query"), max_length=4096, batch_size=3)
    problems = preflight(str(folder), [first, Recipe(targets=("lm_head",))], processes=2)
    assert [problem.split(";")[0] for problem in problems] == [
        "the tokenizer has no chat template",
        "max_length is 4096, but the model's context window is 512 tokens",
        "batch_size is 3, which 2 processes cannot share equally",
        "targets name 'query', but no layer of the model is called so",
        "targets name lm_head, which the trainer cannot adapt",
    ]
    assert "there are down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj" in problems[3]
    assert str(folder) in problems[0]


def test_no_tokens_to_pad_with(retokenized):
    def strip(tokenizer):
        tokenizer.pad_token = tokenizer.eos_token = None

    (problem,) = preflight(str(retokenized(strip)), Recipe())
    assert "neither a padding nor an end-of-sequence token" in problem


def test_models_that_are_not_here(tmp_path, monkeypatch):
    assert "'openai/gpt-5' cannot be fine-tuned here" in preflight("openai/gpt-5", Recipe())[0]
    (problem, other) = preflight(str(tmp_path), Recipe())
    assert "cannot load the tokenizer" in problem
    assert f"no model in folder {tmp_path}" in other
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trl" else object())
    assert preflight("embedded/smollm2", Recipe()) == [
        "fine-tuning in the lab needs the package 'trl'; install it with: pip install 'counterpoise[train]'"
    ]


def test_training_refuses_what_preflight_names(finetuner, pairs, tmp_path):
    with pytest.raises(UnsupportedError, match=r"targets name 'query'.*\(training x\)"):
        finetuner.train([], pairs, Recipe(targets=("q_proj", "query")), seed=0, out=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("recipe", [Recipe(epochs=1, rank=4), Recipe(epochs=1, method="full")])
def test_the_estimate_holds_the_checkpoint(recipe, finetuner, pairs, tmp_path):
    finetuner.train([], pairs[:4], recipe, seed=0, out=tmp_path / "x")
    needed = finetuner.checkpoint_bytes(recipe)
    spare = 16 * 2**20
    assert size(tmp_path / "x") <= needed
    weights = next((tmp_path / "x").glob("*.safetensors")).stat().st_size
    assert weights == pytest.approx(needed - spare, rel=0.1, abs=20_000)


def test_the_embedded_model_is_counted_without_its_weights():
    # 30 layers: rank times inputs and outputs of q, k, v, o, gate, up and down.
    per_layer = 16 * ((576 + 576) * 2 + (576 + 192) * 2 + (576 + 1536) * 3)
    assert checkpoint_bytes("embedded/smollm2", Recipe()) == 30 * per_layer * 4 + 16 * 2**20
    assert checkpoint_bytes("embedded/smollm2", Recipe.named("full")) == 134_515_008 * 4 + 16 * 2**20


def test_too_little_disk_stops_before_training(finetuner, pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=10_000_000))
    with pytest.raises(OutputError, match=r"not enough disk for a checkpoint: 0\.01 GB free .*expected 0\.02 GB"):
        finetuner.train([], pairs, Recipe(), seed=0, out=tmp_path / "deep" / "x")
    assert list(tmp_path.iterdir()) == []


def test_enough_disk_is_looked_for_where_the_folder_will_be(tmp_path):
    check_disk(tmp_path / "not" / "there" / "yet", 1)


def test_several_processes_of_one_launcher_are_refused(tiny, pairs, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UnsupportedError, match="one of several that a launcher started"):
        Finetuner(str(tiny)).train([], pairs, Recipe(), seed=0, out=tmp_path / "x")
