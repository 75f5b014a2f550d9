import pytest
import torch

from counterpoise.lm.engine import packing
from counterpoise.lm.engine.packing import PackedWeights


@pytest.fixture(autouse=True)
def available():
    if not packing._available(torch.float32):
        pytest.skip("this build of torch cannot rearrange weights")


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.0)])
def test_products_are_the_same(dtype, tolerance):
    if not packing._available(dtype):
        pytest.skip(f"this processor cannot multiply rearranged weights of {dtype}")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(96, 64), torch.nn.Linear(64, 32, bias=False)).to(dtype)
    inputs = torch.randn(5, 3, 96).to(dtype)
    packed = PackedWeights(model)
    with torch.inference_mode():
        plain = model(inputs)
        with packed.used():
            assert "forward" in model[0].__dict__
            fast = model(inputs)
    assert "forward" not in model[0].__dict__
    assert (plain.float() - fast.float()).abs().max() <= tolerance


def by_optimizer(model):
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    model(torch.ones(1, model[0].in_features)).sum().backward()
    optimizer.step()


def by_data(model):
    model[0].weight.data += 1


def by_loading(model):
    model.load_state_dict({name: value + 1 for name, value in model.state_dict().items()}, assign=True)


@pytest.mark.parametrize("change", [by_optimizer, by_data, by_loading])
@pytest.mark.parametrize("width", [8, 9])
def test_a_changed_weight_is_packed_again(change, width):
    model = torch.nn.Sequential(torch.nn.Linear(width, 4))
    packed = PackedWeights(model)
    inputs = torch.randn(2, width)
    with torch.no_grad(), packed.used():
        before = model(inputs)
    change(model)
    with torch.no_grad(), packed.used():
        after = model(inputs)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, model(inputs).detach(), atol=1e-5, rtol=1e-5)


def test_where_the_operators_fail_the_plain_layers_remain(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("the bf16 path needs another processor")

    packing._available.cache_clear()
    monkeypatch.setattr(packing, "_linear", refuse)
    model = torch.nn.Sequential(torch.nn.Linear(8, 8))
    with PackedWeights(model).used():
        assert "forward" not in model[0].__dict__
    packing._available.cache_clear()


def test_the_model_is_given_back_after_an_error():
    model = torch.nn.Sequential(torch.nn.Linear(8, 8))
    with pytest.raises(KeyError), PackedWeights(model).used():
        raise KeyError
    assert "forward" not in model[0].__dict__


def test_large_models_and_other_layers_are_left_alone(monkeypatch):
    class Own(torch.nn.Linear):
        pass

    model = torch.nn.Sequential(Own(8, 8), torch.nn.Linear(8, 8))
    with PackedWeights(model).used():
        assert "forward" not in model[0].__dict__
        assert "forward" in model[1].__dict__
    monkeypatch.setattr(packing, "LARGEST", 10)
    with PackedWeights(model).used():
        assert "forward" not in model[1].__dict__
