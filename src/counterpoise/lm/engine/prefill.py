"""Reading prompts: one forward pass over a batch, with what all of them begin with read once."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from counterpoise.errors import UnsupportedError

__all__ = ["Prefilled", "Prefiller", "common_prefix"]

SHORTEST_SHARED = 16
"""Shared beginnings below this are not worth a forward pass of their own."""


def common_prefix(sequences: Sequence[Sequence[int]]) -> int:
    """How many leading tokens all sequences have in common; 0 for none.

    >>> common_prefix([[1, 2, 3], [1, 2, 4, 5]])
    2
    """
    if not sequences:
        return 0
    low, high = min(map(list, sequences)), max(map(list, sequences))
    # The smallest and the largest in dictionary order differ earliest.
    for index, (left, right) in enumerate(zip(low, high, strict=False)):
        if left != right:
            return index
    return min(len(low), len(high))


@dataclass(frozen=True, slots=True)
class Prefilled:
    """Prompts that the model has read.

    Attributes:
        cache: keys and values, one row per prompt; columns ``[0, shared)`` hold the common beginning, then every
            prompt's rest, aligned to the right.
        mask: which columns are tokens, shape ``[prompts, columns]``.
        logits: of the token after each prompt, shape ``[prompts, vocabulary]``.
        shared: length of the common beginning.
        lengths: tokens of each prompt.
    """

    cache: Any
    mask: torch.Tensor
    logits: torch.Tensor
    shared: int
    lengths: tuple[int, ...]

    def pieces(self, row: int) -> list[tuple[int, int]]:
        """The column ranges that hold a prompt's tokens."""
        width = self.mask.shape[1]
        return [(0, self.shared), (width - (self.lengths[row] - self.shared), width)]


class Prefiller:
    """Reads batches of prompts with one model, remembering the last common beginning.

    Args:
        model: a transformers causal language model.
        pad: a token id that fills the left of shorter prompts; never attended to.

    Raises:
        UnsupportedError: the model keeps more than keys and values (a recurrent state), which rows cannot share.
    """

    def __init__(self, model: Any, pad: int) -> None:
        self.model = model
        self._pad = pad
        self._last: tuple[tuple[int, ...], list[tuple[torch.Tensor, torch.Tensor]]] | None = None
        self._last_logit_only = (
            {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}
        )
        layers = DynamicCache(config=model.config).layers
        if not all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
            raise UnsupportedError(
                f"the local engine cannot run models of type {model.config.model_type!r}, which keep a recurrent state",
                fix="use Inspect's hf/ or vllm/ provider for it",
            )
        # Local attention counts columns, and a row whose beginning is stored apart has a gap between its columns.
        self._share = not any(getattr(layer, "is_sliding", False) for layer in layers)

    def read(self, prompts: Sequence[Sequence[int]]) -> Prefilled:
        """Read the prompts, each at least one token long."""
        lengths = tuple(len(prompt) for prompt in prompts)
        # At least the last token of every prompt stays apart: its logits are wanted.
        shared = min(common_prefix(prompts), min(lengths) - 1) if self._share and len(prompts) > 1 else 0
        if shared < SHORTEST_SHARED:
            shared = 0
        device = self.model.device
        width = max(lengths) - shared
        tokens = torch.full((len(prompts), width), self._pad, device=device)
        for row, prompt in enumerate(prompts):
            rest = prompt[shared:]
            tokens[row, width - len(rest) :] = torch.tensor(rest, device=device)
        rests = torch.tensor(lengths, device=device).unsqueeze(1) - shared
        own = torch.arange(width, device=device) >= width - rests
        mask = torch.cat([own.new_ones((len(prompts), shared)), own], dim=1).long()
        positions = shared + (torch.arange(width, device=device) - (width - rests)).clamp(min=0)
        cache = self._beginning(prompts[0][:shared], len(prompts))
        output = self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            **self._last_logit_only,
        )
        return Prefilled(output.past_key_values, mask, output.logits[:, -1], shared, lengths)

    def step(self, tokens: Sequence[int], cache: Any) -> torch.Tensor:
        """One more token for every row of a :class:`~counterpoise.lm.engine.slots.SlotCache`.

        Returns:
            Logits of the token after it, shape ``[rows, vocabulary]``.
        """
        device = self.model.device
        cache.prepare()
        output = self.model(
            input_ids=torch.tensor(tokens, device=device).unsqueeze(1),
            attention_mask=cache.attention_mask(device),
            position_ids=torch.tensor(cache.lengths, device=device).unsqueeze(1),
            past_key_values=cache,
            use_cache=True,
        )
        cache.advance()
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    def forget(self) -> None:
        """Free the remembered beginning."""
        self._last = None

    def _empty(self) -> Any:
        """A cache whose layers keep every token; a layer with local attention masks what it must not see."""
        cache = DynamicCache(config=self.model.config)
        for index, layer in enumerate(cache.layers):
            if getattr(layer, "is_sliding", False):
                cache.layers[index] = DynamicLayer()
                # The model looks for its local layers by this mark.
                cache.layers[index].is_sliding = True
        return cache

    def _beginning(self, tokens: Sequence[int], rows: int) -> Any:
        """A cache in which every row has read the tokens."""
        cache = self._empty()
        if not tokens:
            return cache
        key = tuple(tokens)
        if self._last is None or self._last[0] != key:
            ids = torch.tensor([key], device=self.model.device)
            read = self.model(
                input_ids=ids,
                past_key_values=self._empty(),
                use_cache=True,
                **self._last_logit_only,
            ).past_key_values
            self._last = key, [(layer.keys, layer.values) for layer in read.layers]
        for index, (keys, values) in enumerate(self._last[1]):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), index)
        return cache
