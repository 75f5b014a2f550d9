"""The keyphrases of a document."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from counterpoise.curation.seeds.gloss import definitions
from counterpoise.curation.words import content_stems
from counterpoise.errors import MissingExtraError

__all__ = ["MAX_WORDS", "Phrase", "keyphrases", "meaning_key"]

MAX_WORDS = 3
"""Of a phrase."""

_LETTERS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*(?: [^\W\d_]+(?:['’-][^\W\d_]+)*)*")
_MIN_LENGTH, _MAX_LENGTH = 4, 60
_JOINTS = frozenset({"and", "by", "of"})
_WORD_BEFORE = re.compile(r"([\w'’-]+)[^\S\n]+\Z")
_WORD_AFTER = re.compile(r"[^\S\n]+([\w'’-]+)")
_REACH = 40
_BEFORE_NOUNS = frozenset(
    "a about against an any at between by during each every for from her his in its my no of on or other our over some "
    "such the their these this those through under with without your".split()
)
_NAME = re.compile(r"(?![A-Z]{7})\w.*[A-Z].*")
"""An acronym or a name such as "LaTeX"; seven capitals in a row are a heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A keyphrase of one document.

    Attributes:
        text: as it stands most often, in lower case but for acronyms and the like.
        key: what inflected and reordered forms of it share; see :func:`meaning_key`.
        score: YAKE's, above 0; the lower, the more it tells about the document.
        count: how often it stands there by itself: no content word is its neighbour; 1 at least.
        noun: whether it stands there where a noun does: by itself after an article, a preposition or the like. Verbs
            ("to leak", "it leaks") and adjectives ("is dangerous") rarely do.
        gloss: a sentence of the document that defines it; empty where there is none.
    """

    text: str
    key: str
    score: float
    count: int
    noun: bool
    gloss: str


def meaning_key(phrase: str) -> str:
    """The stems of a phrase's content words in alphabetical order; empty for function words alone.

    >>> meaning_key("Protection of data") == meaning_key("data-protection")
    True
    """
    return " ".join(sorted(content_stems(phrase)))


def keyphrases(paragraphs: Sequence[str], limit: int) -> list[Phrase]:
    """The best keyphrases of a document, best first; of forms that share a key, the best one.

    YAKE (Campos et al., Information Sciences 509, 2020) ranks sequences of one to three words by statistics of the
    document alone: position, case, frequency, company, spread over sentences. Among its ``limit`` best, those are kept
    that look like a term (4 to 60 letters, hyphens and apostrophes; content words that nothing but "of", "and" or "by"
    joins) and stand in the text by themselves, so are no part of a longer one.

    Args:
        paragraphs: of the document; a paragraph ends the sentence it is in.
        limit: how many phrases of YAKE are looked at.

    Raises:
        MissingExtraError: yake is not installed.
    """
    try:
        from yake import KeywordExtractor
    except ImportError:
        raise MissingExtraError("yake", extra="curate", purpose="extracting keyphrases") from None

    closed = [text if text.endswith((".", "!", "?", ":", ";")) else text + "." for text in paragraphs]
    ranked = KeywordExtractor(lan="en", n=MAX_WORDS, dedup_lim=0.9, top=limit).extract_keywords("\n".join(closed))
    text = "\n".join(paragraphs)
    glosses = definitions(paragraphs)
    found: dict[str, Phrase] = {}
    for phrase, score in ranked:
        key = meaning_key(phrase)
        if key in found or not _is_term(phrase):
            continue
        forms, noun = _free_forms(phrase, text)
        if forms:
            best = min(forms, key=lambda form: (-forms[form], form))
            gloss = glosses.get(best.casefold(), "")
            found[key] = Phrase(text=best, key=key, score=float(score), count=forms.total(), noun=noun, gloss=gloss)
    return list(found.values())


def _is_term(phrase: str) -> bool:
    if not (_MIN_LENGTH <= len(phrase) <= _MAX_LENGTH and _LETTERS.fullmatch(phrase)):
        return False
    parts = phrase.lower().split()
    return all(meaning_key(part) or (part in _JOINTS and 0 < at < len(parts) - 1) for at, part in enumerate(parts))


def _free_forms(phrase: str, text: str) -> tuple[Counter[str], bool]:
    """How often a phrase stands by itself, by its spelling, and whether it once does so where a noun would."""
    pattern = r"\s+".join(re.escape(part) for part in phrase.split())
    forms: Counter[str] = Counter()
    noun = False
    for match in re.finditer(rf"(?<![\w-]){pattern}(?![\w-])", text, re.IGNORECASE):
        before = _WORD_BEFORE.search(text, max(0, match.start() - _REACH), match.start())
        after = _WORD_AFTER.match(text, match.end())
        if not any(neighbour and meaning_key(neighbour[1]) for neighbour in (before, after)):
            forms[_spelled(match[0])] += 1
            noun = noun or (before is not None and before[1].lower() in _BEFORE_NOUNS)
    return forms, noun


def _spelled(phrase: str) -> str:
    return " ".join(part if _NAME.fullmatch(part) else part.lower() for part in phrase.split())
