"""Ways to garble a text, for fitting and for measuring the judgement of coherence."""

import random
import string
from collections.abc import Callable, Sequence

__all__ = ["CORRUPTIONS", "garble"]

Corruption = Callable[[str, Sequence[str], random.Random], str]
"""From a text, other texts and a generator to a garbled text."""


def garble(kind: str, text: str, others: Sequence[str], draw: random.Random) -> str:
    """The text, garbled in one of :data:`CORRUPTIONS`.

    Args:
        kind: a key of :data:`CORRUPTIONS`.
        text: what is garbled.
        others: other texts, to mix in.
        draw: decides what is garbled.
    """
    return CORRUPTIONS[kind](text, others, draw)


def _shuffled(text: str, _: Sequence[str], draw: random.Random) -> str:
    """All words in random order."""
    words = text.split()
    draw.shuffle(words)
    return " ".join(words)


def _locally_shuffled(text: str, _: Sequence[str], draw: random.Random) -> str:
    """Words exchanged within stretches of six."""
    words = text.split()
    stretches = [words[start : start + 6] for start in range(0, len(words), 6)]
    for stretch in stretches:
        draw.shuffle(stretch)
    return " ".join(word for stretch in stretches for word in stretch)


def _repeating(text: str, _: Sequence[str], draw: random.Random) -> str:
    """A run of two to six words again and again."""
    words = text.split()
    start, length = draw.randrange(max(1, len(words) - 2)), draw.randint(2, 6)
    run = words[start : start + length]
    kept = words[: draw.randint(0, min(20, len(words)))]
    return " ".join(kept + run * draw.randint(4, 12))


def _misspelt(text: str, _: Sequence[str], draw: random.Random) -> str:
    """Letters exchanged, dropped or added in a third of the words."""
    found = []
    for word in text.split():
        letters = list(word)
        if len(letters) > 2 and draw.random() < 0.35:
            for _again in range(draw.randint(1, 3)):
                place = draw.randrange(len(letters))
                letters[place : place + draw.randint(0, 1)] = draw.choice(string.ascii_lowercase)
        found.append("".join(letters))
    return " ".join(found)


def _mixed(text: str, others: Sequence[str], draw: random.Random) -> str:
    """Clauses of several answers in turn, cut at any word."""
    pieces = []
    for source in [text, *draw.sample(list(others), min(4, len(others))), text]:
        words = source.split()
        start = draw.randrange(max(1, len(words) - 6))
        pieces.append(" ".join(words[start : start + draw.randint(4, 9)]))
    return " ".join(pieces)


def _dropped(text: str, _: Sequence[str], draw: random.Random) -> str:
    """Two words in five are missing."""
    return " ".join(word for word in text.split() if draw.random() < 0.6)


def _pieces(text: str, others: Sequence[str], draw: random.Random) -> str:
    """Pieces of words glued together at random, as from a model whose weights are broken."""
    pool = [word for source in (text, *others[:20]) for word in source.split()]
    found = []
    for _again in range(draw.randint(20, 60)):
        word = draw.choice(pool)
        place = draw.randrange(len(word))
        piece = word[place : place + draw.randint(1, 5)]
        found.append(piece if draw.random() < 0.5 else f" {piece}")
    return "".join(found).strip()


CORRUPTIONS: dict[str, Corruption] = {
    "words shuffled": _shuffled,
    "words shuffled nearby": _locally_shuffled,
    "repeating": _repeating,
    "misspelt": _misspelt,
    "clauses mixed": _mixed,
    "words missing": _dropped,
    "pieces of words": _pieces,
}
"""Every way to garble a text, by name."""
