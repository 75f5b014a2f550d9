"""From a text to tokens that know what they are: words and phrases, negations, prepositions, numbers, hedges.

The token kinds are: ``word`` (names something), ``light`` (a preposition or particle), ``of``, ``be``, ``function``,
``article``, ``holder`` (the "'s" of a genitive), ``mark`` (a quantifier, hedge or degree), ``not`` (a negation that
reaches forward), ``wide`` (one that bears on its whole clause), ``number``, ``if``, ``end`` (of a clause), ``sign``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from counterpoise.counterfactual.match.reading.lexicon import Key, is_negated, lexicon
from counterpoise.counterfactual.match.reading.quantities import Found, find_quantities
from counterpoise.counterfactual.match.reading.stemming import DETERMINERS, stem
from counterpoise.counterfactual.match.reading.tokenise import tokenise

__all__ = ["DEGREES", "HEDGES", "QUANTIFIERS", "Token", "tokens_of"]

_MAX_TOKENS = 120


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        text: as written, in lower case.
        kind: see the module's docstring.
        key: the stems of a word, a negating prefix taken off where the rest is its complement.
        negations: how many negations bear on it.
        direct: whether a negation stands right before it or in its prefix.
        against: of a word such as "unkind", the stems of what it is contrary to; else empty.
        whole: where a negating prefix was taken off, the stems with it.
        optional: why a name may leave it out: ``holder`` says whose something is, ``frame`` says nothing ("state",
            "open or shut"); else empty.
    """

    text: str
    kind: str
    key: Key = ()
    negations: int = 0
    direct: bool = False
    against: Key = ()
    whole: Key = ()
    optional: str = ""


def _groups(**words: str) -> dict[str, str]:
    return {word: group for group, text in words.items() for word in text.split()}


def _phrases(text: str) -> frozenset[Key]:
    return frozenset(tuple(phrase.split()) for phrase in text.split(","))


QUANTIFIERS = _groups(
    all="all every each everyone everybody everything everywhere always",
    some="some several something someone somebody sometimes somewhere occasionally",
    most="most mostly usually majority",
    few="few seldom rarely minority",
    many="many much often frequently lots plenty",
    both="both",
)
"""Words that say how many or how often."""
HEDGES = _groups(
    possible="maybe perhaps possibly might may could possible potentially conceivably",
    probable="probably likely presumably probable",
    apparent="seems seem seemed seemingly apparently supposedly allegedly",
    almost="almost nearly partly partially virtually hardly barely scarcely somewhat roughly approximately",
    must="must should ought",
    plan="going plans planned intends intended wants wanted hopes hoped tries tried expects expected supposed about",
)
"""Words that make a claim less than a claim."""
DEGREES = _groups(
    very="very extremely highly incredibly terribly seriously badly severely particularly too super deeply",
    slightly="slightly little bit lightly mildly faintly moderately rather fairly",
    more="more",
    less="less",
    only="only just merely",
)
"""Words that say how much of a quality."""

_BE = frozenset("am is are was were be been being get gets got getting".split())
_FUNCTION = frozenset(
    """this that these those there it he she they him them we you i me us one ones have has had having do does did
    doing done will would shall so own himself herself itself themselves which what whose whether than still
    already yet now then also yes indeed really actually simply certainly definitely surely clearly truly course
    completely totally fully entirely absolutely quite anymore any anyone anybody anything such""".split()
)
_CLAUSE_END = frozenset(", ; : . ? ( ) but while though although".split())
_CONDITIONS = {"if": "if", "when": "if", "whenever": "if", "because": "because", "since": "because"}
_LIGHT = frozenset(
    """in inside on onto at to into from out off up down under below beneath underneath above over behind before after
    beside between through across around along against near toward towards by with for about during until and or
    like per via away as within outside upon despite except""".split()
)
_PARTICLES = frozenset("on off up down in out away back over".split())
_STOPS = frozenset(", ; : . ( ) ? and but or while because since if when so though although that which who as".split())
_FORWARD = _phrases(
    """not,never,without,!,¬,~,no longer,not any longer,not any more,fail to,refus to,declin to,neglect to,omit to,
    have yet to,be yet to,lack of,lack,absenc of,instead of,rather than,free of,free from,rid of,devoid of,far from,
    anything but,non,hardly,barely,scarcely,prevent from,nor,absent from,miss from,minus any"""
)
_WIDE = _phrases(
    """no,no one,none of,none,nobody,nothing,nowhere,neither,at no time,not a single,not single,not one,
    not a single person,not a single one,not a person,no person,no people,no other person,under no circumstances,
    by no means"""
)
_NOT_TRUE = re.compile(
    r"\b(?:it\s+(?:is|was|would\s+be|would\s+have\s+been)\s+)?(?:not\s+true|not\s+the\s+case|untrue|false)\s+that\b",
    re.I,
)
_BASES = {"nonzero": ("not", "zero"), "hexadecimal": ("base", "16"), "octal": ("base", "8"), "binary": ("base", "2")}
_NOT_AN_ARTICLE_BEFORE = frozenset(
    "to is was by of and or minus plus divided times from equals in with mod if then = + - * / < > ) , . ;".split()
)


def tokens_of(text: str) -> tuple[list[Token], list[Found]]:
    """The tokens of a text, at most 120, and the quantities among them; negations are not spread yet."""
    raw = tokenise(_NOT_TRUE.sub(" ¬ ", text))
    raw = [part for token in raw for part in _BASES.get(token, (token,))][:_MAX_TOKENS]
    found = find_quantities(raw)
    ends = {one.start: one.end for one in found}
    starts = sorted(ends)
    stems = [stem(token) for token in raw]
    tokens: list[Token] = []
    position = 0
    while position < len(raw):
        if position in ends:
            tokens.append(Token(" ".join(raw[position : ends[position]]), "number"))
            position = ends[position]
            continue
        reach = next((start for start in starts if start > position), len(raw))
        token, position = _next(raw, stems, position, reach)
        tokens.append(token)
    return _with_a_word(tokens), found


def _with_a_word(tokens: list[Token]) -> list[Token]:
    """In "not done", "more" or "in", what is a function word elsewhere is the whole claim."""
    if any(token.kind in ("word", "number") for token in tokens):
        return tokens
    if any(QUANTIFIERS.get(token.text) in ("all", "some", "most", "both") for token in tokens):
        return tokens
    for kinds in (("mark",), ("function", "be", "light")):
        if any(token.kind in kinds for token in tokens):
            return [
                replace(token, kind="word", key=(stem(token.text),)) if token.kind in kinds else token
                for token in tokens
            ]
    return tokens


def _next(raw: Sequence[str], stems: Sequence[str], position: int, reach: int) -> tuple[Token, int]:
    """The token at a position and where the next begins: the longest phrase known, else one word."""
    negator, kind = _negator(raw, stems, position, reach)
    for key in lexicon().phrases.get(stems[position], ()):
        end = _spelled(raw, stems, position, reach, key)
        if end is not None and end > negator:
            return Token(" ".join(raw[position:end]), "word", key), end
    if negator > position:
        return Token(" ".join(raw[position:negator]), kind), negator
    return _single(raw, stems, position), position + 1


def _spelled(raw: Sequence[str], stems: Sequence[str], position: int, reach: int, key: Key) -> int | None:
    """Where the phrase that starts here ends; determiners inside it are skipped."""
    for done, wanted in enumerate(key):
        while done and position < reach and _is_article(raw, position):
            position += 1
        if position >= reach or stems[position] != wanted:
            return None
        position += 1
    return position


def _negator(raw: Sequence[str], stems: Sequence[str], position: int, reach: int) -> tuple[int, str]:
    for size in (4, 3, 2, 1):
        end = position + size
        if end <= reach:
            for key in (tuple(raw[position:end]), tuple(stems[position:end])):
                if key in _WIDE:
                    return end, "wide"
                if key in _FORWARD:
                    return end, "not"
    return position, ""


_OPERATORS = {"+": "plus", "-": "minu"}


def _operands(raw: Sequence[str], position: int) -> bool:
    """Whether a sign stands between two operands, one of them a number or a letter."""
    if not 0 < position < len(raw) - 1:
        return False
    before, after = raw[position - 1], raw[position + 1]
    return (
        before[-1].isalnum()
        and after[-1].isalnum()
        and any(len(one) == 1 or one[-1].isdigit() for one in (before, after))
    )


def _is_article(raw: Sequence[str], position: int) -> bool:
    """Whether the word is a determiner; the "a" of "a to b" is a name."""
    following = raw[position + 1] if position + 1 < len(raw) else "."
    if raw[position] == "a":
        return following not in _NOT_AN_ARTICLE_BEFORE and len(following) > 1
    return raw[position] in DETERMINERS


def _single(raw: Sequence[str], stems: Sequence[str], position: int) -> Token:
    token = raw[position]
    following = raw[position + 1] if position + 1 < len(raw) else "."
    if token in _CLAUSE_END:
        return Token(token, "end")
    if _is_article(raw, position):
        return Token(token, "article")
    if token == "'s":
        return Token(token, "holder")
    if token in _CONDITIONS:
        return Token(token, "if", (_CONDITIONS[token],))
    if (token in _PARTICLES and following in _STOPS) or token in ("who", "whom", "where", "why", "how"):
        return Token(token, "word", (stems[position],))
    if (token in _LIGHT or (token == "past" and following in DETERMINERS)) and not (
        token == "about" and following == "to"
    ):
        return Token(token, "light", (stems[position],))
    if token == "of":
        return Token(token, "of", (token,))
    if token in QUANTIFIERS or token in HEDGES or token in DEGREES:
        return Token(token, "mark", (token,))
    if token == "can":
        return Token("able", "word", ("abl",))
    if token in _BE or token in ("become", "becomes", "became"):
        return Token(token, "be")
    if token in _FUNCTION:
        return Token(token, "function")
    if token in "+-*/" and _operands(raw, position):
        return Token(token, "word", (_OPERATORS.get(token, token),))
    if not token[0].isalnum():
        return Token(token, "word" if token in "<>=≠*/^+" else "sign", (token,))
    prefixed = is_negated(token)
    if prefixed is not None:
        rest, exhaustive = prefixed
        if exhaustive:
            return Token(token, "word", (stem(rest),), negations=1, direct=True, whole=(stems[position],))
        return Token(token, "word", (stems[position],), against=(stem(rest),))
    return Token(token, "word", (stems[position],))
