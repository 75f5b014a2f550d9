"""Training mixtures at equal dose.

Arms are compared at the same number of loss-bearing tokens, counted by the model's own tokenizer. Whole examples are
used:
:func:`fill` cycles or cuts an arm's examples to the dose, and stops where one more would be further from it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from counterpoise.customization.examples import Example, in_turns
from counterpoise.errors import DataError
from counterpoise.rng import rng_for

__all__ = ["ARMS", "Arm", "CountTokens", "fill", "mix"]

Arm = Literal["curated", "uncurated", "refusals", "nothing"]
"""What the defender trains on.

``curated``: the revised texts. ``uncurated``: the same texts before revision, the control for training on anything at
all. ``refusals``: refusals and clean answers, the positive control. ``nothing``: no defence.
"""
ARMS: tuple[Arm, ...] = ("curated", "uncurated", "refusals", "nothing")

CountTokens = Callable[[Sequence[Example]], list[int]]
"""Loss-bearing tokens of each example."""


def fill(examples: Sequence[Example], dose: int, count_tokens: CountTokens, *, seed: int) -> list[Example]:
    """Examples whose loss-bearing tokens come as close to the dose as whole examples allow.

    Examples are shuffled; when all are used they come again in a new order. The total differs from the dose by at most
    half of the longest example, except that at least one example is used.

    Args:
        examples: what to draw from.
        dose: wanted loss-bearing tokens; at least 1.
        count_tokens: loss-bearing tokens of each example.
        seed: order of the examples.

    Raises:
        DataError: there are no examples, or none has a token.
    """
    if not examples:
        raise DataError("no examples to fill a dose with")
    tokens = count_tokens(examples)
    if max(tokens) <= 0:
        raise DataError("no example has a token that carries loss")
    usable = [index for index, number in enumerate(tokens) if number > 0]
    chosen: list[Example] = []
    total = 0
    for position, _ in in_turns(len(usable), seed=seed, key="fill"):
        index = usable[position]
        if chosen and abs(total + tokens[index] - dose) >= abs(total - dose):
            break
        chosen.append(examples[index])
        total += tokens[index]
    return chosen


def mix(parts: Iterable[Sequence[Example]], *, seed: int) -> list[Example]:
    """All examples of all parts in one seeded order."""
    mixed = [example for part in parts for example in part]
    rng_for(seed, "mix").shuffle(mixed)
    return mixed
