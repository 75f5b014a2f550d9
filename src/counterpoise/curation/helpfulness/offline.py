"""How much of an answer's help survives a revision, judged without a language model."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from counterpoise.curation.helpfulness.rating import Rating
from counterpoise.curation.words import content_stems, sentences, words
from counterpoise.records import content_hash

if TYPE_CHECKING:
    from counterpoise.lm.embedding import Embedder

__all__ = ["WEIGHTS", "Helpfulness"]

WEIGHTS = {"relevance": 0.25, "content": 0.25, "clarity": 0.25, "coverage": 0.25}
"""Every criterion counts the same, as in the source."""

_FORMULAS = 1
"""Raised whenever a formula below changes."""
_LEAST_RELEVANCE = 0.2
"""Cosine to the question that is asked of a revision at least, however far from its question the original is."""
_LEAST_CLARITY = 0.5
"""Clarity that is asked of a revision at least, however clumsy the original is."""
_SENTENCE_BAND = (4, 32)
"""Words of a sentence that reads easily."""


class Helpfulness:
    """Offline judge of revisions, after the source's relevance, clarity, comprehensiveness and usefulness of knowledge.

    With unit vectors :math:`q, o, r` of question, original and revision:

    - relevance: ``min(1, q·r / max(q·o, 0.2))``. A revision need not be closer to the question than the original was.
    - content: ``max(0, o·r)``.
    - clarity: ``min(1, c(r) / max(c(o), 0.5))``, where ``c`` is the share of different word pairs, times the mean of
      the share of sentences with 4 to 32 words and of whether the text begins and ends as a sentence does. A revision
      need not be better written than the original was.
    - coverage: share of the original's content-word stems that the revision has; stands for comprehensiveness and
      for the knowledge that the answer conveys. 1 when the original has no content words.

    The total is their weighted mean. A blank revision scores 0 throughout.

    It measures what was kept, not what is true: an embedding hardly notices a negation, a false addition that keeps to
    the topic scores well, and a good paraphrase loses coverage. A language model as judge sees more, at a price.

    Args:
        embedder: source of the vectors.

    Source: criteria from arXiv 2410.02220; the formulas are this project's.
    """

    def __init__(self, embedder: "Embedder") -> None:
        self._embedder = embedder
        self.name = f"helpfulness/{embedder.name}"
        self.revision = f"{embedder.revision}+{content_hash(self.identity())}"

    def identity(self) -> dict[str, Any]:
        """All that ratings depend on: embedder, version of the formulas, weights."""
        embedder = {"name": self._embedder.name, "revision": self._embedder.revision}
        return {"embedder": embedder, "formulas": _FORMULAS, "weights": WEIGHTS}

    def __call__(self, items: Sequence[tuple[str, str, str]]) -> list[Rating]:
        """Rate triples of question, original answer and revision, in order; all texts are embedded in one batch."""
        texts = list(dict.fromkeys(text for item in items for text in item))
        if not texts:
            return []
        vectors = np.nan_to_num(np.asarray(self._embedder.embed(texts), dtype=np.float64))
        row = {text: vectors[index] for index, text in enumerate(texts)}
        return [_rating(*item, row[item[0]], row[item[1]], row[item[2]]) for item in items]


Vector = NDArray[np.float64]


def _rating(question: str, original: str, revised: str, q: Vector, o: Vector, r: Vector) -> Rating:
    if not revised.strip():
        return Rating.of(dict.fromkeys(WEIGHTS, 0.0), WEIGHTS)
    criteria = {
        "relevance": _unit(float(q @ r) / max(float(q @ o), _LEAST_RELEVANCE)),
        "content": _unit(float(o @ r)),
        "clarity": _unit(_clarity(revised) / max(_clarity(original), _LEAST_CLARITY)),
        "coverage": _coverage(original, revised),
    }
    return Rating.of(criteria, WEIGHTS)


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))


def _clarity(text: str) -> float:
    if not text.strip():
        return 0.0
    pairs = list(pairwise(words(text)))
    variety = len(set(pairs)) / len(pairs) if pairs else 1.0
    parts = sentences(text)
    low, high = _SENTENCE_BAND
    readable = sum(low <= len(words(part)) <= high for part in parts) / len(parts)
    stripped = text.strip()
    # Scripts without capitals count as well begun.
    begun = not stripped[0].islower()
    ended = stripped.rstrip("\"'”’)")[-1:] in set(".!?…。！？")
    return variety * (readable + (begun + ended) / 2) / 2


def _coverage(original: str, revised: str) -> float:
    wanted = content_stems(original)
    return len(wanted & content_stems(revised)) / len(wanted) if wanted else 1.0
