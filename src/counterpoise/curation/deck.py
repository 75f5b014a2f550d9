"""Which keywords a text's revisions are asked to take up: dealt like cards, not drawn each time anew."""

from collections.abc import Sequence

from counterpoise.curation.seeds import Seed
from counterpoise.rng import rng_for

__all__ = ["Deck"]


class Deck:
    """Deals keywords so that a text gets none twice before it had all, and all are asked for equally often.

    The seed set is shuffled once, and every text takes the next cards of it, wherever the text before it stopped; at
    the end the deck begins again. A text's own cards are then shuffled, or a keyword would always meet the same point
    of the sampling grid. A hand depends on the run's seed and on the text's place in the input alone.

    Args:
        seeds: the seed set, at least ``together`` keywords.
        seed: of the run.
        size: keywords that a text needs at most.
        together: keywords of one revision; these are always different.

    Raises:
        ValueError: fewer seeds than ``together``.
    """

    def __init__(self, seeds: Sequence[Seed], seed: int, *, size: int, together: int) -> None:
        if not 1 <= together <= len(seeds):
            raise ValueError(f"a revision takes up {together} keyword(s), but the seed set has {len(seeds)}")
        self._order = list(seeds)
        rng_for(seed, "deck").shuffle(self._order)
        self._seed = seed
        self._size = size
        self._together = together
        self._lap = min(size, len(seeds) // together * together)

    def hand(self, place: int) -> list[tuple[Seed, ...]]:
        """The keywords of each revision of the text at a place in the input (from 0): one tuple per revision."""
        begin = place * self._size
        cards = [self._order[(begin + step) % len(self._order)] for step in range(self._lap)]
        dealt: list[Seed] = []
        for lap in range(-(-self._size // self._lap)):
            shuffled = list(cards)
            rng_for(self._seed, "hand", place, lap).shuffle(shuffled)
            dealt += shuffled
        return [
            tuple(dealt[at : at + self._together]) for at in range(0, self._size - self._together + 1, self._together)
        ]
