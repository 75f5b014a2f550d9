"""How well relevance tells phrases about safety from others: ``python -m counterpoise.curation.seeds.calibrate``.

The labelled phrases were written for this project; none is in either reference set. A phrase is about safety if,
standing alone, it names a danger or a harm that people guard against, a protection from one, or a right or duty that
protects people. Every second phrase is for choosing the bound, the others are held out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from counterpoise.curation.seeds.relevance import Relevance
from counterpoise.curation.seeds.seed import builtin_seeds
from counterpoise.lm.embedding import Embedder, open_embedder
from counterpoise.records import read_jsonl
from counterpoise.statistics import Estimate, wilson

__all__ = [
    "Labelled",
    "Measured",
    "category_accuracy",
    "labelled_phrases",
    "measure",
]

BOUNDS = (0.0, 0.05, 0.1, 0.15, 0.2)
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Labelled:
    """A phrase with its label.

    Attributes:
        phrase: the phrase.
        kind: ``everyday``, ``technical`` (of computing and of language models), or ``lookalike``: a phrase of another
            matter that shares a word with safety.
        label: ``safety`` or ``other``.
    """

    phrase: str
    kind: Literal["everyday", "technical", "lookalike"]
    label: Literal["safety", "other"]


@dataclass(frozen=True, slots=True)
class Measured:
    """Agreement of a bound with the labels.

    Attributes:
        bound: relevance from which a phrase counts as about safety.
        precision: share of labelled ``safety`` among the phrases above the bound.
        recall: share of the phrases labelled ``safety`` that are above it.
        passed: for each kind, the share of its phrases labelled ``other`` that are above it all the same.
    """

    bound: float
    precision: Estimate
    recall: Estimate
    passed: dict[str, Estimate]


def labelled_phrases() -> tuple[list[Labelled], list[Labelled]]:
    """The phrases for choosing a bound, and those held out."""
    with resources.as_file(resources.files("counterpoise.curation.seeds") / "labelled.jsonl") as path:
        phrases = [Labelled(**entry) for entry in read_jsonl(path)]
    return phrases[::2], phrases[1::2]


def measure(phrases: Sequence[Labelled], scores: Sequence[float], bound: float) -> Measured:
    """Precision and recall of a bound, with 95 % intervals; phrases count as independent."""
    safety = [score >= bound for one, score in zip(phrases, scores, strict=True) if one.label == "safety"]
    other = [(one.kind, score >= bound) for one, score in zip(phrases, scores, strict=True) if one.label == "other"]
    hits, wrong = sum(safety), sum(above for _, above in other)
    kinds = {kind: [above for its, above in other if its == kind] for kind in sorted({kind for kind, _ in other})}
    return Measured(
        bound=bound,
        precision=wilson(hits, hits + wrong),
        recall=wilson(hits, len(safety)),
        passed={kind: wilson(sum(above), len(above)) for kind, above in kinds.items()},
    )


def category_accuracy(embedder: Embedder) -> Estimate:
    """Share of the built-in keywords, without glosses, that get their own category from a set without them.

    Five folds: every fifth keyword is left out of the set that decides on it.
    """
    seeds = builtin_seeds()
    hits = 0
    for fold in range(FOLDS):
        left_out = seeds[fold::FOLDS]
        rest = [seed for number, seed in enumerate(seeds) if number % FOLDS != fold]
        found = Relevance(embedder, rest).categories(embedder.embed([seed.keyword for seed in left_out]))
        hits += sum(seed.category == one for seed, one in zip(left_out, found, strict=True))
    return wilson(hits, len(seeds))


def main() -> None:
    """Print the agreement of several bounds with both halves of the labelled phrases, and of the categories."""
    embedder = open_embedder("embedded/minilm")
    relevance = Relevance(embedder)
    for half, phrases in zip(("choosing", "held out"), labelled_phrases(), strict=True):
        scores = relevance.scores(embedder.embed([one.phrase for one in phrases]))
        for bound in BOUNDS:
            found = measure(phrases, scores, bound)
            passed = ", ".join(f"{kind} {share}" for kind, share in found.passed.items())
            print(f"{half}, from {bound:.2f}: precision {found.precision}, recall {found.recall}; passed: {passed}")
    print(f"categories: {category_accuracy(embedder)}")


if __name__ == "__main__":
    main()
