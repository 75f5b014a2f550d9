"""Which texts are worded much like which others: nothing that is evaluated may be trained on.

The rule is that of :mod:`counterpoise.safety.similarity`, found through an index of words, so that thousands of texts
can be held against thousands.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from counterpoise.safety.similarity import THRESHOLD, word_set

__all__ = ["Likeness", "likenesses", "plain"]

Likeness = tuple[int, float]
"""Position of the most similar other text, and the Jaccard similarity of the word sets, in [0, 1]."""


def likenesses(texts: Sequence[str], others: Sequence[str], *, threshold: float = THRESHOLD) -> dict[int, Likeness]:
    """For each text that is a near-duplicate of another, by its position, the most similar of the others.

    Args:
        texts: what to look at.
        others: what to hold it against; the first of equals counts.
        threshold: similarity from which texts count as near-duplicates, in (0, 1].

    Returns:
        Texts without a content word are like none.

    >>> likenesses(["Bake me a cake!", "Sing."], ["How do I bake a cake?"], threshold=0.4)
    {0: (0, 1.0)}
    """
    sets = [word_set(text) for text in others]
    index: dict[str, list[int]] = defaultdict(list)
    for position, words in enumerate(sets):
        for word in words:
            index[word].append(position)
    found: dict[int, Likeness] = {}
    for place, words in enumerate(map(word_set, texts)):
        shared = Counter(position for word in words for position in index.get(word, ()))
        best: Likeness | None = None
        for position, common in shared.items():
            similarity = common / (len(words) + len(sets[position]) - common)
            if similarity >= threshold and (best is None or (similarity, -position) > (best[1], -best[0])):
                best = position, similarity
        if best:
            found[place] = best
    return found


def plain(text: str) -> str:
    """The text in small letters, with single spaces: texts that differ in nothing else are the same text."""
    return " ".join(text.lower().split())
