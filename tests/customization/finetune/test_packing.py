import pytest

from counterpoise.customization.finetune import Recipe
from counterpoise.customization.finetune.chain import load_chain
from counterpoise.customization.finetune.order import Order
from counterpoise.customization.finetune.packing import keeps_apart, saves
from counterpoise.errors import UnsupportedError


@pytest.fixture(scope="module")
def model(finetuner):
    return load_chain(finetuner._folder, [])[0]


@pytest.fixture(scope="module")
def recurrent():
    import torch
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=64, hidden_size=16, state_size=4, num_hidden_layers=2, use_mambapy=False)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MambaForCausalLM(config)


def test_packing_changes_nothing_but_the_arithmetic(finetuner, pairs, light, tmp_path):
    from safetensors.torch import load_file

    padded, packed = (
        finetuner.train([], pairs, light.model_copy(update={"packing": way}), seed=3, out=tmp_path / str(way))
        for way in (False, True)
    )
    assert (padded.packed, packed.packed) == (False, True)
    assert packed.loss_tokens == padded.loss_tokens
    assert packed.tokens == padded.tokens
    assert packed.losses == pytest.approx(padded.losses, rel=1e-5)
    first, second = (load_file(tmp_path / way / "adapter_model.safetensors") for way in ("False", "True"))
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < 1e-4


def test_attention_keeps_packed_examples_apart(model):
    assert keeps_apart(model)


def test_without_positions_examples_see_each_other(model, monkeypatch):
    """The probe must notice that: it is what a wrong attention would do."""
    forward = type(model).forward

    def leaking(self, input_ids=None, position_ids=None, **options):
        return forward(self, input_ids=input_ids, use_cache=False)

    monkeypatch.setattr(type(model), "forward", leaking)
    assert not keeps_apart(model)


def test_a_recurrent_state_does_not_keep_them_apart(recurrent):
    assert not keeps_apart(recurrent)


def test_packing_is_refused_where_it_would_be_wrong(finetuner, pairs, tmp_path, monkeypatch):
    from counterpoise.customization.finetune import training

    monkeypatch.setattr(training, "keeps_apart", lambda model: False)
    with pytest.raises(UnsupportedError, match="does not keep packed examples apart; leave packing out"):
        finetuner.train([], pairs, Recipe(packing=True), seed=0, out=tmp_path / "x")
    assert not finetuner.train([], pairs, Recipe(epochs=1, rank=1), seed=0, out=tmp_path / "y").packed


def test_it_saves_where_lengths_differ_and_rows_are_short():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(vocab_size=64, hidden_size=576, intermediate_size=1536, num_hidden_layers=2)
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    assert saves([40, 200] * 16, 8, model)
    assert not saves([1000] * 32, 8, model)
    assert not saves([100] * 32, 1, model)


def test_every_epoch_has_each_example_once_in_an_order_of_its_own():
    order = Order(50, 3, seed=1)
    seen = []
    for epoch in range(3):
        order.set_epoch(epoch)
        seen.append(list(order))
        assert sorted(seen[-1]) == list(range(53))
        assert seen[-1][50:] == [50, 51, 52]
    assert seen[0] != seen[1] != seen[2]
    again = Order(50, 3, seed=1)
    assert list(again) == seen[0]
    assert list(Order(50, 3, seed=2)) != seen[0]
    assert len(again) == 53
