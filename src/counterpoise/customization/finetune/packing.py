"""The examples of an optimizer step in one row, end to end: whether that is right for a model, and whether it helps.

Rows of different lengths are padded to the longest; packed ones are not, and each still sees itself alone, because
positions begin anew with every example and transformers makes the attention mask from them. That mask is dense
wherever attention has no kernel for rows of many lengths, so very long rows cost more than the padding would.
"""

from collections.abc import Sequence
from typing import Any

from counterpoise.rng import rng_for

__all__ = ["keeps_apart", "saves"]

_TOLERANCE = 1e-3
"""Largest difference of logits, relative to the largest logit; float32 rounds to 1e-5 of it or so."""


def keeps_apart(model: Any) -> bool:
    """Whether the model computes the same for two examples in one packed row as for each alone, tried out on it.

    A model with a recurrent state, or one that ignores positions, does not.
    """
    import torch
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    vocabulary = model.config.get_text_config().vocab_size
    draw = rng_for(0, "packing")
    examples = [[draw.randrange(vocabulary) for _ in range(length)] for length in (9, 7, 8)]
    rows = [{"input_ids": ids, "labels": ids} for ids in examples]
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            packed = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)(rows)
            packed = {name: _on(value, model.device) for name, value in packed.items() if name != "labels"}
            together = model(**packed, use_cache=False).logits[0]
            alone = [
                model(input_ids=torch.tensor([ids], device=model.device), use_cache=False).logits[0] for ids in examples
            ]
    # Some models do not take positions, or not the lengths of packed rows.
    except (TypeError, ValueError, RuntimeError):
        return False
    finally:
        model.train(training)
    expected = torch.cat(alone)
    return bool((together - expected).abs().max() <= _TOLERANCE * expected.abs().max())


def saves(lengths: Sequence[int], batch_size: int, model: Any) -> bool:
    """Whether packing takes fewer operations than padding, for examples of these lengths in steps drawn at random.

    Counted for one layer: two operations per weight and token, and four per token, column of the row and unit of
    width, as of a dense mask. The rest of the model costs the same either way.

    Args:
        lengths: tokens of each example; not empty.
        batch_size: examples in a step of one process.
        model: a transformers causal language model.
    """
    config = model.config.get_text_config()
    width, layers = int(config.hidden_size), int(config.num_hidden_layers)
    embedded = model.get_input_embeddings().weight.numel()
    weights: float = max(1, sum(weight.numel() for weight in model.parameters()) - embedded) / layers

    def operations(row: float, rows: float) -> float:
        return rows * row * (2 * weights + 4 * row * width)

    order = list(lengths)
    rng_for(0, "packing", "steps").shuffle(order)
    steps = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
    padded = sum(operations(max(step), len(step)) for step in steps)
    packed = sum(operations(sum(step), 1) for step in steps)
    return packed < padded


def _on(value: Any, device: Any) -> Any:
    return value.to(device) if hasattr(value, "to") else value
