"""A matcher that knows other words for the same: those the gold accepts, and those of the project's word lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from counterpoise.counterfactual.match.comparing import compare
from counterpoise.counterfactual.match.pair import Pair

__all__ = ["Alias"]


@dataclass(frozen=True, slots=True)
class Alias:
    """The normalised comparison, widened to aliases and to synonyms word by word.

    Two texts are the same when each word of one stands for a word of the other (itself, a synonym, or its complement
    with a negation), nothing is left over, and no guard tells them apart. Needs no model.

    >>> Alias().match([Pair("value", "shut", "not open"), Pair("name", "cost of the ticket", "the ticket's price")])
    [1.0, 1.0]
    >>> Alias().match([Pair("name", "fee", "fine for lateness"), Pair("name", "fee", "charge", aliases=("charge",))])
    [0.0, 1.0]
    """

    name: str = "alias"
    threshold: float = 1.0

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """1.0 or 0.0 for each pair."""
        return [float(compare(pair).decided == 1.0) for pair in pairs]
