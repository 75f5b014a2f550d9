import json

import pytest

from counterpoise.customization.finetune import Finetuner, Recipe
from counterpoise.customization.finetune.chain import load_chain
from counterpoise.errors import DataError, OutputError
from counterpoise.lm.adapters import adapter_chain, skeleton
from counterpoise.lm.local import LocalLM
from counterpoise.lm.names import open_model, open_tokenizer
from counterpoise.lm.protocol import Request

ASK = [Request(messages=[{"role": "user", "content": "Say one."}], max_tokens=12)]


@pytest.fixture(scope="module")
def chain(finetuner, pairs, light, tmp_path_factory):
    """Two adapters, the second trained on top of the first."""
    folder = tmp_path_factory.mktemp("chain")
    finetuner.train([], pairs, light, seed=3, out=folder / "first")
    finetuner.train([folder / "first"], pairs[:5], light, seed=4, out=folder / "second")
    return [folder / "first", folder / "second"]


def said(model):
    return model.generate(ASK)[0][0].text


def same_weights(first, second):
    other = second.state_dict()
    return all(weight.equal(other[name].to(weight.dtype)) for name, weight in first.state_dict().items())


def test_an_adapter_names_what_it_continues_from(chain, tiny):
    names = [json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] for folder in chain]
    assert names == [str(tiny.resolve()), "../first"]
    assert adapter_chain(chain[1]) == (tiny.resolve(), (chain[1] / "../first", chain[1]))
    assert sorted(file.name for file in chain[1].iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "finetune.json",
    ]


def test_a_checkpoint_is_a_model_by_its_folder(chain, finetuner):
    model = open_model(str(chain[1]))
    whole, _ = load_chain(finetuner._folder, chain)
    assert same_weights(whole, model.model)
    assert said(model) == said(finetuner.open(chain)) != said(finetuner.open(chain[:1]))
    assert model.revision != open_model(str(chain[0])).revision
    assert open_tokenizer(str(chain[1])).chat_template


def test_training_goes_on_from_a_checkpoints_folder(chain, finetuner, pairs, tmp_path):
    recipe = Recipe(epochs=1, rank=2)
    one = Finetuner(str(chain[0])).train([], pairs[:5], recipe, seed=4, out=tmp_path / "a")
    two = finetuner.train(chain[:1], pairs[:5], recipe, seed=4, out=tmp_path / "b")
    assert one.losses == two.losses
    assert adapter_chain(tmp_path / "a")[1][0] == chain[0].resolve()
    assert Finetuner(str(chain[0])).revision != finetuner.revision


def test_after_full_fine_tuning_a_chain_begins_there(finetuner, pairs, tmp_path):
    finetuner.train([], pairs, Recipe(method="full", epochs=1), seed=0, out=tmp_path / "full")
    finetuner.train([tmp_path / "full"], pairs, Recipe(epochs=1, rank=2), seed=0, out=tmp_path / "on")
    assert adapter_chain(tmp_path / "on") == (tmp_path / "on" / "../full", (tmp_path / "on",))
    assert said(open_model(str(tmp_path / "on"))) == said(finetuner.open([tmp_path / "full", tmp_path / "on"]))


def test_merged_it_is_a_model_that_transformers_loads(chain, finetuner, tmp_path):
    from transformers import AutoModelForCausalLM

    finetuner.merge(chain, tmp_path / "merged")
    whole, _ = load_chain(finetuner._folder, chain)
    assert same_weights(whole, AutoModelForCausalLM.from_pretrained(tmp_path / "merged"))
    assert not list((tmp_path / "merged").glob("adapter*"))
    assert said(LocalLM.from_folder(tmp_path / "merged")) == said(finetuner.open(chain))
    finetuner.merge(chain, tmp_path / "half", dtype="bfloat16")
    weights = [next((tmp_path / name).glob("*.safetensors")).stat().st_size for name in ("merged", "half")]
    assert weights[1] < 0.6 * weights[0]
    with pytest.raises(OutputError, match="the folder exists already"):
        finetuner.merge(chain, tmp_path / "merged")


def adapter(folder, base):
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    return folder


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("meta-llama/Llama-3.1-8B", "base model 'meta-llama/Llama-3.1-8B' is not here"),
        (None, "the adapter names no base"),
        ([1], r"base model '\[1\]' is not here"),
        ("x" * 5000, "cannot look at the adapter's base"),
    ],
)
def test_a_base_that_is_not_here(base, message, tmp_path):
    with pytest.raises(DataError, match=message):
        adapter_chain(adapter(tmp_path / "a", base))


def test_adapters_in_a_circle_and_damaged_ones(tmp_path):
    adapter(tmp_path / "a", "../b")
    with pytest.raises(DataError, match="name one another"):
        adapter_chain(adapter(tmp_path / "b", "../a"))
    (tmp_path / "a" / "adapter_config.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        adapter_chain(tmp_path / "a")


def test_an_embedded_base_is_found_by_its_name(tmp_path):
    from counterpoise.lm.embedded import smollm2_folder

    folder = adapter(tmp_path / "a", "embedded/smollm2")
    assert adapter_chain(folder) == (smollm2_folder(), (folder,))


def test_a_skeleton_has_all_layers_and_no_weights(tiny, tmp_path):
    import torch

    before = torch.random.get_rng_state()
    model = skeleton(tiny)
    assert {weight.device.type for weight in model.parameters()} == {"meta"}
    assert torch.random.get_rng_state().equal(before)
    with pytest.raises(DataError, match="no model in folder"):
        skeleton(tmp_path)
