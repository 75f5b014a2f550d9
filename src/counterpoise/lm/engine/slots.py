"""A key-value cache of rows that come and go: the memory of a batch that never has to stop.

A finished row's place is taken by the last row and a new row is put behind it, so a step of the model always works on
live rows only, and no step copies the whole cache (which is what growing it by concatenation costs). Every row is
aligned to the right: its newest token is in the same column as everybody's. Attention sees whole buffers, the few
unused columns masked, because matrix products over contiguous memory are much faster than over a window of it.
"""

import weakref
from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

__all__ = ["SlotCache"]

HEADROOM = 32
"""Columns added at least when the buffers are laid out anew.

Fewer mean more copies; more mean more columns that are attended to in vain.
"""


class _SlotLayer(DynamicLayer):  # type: ignore[misc]
    """One layer's keys and values, shape ``[slots, heads, columns, width]``; the window is kept by the cache."""

    def __init__(self, owner: "SlotCache", like: Any) -> None:
        super().__init__()
        # Not a second owner of the buffers: a circle of references would keep them until the next garbage collection.
        self.owner: SlotCache = weakref.proxy(owner)  # type: ignore[assignment]
        # Mask builders of models with local attention look for their layers by this mark.
        self.is_sliding = getattr(like, "is_sliding", False)
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        rows, end = key_states.shape[0], self.owner.end
        self.keys[:rows, :, end : end + 1] = key_states
        self.values[:rows, :, end : end + 1] = value_states
        return self.keys[:rows], self.values[:rows]

    def get_seq_length(self) -> int:
        return self.owner.end

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.keys.shape[-2], 0


class SlotCache(Cache):  # type: ignore[misc]
    """Keys and values of the live rows.

    Args:
        like: a cache filled by the same model, whose layers tell shapes and precision.
        slots: rows that can be alive at once.

    Attributes:
        lengths: tokens held for each live row.
        end: column of the next token.
    """

    def __init__(self, like: Cache, slots: int) -> None:
        super().__init__(layers=[_SlotLayer(self, layer) for layer in like.layers])
        self.slots = slots
        self.lengths: list[int] = []
        self.end = self._columns = 0
        for mine, theirs in zip(self.layers, like.layers, strict=True):
            for name in ("keys", "values"):
                _, heads, _, width = getattr(theirs, name).shape
                setattr(mine, name, getattr(theirs, name).new_zeros((slots, heads, 0, width)))

    def add(self, source: Cache, rows: Sequence[int], pieces: Sequence[Sequence[tuple[int, int]]]) -> None:
        """Put rows of a filled cache behind the live ones.

        Args:
            source: where their keys and values are.
            rows: their row numbers in it; a number may repeat.
            pieces: for each of them, the column ranges that hold its tokens, in order.
        """
        lengths = [sum(stop - begin for begin, stop in row) for row in pieces]
        if max(lengths) > self.end:
            self._lay_out(max(lengths))
        first = len(self.lengths)
        for mine, theirs in zip(self.layers, source.layers, strict=True):
            for name in ("keys", "values"):
                target, origin = getattr(mine, name), getattr(theirs, name)
                for slot, (row, ranges) in enumerate(zip(rows, pieces, strict=True), start=first):
                    column = self.end - lengths[slot - first]
                    for begin, stop in ranges:
                        target[slot, :, column : column + stop - begin] = origin[row, :, begin:stop]
                        column += stop - begin
        self.lengths += lengths

    def remove(self, row: int) -> None:
        """Forget a row; the last row takes its number."""
        last = len(self.lengths) - 1
        if row != last:
            begin = self.end - self.lengths[last]
            for layer in self.layers:
                for buffer in (layer.keys, layer.values):
                    buffer[row, :, begin : self.end] = buffer[last, :, begin : self.end]
            self.lengths[row] = self.lengths[last]
        self.lengths.pop()

    def prepare(self) -> None:
        """Make room for one more token per row; call before a step."""
        if self.end == self._columns:
            self._lay_out(0)

    def advance(self) -> None:
        """Count the token that the step has written for every row; call after it."""
        self.end += 1
        self.lengths = [length + 1 for length in self.lengths]

    def attention_mask(self, device: torch.device) -> torch.Tensor:
        """Which columns each row may look at in the coming step, its own new token included: ``[rows, columns]``."""
        column = torch.arange(self._columns, device=device)
        first = self.end - torch.tensor(self.lengths, device=device).unsqueeze(1)
        return ((column >= first) & (column <= self.end)).long()

    def _lay_out(self, width: int) -> None:
        """New buffers in which at least ``width`` columns lie before the next token's, with room behind it."""
        used = max(self.lengths, default=0)
        width = max(width, used)
        columns = width + max(HEADROOM, width // 8)
        rows = len(self.lengths)
        for layer in self.layers:
            for name in ("keys", "values"):
                old = getattr(layer, name)
                # Zeros, not empty: a masked column still enters the product, and 0 times NaN is NaN.
                new = old.new_zeros((self.slots, old.shape[1], columns, old.shape[3]))
                new[:rows, :, width - used : width] = old[:rows, :, self.end - used : self.end]
                setattr(layer, name, new)
        self.end, self._columns = width, columns
