"""Log-probabilities of given texts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import torch

from counterpoise.lm.engine.prefill import Prefiller

__all__ = ["score"]

LOGITS_AT_ONCE = 1 << 25
"""Logits computed in one pass; times two or four bytes of memory."""

SHARED = 16
"""Tokens that continuations must have in common before they are read together."""


def score(
    prefiller: Prefiller, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], *, rows: int, tokens: int
) -> list[list[float]]:
    """Natural-log probability of every continuation token given the prompt and the tokens before it.

    A prompt that several pairs have is read once, and so is what continuations of one prompt begin with alike. The
    softmax is taken in float32.

    Args:
        prefiller: runs the model.
        pairs: prompt (at least one token) and continuation token ids.
        rows: continuations per batch.
        tokens: bound on rows times length of the longest pair; one pair is always allowed.

    Returns:
        One list per pair, in the order given; empty for an empty continuation.
    """
    asked = [(tuple(prompt), tuple(continuation)) for prompt, continuation in pairs]
    heads = _heads(asked)
    if not any(heads):
        return _score_apart(prefiller, asked, rows=rows, tokens=tokens)
    # A beginning is scored once and then belongs to the prompt of what follows; that may begin alike again.
    begun = [(prompt, continuation[:size]) for (prompt, continuation), size in zip(asked, heads, strict=True)]
    beginnings = {pair: at for at, pair in enumerate(dict.fromkeys(begun))}
    rests = [
        (prompt + continuation[:size], continuation[size:])
        for (prompt, continuation), size in zip(asked, heads, strict=True)
    ]
    values = score(prefiller, [*beginnings, *rests], rows=rows, tokens=tokens)
    return [values[beginnings[pair]] + values[len(beginnings) + at] for at, pair in enumerate(begun)]


Pair = tuple[tuple[int, ...], tuple[int, ...]]


def _heads(pairs: Sequence[Pair]) -> list[int]:
    """How many tokens each continuation has in common with others of its prompt; 0 where sharing saves no work."""
    order = sorted(range(len(pairs)), key=lambda at: pairs[at])
    heads = [0] * len(pairs)
    for (prompt, _), run in groupby(order, key=lambda at: (pairs[at][0], pairs[at][1][:SHARED])):
        group = list(run)
        # In sorted order, what the first and the last have in common all have.
        size = _common(pairs[group[0]][1], pairs[group[-1]][1])
        # Alone, each reads the beginning; shared, it is read twice, and once more the prompt.
        if size >= SHARED and (len(group) - 2) * size > len(prompt):
            for at in group:
                heads[at] = size
    return heads


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two continuations begin with alike."""
    both = zip(first, second, strict=False)
    return next((at for at, (one, other) in enumerate(both) if one != other), min(len(first), len(second)))


def _score_apart(prefiller: Prefiller, pairs: Sequence[Pair], *, rows: int, tokens: int) -> list[list[float]]:
    """The same with whole continuations."""
    results: list[list[float]] = [[] for _ in pairs]
    filled = [number for number, (_, continuation) in enumerate(pairs) if continuation]
    times = Counter(pairs[number][0] for number in filled)
    repeated = [prompt for prompt, count in times.items() if count > 1]
    known = set(repeated) if repeated and prefiller.keep(repeated) else set()
    # Where prompts are still to be read, those of like length go together; where they are known, continuations do.
    # Mixed, or in any other order, much of a batch would be padding.
    fresh = sorted(
        (number for number in filled if pairs[number][0] not in known),
        key=lambda number: (-len(pairs[number][0]), pairs[number][0], -len(pairs[number][1])),
    )
    ready = sorted(
        (number for number in filled if pairs[number][0] in known),
        key=lambda number: (-len(pairs[number][1]), pairs[number]),
    )
    for order in (fresh, ready):
        for batch in _batches([sum(map(len, pairs[number])) for number in order], rows=rows, tokens=tokens):
            _score_batch(prefiller, pairs, order[batch], results)
    return results


def _batches(sizes: Sequence[int], *, rows: int, tokens: int) -> Iterator[slice]:
    """Runs of items whose number and padded size stay within bounds; one item is always allowed."""
    begin = longest = 0
    for at, size in enumerate(sizes):
        longest = max(longest, size)
        if at > begin and (at - begin >= rows or (at - begin + 1) * longest > tokens):
            yield slice(begin, at)
            begin, longest = at, size
    if sizes:
        yield slice(begin, len(sizes))


def _score_batch(
    prefiller: Prefiller,
    pairs: Sequence[Pair],
    batch: Sequence[int],
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
