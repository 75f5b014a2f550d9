"""Which prompts are near-duplicates of each other.

Prompts that differ only in wording must fall on the same side of every split, or a model is tested on what it was
trained on. Two prompts are near-duplicates when the Jaccard similarity of their normalised word sets is at least
:data:`THRESHOLD`; clusters are the connected components, so near-duplicates of near-duplicates stay together too.
"""

import re
from collections.abc import Sequence

from counterpoise.records import content_hash

__all__ = ["THRESHOLD", "near_duplicate_clusters", "near_duplicates", "word_set"]

THRESHOLD = 0.5
"""Jaccard similarity from which two prompts count as near-duplicates.

Chosen on AdvBench's 520 goals: at 0.5 they fall into about 350 clusters of at most 25; at 0.4 unrelated goals begin to
chain (a cluster of 68), at 0.3 most goals form one cluster.
"""

_STOPWORDS = frozenset(
    "a an the to of for on in and or that this with how from as into by at is are be can could will would should may "
    "might it its their them they your you my me one not using use uses used without do does i what".split()
)


def word_set(text: str) -> frozenset[str]:
    """The text's words, lower case, without function words and with common endings cut.

    >>> sorted(word_set("Explain how to bake the cakes"))
    ['bake', 'cake', 'explain']
    """
    words = re.findall(r"[a-z0-9]+", text.lower().replace("'s", ""))
    return frozenset(_stem(word) for word in words if word not in _STOPWORDS)


def near_duplicate_clusters(texts: Sequence[str], *, threshold: float = THRESHOLD) -> list[str]:
    """The cluster of each text, aligned with ``texts``.

    A cluster's name is a hash of the smallest of its word sets, so it depends on the texts alone, not on their order.
    Texts without any content word are in one cluster. Time grows with the square of the number of texts: meant for a
    few thousand.
    """
    sets = [word_set(text) for text in texts]
    leader = list(range(len(sets)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    for second, words in enumerate(sets):
        for first in range(second):
            if _similarity(words, sets[first]) >= threshold:
                leader[find(second)] = find(first)
    names: dict[int, list[str]] = {}
    for index, words in enumerate(sets):
        names.setdefault(find(index), []).append(" ".join(sorted(words)))
    named = {root: content_hash(min(members), length=10) for root, members in names.items()}
    return [named[find(index)] for index in range(len(sets))]


def near_duplicates(texts: Sequence[str], of: Sequence[str], *, threshold: float = THRESHOLD) -> list[int]:
    """Positions in ``texts`` of those that are near-duplicates of a text in ``of``."""
    others = [word_set(text) for text in of]
    return [
        index
        for index, words in enumerate(map(word_set, texts))
        if any(_similarity(words, other) >= threshold for other in others)
    ]


def _similarity(first: frozenset[str], second: frozenset[str]) -> float:
    union = len(first | second)
    return len(first & second) / union if union else 1.0


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
