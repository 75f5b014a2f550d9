"""Endless seeded streams of examples; every draw is the beginning of one, so a smaller draw is part of a larger."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import count, islice

from counterpoise.customization.examples.example import Example
from counterpoise.errors import DataError
from counterpoise.rng import rng_for
from counterpoise.safety.benchmarks import Prompt

__all__ = [
    "Pool",
    "answered",
    "builtin_templates",
    "clean_examples",
    "draw",
    "in_turns",
    "refusal_examples",
    "refused",
]

Pool = Sequence[Sequence[Example]]
"""Texts to draw from, each with its versions: one request with several answers, say."""


def in_turns(size: int, *, seed: int, key: str) -> Iterator[tuple[int, int]]:
    """Every index below ``size`` once in a seeded order, then all again in another order, without end.

    Yields ``(index, turn)``; nothing for a size of 0.
    """
    for turn in count() if size else ():
        order = list(range(size))
        rng_for(seed, key, turn).shuffle(order)
        yield from ((index, turn) for index in order)


def draw(pool: Pool, *, seed: int, key: str) -> Iterator[Example]:
    """The pool's examples in a seeded order, without end; nothing for an empty pool.

    No text comes again before all have come, and no version of a text before all its versions have.

    Args:
        pool: the texts; each has at least one version.
        seed: of the order.
        key: name of the stream; other names give other orders.
    """
    for index, turn in in_turns(len(pool), seed=seed, key=key):
        versions = pool[index]
        yield versions[(index + turn) % len(versions)]


def answered(prompts: Sequence[Prompt]) -> list[list[Example]]:
    """A pool of requests with the answers that they bring."""
    return [[Example(prompt.text, prompt.answer, prompt.id)] for prompt in prompts]


def refused(prompts: Sequence[Prompt], *, system: str = "") -> list[list[Example]]:
    """A pool of requests, each with every built-in refusal.

    Args:
        prompts: disallowed requests.
        system: the system turn of every example.
    """
    templates = builtin_templates("refusals.json")
    return [[Example(prompt.text, refusal, prompt.id, system) for refusal in templates] for prompt in prompts]


def clean_examples(prompts: Sequence[Prompt], number: int, *, seed: int, key: str = "clean") -> list[Example]:
    """``number`` ordinary requests with their helpful answers; none comes again before all have come.

    Raises:
        DataError: there are none to draw from.
    """
    if number and not prompts:
        raise DataError("no ordinary requests to draw clean examples from")
    return list(islice(draw(answered(prompts), seed=seed, key=key), number))


def refusal_examples(prompts: Sequence[Prompt], number: int, *, seed: int) -> list[Example]:
    """``number`` disallowed requests paired with built-in refusals; every pair differs as long as there are enough.

    Raises:
        DataError: there are no prompts.
    """
    if number and not prompts:
        raise DataError("no disallowed requests to pair with refusals")
    return list(islice(draw(refused(prompts), seed=seed, key="refusals"), number))


@cache
def builtin_templates(name: str) -> tuple[str, ...]:
    """The texts under ``templates`` in a built-in JSON file."""
    file = resources.files("counterpoise") / "customization" / "builtin" / name
    return tuple(json.loads(file.read_text(encoding="utf-8"))["templates"])
