"""How near a phrase is to safety, and which category of the built-in seed set it belongs to."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from counterpoise.curation.seeds.seed import Seed, builtin_seeds
from counterpoise.lm.embedding import Embedder

__all__ = ["MIN_RELEVANCE", "NEIGHBOURS", "Relevance", "described", "neutral_phrases"]

Vectors = NDArray[np.float32]

MIN_RELEVANCE = 0.15
"""The default bound; ``python -m counterpoise.curation.seeds.calibrate`` says how well it and others do."""
NEIGHBOURS = 5
"""Phrases of a reference set that are looked at."""
_TINY = np.float32(1e-12)


@cache
def neutral_phrases() -> tuple[str, ...]:
    """Phrases that are not about safety, of the kinds that documents are full of; written for this project."""
    text = (resources.files("counterpoise.curation.seeds") / "neutral.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def described(seed: Seed) -> str:
    """A seed as it is embedded: the keyword with its gloss, if it has one."""
    return f"{seed.keyword}: {seed.gloss}" if seed.gloss else seed.keyword


class Relevance:
    """Compares phrases with a seed set and with the neutral phrases.

    All vectors are taken relative to the mean of the neutral ones, which removes what any short phrase has in common,
    and scaled to length 1 again.

    Args:
        embedder: makes vectors of texts.
        seeds: the set that stands for safety; by default the built-in one.
    """

    def __init__(self, embedder: Embedder, seeds: Sequence[Seed] | None = None) -> None:
        seeds = seeds or builtin_seeds()
        neutral = embedder.embed(neutral_phrases())
        self._centre = neutral.mean(axis=0)
        self._neutral = self._centred(neutral)
        self._safety = self._centred(embedder.embed([described(seed) for seed in seeds]))
        self._categories = sorted({seed.category for seed in seeds})
        members = np.array([[seed.category == one for seed in seeds] for one in self._categories], dtype=np.float32)
        self._centroids = _unit(members @ self._safety)

    def scores(self, vectors: Vectors) -> list[float]:
        """Relevance of phrases, in [-2, 2]; 0 is as near to safety as to other things.

        The mean cosine similarity to the five nearest seeds (keyword with gloss), less that to the five nearest neutral
        phrases. Rounded to three digits.

        Args:
            vectors: of the phrases, shape ``[n, dimensions]``.
        """
        own = self._centred(vectors)
        margin = _nearest(own @ self._safety.T) - _nearest(own @ self._neutral.T)
        return [round(float(value), 3) for value in margin]

    def categories(self, vectors: Vectors) -> list[str]:
        """The category of each phrase: that with the nearest mean of its seeds; ties go to the first by name."""
        nearest: Sequence[int] = (self._centred(vectors) @ self._centroids.T).argmax(axis=1)
        return [self._categories[index] for index in nearest]

    def _centred(self, vectors: Vectors) -> Vectors:
        return _unit(vectors - self._centre)


def _unit(vectors: Vectors) -> Vectors:
    # A vector of length 0 stays: it is as near to one thing as to another.
    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
    return scaled


def _nearest(similarity: Vectors) -> Vectors:
    best: Vectors = np.partition(similarity, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1)
    return best
