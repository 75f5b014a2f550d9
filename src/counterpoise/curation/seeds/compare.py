"""Compare keywords and whole seed sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoise.curation.seeds.seed import Seed, identity
from counterpoise.errors import DataError
from counterpoise.lm.embedding import Embedder

__all__ = ["NEAR", "Changed", "Difference", "Pair", "difference", "find_seed", "leaders", "nearest"]

NEAR = 0.8
"""Cosine similarity from which on two keywords count as near-duplicates; in the built-in set one pair reaches it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A keyword that both sets have, with a field that differs.

    Attributes:
        keyword: as the new set spells it.
        field: ``keyword`` (another spelling), ``category`` or ``gloss``.
        old: the old set's value.
        new: the new set's value.
    """

    keyword: str
    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two different keywords of nearly one meaning.

    Attributes:
        old: keyword of the old set.
        new: keyword of the new set.
        similarity: their cosine similarity, rounded to three digits.
    """

    old: str
    new: str
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a new seed set changes of an old one; keywords are compared without case and spacing.

    Attributes:
        kept: number of keywords that both have.
        added: seeds of the new set alone, in its order.
        removed: seeds of the old set alone, in its order.
        changed: fields that differ, in the order of the new set.
        near: near-duplicates across the sets, the nearest first; pairs of keywords that both sets have are left out.
    """

    kept: int
    added: tuple[Seed, ...]
    removed: tuple[Seed, ...]
    changed: tuple[Changed, ...]
    near: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "kept": self.kept,
            "added": [seed.model_dump(mode="json") for seed in self.added],
            "removed": [seed.model_dump(mode="json") for seed in self.removed],
            "changed": [{"keyword": c.keyword, "field": c.field, "old": c.old, "new": c.new} for c in self.changed],
            "near": [{"old": pair.old, "new": pair.new, "similarity": pair.similarity} for pair in self.near],
        }


def difference(old: Sequence[Seed], new: Sequence[Seed], embedder: Embedder) -> Difference:
    """Compare two seed sets; see :class:`Difference`."""
    before = {identity(seed.keyword): seed for seed in old}
    after = {identity(seed.keyword): seed for seed in new}
    return Difference(
        kept=len(before.keys() & after.keys()),
        added=tuple(seed for key, seed in after.items() if key not in before),
        removed=tuple(seed for key, seed in before.items() if key not in after),
        changed=tuple(
            Changed(seed.keyword, field, getattr(before[key], field), getattr(seed, field))
            for key, seed in after.items()
            if key in before
            for field in ("keyword", "category", "gloss")
            if getattr(before[key], field) != getattr(seed, field)
        ),
        near=_near_pairs(before, after, embedder),
    )


def _near_pairs(before: Mapping[str, Seed], after: Mapping[str, Seed], embedder: Embedder) -> tuple[Pair, ...]:
    first, second = list(before), list(after)
    similarity = embedder.embed(first) @ embedder.embed(second).T
    pairs = [
        Pair(before[first[row]].keyword, after[second[column]].keyword, round(float(similarity[row, column]), 3))
        for row, column in np.argwhere(similarity >= NEAR)
        if first[row] != second[column] and not (first[row] in after and second[column] in before)
    ]
    return tuple(sorted(pairs, key=lambda pair: (-pair.similarity, pair.old, pair.new)))


def find_seed(seeds: Sequence[Seed], keyword: str) -> Seed:
    """The seed of that keyword, whatever its case and spacing.

    Raises:
        DataError: the set has none; suggests those with the most similar letters.
    """
    known = {identity(seed.keyword): seed for seed in seeds}
    if (found := known.get(identity(keyword))) is not None:
        return found
    close = [known[key].keyword for key in get_close_matches(identity(keyword), known, n=3)]
    raise DataError(
        f"no keyword {keyword!r} among {len(seeds)}",
        fix="did you mean " + ", ".join(repr(one) for one in close) + "?" if close else None,
    )


def nearest(seeds: Sequence[Seed], seed: Seed, embedder: Embedder, count: int) -> list[tuple[Seed, float]]:
    """The other keywords of a set that are nearest to one of it, nearest first, with their cosine similarity.

    Fewer than ``count`` if the set has no more.
    """
    others = [one for one in seeds if one != seed]
    similarity = embedder.embed([one.keyword for one in others]) @ embedder.embed([seed.keyword])[0]
    ranked = sorted(zip(others, similarity.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0].keyword))
    return [(one, round(value, 3)) for one, value in ranked[:count]]


def leaders(vectors: NDArray[np.float32], near: float, fixed: int = 0) -> list[int]:
    """Cluster vectors around leaders: the index of each one's leader, its own if it is one.

    In order, a vector joins the leader that it is most similar to if their cosine similarity is at least ``near``, else
    it becomes a leader. So no two leaders are that near, but for the ``fixed`` ones, and every vector is to its own.
    Time grows with the number of vectors times that of leaders.

    Args:
        vectors: of length 1, shape ``[n, dimensions]``.
        near: bound of the similarity.
        fixed: how many of the first vectors are leaders whatever is near them.
    """
    chosen = np.empty_like(vectors)
    numbers: list[int] = []
    found: list[int] = []
    for index, vector in enumerate(vectors):
        if index >= fixed and numbers:
            similarity = chosen[: len(numbers)] @ vector
            best = int(similarity.argmax())
            if similarity[best] >= near:
                found.append(numbers[best])
                continue
        chosen[len(numbers)] = vector
        numbers.append(index)
        found.append(index)
    return found
