"""Noun phrases and named entities of a text: by TextBlob's lexicon and rules, or entities by a trained model.

TextBlob's own chunker (the one it has from Pattern) is used: its lexicon comes with the package, so nothing is
downloaded. A trained model is a token classifier in a folder.
"""

import threading
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from counterpoise.counterfactual.case import Case, Modality
from counterpoise.counterfactual.tools.finding import Finding, collect
from counterpoise.counterfactual.tools.tool import Picture, installed_version, visible
from counterpoise.errors import MissingExtraError

if TYPE_CHECKING:
    from counterpoise.lm.ner import EntityTagger

__all__ = ["EntityTool", "PhraseTool"]

_PURPOSE = "finding noun phrases"
_RULES = 1
"""Version of the rules below; part of the tool's version."""
_MAX_CHARS = 20_000
_WINDOW = 60  # Tokens looked at together: TextBlob's patterns take time quadratic in them.
_ENTITIES = {"PERS": "person", "LOC": "place", "ORG": "organisation"}
_BREAKING = frozenset({"DT", "PRP$", "PRP", "CC", "PDT"})
_SUFFIXES = frozenset("s d m ll re ve t".split())

_Token = tuple[str, str, bool]
"""Word, part of speech, and whether it is in a noun chunk."""


class PhraseTool:
    """Noun phrases and named entities, by TextBlob.

    Phrases come without articles and possessive pronouns; those joined by "of" or a genitive also as a whole. A run of
    proper nouns is a named entity, with "person", "place" or "organisation" where TextBlob's list knows it.

    Raises:
        MissingExtraError: textblob is not installed.
    """

    modality: Final[Modality] = "text"
    description: Final = "lists the noun phrases and named entities of an English text"

    def __init__(self) -> None:
        installed = installed_version("textblob", purpose=_PURPOSE)
        self.name = f"textblob {installed}"
        self.version = f"{installed}; rules {_RULES}"
        self._parser, self._lexicon = _loaded()

    def find(self, case: Case, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """See :class:`~counterpoise.counterfactual.tools.tool.Tool`; pictures are not looked at."""
        return self.run(visible(case))

    def run(self, text: str, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """See :class:`~counterpoise.counterfactual.tools.tool.Tool`; only the first 20,000 characters count."""
        return collect(self._findings(text[:_MAX_CHARS]))

    def phrases(self, text: str, limit: int) -> list[str]:
        """The noun phrases alone, proper nouns included, none joined to another; each once, at most ``limit``."""
        phrases = (phrase for tokens in self._windows(text[:_MAX_CHARS]) for phrase in _phrases(tokens))
        return [one.text for one in collect((Finding("noun phrase", phrase.text) for phrase in phrases), limit)]

    def _findings(self, text: str) -> Iterator[Finding]:
        for tokens in self._windows(text):
            phrases = _phrases(tokens)
            for place, phrase in enumerate(phrases):
                yield from _of_phrase(phrase)
                if phrase.tied and place + 1 < len(phrases):
                    yield Finding("noun phrase", f"{phrase.text}{phrase.tied}{phrases[place + 1].text}")

    def _windows(self, text: str) -> Iterator[list[_Token]]:
        """Tagged tokens, sentence by sentence."""
        # The tokeniser knows straight quotation marks only, and takes a null for a letter.
        plain = text.replace("’", "'").replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
        for sentence in self._parser.find_tokens(plain):
            words = _mended(sentence.split(" "))
            for start in range(0, len(words), _WINDOW):
                # The lexicon has contextual rules too, which TextBlob leaves unused: they look at tags long changed.
                tagged = self._parser.find_tags(words[start : start + _WINDOW])
                tagged = self._lexicon.entities.apply(_corrected(tagged))
                yield [(word, tag, chunk.endswith("NP")) for word, tag, chunk, _ in self._parser.find_chunks(tagged)]


class EntityTool:
    """Named entities, by a token classifier.

    Args:
        tagger: finds the entities; see :mod:`counterpoise.lm.ner`.
    """

    modality: Final[Modality] = "text"
    description: Final = "lists the named entities of a text"

    def __init__(self, tagger: "EntityTagger") -> None:
        self._tagger = tagger
        self.name = f"ner {tagger.name}"
        self.version = tagger.revision

    @classmethod
    def from_folder(cls, folder: str) -> "EntityTool":
        """The tool with the model in a folder.

        Raises:
            DataError, UnsupportedError: as :class:`counterpoise.lm.ner.TokenClassifier`.
        """
        from counterpoise.lm.ner import TokenClassifier

        return cls(TokenClassifier(Path(folder).expanduser(), name=Path(folder).name))

    def find(self, case: Case, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """See :class:`~counterpoise.counterfactual.tools.tool.Tool`; pictures are not looked at."""
        return self.run(visible(case))

    def run(self, text: str, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """See :class:`~counterpoise.counterfactual.tools.tool.Tool`; only the first 20,000 characters count."""
        cut = text[:_MAX_CHARS]
        return collect(
            Finding("named entity", cut[one.start : one.end], one.label) for one in self._tagger.entities([cut])[0]
        )


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A noun phrase and what ties it to the next one: " of ", "'s ", or nothing."""

    tokens: tuple[_Token, ...]
    tied: str

    @property
    def text(self) -> str:
        """The words of the phrase."""
        return " ".join(word for word, _, _ in self.tokens)


def _phrases(tokens: Sequence[_Token]) -> list[_Phrase]:
    """The noun phrases of a sentence: noun chunks, cut where a new one begins inside."""
    found: list[_Phrase] = []
    current: list[_Token] = []
    # An end mark of its own closes the last phrase.
    for place, token in enumerate([*tokens, ("", "", False)]):
        word, tag, inside = token
        after_noun = bool(current) and current[-1][1].startswith("NN")
        starts_anew = after_noun and (tag == "CD" or tag.startswith(("JJ", "RB")))
        if current and (not inside or tag in _BREAKING or starts_anew):
            if any(part[1].startswith("NN") for part in current):
                found.append(_Phrase(tuple(current), _tie(tokens, place)))
            current = []
        if inside and tag not in _BREAKING and (current or not tag.startswith("RB")) and any(map(str.isalnum, word)):
            current.append(token)
    return found


def _tie(tokens: Sequence[_Token], place: int) -> str:
    """What joins the phrase that ends before a place to one that begins right after it."""
    if place >= len(tokens):
        return ""
    tie = {"of": " of ", "'s": "'s "}.get(tokens[place][0].lower(), "")
    following = place + 1
    while tie and following < len(tokens) and tokens[following][1] in ("DT", "PRP$"):
        following += 1
    return tie if following < len(tokens) and tokens[following][2] and tokens[following][1] not in _BREAKING else ""


def _of_phrase(phrase: _Phrase) -> Iterator[Finding]:
    proper: list[_Token] = []
    if not all(tag.startswith("NNP") for _, tag, _ in phrase.tokens):
        yield Finding("noun phrase", phrase.text)
    for token in (*phrase.tokens, ("", "", False)):
        if token[1].startswith("NNP"):
            proper.append(token)
        elif proper:
            labels = [_ENTITIES[tag.partition("-")[2]] for _, tag, _ in proper if tag.partition("-")[2] in _ENTITIES]
            yield Finding("named entity", " ".join(word for word, _, _ in proper), labels[0] if labels else "")
            proper = []


def _mended(words: Sequence[str]) -> list[str]:
    """The words of a sentence with contractions and genitives put together again, which the tokeniser takes apart."""
    mended: list[str] = []
    place = 0
    while place < len(words):
        word = words[place]
        following = words[place + 1 : place + 3]
        if word == "n" and following == ["'", "t"]:
            mended.append("n't")
            place += 3
        elif word == "'" and following[:1] and following[0] in _SUFFIXES:
            mended.append("'" + following[0])
            place += 2
        else:
            mended.extend([word] if word else [])
            place += 1
    return mended


def _corrected(tagged: Sequence[Sequence[str]]) -> list[list[str]]:
    """The tags with two frequent faults mended: a verb after an article, and a plural where a verb must stand."""
    corrected: list[list[str]] = []
    for place, (word, tag) in enumerate(tagged):
        before = corrected[-1] if corrected else ["", ""]
        after = tagged[place + 1][1] if place + 1 < len(tagged) else ""
        if tag in ("VB", "VBP", "VBZ") and (before[0].lower() in ("the", "a", "an") or before[1] == "PRP$"):
            # "The lock": whatever else the word may be, it is a noun here.
            tag = "NNS" if tag == "VBZ" else "NN"
        elif tag == "NNS" and before[1] in ("NN", "NNP", "PRP") and after in ("DT", "PRP", "PRP$"):
            # "The man drinks his tea": a noun phrase begins behind it.
            tag = "VBZ"
        corrected.append([word, tag])
    return corrected


_LOCK = threading.Lock()


def _loaded() -> tuple[Any, Any]:
    with _LOCK:
        return _read_lexicon()


@cache
def _read_lexicon() -> tuple[Any, Any]:
    """TextBlob's parser and lexicon, read from its package once per process."""
    try:
        from textblob.en import lexicon, parser
    except ImportError:
        raise MissingExtraError("textblob", extra="tools", purpose=_PURPOSE) from None
    with warnings.catch_warnings():
        # TextBlob leaves its files for the garbage collector to close.
        warnings.simplefilter("ignore", ResourceWarning)
        for part in (lexicon, lexicon.entities):
            len(part)  # Reads the file.
    return parser, lexicon
