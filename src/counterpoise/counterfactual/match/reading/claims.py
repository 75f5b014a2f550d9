"""What a short text claims, as far as word lists and word order show it: the guards compare two of these.

A reading keeps the content words in one canonical order (active voice, one side of each converse relation), says which
of them are negated, and sets apart what changes a claim without naming anything: quantities, quantifiers, hedges,
degrees. It is made in a few passes over a bounded number of words, so hostile text costs no more than any other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from counterpoise.counterfactual.match.reading.lexicon import Key, lexicon
from counterpoise.counterfactual.match.reading.order import canonical
from counterpoise.counterfactual.match.reading.quantities import Quantity
from counterpoise.counterfactual.match.reading.tokens import DEGREES, HEDGES, QUANTIFIERS, Token, tokens_of

__all__ = ["MAX_CHARS", "Reading", "Word", "read"]

MAX_CHARS = 600
"""Longer texts are not read."""


@dataclass(frozen=True, slots=True)
class Word:
    """A content word, or a phrase that the word lists know as one.

    Attributes:
        text: as written, in lower case.
        key: its stems, a negating prefix taken off where what is left is its complement.
        negated: whether an odd number of negations bears on it.
        direct: whether a negation stands right before it or in its prefix.
        light: a preposition or particle: it relates, but names nothing.
        against: of a word such as "unkind", the stems of what it is contrary to; else empty.
        whole: where a negating prefix was taken off, the stems with it.
        optional: why a name may leave it out: ``holder`` says whose something is, ``frame`` says nothing ("state",
            "open or shut"); else empty.
    """

    text: str
    key: Key
    negated: bool = False
    direct: bool = False
    light: bool = False
    against: Key = ()
    whole: Key = ()
    optional: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text claims.

    Attributes:
        words: content words and prepositions in canonical order.
        quantities: numbers, in order.
        number_negated: whether an odd number of negations bears on a number.
        negations: how many negations it has, prefixes included.
        quantifiers: among ``all``, ``not all``, ``some``, ``most``, ``few``, ``many``, ``both``; "none" is ``all`` with
            a negation.
        hedges: among ``possible``, ``probable``, ``apparent``, ``almost``, ``must``, ``plan``.
        degrees: how much of a quality, for instance ``very`` or ``slightly``.
        head: what a name is the name of: "price" in "price of bread"; ``None`` for an empty text.
        reordered: whether a passive or a converse relation was turned round.
        clause: whether it is told in a clause ("how high the water stands") and not in a noun phrase.
        listed: whether it is nothing but a list ("a, b and c"), whose order means nothing.
    """

    words: tuple[Word, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    number_negated: bool = False
    negations: int = 0
    quantifiers: frozenset[str] = frozenset()
    hedges: frozenset[str] = frozenset()
    degrees: frozenset[str] = frozenset()
    head: Key | None = None
    reordered: bool = False
    clause: bool = False
    listed: bool = False

    @property
    def content(self) -> tuple[Word, ...]:
        """The words that name something."""
        return tuple(word for word in self.words if not word.light)


def read(text: str) -> Reading:
    """What a text claims; texts of more than :data:`MAX_CHARS` characters, like empty ones, claim nothing.

    >>> [word.text for word in read("The cat was chased by the dog").words]
    ['dog', 'chased', 'cat']
    >>> [(word.text, word.negated) for word in read("isn't able to walk").content]
    [('able', True), ('walk', True)]
    """
    return _read(text) if len(text) <= MAX_CHARS else Reading()


@lru_cache(maxsize=16384)
def _read(text: str) -> Reading:
    plain, found = tokens_of(text)
    negated, negations = _negated(plain)
    tokens, turned = canonical(_optional(negated))
    # In "all x are y" the verb is what the two stand around.
    claims_of_all = any(token.kind in ("mark", "wide") and token.text in QUANTIFIERS for token in tokens)
    content = tuple(
        Word(
            token.text,
            ("when",) if token.kind == "if" else token.key or ("be",),
            token.negations % 2 == 1,
            token.direct,
            token.kind not in ("word", "if"),
            token.against,
            token.whole,
            token.optional,
        )
        for token in tokens
        if token.kind in ("word", "light", "of") or (token.kind == "be" and claims_of_all) or token.text == "when"
    )
    nothing = _nothing(plain)
    marked = [token.text for token in tokens if token.kind == "mark"]
    return Reading(
        words=content,
        quantities=nothing or tuple(one.quantity for one in found),
        number_negated=any(token.kind == "number" and token.negations % 2 for token in negated),
        negations=0 if nothing else negations,
        quantifiers=frozenset() if nothing else _quantifiers(plain),
        hedges=frozenset(HEDGES[word] for word in marked if word in HEDGES),
        degrees=frozenset(DEGREES[word] for word in marked if word in DEGREES),
        head=_head(plain),
        reordered=turned,
        clause=any(token.kind in ("be", "if") or token.text in _CLAUSE_WORDS for token in plain),
        listed=_is_list(plain),
    )


def _nothing(tokens: Sequence[Token]) -> tuple[Quantity, ...]:
    """The number 0 where "none" is all that is said."""
    alone = not any(token.kind in ("word", "mark", "number", "not") for token in tokens)
    return (Quantity(Fraction(0)),) if alone and any(token.text in ("none", "no") for token in tokens) else ()


def _is_list(tokens: Sequence[Token]) -> bool:
    parts = re.split(r" (?:and|or|,|;) ", " ".join(token.text for token in tokens if token.kind != "article"))
    return len(parts) > 1 and all(len(part.split()) == 1 for part in parts)


def _head(tokens: Sequence[Token]) -> Key | None:
    """The last content word before the first preposition, or the first one at all."""
    found: Key | None = None
    for token in tokens:
        if found and token.kind in ("of", "light", "end", "if"):
            break
        if token.kind == "word":
            found = token.key
    return found


def _quantifiers(tokens: Sequence[Token]) -> frozenset[str]:
    """Who or how many. "None are" is ``all`` with a negation, as are "not any" and "never"; "not all" stands alone."""
    found: set[str] = set()
    for position, token in enumerate(tokens):
        before = tokens[position - 1].kind if position else ""
        group = QUANTIFIERS.get(token.text) if token.kind == "mark" else None
        if token.kind == "wide" or token.text == "never":
            group = "all"
        elif group == "all" and before in ("not", "wide"):
            group = "not all"
        elif token.text == "any" and any(earlier.kind == "not" for earlier in tokens[:position]):
            group = "all"
        elif group == "some" and any(later.kind == "not" for later in tokens[position + 1 :]):
            # "Sometimes it is not" is "not always".
            group = "not all"
        if group:
            found.add(group)
    return frozenset(found)


def _negated(tokens: Sequence[Token]) -> tuple[list[Token], int]:
    """Spread each negation over the words it bears on: forward to the end of its clause, "no" over all of it."""
    found = list(tokens)
    total = sum(token.negations for token in tokens)
    for position, token in enumerate(tokens):
        if token.kind not in ("not", "wide"):
            continue
        total += 1
        start = position
        if token.kind == "wide":
            while start and tokens[start - 1].kind not in ("end", "if", "not"):
                start -= 1
        stressed = False
        for reached in range(start, len(tokens)):
            here = found[reached]
            if here.kind in ("end", "if") and reached > position:
                break
            if here.kind in ("word", "light", "number"):
                direct = reached > position and not stressed and here.kind == "word"
                found[reached] = replace(here, negations=here.negations + 1, direct=here.direct or direct)
                stressed = stressed or direct
    for position, token in enumerate(tokens[:-1]):
        # "Unable to walk" bears on what follows; "unlocked" on itself alone.
        if token.negations and tokens[position + 1].text == "to":
            for reached in range(position + 1, len(tokens)):
                if tokens[reached].kind in ("end", "if"):
                    break
                found[reached] = replace(found[reached], negations=found[reached].negations + 1)
    return found, total


_CLAUSE_WORDS = frozenset("how what who whom which that where whose why".split())
_STATES = frozenset({("stat",), ("condition",), ("status",), ("situation",)})
_LIGHT_VERBS = frozenset({("put",), ("giv",), ("tak",), ("mak",)})
_EXTENTS = frozenset({("how",), ("extent",), ("degre",), ("how", "far"), ("how", "well"), ("how", "strong")})


def _optional(tokens: Sequence[Token]) -> list[Token]:
    """Mark what a name may leave out."""
    found = list(tokens)
    words = lexicon()

    def mark(position: int, why: str) -> None:
        found[position] = replace(found[position], optional=why)

    places = [position for position, token in enumerate(tokens) if token.kind == "word"]
    for count, position in enumerate(places):
        token = tokens[position]
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        holds = following is not None and following.kind == "holder" and count + 1 < len(places)
        if holds or (token.key in words.persons and len(places) > 1):
            mark(position, "holder")
        if token.key in _STATES and following is not None and following.kind == "of":
            mark(position, "frame")
        if token.key in _LIGHT_VERBS and count:
            mark(position, "frame")
        if token.key in _EXTENTS and count == 0 and len(places) > 1:
            mark(position, "frame")
        if count and any(t.text == "or" for t in tokens[places[count - 1] + 1 : position]):
            previous = tokens[places[count - 1]]
            if words.relation(previous.key[-1:], token.key[-1:]) in ("complement", "contrary") and len(places) > 2:
                mark(position, "frame")
                mark(places[count - 1], "frame")
    return found
