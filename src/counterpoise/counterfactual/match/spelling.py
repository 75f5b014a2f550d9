"""When two names or two values are the same but for their spelling.

The normalised comparison forgives spelling (case, articles, punctuation, hyphens, a plural -s, a leading verb such as
"would be") and nothing that changes the meaning: "not open", "un-open" and "open" stay three different values, and so
do -5 and 5.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from counterpoise.counterfactual.case import UNDETERMINED, AnswerKind
from counterpoise.counterfactual.match.literal import same_literal
from counterpoise.counterfactual.match.pair import Pair

__all__ = ["EXACT", "NORMALISED", "Exact", "Normalised", "normalise", "number", "same_value", "without_subject"]

_MAX_CHARS = 400  # Longer texts match nothing but themselves; bounds the work on hostile completions.
_MAX_NUMBER_CHARS = 64
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+|[-+*/=<>%^−¬!~≠]")
_NUMBER = re.compile(r"(?P<sign>[-+−]?)[$€£]?(?P<whole>\d{1,3}(?:,\d{3})+|\d+)?(?P<part>\.\d*)?(?:/(?P<below>\d+))?")
_POSSESSIVE = re.compile(r"(?<=\w)'s?(?=\s)")
_SYMBOLS = {"-": "minus", "−": "minus", "¬": "not", "!": "not", "~": "not"}
_COPULAS = frozenset("is are was were be been being becomes became become has have had will would".split())
_UNDETERMINED = frozenset({"undetermined", "indeterminate", "undeterminable"})
_NEGATIONS = (("can't", "can not"), ("cannot", "can not"), ("won't", "will not"), ("n't", " not"), ("!=", " ≠ "))


def normalise(text: str) -> str:
    """A canonical spelling of a name or value; never empty for a text with a letter or digit.

    >>> normalise("The treasure-chests")
    'treasure chest'
    >>> normalise("would not be Open.") == normalise("isn't open") != normalise("open")
    True
    >>> normalise("a"), normalise("x - 1"), normalise("non-smoker")
    ('a', 'x minus 1', 'non smoker')
    """
    return _normalised(text) if len(text) <= _MAX_CHARS else text


@lru_cache(maxsize=65536)
def _normalised(text: str) -> str:
    expanded = text.casefold().replace("’", "'")
    for spelling, meaning in _NEGATIONS:
        expanded = expanded.replace(spelling, meaning)
    expanded = _POSSESSIVE.sub("", expanded)
    # A hyphen joins words only between two letters; elsewhere it is a minus sign.
    expanded = re.sub(r"(?<=[^\W\d_])[-‐‑–](?=[^\W\d_])", " ", expanded)
    # A "!" after a word ends an exclamation; before one it negates.
    expanded = re.sub(r"!(?!\w)", " ", expanded)
    tokens = [_SYMBOLS.get(token, token) for token in _TOKEN.findall(expanded)]
    kept = [
        token
        for token, following in zip(tokens, (*tokens[1:], ""), strict=False)
        if not (token == "the" and len(tokens) > 1) and not (token in ("a", "an") and len(following) > 1)
    ] or tokens
    start = 0
    negations: list[str] = []
    while start < len(kept) - 1 and (kept[start] in _COPULAS or kept[start] == "not"):
        negations += [kept[start]] * (kept[start] == "not")
        start += 1
    kept = [*negations, *kept[start:]]
    return " ".join(_singular(token) for token in kept)


def _singular(token: str) -> str:
    plural = len(token) > 3 and token.endswith("s") and not token.endswith(("ss", "us", "is"))
    return token[:-1] if plural else token


def number(text: str) -> Fraction | None:
    """The exact value of a plain decimal number or fraction; ``None`` for anything else.

    >>> number("1,200.50") == number("$1200.5") == Fraction(2401, 2)
    True
    >>> number("1E2") is None and number("12 apples") is None
    True
    """
    text = text.strip().rstrip(".")
    if not text or len(text) > _MAX_NUMBER_CHARS:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None or not (match["whole"] or (match["part"] or "").strip(".")):
        return None
    value = Fraction((match["whole"] or "0").replace(",", "") + (match["part"] or "").rstrip("."))
    if match["below"]:
        if not int(match["below"]):
            return None
        value /= int(match["below"])
    return -value if match["sign"] in ("-", "−") else value


@lru_cache(maxsize=8192)
def _spellings(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(spelling for text in texts if (spelling := normalise(text)))


def same_value(gold: str, text: str, kind: AnswerKind) -> bool:
    """Whether two values are the same.

    Numbers by value, numerals digit for digit, labels by spelling, literals by type and value, rewritten texts word for
    word.

    >>> same_value("3", "3.0", "number"), same_value("10", "10.0", "numeral"), same_value("open", "not open", "label")
    (True, False, False)
    """
    if gold == text:
        return True
    if kind == "literal":
        return same_literal(gold, text)
    if kind == "edit":
        return gold.split() == text.split()
    if not normalise(text):
        return False
    if gold == UNDETERMINED:
        return _says_undetermined(text)
    if kind == "numeral" and any(character.isdigit() for character in gold):
        # Digit for digit: "1E2" in base 16 is not 100, and "10" is not "10.0".
        return gold.strip().upper() == text.strip().rstrip(".").upper()
    first, second = number(gold), number(text)
    if first is not None or second is not None:
        return first == second
    return normalise(gold) == normalise(text)


def _says_undetermined(text: str) -> bool:
    spelling = normalise(text)
    return spelling in _UNDETERMINED or spelling in {"can not be determined", "not determined", "not be determined"}


def without_subject(names: Iterable[str], text: str) -> str:
    """The normalised text without a variable's name at its start: of "the door would be open", "open".

    >>> without_subject(["door"], "The door would not be open."), without_subject(["door"], "door")
    ('not open', 'door')
    """
    spelling = normalise(text)
    for name in sorted(_spellings(tuple(names)), key=len, reverse=True):
        if spelling.startswith(name + " "):
            return normalise(spelling.removeprefix(name + " "))
    return spelling


@dataclass(frozen=True, slots=True)
class Exact:
    """Compares characters; a pair's other accepted texts are accepted too."""

    name: str = "exact"
    threshold: float = 1.0

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """1.0 or 0.0 for each pair."""
        return [float(pair.text in (pair.gold, *pair.aliases)) for pair in pairs]


@dataclass(frozen=True, slots=True)
class Normalised:
    """Compares spellings: names as words, values by their kind, also behind the name of their variable."""

    name: str = "normalised"
    threshold: float = 1.0

    def match(self, pairs: Sequence[Pair]) -> list[float | None]:
        """1.0 or 0.0 for each pair."""
        return [float(self._same(pair)) for pair in pairs]

    def _same(self, pair: Pair) -> bool:
        if pair.kind == "name":
            return normalise(pair.text) in _spellings((pair.gold, *pair.aliases))
        texts = (pair.text, without_subject(pair.about, pair.text))
        return any(same_value(gold, text, pair.answer_kind) for gold in (pair.gold, *pair.aliases) for text in texts)


EXACT = Exact()
NORMALISED = Normalised()
