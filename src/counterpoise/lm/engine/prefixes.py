"""Beginnings that several prompts have in common, and what the model has read of them.

Which beginnings are worth keeping shows in the prompts themselves: where a prompt parts from its neighbours in
dictionary order. Prompts of the same case part behind its context, so the context is read once and its stages reuse it.
"""

from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Sequence

import torch

__all__ = ["Prefixes", "common_prefix"]

Tokens = tuple[int, ...]
Layers = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of each layer, shape ``[heads, tokens, width]``."""

SHORTEST = 48
"""Beginnings that are not longer than what is known already by this are not worth a pass of their own."""
REMEMBERED = 1024
"""Prompts that are compared with."""


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens two sequences have in common.

    >>> common_prefix([1, 2, 3], [1, 2, 4, 5]), common_prefix([1, 2], [1, 2]), common_prefix([], [1])
    (2, 2, 0)
    """
    length = min(len(first), len(second))
    if first[:length] == second[:length]:
        return length
    low, high = 0, length
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if first[low:middle] == second[low:middle] else (low, middle)
    return low


class Prefixes:
    """Beginnings and their keys and values, the least recently used ones forgotten first.

    Args:
        tokens: bound on the tokens that are kept.
    """

    def __init__(self, tokens: int) -> None:
        self._bound = tokens
        self._kept: OrderedDict[Tokens, Layers] = OrderedDict()
        self._seen: deque[Tokens] = deque()
        self._sorted: list[Tokens] = []

    def expect(self, prompt: Sequence[int]) -> None:
        """Take note of a prompt that will be read, or has been."""
        tokens = tuple(prompt)
        place = bisect_left(self._sorted, tokens)
        if place < len(self._sorted) and self._sorted[place] == tokens:
            return
        insort(self._sorted, tokens)
        self._seen.append(tokens)
        if len(self._seen) > REMEMBERED:
            del self._sorted[bisect_left(self._sorted, self._seen.popleft())]

    def known(self, prompt: Tokens) -> tuple[int, Layers | None]:
        """The longest kept beginning of a prompt that leaves at least its last token, and its length."""
        best: Tokens = ()
        for beginning in self._kept:
            size = len(beginning)
            # The last token tells most of them apart without a copy.
            if len(best) < size < len(prompt) and prompt[size - 1] == beginning[-1] and prompt[:size] == beginning:
                best = beginning
        if not best:
            return 0, None
        self._kept.move_to_end(best)
        return len(best), self._kept[best]

    def worth_reading(self, prompts: Sequence[Tokens]) -> list[Tokens]:
        """Beginnings of these prompts that others have too and that are not kept, none the beginning of another.

        Reading and keeping them may uncover longer ones, so ask again until there is none.
        """
        found: dict[Tokens, None] = {}
        for prompt in prompts:
            place = bisect_left(self._sorted, prompt)
            around = self._sorted[max(0, place - 1) : place + 2]
            parts = max((common_prefix(prompt, other) for other in around if other != prompt), default=0)
            size = min(parts, len(prompt) - 1)
            if SHORTEST <= size <= self._bound and size - self.known(prompt)[0] >= SHORTEST:
                found[prompt[:size]] = None
        ranked = sorted(found, key=len)
        return [one for i, one in enumerate(ranked) if not any(one[: len(less)] == less for less in ranked[:i])]

    def keep(self, beginning: Tokens, layers: Layers) -> None:
        """Keep a beginning; older ones go where the bound asks for it."""
        self._kept[beginning] = layers
        while sum(map(len, self._kept)) > self._bound and len(self._kept) > 1:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Free everything."""
        self._kept.clear()
        self._seen.clear()
        self._sorted.clear()
