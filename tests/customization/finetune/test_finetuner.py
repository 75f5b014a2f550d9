import json
import math

import pytest

from counterpoise.customization.examples import Example
from counterpoise.customization.finetune import Finetuner, FinetuneResult, Recipe, finished
from counterpoise.customization.finetune.chain import load_chain
from counterpoise.errors import DataError, MissingExtraError, RunError, UnsupportedError
from counterpoise.lm.protocol import Request

PAIRS = [Example(f"Say {word}.", f"Well: {word}!", word) for word in ("one", "two", "three", "four", "five", "six")] * 2
LIGHT = Recipe(learning_rate=2e-2, epochs=4, batch_size=4, rank=4, alpha=8)


@pytest.fixture(scope="module")
def finetuner(tiny):
    return Finetuner(str(tiny))


@pytest.fixture(scope="module")
def trained(finetuner, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "one"
    return out, finetuner.train([], PAIRS, LIGHT, seed=3, out=out)


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


def test_the_loss_falls(trained):
    _, result = trained
    assert len(result.losses) == 4 * 3
    assert all(map(math.isfinite, result.losses))
    assert result.loss_last < result.loss_first - 0.1
    assert (result.examples, result.epochs, result.learning_rate) == (12, 4, 2e-2)


def test_only_the_answer_and_its_end_carry_loss(finetuner, trained):
    # The fixture has one token per byte; <|end|> and the line break after it are two more.
    expected = [len(example.completion.encode()) + 2 for example in PAIRS]
    assert finetuner.count_tokens(PAIRS) == expected
    assert trained[1].loss_tokens == sum(expected)


def test_same_seed_same_adapter(finetuner, trained, tmp_path):
    again = finetuner.train([], PAIRS, LIGHT, seed=3, out=tmp_path / "again")
    assert again.losses == trained[1].losses
    first, second = weights(trained[0]), weights(tmp_path / "again")
    assert first.keys() == second.keys()
    assert all(first[name].equal(second[name]) for name in first)
    other = finetuner.train([], PAIRS, LIGHT, seed=4, out=tmp_path / "other")
    assert other.losses != again.losses


def test_the_global_random_state_is_left_alone(finetuner, tmp_path):
    import torch

    before = torch.random.get_rng_state()
    finetuner.train([], PAIRS[:2], Recipe(epochs=1, rank=2), seed=3, out=tmp_path / "x")
    assert torch.random.get_rng_state().equal(before)


def test_nothing_is_printed(finetuner, tmp_path, capfd):
    steps = []
    finetuner.train(
        [],
        PAIRS[:4],
        Recipe(epochs=1, rank=2, batch_size=2),
        seed=3,
        out=tmp_path / "x",
        on_step=lambda *s: steps.append(s),
    )
    assert capfd.readouterr() == ("", "")
    assert steps == [(1, 2), (2, 2)]


def test_a_chain_adds_up(finetuner, trained, tmp_path):
    """Merging step by step in float32 is the base plus the sum of all updates."""
    import torch

    first = trained[0]
    finetuner.train([first], PAIRS[:4], LIGHT, seed=5, out=tmp_path / "second")
    base, _ = load_chain(finetuner._folder, [])
    both, _ = load_chain(finetuner._folder, [first, tmp_path / "second"])
    name = "model.layers.0.self_attn.q_proj.weight"
    expected = base.state_dict()[name].clone()
    for folder in (first, tmp_path / "second"):
        adapter = weights(folder)
        a, b = (adapter[f"base_model.model.{name.removesuffix('.weight')}.lora_{part}.weight"] for part in "AB")
        expected += (LIGHT.alpha / LIGHT.rank) * (b @ a)
    assert both.state_dict()[name].dtype == torch.float32
    torch.testing.assert_close(both.state_dict()[name], expected)


def test_an_opened_checkpoint_generates_and_has_its_own_revision(finetuner, trained):
    request = Request(messages=[{"role": "user", "content": "Say one."}], max_tokens=12)
    base, tuned = finetuner.open([]), finetuner.open([trained[0]])
    assert base.revision != tuned.revision
    assert base.generate([request])[0][0].text != tuned.generate([request])[0][0].text
    pairs = [([{"role": "user", "content": example.prompt}], example.completion) for example in PAIRS[:6]]
    before, after = ([sum(scores.logprobs) for scores in model.logprobs(pairs)] for model in (base, tuned))
    assert all(learned > first for first, learned in zip(before, after, strict=True))


def test_full_fine_tuning_saves_a_whole_model_that_a_chain_starts_from(finetuner, tmp_path):
    recipe = Recipe(method="full", learning_rate=5e-3, epochs=3, batch_size=4)
    result = finetuner.train([], PAIRS, recipe, seed=1, out=tmp_path / "full")
    assert result.loss_last < result.loss_first
    finetuner.train([tmp_path / "full"], PAIRS[:4], Recipe(epochs=1, rank=2), seed=1, out=tmp_path / "adapter")
    chain = [tmp_path / "full", tmp_path / "adapter"]
    assert finetuner.open(chain).revision != finetuner.open(chain[:1]).revision


def test_a_checkpoint_is_complete_or_absent(finetuner, tmp_path, monkeypatch):
    from counterpoise.customization.finetune import step

    def killed(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(step, "train_step", killed)
    with pytest.raises(KeyboardInterrupt):
        finetuner.train([], PAIRS, LIGHT, seed=3, out=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
    assert finished(tmp_path / "x") is None


def test_the_result_is_kept_beside_the_weights(trained):
    out, result = trained
    assert finished(out) == result


def test_a_damaged_result_says_what_to_do(tmp_path):
    (tmp_path / "finetune.json").write_text(json.dumps({"examples": 1}))
    with pytest.raises(DataError, match="delete its folder"):
        finished(tmp_path)


def test_bad_requests(finetuner, tmp_path):
    with pytest.raises(DataError, match="no examples"):
        finetuner.train([], [], LIGHT, seed=0, out=tmp_path / "x")
    with pytest.raises(DataError, match=r"has \d+ tokens .*at most 64"):
        finetuner.train([], [Example("q", "a" * 80)], Recipe(max_length=64), seed=0, out=tmp_path / "x")
    with pytest.raises(DataError, match="cannot load the adapter"):
        finetuner.open([tmp_path])
    with pytest.raises(UnsupportedError, match="'openai/gpt-5' cannot be fine-tuned"):
        Finetuner("openai/gpt-5")


def test_failures_of_training_are_one_line_and_leave_nothing(finetuner, tmp_path, monkeypatch):
    from counterpoise.customization.finetune import step

    def broken(*arguments, **options):
        raise ValueError("the driver is\ngone")

    monkeypatch.setattr(step, "train_step", broken)
    with pytest.raises(RunError, match=r"training failed: the driver is gone \(x\)"):
        finetuner.train([], PAIRS, LIGHT, seed=0, out=tmp_path / "x")
    diverged = FinetuneResult(1, 1, 1, 0.5, (2.0, math.nan), 0.1)
    monkeypatch.setattr(step, "train_step", lambda *_, **__: diverged)
    with pytest.raises(RunError, match=r"not finite .*lower the learning rate"):
        finetuner.train([], PAIRS, LIGHT, seed=0, out=tmp_path / "y")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_named(tiny, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "peft" else object())
    with pytest.raises(MissingExtraError, match=r"'peft'.*counterpoise\[train\]"):
        Finetuner(str(tiny))
