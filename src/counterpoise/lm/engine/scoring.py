"""Log-probabilities of given texts."""

from collections.abc import Sequence
from typing import Any

import torch

from counterpoise.lm.engine.prefill import Prefiller

__all__ = ["score"]

LOGITS_AT_ONCE = 1 << 25
"""Logits computed in one pass; times two or four bytes of memory."""


def score(
    prefiller: Prefiller, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], *, rows: int, tokens: int
) -> list[list[float]]:
    """Natural-log probability of every continuation token given the prompt and the tokens before it.

    Pairs with the same prompt that fall into one batch share its computation. The softmax is taken in float32.

    Args:
        prefiller: runs the model.
        pairs: prompt (at least one token) and continuation token ids.
        rows: continuations per batch.
        tokens: bound on rows times length of the longest pair; one pair is always allowed.

    Returns:
        One list per pair, in the order given; empty for an empty continuation.
    """
    results: list[list[float]] = [[] for _ in pairs]
    filled = [number for number, (_, continuation) in enumerate(pairs) if continuation]
    order = sorted(filled, key=lambda number: (-len(pairs[number][0]), pairs[number][0], -len(pairs[number][1])))
    batch: list[int] = []
    longest = 0
    for number in order:
        longest = max(longest, sum(map(len, pairs[number])))
        if batch and (len(batch) >= rows or (len(batch) + 1) * longest > tokens):
            _score_batch(prefiller, pairs, batch, results)
            batch, longest = [], sum(map(len, pairs[number]))
        batch.append(number)
    if batch:
        _score_batch(prefiller, pairs, batch, results)
    return results


def _score_batch(
    prefiller: Prefiller,
    pairs: Sequence[tuple[Sequence[int], Sequence[int]]],
    batch: list[int],
    results: list[list[float]],
) -> None:
    unique: dict[tuple[int, ...], int] = {}
    for number in batch:
        unique.setdefault(tuple(pairs[number][0]), len(unique))
    sources = [unique[tuple(pairs[number][0])] for number in batch]
    continuations = [pairs[number][1] for number in batch]
    read = prefiller.read(list(unique))
    device = read.logits.device
    index = torch.tensor(sources, device=device)

    # The prompt's last position gives the first token; every fed token gives the next one.
    first = torch.tensor([continuation[0] for continuation in continuations], device=device)
    for number, value in zip(batch, _gathered(read.logits[index], first), strict=True):
        results[number].append(value)
    width = max(len(continuation) for continuation in continuations) - 1
    if width < 1:
        return
    cache: Any = read.cache
    if sources != list(range(len(unique))):
        cache.batch_select_indices(index)
    mask = read.mask[index]
    starts = torch.tensor([read.lengths[source] for source in sources], device=device).unsqueeze(1)
    at_once = max(1, LOGITS_AT_ONCE // (read.logits.shape[-1] * len(batch)))
    for begin in range(0, width, at_once):
        stop = min(begin + at_once, width)
        # Right padding: what follows a continuation's end is computed and ignored; causality keeps it harmless.
        fed = torch.zeros((len(batch), stop - begin), dtype=torch.long, device=device)
        wanted = torch.zeros_like(fed)
        for row, continuation in enumerate(continuations):
            given, asked = continuation[begin:stop], continuation[begin + 1 : stop + 1]
            fed[row, : len(given)] = torch.tensor(given, dtype=torch.long, device=device)
            wanted[row, : len(asked)] = torch.tensor(asked, dtype=torch.long, device=device)
        mask = torch.cat([mask, torch.ones_like(fed)], dim=1)
        output = prefiller.model(
            input_ids=fed,
            attention_mask=mask,
            position_ids=starts + torch.arange(begin, stop, device=device),
            past_key_values=cache,
            use_cache=True,
        )
        values = _gathered(output.logits.flatten(0, 1), wanted.flatten())
        for row, number in enumerate(batch):
            count = len(continuations[row][begin + 1 : stop + 1])
            at = row * (stop - begin)
            results[number] += values[at : at + count]


def _gathered(logits: torch.Tensor, tokens: torch.Tensor, *, at_once: int = 256) -> list[float]:
    """Log-softmax of each row of logits at its token, in float32, a few rows at a time to bound memory."""
    values: list[float] = []
    for begin in range(0, len(tokens), at_once):
        part = logits[begin : begin + at_once].float()
        taken = part.gather(1, tokens[begin : begin + at_once].unsqueeze(1)).squeeze(1)
        values += (taken - torch.logsumexp(part, dim=-1)).tolist()
    return values
