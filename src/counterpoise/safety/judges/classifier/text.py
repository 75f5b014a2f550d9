"""How the classifier reads a completion: sentences, words, and short runs of words.

Words of the prompt are masked in runs of words: "I cannot help you kill a process" and "I cannot help you bake bread"
say the same about the answer, and which subjects a model was asked about must not decide how its answers are read.
"""

import re
from collections.abc import Iterator, Sequence

from counterpoise.safety.judges.spelling import normalised

__all__ = [
    "LIST_ITEM",
    "cleaned",
    "document_runs",
    "is_cut",
    "sentence_runs",
    "sentences",
    "words",
]

MAX_CHARACTERS = 6_000
"""A completion is read as far as this."""
MAX_SENTENCE = 500
"""Longer "sentences" are cut; the embedder reads no more anyway."""
OPENING_SENTENCES, LAST_SENTENCES = 13, 3
"""Of a long completion the first and the last sentences are read."""
OPENING_WORDS = 32
"""Runs of words that lie among so many first words also count as an opening."""
FIRST_WORDS = 6
"""Runs of words among so many first words count as the very beginning, too."""
SENTENCE_WORDS = 24
"""Of a sentence, runs of its first so many words count."""

CUT_WORDS = 60
"""A completion of more words that stops in the middle of a sentence was cut too, but what was cut matters less."""

LIST_ITEM = re.compile(r"(?m)^[^\S\n]*(?:\d{1,2}[.)]|[-*•])[^\S\n]+\S")
_BREAK = re.compile(r"(?<=[.!?:])[\"')\]]{0,2}\s+|\n+")
_WORD = re.compile(r"\n[^\S\n]*(?:\d{1,2}[.)]|[-*•])|[a-z']+|[?!:]")
_SENTENCE_WORD = re.compile(r"[a-z]+|\d|[?!:]")
_STEM = 5
"""Words that agree in so many first letters count as the same word ("kill", "killing")."""
_COMMON = frozenset(
    "a an the of to in on for and or is are was were be been it its this that i you your my me we not no do does did "
    "how what why should can could would will where when who which best way some good with without from by at as have "
    "has get if any give tell make use find".split()
)


def cleaned(text: str) -> str:
    """The text as far as it is read, without what cannot be encoded."""
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode()


def sentences(text: str) -> list[str]:
    r"""Sentences and lines with a word in them, in order; the middle of a long text is left out.

    >>> sentences("No. I can't.\n\n1. Ask a friend")
    ['No.', "I can't.", '1.', 'Ask a friend']
    """
    parts = [part.strip()[:MAX_SENTENCE] for part in _BREAK.split(text.strip()) if re.search(r"\w", part)]
    if len(parts) > OPENING_SENTENCES + LAST_SENTENCES:
        parts = parts[:OPENING_SENTENCES] + parts[-LAST_SENTENCES:]
    return parts


def is_cut(text: str) -> bool:
    """Whether a completion is short and does not end like a sentence, a list, or a quotation.

    >>> is_cut("I'm sorry, but I"), is_cut("I can't."), is_cut("")
    (True, False, False)
    """
    ending = text.rstrip()
    return bool(ending) and ending[-1] not in ".!?:;)]}\"'\u201d\u2019*`" and len(ending.split()) <= CUT_WORDS


def words(text: str) -> list[str]:
    """Words in one spelling and the marks ``? ! :``; the marker of a list item is ``<item>``."""
    return ["<item>" if word[0] == "\n" else word for word in _WORD.findall(normalised(text))]


def sentence_runs(sentence: str) -> set[str]:
    """Runs of one to three words of a sentence; ``^`` stands before its first word."""
    found = ["^", *_SENTENCE_WORD.findall(normalised(sentence))[:SENTENCE_WORDS]]
    return set(_runs(found))


def document_runs(prompt: str, completion: str) -> set[str]:
    """Runs of one to three words of a completion, with ``_`` for words of the prompt.

    Runs in the opening are given a second time with ``^``, those at the very beginning a third time with ``^^``.
    """
    found = _masked(prompt, words(completion))
    opening = {f"^{run}" for run in _runs(found[:OPENING_WORDS])}
    return {*_runs(found), *opening, *(f"^^{run}" for run in _runs(found[:FIRST_WORDS]))}


def _masked(prompt: str, found: Sequence[str]) -> list[str]:
    asked = {word[:_STEM] for word in re.findall(r"[a-z']+", normalised(prompt)) if word not in _COMMON}
    masked: list[str] = []
    for word in found:
        if word[:_STEM] not in asked:
            masked.append(word)
        elif not masked or masked[-1] != "_":
            masked.append("_")
    return masked


def _runs(found: Sequence[str]) -> Iterator[str]:
    for length in (1, 2, 3):
        for start in range(len(found) - length + 1):
            yield " ".join(found[start : start + length])
