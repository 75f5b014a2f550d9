"""The matchers by name."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from counterpoise.counterfactual.match.alias import Alias
from counterpoise.counterfactual.match.numeric import Numeric
from counterpoise.counterfactual.match.pair import Matcher
from counterpoise.counterfactual.match.spelling import EXACT, NORMALISED
from counterpoise.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from counterpoise.lm.protocol import LanguageModel

__all__ = [
    "DEFAULT",
    "EMBEDDER",
    "MATCHERS",
    "Entry",
    "check_named",
    "known_words",
    "matchers",
    "open_matcher",
    "open_named",
]

DEFAULT = "meaning"
"""The matcher that agrees best with the labelled pairs among those that run offline."""

EMBEDDER = "embedded/minilm"
"""The embedding model that the rules were fitted with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A matcher that can be asked for by name.

    Attributes:
        name: as the command line names it.
        needs: what must be at hand: nothing (empty), the embedded model, or an option of the command line.
        summary: what it does, one line.
    """

    name: str
    needs: str
    summary: str

    @property
    def offline(self) -> bool:
        """Whether it runs with what the package and its embedded models bring."""
        return not self.needs.startswith("--")


_ENTRIES = (
    Entry("exact", "", "the same characters"),
    Entry("normalised", "", "the same spelling: case, articles, punctuation, plural, copula do not matter"),
    Entry("numeric", "", "the same quantities, in whatever words, digits and units"),
    Entry("alias", "", "the same word by word: aliases, synonyms, complements with a negation; guarded"),
    Entry("embedding-raw", EMBEDDER, "cosine of sentence embeddings alone, for comparison"),
    Entry("meaning", EMBEDDER, "spelling, guards and words first, then a fitted rule over embedding similarity"),
    Entry("nli", "--nli", "each follows from the other, says an inference model (a folder or a pinned hub id)"),
    Entry("judge", "--model", "a language model says yes"),
)


def matchers() -> tuple[Entry, ...]:
    """Every matcher, the plainest first."""
    return _ENTRIES


def open_matcher(name: str, *, model: "LanguageModel | str | None" = None, nli: str | None = None) -> Matcher:
    """The matcher of that name, ready to use.

    Args:
        name: of one of :func:`matchers`.
        model: the language model that ``judge`` asks, or its name.
        nli: the inference model of ``nli``: a folder, or ``owner/name@revision`` on the hub.

    Raises:
        UnknownNameError: there is no such matcher.
        UsageError: its model is not given, not installed or cannot be had.
    """
    if name in MATCHERS:
        return MATCHERS[name]()
    if name == "judge":
        from counterpoise.counterfactual.match.judge import Judge
        from counterpoise.lm.names import open_model

        if model is None:
            raise UsageError("the matcher 'judge' needs a language model", fix="name it with --model")
        return Judge(open_model(model) if isinstance(model, str) else model)
    if name == "nli":
        from counterpoise.counterfactual.match.entails import Entails
        from counterpoise.lm.entailment import open_entailer

        if nli is None:
            raise UsageError("the matcher 'nli' needs an inference model", fix="name its folder or hub id with --nli")
        return Entails(open_entailer(nli))
    raise UnknownNameError("matcher", name, [entry.name for entry in _ENTRIES])


def check_named(text: str) -> str:
    """The text itself, if :func:`open_named` knows the matcher; nothing is loaded.

    Raises:
        UnknownNameError: it does not.
    """
    if text.partition(":")[0] not in (names := [entry.name for entry in _ENTRIES]):
        raise UnknownNameError("matcher", text, names)
    return text


def open_named(text: str) -> Matcher:
    """The matcher of a text such as ``meaning``, ``judge:openai/gpt-5`` or ``nli:./folder``.

    Raises:
        UnknownNameError, UsageError: as :func:`open_matcher`.
    """
    name, _, argument = text.partition(":")
    return open_matcher(name, model=argument or None, nli=argument or None)


def _embedding_raw() -> Matcher:
    from counterpoise.counterfactual.match.meaning import EmbeddingRaw, shipped
    from counterpoise.lm.embedding import open_embedder

    return EmbeddingRaw(open_embedder(EMBEDDER), shipped("embedding-raw"))


def _meaning() -> Matcher:
    from counterpoise.counterfactual.match.meaning import Meaning, shipped
    from counterpoise.lm.embedding import open_embedder

    return Meaning(open_embedder(EMBEDDER), shipped("meaning"), known_words())


MATCHERS: dict[str, Callable[[], Matcher]] = {
    "exact": lambda: EXACT,
    "normalised": lambda: NORMALISED,
    "numeric": Numeric,
    "alias": Alias,
    "embedding-raw": _embedding_raw,
    "meaning": _meaning,
}
"""Name to a function that sets the matcher up: those that need no further argument."""


@cache
def known_words() -> Container[str]:
    """Correctly spelled words: the whole words in the embedding model's vocabulary, about 22,000.

    Raises:
        UsageError: the model is not installed.
    """
    from counterpoise.lm.embedded import minilm_folder

    lines = (minilm_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for word in lines if word.isalpha())
