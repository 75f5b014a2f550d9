"""The order in which examples are trained, the same in every process."""

from collections.abc import Iterator

from counterpoise.rng import rng_for

__all__ = ["Order"]


class Order:
    """A sampler, as torch takes one: every example once, in a new seeded order each epoch, and then what fills up.

    Not grouped by length: then the examples of one kind would share their steps, and short ones, such as refusals,
    would come last in every epoch, at the lowest learning rate.

    Args:
        examples: how many there are.
        fill: rows without loss after them, which make the number a multiple of the batch size.
        seed: of the order.
    """

    def __init__(self, examples: int, fill: int, seed: int) -> None:
        self._examples = examples
        self._fill = fill
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch, counted from 0."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._examples + self._fill

    def __iter__(self) -> Iterator[int]:
        order = list(range(self._examples))
        rng_for(self._seed, "order", self._epoch).shuffle(order)
        yield from order
        yield from range(self._examples, self._examples + self._fill)
