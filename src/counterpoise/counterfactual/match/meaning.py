"""Matchers that use sentence embeddings: cosine alone, and the default, which puts it in its place.

``meaning`` first does what needs no model (:mod:`counterpoise.counterfactual.match.comparing`): the same spelling is
the same, a guard that tells the texts apart makes them different, and words that stand for each other one by one make
them the same. Only what is still open goes to a logistic rule over a few features, most of them similarities. Its
weights are in ``meaning.json``, fitted by :mod:`counterpoise.counterfactual.match.fit`.
"""

import json
import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from counterpoise.counterfactual.match.comparing import Compared, compare
from counterpoise.counterfactual.match.pair import Pair
from counterpoise.counterfactual.match.spelling import normalise
from counterpoise.lm.embedding import Embedder
from counterpoise.rng import seed_for

__all__ = [
    "FEATURES",
    "FOLDS",
    "EmbeddingRaw",
    "Examined",
    "Meaning",
    "Rule",
    "Rules",
    "cosines",
    "examine",
    "fold_of",
    "shipped",
]

FOLDS = 5
"""Parts that the labelled pairs are cut into; all pairs of one gold text are in one part."""

FEATURES = {
    "name": 0,
    "cosine": 1,
    "cosine_about": 1,
    "nearest": 1,
    "agreed": 1,
    "unexplained": -1,
    "heads": -1,
    "narrowed": -1,
}
"""What the rule looks at, each between 0 and 1, and the sign that its weight must have (0: any).

``name``: a name, not a value. ``cosine``: of the two texts; ``cosine_about``: with the variable's name before each.
``nearest``: how similar the unmatched words are to the nearest one on the other side, on average. ``agreed``: share of
the words that stand for each other. ``unexplained``: unmatched words on the side with fewer, in thirds. ``heads``: of
names, how many of the two head words are unmatched. ``narrowed``: only one side has unmatched words, and neither is
told in a clause: "heavy rain" and "rain".
"""


def fold_of(gold: str) -> int:
    """The part that all pairs with this gold text are in."""
    return seed_for(0, "match fold", normalise(gold)) % FOLDS


@dataclass(frozen=True, slots=True)
class Rule:
    """A logistic rule.

    Attributes:
        threshold: the least probability that counts as the same.
        bias: log odds of "same" when every feature is 0.
        weights: one per feature.
    """

    threshold: float
    bias: float = 0.0
    weights: tuple[float, ...] = ()

    def probability(self, features: Sequence[float]) -> float:
        """The probability of "same", rounded so that it does not depend on the batch."""
        odds = self.bias + sum(w * x for w, x in zip(self.weights, features, strict=True))
        return round(1 / (1 + math.exp(-max(-40.0, min(40.0, odds)))), 4)


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule fitted to all labelled pairs, and one for each part that was fitted without it.

    Attributes:
        whole: for texts that were not labelled.
        without: by part; they measure what the rule is worth on texts it has not seen.
    """

    whole: Rule
    without: tuple[Rule, ...]


@cache
def shipped(name: str) -> Rules:
    """The fitted rules of ``meaning`` or ``embedding-raw`` that come with the package."""
    file = resources.files("counterpoise.counterfactual.match") / "meaning.json"
    record = json.loads(file.read_text(encoding="utf-8"))[name]
    return Rules(_rule(record["whole"]), tuple(_rule(one) for one in record["without"]))


def _rule(record: dict[str, Any]) -> Rule:
    if "weights" not in record:
        return Rule(record["threshold"])
    return Rule(record["threshold"], record["bias"], tuple(record["weights"][feature] for feature in FEATURES))


@dataclass(frozen=True, slots=True)
class EmbeddingRaw:
    """Cosine similarity of gold and text alone, for comparison; the best of the gold and its aliases.

    Attributes:
        embedder: gives the vectors.
        rules: thresholds, chosen on the labelled pairs.
    """

    embedder: Embedder
    rules: Rules
    name: str = "embedding-raw"

    @property
    def threshold(self) -> float:
        """The least cosine that counts as the same."""
        return self.rules.whole.threshold

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """The cosine of each pair, negative ones as 0."""
        similarity = cosines(self.embedder, [t for pair in pairs for t in (pair.text, pair.gold, *pair.aliases)])
        return [
            min(1.0, max(0.0, *(similarity(gold, pair.text) for gold in (pair.gold, *pair.aliases)))) for pair in pairs
        ]

    def held_out(self, pairs: Sequence[Pair]) -> list[tuple[float | None, float]]:
        """Similarity and threshold of each pair; the threshold was chosen without the part of its gold."""
        rules = [self.rules.without[fold_of(pair.gold)] for pair in pairs]
        return [(score, rule.threshold) for score, rule in zip(self.match(pairs), rules, strict=True)]


@dataclass(frozen=True, slots=True)
class Meaning:
    """The default: spelling, guards, words, then a logistic rule over embedding similarity and word alignment.

    Attributes:
        embedder: gives the vectors.
        rules: fitted on the labelled pairs.
        known: every correctly spelled word; tells words mistyped from other words.
    """

    embedder: Embedder
    rules: Rules
    known: Container[str]
    name: str = "meaning"

    @property
    def threshold(self) -> float:
        """The least probability that counts as the same."""
        return self.rules.whole.threshold

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """Probability of "same" for each pair; 1.0 or 0.0 where no rule was needed."""
        return [one.score(self.rules.whole) for one in examine(pairs, self.embedder, self.known)]

    def held_out(self, pairs: Sequence[Pair]) -> list[tuple[float | None, float]]:
        """Probability and threshold of each pair by the rule that was fitted without the part of its gold."""
        rules = [self.rules.without[fold_of(pair.gold)] for pair in pairs]
        examined = examine(pairs, self.embedder, self.known)
        return [(one.score(rule), rule.threshold) for one, rule in zip(examined, rules, strict=True)]


@dataclass(frozen=True, slots=True)
class Examined:
    """What the rule is given.

    Attributes:
        decided: the similarity, where no rule is needed; else ``None``.
        features: of each accepted gold text that no guard told apart, in the order of :data:`FEATURES`.
    """

    decided: float | None
    features: tuple[tuple[float, ...], ...] = ()

    def score(self, rule: Rule) -> float:
        """The similarity under a rule: the best over the accepted gold texts."""
        return self.decided if self.decided is not None else max(rule.probability(one) for one in self.features)


def examine(pairs: Sequence[Pair], embedder: Embedder, known: Container[str] | None) -> list[Examined]:
    """Decide what needs no model and take the features of the rest, with one batch of embeddings."""
    found = [compare(pair, known) for pair in pairs]
    needed = [text for one in found for compared in one.open for text in _embedded(compared)]
    similarity = cosines(embedder, needed)
    return [Examined(one.decided, tuple(_features(compared, similarity) for compared in one.open)) for one in found]


def _with_about(one: Compared) -> tuple[str, str]:
    first, second = one.texts
    return (f"{one.about}: {first}", f"{one.about}: {second}") if one.about else one.texts


def _embedded(one: Compared) -> list[str]:
    return [*one.texts, *_with_about(one), *(word.text for side in one.left for word in side)]


def _features(one: Compared, similarity: Callable[[str, str], float]) -> tuple[float, ...]:
    (first, second), (left, right) = one.readings, one.left
    agreed = 2 * len(one.aligned.related("same", "complement", "derived"))
    nearest = [
        max((similarity(word.text, other.text) for other in others), default=0.0)
        for side, others in ((left, right), (right, left))
        for word in side
    ]
    heads = sum(
        any(word.key == reading.head for word in side) for side, reading in zip(one.left, one.readings, strict=True)
    )
    values = {
        "name": one.kind == "name",
        "cosine": similarity(*one.texts),
        "cosine_about": similarity(*_with_about(one)),
        "nearest": sum(nearest) / len(nearest) if nearest else 1.0,
        "agreed": agreed / max(agreed + len(left) + len(right), 1),
        "unexplained": min(len(left), len(right), 3) / 3,
        "heads": heads / 2 if one.kind == "name" else 0.0,
        "narrowed": agreed > 0 and bool(left) != bool(right) and not (first.clause or second.clause),
    }
    return tuple(float(values[name]) for name in FEATURES)


def cosines(embedder: Embedder, texts: Sequence[str]) -> Callable[[str, str], float]:
    """Cosine similarity of any two of these texts, rounded so that it does not depend on the batch."""
    unique = list(dict.fromkeys(texts))
    # Lone surrogates, which no tokenizer takes, become question marks.
    vectors = embedder.embed([text.encode("utf-8", "replace").decode("utf-8") for text in unique])
    places = {text: place for place, text in enumerate(unique)}

    def similarity(first: str, second: str) -> float:
        return round(float(np.dot(vectors[places[first]], vectors[places[second]])), 4)

    return similarity
