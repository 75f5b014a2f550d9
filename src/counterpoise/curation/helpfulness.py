"""How much of an answer's help survives a revision, judged without a language model."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from counterpoise.curation.words import content_stems, sentences, words

if TYPE_CHECKING:
    from counterpoise.lm.embedding import Embedder

__all__ = ["WEIGHTS", "Helpfulness", "Judge", "Score"]

WEIGHTS = {"relevance": 0.25, "content": 0.25, "clarity": 0.25, "coverage": 0.25}
"""Every criterion counts the same, as in the source."""

_LEAST_RELEVANCE = 0.2
"""Cosine to the question that is asked of a revision at least, however far from its question the original is."""
_SENTENCE_BAND = (4, 32)
"""Words of a sentence that reads easily."""


@dataclass(frozen=True, slots=True)
class Score:
    """One revision's helpfulness; every value in [0, 1].

    Attributes:
        relevance: cosine to the question, as a share of the original's.
        content: cosine to the original answer.
        clarity: free of repetition, whole sentences of readable length.
        coverage: share of the original's content words that are still there.
        total: weighted mean by :data:`WEIGHTS`.
    """

    relevance: float
    content: float
    clarity: float
    coverage: float
    total: float


class Judge(Protocol):
    """Anything that scores revisions: this module's offline judge, or a stronger one."""

    @property
    def name(self) -> str:
        """As reports name it."""
        ...

    def __call__(self, items: Sequence[tuple[str, str, str]]) -> list[Score]:
        """Scores of triples of question, original answer and revision, in order."""
        ...


class Helpfulness:
    """Offline judge of revisions, after the source's relevance, clarity, comprehensiveness and usefulness of knowledge.

    With unit vectors :math:`q, o, r` of question, original and revision:

    - relevance: ``min(1, q·r / max(q·o, 0.2))``. A revision need not be closer to the question than the original was.
    - content: ``max(0, o·r)``.
    - clarity: the share of different word pairs, times the mean of the share of sentences with 4 to 32 words and of
      whether the text begins and ends as a sentence does.
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

    def __call__(self, items: Sequence[tuple[str, str, str]]) -> list[Score]:
        """Score triples of question, original answer and revision, in order; all texts are embedded in one batch."""
        texts = list(dict.fromkeys(text for item in items for text in item))
        if not texts:
            return []
        vectors = np.nan_to_num(np.asarray(self._embedder.embed(texts), dtype=np.float64))
        row = {text: vectors[index] for index, text in enumerate(texts)}
        return [_score(*item, row[item[0]], row[item[1]], row[item[2]]) for item in items]


Vector = NDArray[np.float64]


def _score(question: str, original: str, revised: str, q: Vector, o: Vector, r: Vector) -> Score:
    if not revised.strip():
        return Score(0.0, 0.0, 0.0, 0.0, 0.0)
    values = {
        "relevance": _unit(float(q @ r) / max(float(q @ o), _LEAST_RELEVANCE)),
        "content": _unit(float(o @ r)),
        "clarity": _clarity(revised),
        "coverage": _coverage(original, revised),
    }
    # Rounded so that a score reads back from a file as it was, and noise of the last digits decides nothing.
    values = {name: round(value, 6) for name, value in values.items()}
    total = sum(WEIGHTS[name] * value for name, value in values.items()) / sum(WEIGHTS.values())
    return Score(**values, total=round(total, 6))


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))


def _clarity(text: str) -> float:
    tokens = words(text)
    pairs = list(pairwise(tokens))
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
