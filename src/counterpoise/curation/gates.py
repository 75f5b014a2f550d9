"""Sanity gates: what a revision must pass before any model scores it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterpoise.curation.words import phrase_in, sentences, words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

__all__ = ["Gates", "failed_gate"]


class Gates(BaseModel):
    """Limits of the gates.

    Attributes:
        shortest: fewest words, as a share of the original's.
        longest: most words, as a multiple of the original's; at least ``spare_words`` more are always allowed, so a
            one-word answer can be revised at all.
        spare_words: see ``longest``.
        distinct: least share of different word triples in the text, and of different word pairs in a sentence.
        language: least probability that new text is in the original's language; 0 allows any language.
        script: least share of letters in scripts that the original uses.
        keywords: how many of the keywords asked for must be there (all of them, where fewer were asked for).
        max_perplexity: highest perplexity under the target model; ``None`` for no cap.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shortest: float = Field(default=0.7, gt=0)
    longest: float = Field(default=4.0, gt=0)
    spare_words: int = Field(default=30, ge=0)
    distinct: float = Field(default=0.85, ge=0, le=1)
    language: float = Field(default=0.01, ge=0, le=1)
    script: float = Field(default=0.95, ge=0, le=1)
    keywords: int = Field(default=1, ge=0)
    max_perplexity: float | None = Field(default=1000.0, gt=1)

    @model_validator(mode="after")
    def _band(self) -> "Gates":
        if self.longest <= self.shortest:
            raise ValueError(f"longest must be above shortest; got {self.longest} and {self.shortest}")
        return self


def failed_gate(
    revised: str,
    original: str,
    keywords: Sequence[str],
    gates: Gates,
    *,
    examples: Sequence[str] = (),
    question: str = "",
) -> str | None:
    """Name of the first gate that a cleaned revision fails; ``None`` when it passes all.

    In order: ``empty`` (no word), ``unchanged`` (the original again), ``refusal`` (declines instead of answering),
    ``chat_artefact`` (talks to the user or about the task, role markers, markup, first person where the original has
    none), ``prompt_leak`` (has six words in a row from one of ``examples``, the answers that the prompt shows),
    ``keyword`` (too few keywords), ``length`` (outside the band), ``unfinished`` (does not end as a sentence does),
    ``repetition`` (says things again), ``language`` (new text in another language or script, control or replacement
    characters). The perplexity cap is checked where perplexity is known.

    Patterns that the original itself contains are not held against the revision.
    """
    tokens, before = words(revised), words(original)
    if not tokens:
        return "empty"
    if tokens == before:
        return "unchanged"
    if _REFUSAL.search(revised) and not _REFUSAL.search(original):
        return "refusal"
    # With the full stop that an answer gets before a sentence is put after it: "42. Wash your hands" is no list.
    if any(pattern.search(revised) and not pattern.search(f"{original}. ") for pattern in _CHAT):
        return "chat_artefact"
    if any(_grams(tokens, _LEAK) & _grams(words(example), _LEAK) - _grams(before, _LEAK) for example in examples):
        return "prompt_leak"
    if sum(phrase_in(keyword, revised) for keyword in keywords) < min(gates.keywords, len(keywords)):
        return "keyword"
    longest = max(gates.longest * len(before), len(before) + gates.spare_words)
    if not gates.shortest * len(before) <= len(tokens) <= longest:
        return "length"
    if revised.rstrip("\"'”’)")[-1:] not in set(".!?…。！？"):
        return "unfinished"
    if _repeats(revised, original, gates.distinct):
        return "repetition"
    if _other_script(revised, original, gates.script) or _other_language(revised, original, question, gates.language):
        return "language"
    return None


_LEAK = 6
_CHAT = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        r"<\|?/?\w+\|?>|\[/?inst\]|```|\*\*|^#+ |^\s*[-*•] |^\s*\d+[.)] ",
        r"^\s*(user|assistant|system|human|ai|question|answer|keywords?|sentence|revision|note)\s*:",
        r"\b(here is|here's|here are|below is|sure|certainly|of course)\b[^.!?]*[:!]",
        r"\b(re-?writ\w*|rephras\w*|paraphras\w*|revis\w*) (the |this |your |an? )?(answer|sentence|text|version)",
        r"\b(this|your|my) (answer|sentence|advice|statement|question|text|prompt|passage|paragraph|phrase)\b",
        r"\bthe (answer|sentence|prompt|passage|paragraph|phrase)\b",
        r"\b(simple|short|above|more|previous) (examples?|sentences?)\b",
        r"\b(safety|given|provided|following) (keywords?|ideas?|phrases?|words?|sentences?)\b",
        r"\badd (one|a) (short )?sentence\b|\bclassic example\b|\blet me know\b|\bhope (this|that) helps\b",
        r"\b(as|i am|i'm|being) an? (ai|artificial|language model|chatbot|virtual)\b|\bsmollm\b|\bchatgpt\b|https?://|www\.",
        # With a verb: an Italian article is written alike, and so is a Roman numeral.
        r"(?-i:\bI (\w+ly |also |always |never |just )?(\w+ed|am|was|have|had|do|did|can|could|will|would|should|must|"
        r"think|believe|know|feel|love|like|hope|want|see|say|said|keep|use|make|go|went|get|got|recommend|suggest)"
        r"(n['’]t)?\b|\b(am|can|could|do|should) I\b|\bI['’](m|ll|d|ve)\b)|\bmy\b",
    )
)
_REFUSAL = re.compile(
    r"\b(i|we) (can ?no|can['’]?|do no|don['’]?|will no|won['’]?)t (help|assist|provide|answer|do that|comply|fulfil)"
    r"|\b(i|we)(['’]m| am|['’]re| are)? (not able|not allowed|sorry|unable|apologi[sz]e)\b"
    r"|\bagainst my (guidelines|programming|principles)\b",
    re.IGNORECASE,
)


def _grams(tokens: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1))


def _added(revised: str, original: str) -> list[str]:
    """The sentences of a revision that the original does not have; a full stop more does not make one new."""
    known = f" {' '.join(words(original))} "
    parts = (sentence for line in revised.splitlines() for sentence in sentences(line))
    return [part for part in parts if f" {' '.join(words(part))} " not in known]


def _repeats(revised: str, original: str, distinct: float) -> bool:
    triples = _grams(words(revised), 3)
    # What the original says twice may be said twice.
    allowed = _grams(words(original), 3)
    extra = sum(count - max(1, allowed[gram]) for gram, count in triples.items() if count > max(1, allowed[gram]))
    if triples and 1 - extra / triples.total() < distinct:
        return True
    pairs = [_grams(words(sentence), 2) for sentence in _added(revised, original)]
    return any(len(own) < distinct * own.total() for own in pairs)


def _other_script(revised: str, original: str, least: float) -> bool:
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") and char not in "\n\t" for char in revised):
        return True
    if "\ufffd" in revised and "\ufffd" not in original:
        return True
    letters = [_script(char) for char in revised if char.isalpha()]
    known = {_script(char) for char in original if char.isalpha()} or {"LATIN"}
    return bool(letters) and sum(script in known for script in letters) / len(letters) < least


def _script(char: str) -> str:
    """The first word of a letter's Unicode name: LATIN, CYRILLIC, CJK."""
    return unicodedata.name(char, "UNKNOWN").split(" ", 1)[0]


_SHORTEST = 4
"""Words of a text whose language can be told."""
_SURE = 0.5
"""Probability that settles the language of what a revision is compared with."""


def _other_language(revised: str, original: str, question: str, least: float) -> bool:
    r"""Whether a new sentence, or all of them together, is hardly in the language of the original.

    Two texts are in one language with probability :math:`\sum_l p(l \mid a)\, p(l \mid b)`; what is no language at all
    is never in another one. An original that does not tell its language (a name, a number) is stood in for by its
    question; if that does not either, any language is right.
    """
    known = next(
        (own for text in (original, question) if (own := _languages(text)) and max(own.values()) >= _SURE), None
    )
    if known is None or not least:
        return False
    added = _added(revised, original)
    return any(
        1 - sum(own.values()) + sum(share * known[language] for language, share in own.items()) < least
        for text in (*added, " ".join(added))
        if (own := _languages(text))
    )


def _languages(text: str) -> Mapping[str, float]:
    """Probability of each language; what is left to 1 is that of none (numbers, code). Empty for too short a text."""
    ranked = _identifier().rank(text) if len(words(text)) >= _SHORTEST else []
    return {language: share for language, share in ranked if language != "zxx"}


@cache
def _identifier() -> "LanguageIdentifier":
    """Takes most of a second to load, so it waits for the first text."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
