"""Reading prompts: one forward pass over a batch, with what several of them begin with read once."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from counterpoise.errors import UnsupportedError
from counterpoise.lm.engine.prefixes import Prefixes, Tokens

__all__ = ["SHORT", "Prefilled", "Prefiller", "alike"]

Item = TypeVar("Item")

SHORT = 32
"""Tokens of padding per prompt that are cheaper than another pass."""
KEPT_TOKENS = 32_768
"""Tokens of common beginnings that are kept: 750 MB of keys and values for the embedded model in bfloat16."""
LEARNT_AT_ONCE = 8_192
"""Tokens of beginnings, padding included, that are read in one pass."""
MOST_PASSES = 4
"""Passes over beginnings of beginnings before a batch; bounds the work where not all of them can be kept."""


def alike(items: Sequence[Item], sizes: Sequence[int], most: int) -> list[list[Item]]:
    """Batches of items of like size, the largest first: padding the smaller ones costs as much as reading.

    Args:
        items: what is batched.
        sizes: of the items, each at least 1.
        most: bound on the padded size of a batch; one item is always allowed.

    >>> alike("abcd", [100, 10, 90, 9], 200)
    [['a', 'c'], ['b', 'd']]
    """
    batches: list[list[Item]] = []
    largest = 0
    for size, index in sorted(((size, index) for index, size in enumerate(sizes)), key=lambda one: (-one[0], one[1])):
        full = not batches or (len(batches[-1]) + 1) * largest > most
        if full or size < largest * 3 // 4 - SHORT:
            batches.append([])
            largest = size
        batches[-1].append(items[index])
    return batches


@dataclass(frozen=True, slots=True)
class Prefilled:
    """Prompts that the model has read.

    Attributes:
        cache: keys and values, one row per prompt; columns ``[0, beginnings)`` hold the beginnings that were known,
            the others every prompt's rest; both aligned to the right.
        mask: which columns are tokens, shape ``[prompts, columns]``.
        logits: of the token after each prompt, shape ``[prompts, vocabulary]``.
        beginnings: columns of the beginnings.
        known: tokens of each prompt that were known.
        lengths: tokens of each prompt.
    """

    cache: Any
    mask: torch.Tensor
    logits: torch.Tensor
    beginnings: int
    known: tuple[int, ...]
    lengths: tuple[int, ...]

    def pieces(self, row: int) -> list[tuple[int, int]]:
        """The column ranges that hold a prompt's tokens."""
        width, known = self.mask.shape[1], self.known[row]
        return [(self.beginnings - known, self.beginnings), (width - (self.lengths[row] - known), width)]


class Prefiller:
    """Reads batches of prompts with one model, remembering common beginnings.

    Args:
        model: a transformers causal language model.
        pad: a token id that fills the left of shorter prompts; never attended to.
        kept_tokens: bound on the tokens of beginnings that are remembered.

    Raises:
        UnsupportedError: the model keeps more than keys and values (a recurrent state), which rows cannot share.
    """

    def __init__(self, model: Any, pad: int, *, kept_tokens: int = KEPT_TOKENS) -> None:
        self.model = model
        self._pad = pad
        self._prefixes = Prefixes(kept_tokens)
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

    def expect(self, prompts: Sequence[Sequence[int]]) -> None:
        """Take note of prompts that will be read soon, so that what they have in common is read once."""
        for prompt in prompts if self._share else ():
            self._prefixes.expect(prompt)

    def learn(self, prompts: Sequence[Sequence[int]]) -> None:
        """Read and keep what these prompts have in common with each other and with those that were expected."""
        asked = [tuple(prompt) for prompt in prompts]
        self.expect(asked)
        for _ in range(MOST_PASSES if self._share else 0):
            fresh = self._prefixes.worth_reading(asked)
            if not fresh:
                return
            for batch in alike(fresh, [self.unread(beginning) for beginning in fresh], LEARNT_AT_ONCE):
                self._keep(batch)

    def keep(self, prompts: Sequence[Sequence[int]]) -> bool:
        """Read all but the last token of prompts that will be read several times, as far as it is not known.

        Returns:
            Whether this model's beginnings can be kept; if not, nothing was read.
        """
        if not self._share:
            return False
        self.learn(prompts)
        fresh = [tuple(prompt[:-1]) for prompt in prompts if self.unread(prompt) > 1]
        for batch in alike(fresh, [self.unread(beginning) for beginning in fresh], LEARNT_AT_ONCE):
            self._keep(batch)
        return True

    def _keep(self, beginnings: Sequence[Tokens]) -> None:
        read = self._read(beginnings)
        for row, beginning in enumerate(beginnings):
            # The tokens lie in two ranges of columns; kept apart from the batch, so that it can be freed.
            spans = [slice(*piece) for piece in read.pieces(row)]
            kept = [
                (
                    torch.cat([layer.keys[row, :, span] for span in spans], dim=1),
                    torch.cat([layer.values[row, :, span] for span in spans], dim=1),
                )
                for layer in read.cache.layers
            ]
            self._prefixes.keep(beginning, kept)

    def unread(self, prompt: Sequence[int]) -> int:
        """Tokens of a prompt that are still to be read."""
        return len(prompt) - self._prefixes.known(tuple(prompt))[0]

    def read(self, prompts: Sequence[Sequence[int]]) -> Prefilled:
        """Read the prompts, each at least one token long."""
        self.learn(prompts)
        return self._read([tuple(prompt) for prompt in prompts])

    def _read(self, prompts: Sequence[Tokens]) -> Prefilled:
        device = self.model.device
        lengths = tuple(map(len, prompts))
        found = [self._prefixes.known(prompt) for prompt in prompts]
        known = tuple(size for size, _ in found)
        beginnings = max(known)
        width = max(length - size for length, size in zip(lengths, known, strict=True))
        tokens = torch.full((len(prompts), width), self._pad, device=device)
        for row, prompt in enumerate(prompts):
            rest = prompt[known[row] :]
            tokens[row, width - len(rest) :] = torch.tensor(rest, device=device)
        before = torch.tensor(known, device=device).unsqueeze(1)
        rests = torch.tensor(lengths, device=device).unsqueeze(1) - before
        begun = torch.arange(beginnings, device=device) >= beginnings - before
        own = torch.arange(width, device=device) >= width - rests
        mask = torch.cat([begun, own], dim=1).long()
        positions = before + (torch.arange(width, device=device) - (width - rests)).clamp(min=0)
        cache = self._empty()
        for index in range(len(cache.layers)) if beginnings else ():
            some = next(layers for _, layers in found if layers)[index]
            # Zeros, not empty: a masked column still enters the product, and 0 times NaN is NaN.
            filled = [part.new_zeros((len(prompts), part.shape[0], beginnings, part.shape[2])) for part in some]
            for row, (size, layers) in enumerate(found):
                for whole, part in zip(filled, layers[index] if layers else (), strict=False):
                    whole[row, :, beginnings - size :] = part
            cache.update(*filled, index)
        output = self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            **self._last_logit_only,
        )
        return Prefilled(output.past_key_values, mask, output.logits[:, -1], beginnings, known, lengths)

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
        """Free the remembered beginnings."""
        self._prefixes.forget()

    def _empty(self) -> Any:
        """A cache whose layers keep every token; a layer with local attention masks what it must not see."""
        cache = DynamicCache(config=self.model.config)
        for index, layer in enumerate(cache.layers):
            if getattr(layer, "is_sliding", False):
                cache.layers[index] = DynamicLayer()
                # The model looks for its local layers by this mark.
                cache.layers[index].is_sliding = True
        return cache
