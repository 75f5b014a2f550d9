"""The loss curve of a tiny model, expected from a training loop that shares nothing with the trainer."""

import pytest

from counterpoise.customization.finetune import Recipe
from counterpoise.customization.finetune.chain import load_chain
from counterpoise.customization.finetune.order import Order

HEAD = "<|start|>system\n{system}<|end|>\n<|start|>user\n{prompt}<|end|>\n<|start|>assistant\n"


def texts(example):
    """Prompt and answer as the template of the fixture writes them, by hand."""
    system = example.system or "Be helpful."
    return HEAD.format(system=system, prompt=example.prompt), f"{example.completion}<|end|>\n"


def plain_loop(model, tokenizer, examples, recipe, seed):
    """AdamW over one example at a time: no batches, no padding, no masks to get wrong."""
    import torch

    steps = recipe.epochs * -(-len(examples) // recipe.batch_size)
    warmup = max(1, steps // 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.0)
    order, losses = Order(len(examples), 0, seed), []
    model.train()
    for epoch in range(recipe.epochs):
        order.set_epoch(epoch)
        places = list(order)
        for at in range(0, len(places), recipe.batch_size):
            total, tokens = 0.0, 0
            for place in places[at : at + recipe.batch_size]:
                head, answer = (
                    tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts(examples[place])
                )
                logits = model(input_ids=torch.tensor([head + answer])).logits[0, len(head) - 1 : -1]
                total = total + torch.nn.functional.cross_entropy(logits, torch.tensor(answer), reduction="sum")
                tokens += len(answer)
            loss = total / tokens
            done = len(losses)
            rate = done / warmup if done < warmup else (steps - done) / (steps - warmup)
            optimizer.param_groups[0]["lr"] = recipe.learning_rate * rate
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
    return losses


@pytest.mark.parametrize("packing", [False, True])
def test_the_loss_curve_is_that_of_a_plain_loop(packing, finetuner, pairs, tmp_path):
    recipe = Recipe(method="full", learning_rate=5e-3, epochs=3, batch_size=5, packing=packing)
    result = finetuner.train([], pairs, recipe, seed=11, out=tmp_path / "full")
    model, tokenizer = load_chain(finetuner._folder, [])
    expected = plain_loop(model, tokenizer, pairs, recipe, 11)
    assert result.losses == pytest.approx(expected, rel=1e-4)
    assert len(expected) == 9
    assert expected[-1] < expected[0] - 0.5
    trained, _ = load_chain(finetuner._folder, [tmp_path / "full"])
    for name, weight in model.state_dict().items():
        assert (trained.state_dict()[name] - weight).abs().max() < 1e-4, name
