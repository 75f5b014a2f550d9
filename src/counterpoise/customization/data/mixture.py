"""Training mixtures at equal dose.

Arms are compared at the same number of loss-bearing tokens, counted by the model's own tokenizer. Whole examples are
used: a dose is the beginning of an endless stream of examples, cut where one more would be further from it. So a
smaller dose is always the beginning of a larger one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from counterpoise.customization.examples import Example, in_turns
from counterpoise.errors import DataError
from counterpoise.rng import rng_for

__all__ = [
    "CountTokens",
    "Counted",
    "counted",
    "cut",
    "fill",
    "in_parts",
    "interleave",
    "mix",
]

CountTokens = Callable[[Sequence[Example]], list[int]]
"""Loss-bearing tokens of each example."""

Counted = tuple[Example, int]
"""An example and its loss-bearing tokens."""

_AT_ONCE = 64


def fill(examples: Sequence[Example], dose: int, count_tokens: CountTokens, *, seed: int) -> list[Example]:
    """Examples whose loss-bearing tokens come as close to the dose as whole examples allow.

    Examples are shuffled; when all are used they come again in a new order. The total differs from the dose by at most
    half of the longest example, except that at least one example is used. At equal seeds a smaller dose is the
    beginning of a larger one.

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
    usable = [index for index, number in enumerate(tokens) if number > 0]
    if not usable:
        raise DataError("no example has a token that carries loss")
    order = (usable[position] for position, _ in in_turns(len(usable), seed=seed, key="fill"))
    return cut(((examples[index], tokens[index]) for index in order), dose)


def counted(stream: Iterable[Example], count_tokens: CountTokens) -> Iterator[Counted]:
    """The examples of a stream with their loss-bearing tokens; those without any are passed over.

    Raises:
        DataError: a long stretch of the stream has no token that carries loss.
    """
    stream = iter(stream)
    barren = 0
    while examples := list(islice(stream, _AT_ONCE)):
        tokens = count_tokens(examples)
        barren = 0 if any(number > 0 for number in tokens) else barren + 1
        if barren == _AT_ONCE:
            raise DataError("no example has a token that carries loss")
        yield from ((example, number) for example, number in zip(examples, tokens, strict=True) if number > 0)


def interleave(first: Iterator[Counted], second: Iterator[Counted], share: float) -> Iterator[Counted]:
    """Two streams as one, of whose tokens the second has a share, at every place as closely as whole examples allow.

    Args:
        first: where the rest comes from; goes first.
        second: where the share comes from.
        share: in [0, 1).
    """
    total = seconds = 0
    while (found := next(second if seconds < share * total else first, None)) is not None:
        seconds += found[1] if seconds < share * total else 0
        total += found[1]
        yield found


def cut(stream: Iterable[Counted], dose: int) -> list[Example]:
    """The beginning of a stream whose tokens come closest to the dose; at least one example, unless the dose is 0."""
    chosen: list[Example] = []
    total = 0
    for example, tokens in stream if dose > 0 else ():
        if chosen and abs(total + tokens - dose) >= abs(total - dose):
            break
        chosen.append(example)
        total += tokens
    return chosen


def in_parts(examples: Sequence[Example], parts: int, count_tokens: CountTokens) -> list[list[Example]]:
    """The examples in so many consecutive parts of about equal loss-bearing tokens; together they are all of them.

    Each boundary lies within half of the example there of its place. A part is empty where there are too few examples.

    >>> examples = [Example("", answer) for answer in ("a a", "b b", "c c", "d d")]
    >>> count = lambda examples: [len(example.completion.split()) for example in examples]
    >>> [[example.completion for example in part] for part in in_parts(examples, 2, count)]
    [['a a', 'b b'], ['c c', 'd d']]
    """
    tokens = count_tokens(examples)
    whole = sum(tokens)
    found: list[list[Example]] = [[] for _ in range(parts)]
    before = 0
    for example, number in zip(examples, tokens, strict=True):
        # An example belongs where its middle lies.
        place = int((before + number / 2) * parts / whole) if whole else 0
        found[min(place, parts - 1)].append(example)
        before += number
    return found


def mix(parts: Iterable[Sequence[Example]], *, seed: int) -> list[Example]:
    """All examples of all parts in one seeded order."""
    mixed = [example for part in parts for example in part]
    rng_for(seed, "mix").shuffle(mixed)
    return mixed
