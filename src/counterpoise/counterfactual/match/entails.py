"""A matcher that asks a natural language inference model: the same is what follows both ways."""

from collections.abc import Sequence
from dataclasses import dataclass

from counterpoise.counterfactual.match.pair import Pair
from counterpoise.counterfactual.match.spelling import normalise
from counterpoise.lm.entailment import Entailer

__all__ = ["Entails"]


@dataclass(frozen=True, slots=True)
class Entails:
    """The lesser of the probabilities that the gold entails the text and the text the gold; the best accepted text.

    Names and values become statements first ("It is about the price of bread.", "The door is open."), because these
    models were trained on sentences.

    Attributes:
        entailer: gives the probabilities.
    """

    entailer: Entailer
    name: str = "nli"
    threshold: float = 0.5

    @property
    def detail(self) -> str:
        """Which model it uses."""
        return f"{self.entailer.name} {self.entailer.revision}"

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """The probability for each pair; 1.0 for equal texts and 0.0 for a text without letters or digits."""
        asked: list[tuple[str, str]] = []
        for pair in pairs:
            for gold in (pair.gold, *pair.aliases):
                first, second = _statement(pair, gold), _statement(pair, pair.text)
                asked += [(first, second), (second, first)]
        probabilities = iter(self.entailer.entailment(asked))
        scores: list[float | None] = []
        for pair in pairs:
            both = [min(next(probabilities), next(probabilities)) for _ in (pair.gold, *pair.aliases)]
            exact = pair.text in (pair.gold, *pair.aliases)
            scores.append(1.0 if exact else 0.0 if not normalise(pair.text) else round(max(both), 4))
        return scores


def _statement(pair: Pair, text: str) -> str:
    plain = " ".join(text.split()).rstrip(".")
    if pair.kind == "name":
        return f"It is about this: {plain}."
    return f"{pair.about[0].capitalize()}: {plain}." if pair.about else f"It is {plain}."
