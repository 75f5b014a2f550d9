"""Is a completion coherent text?

Sentence embeddings hardly see the order of words, so most of what is measured here is counted: how likely the words
follow each other (classes of words, by a table), how likely the letters do, how much repeats, how well the text packs.
Embeddings add whether the sentences belong together and to the prompt.
"""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from counterpoise.safety.judges.classifier.features import Document, Scaling
from counterpoise.safety.judges.classifier.softmax import Floats, Softmax, fit_softmax
from counterpoise.safety.judges.classifier.text import cleaned

__all__ = ["CoherenceModel", "Tables", "count_tables", "fit_coherence"]

_COMMON = 400
"""So many of the commonest words are classes of their own."""
_ENDINGS = ("ing", "ed", "ly", "tion", "ness", "ment", "able", "ful", "ous", "ive", "al", "er", "est", "s", "y", "e")
_SMOOTHING = 0.3
_WINDOW = 12
"""The least likely stretch of so many words counts too: one garbled clause makes a text incoherent."""
_LEAST_LETTER = -6.0
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d+|[^\sA-Za-z\d]")
_PENALTY = 1e-3
_COHERENT = 4.0


@dataclass(frozen=True, slots=True)
class Tables:
    """How words and letters follow each other in ordinary text.

    Attributes:
        common: the words that are classes of their own, each with its number.
        words: logarithm of how much likelier than by chance a class follows another; shape ``[classes, classes]``.
        letters: natural logarithm of the probability of a letter after two others, at least -6; ``[27, 27, 27]``, the
            last one is the border of a word.
    """

    common: dict[str, int]
    words: Floats
    letters: Floats


def count_tables(texts: Sequence[str]) -> Tables:
    """Count how words and letters follow each other."""
    tokens = [_TOKEN.findall(cleaned(text)) for text in texts]
    counted = Counter(token.lower() for found in tokens for token in found)
    common = {word: place for place, word in enumerate(sorted(word for word, _ in counted.most_common(_COMMON)))}
    size = len(common) + 2 * len(_ENDINGS) + 6
    pairs = np.full((size, size), _SMOOTHING / size)
    letters = np.full((27, 27, 27), _SMOOTHING / 27)
    for found in tokens:
        classes = _classes(found, common)
        np.add.at(pairs, (classes[:-1], classes[1:]), 1.0)
        for token in found:
            places = _spelled(token)
            np.add.at(letters, (places[:-2], places[1:-1], places[2:]), 1.0)
    left, right = pairs.sum(axis=1, keepdims=True), pairs.sum(axis=0, keepdims=True)
    lift = np.log(pairs * pairs.sum() / (left * right))
    probability = np.maximum(np.log(letters / letters.sum(axis=2, keepdims=True)), _LEAST_LETTER)
    return Tables(common, np.clip(lift, -4, 4).astype(np.float32), probability.astype(np.float32))


@dataclass(frozen=True, slots=True)
class CoherenceModel:
    """The probability that a completion is coherent.

    Attributes:
        tables: of words and letters.
        scaling: of the measurements.
        model: over garbled and coherent.
    """

    tables: Tables
    scaling: Scaling
    model: Softmax

    def __call__(self, completions: Sequence[str], documents: Sequence[Document]) -> Floats:
        """Shape ``[completions]``, in [0, 1]."""
        if not completions:
            return np.zeros(0, dtype=np.float32)
        numbers = np.array(
            [measured(text, document, self.tables) for text, document in zip(completions, documents, strict=True)],
            dtype=np.float32,
        )
        probability: Floats = self.model(_widened(self.scaling(numbers)))[:, 1]
        return probability


def fit_coherence(
    completions: Sequence[str],
    documents: Sequence[Document],
    coherent: Sequence[bool],
    tables: Tables,
) -> CoherenceModel:
    """Fit on coherent completions and on garbled ones.

    Together the coherent ones weigh :data:`_COHERENT` times as much: most completions are coherent, and a rate can be
    read more easily when few of those are counted as garbled.
    """
    numbers = np.array(
        [measured(text, document, tables) for text, document in zip(completions, documents, strict=True)],
        dtype=np.float32,
    )
    scaling = Scaling.of(numbers)
    classes: NDArray[np.int64] = np.array(coherent, dtype=np.int64)
    importance = np.where(classes == 1, _COHERENT / max(1, classes.sum()), 1 / max(1, (1 - classes).sum()))
    model = fit_softmax(
        _widened(scaling(numbers)), classes, count=2, penalty=_PENALTY, importance=importance, steps=200
    )
    return CoherenceModel(tables, scaling, model)


def measured(completion: str, document: Document, tables: Tables) -> list[float]:
    """The measurements of one completion, in a fixed order."""
    text = cleaned(completion)
    tokens = _TOKEN.findall(text)
    words = [token.lower() for token in tokens if token[0].isalpha()]
    classes = _classes(tokens, tables.common)
    lifts = tables.words[classes[:-1], classes[1:]] if len(classes) > 1 else np.zeros(1, dtype=np.float32)
    likely = [
        float(tables.letters[spelled[:-2], spelled[1:-1], spelled[2:]].mean()) for spelled in map(_spelled, words)
    ]
    spellings = np.array(likely or [-3.0])
    triples = list(zip(words, words[1:], words[2:], strict=False))
    sentences = document.vectors
    steps = (sentences[:-1] * sentences[1:]).sum(axis=1) if len(sentences) > 1 else np.full(1, 0.35)
    middle = sentences.mean(axis=0) if len(sentences) else document.prompt
    together = sentences @ middle if len(sentences) > 1 else np.full(1, 0.7)
    numbers: list[float] = [
        float(lifts.mean()),
        _least(lifts),
        float((lifts < -1).mean()),
        float(spellings.mean()),
        float(np.quantile(spellings, 0.1)),
        float((spellings < -3.2).mean()),
        len(set(words)) / max(1, len(words)) ** 0.85,
        1 - len(set(triples)) / max(1, len(triples)),
        max(Counter(triples).values(), default=0) / max(1, len(triples)) if len(triples) > 3 else 0.0,
        len(zlib.compress(text.encode())) / (len(text.encode()) + 40),
        sum(word in tables.common for word in words) / max(1, len(words)),
        len(words) / max(1, len(tokens)),
        sum(character.isalpha() or character == " " for character in text) / max(1, len(text)),
        min(8.0, float(np.mean([float(len(word)) for word in words] or [4.5]))),
        sum(token[0].isupper() for token in tokens[1:]) / max(1, len(tokens)),
        float(np.mean(steps)),
        float(np.min(together)),
        float(np.mean(together)),
        float(middle @ document.prompt),
        min(len(tokens), 300) / 300,
        # Last, because the others are taken together with it.
        float(np.exp(-len(tokens) / 20)),
    ]
    return numbers


def _least(lifts: Floats) -> float:
    """Mean of the least likely stretch of :data:`_WINDOW` words."""
    if len(lifts) <= _WINDOW:
        return float(lifts.mean())
    return float(np.convolve(lifts, np.ones(_WINDOW) / _WINDOW, mode="valid").min())


def _classes(tokens: Sequence[str], common: dict[str, int]) -> NDArray[np.int64]:
    """The class of each token: a common word, or the kind of a rarer one, capitals apart."""
    first = len(common)
    found = []
    for token in tokens:
        word = token.lower()
        place = common.get(word)
        if place is None:
            if token[0].isdigit():
                place = first
            elif not token[0].isalpha():
                place = first + 1
            else:
                ending = next((n for n, end in enumerate(_ENDINGS) if word.endswith(end)), len(_ENDINGS))
                place = first + 2 + 2 * ending + token[0].isupper()
        found.append(place)
    return np.array(found, dtype=np.int64)


def _spelled(token: str) -> NDArray[np.int64]:
    places = [_LETTERS.find(letter) for letter in token.lower()]
    # Two borders before the first letter, so that every letter, and the end, has two places before it.
    return np.array([26, 26, *(place for place in places if place >= 0), 26], dtype=np.int64)


def _widened(standard: Floats) -> Floats:
    """The measurements cut at four spreads, their squares, and both once more for short texts.

    What is usual depends on the length: in a short text nothing repeats, and one rare pair of words is much of it.
    """
    numbers = np.clip(standard[:, :-1], -4, 4)
    wide = np.concatenate([numbers, numbers**2 / 4], axis=1)
    both: Floats = np.concatenate([wide, wide * np.clip(standard[:, -1:], -4, 4), standard[:, -1:]], axis=1)
    return both
