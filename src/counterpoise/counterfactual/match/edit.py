"""Rewritten texts compared by what was changed: the words taken out of the original and those put in.

A rewriting keeps most of a text, so comparing whole texts would reward doing nothing. Here a copy of the original has
no change, finds none of the gold ones, and scores 0.
"""

import re
from collections import Counter
from difflib import SequenceMatcher

__all__ = ["MAX_WORDS", "edit_counts"]

MAX_WORDS = 2000
"""Words of a text that are compared; what a model writes beyond them is invented."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[^\w\s]|_")


def edit_counts(original: str, gold: str, text: str) -> tuple[int, int, int]:
    """Changes found, invented and missed.

    Args:
        original: the text that is rewritten.
        gold: how it should read.
        text: how the model has it.

    Returns:
        ``tp, fp, fn`` over the multiset of ``(out or in, word)``. Case and white space make no difference.

    >>> edit_counts("the lamp is on", "the lamp is off", "the lamp is off")
    (2, 0, 0)
    >>> edit_counts("the lamp is on", "the lamp is off", "the lamp is on")
    (0, 0, 2)
    """
    wanted, made = _changes(_words(original), _words(gold)), _changes(_words(original), _words(text))
    found = sum((wanted & made).values())
    return found, sum(made.values()) - found, sum(wanted.values()) - found


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)[:MAX_WORDS]]


def _changes(before: list[str], after: list[str]) -> Counter[tuple[str, str]]:
    changes: Counter[tuple[str, str]] = Counter()
    # Without the heuristic that takes frequent words for noise: every word counts here.
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            changes.update(("out", word) for word in before[i1:i2])
            changes.update(("in", word) for word in after[j1:j2])
    return changes
