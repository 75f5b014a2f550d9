"""Equations that stand in running text: "60 + 72 = 132" in "Read that way, 60 + 72 = 132."."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Equation", "equations"]

_TOKEN = re.compile(
    r"(?P<operand>\d[\d,]*(?:\.\d+)?[^\W_]*|\w+)|(?P<sign>[=<>!≤≥≠]=|==|[-+*/^%×÷·−=(),])|(?P<other>\S)"
)
_OPERATORS = frozenset("+ - * / ^ % × ÷ · −".split())
_REACH = 60
"""Tokens on each side of the equals sign that are looked at."""


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation in a text.

    Attributes:
        start: where it begins.
        left: its left side.
        right: its right side.
        symbols: the names in it, in order, each once; those of functions left out.
    """

    start: int
    left: str
    right: str
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    operand: bool


def equations(text: str) -> Iterator[Equation]:
    """Every equation, in order: an equals sign between two expressions on the same line.

    An expression is numbers, names, calls and brackets joined by operators. Words of prose are joined by nothing, so
    they end it. Of a chain "a = b = c", each equals sign gives an equation with its neighbours.

    >>> [(one.left, one.right) for one in equations("So, 60 + 72 = 132, and f(x, 2) = -x.")]
    [('60 + 72', '132'), ('f(x, 2)', '-x')]
    """
    for line in re.finditer(r"[^\n]+", text):
        if "=" not in line[0]:
            continue
        tokens = [
            _Token(one[0].rstrip(","), one.start(), one.end() - (len(one[0]) - len(one[0].rstrip(","))), True)
            if one.lastgroup == "operand"
            else _Token(one[0], one.start(), one.end(), False)
            for one in _TOKEN.finditer(line[0])
        ]
        for place, token in enumerate(tokens):
            if token.text != "=":
                continue
            start, end = _leftwards(tokens, place), _rightwards(tokens, place)
            if start is not None and end is not None:
                left = line[0][tokens[start].start : tokens[place - 1].end]
                right = line[0][tokens[place + 1].start : tokens[end - 1].end]
                yield Equation(line.start() + tokens[start].start, left, right, _symbols(tokens[start:end]))


def _symbols(tokens: Sequence[_Token]) -> tuple[str, ...]:
    following = (*tokens[1:], _Token("", 0, 0, False))
    names = [
        token.text
        for token, after in zip(tokens, following, strict=True)
        if token.operand and not token.text[0].isdigit() and after.text != "("
    ]
    return tuple(dict.fromkeys(names))


def _leftwards(tokens: Sequence[_Token], place: int) -> int | None:
    """Where the expression begins that ends before a place; ``None`` where there is none."""
    limit = max(0, place - _REACH)
    start: int | None = None
    at = place - 1
    while at >= limit:
        operand = _operand_before(tokens, at, limit)
        if operand is None:
            break
        start, at = operand, operand - 1
        if at < limit or tokens[at].text not in _OPERATORS:
            break
        # A sign belongs to the first operand where nothing stands before it, or only its right side has no space.
        if tokens[at].text in "-−":
            apart = at > limit and tokens[at - 1].end < tokens[at].start and tokens[at].end == tokens[start].start
            if at == limit or apart or _operand_before(tokens, at - 1, limit) is None:
                return at
        at -= 1
    return start


def _operand_before(tokens: Sequence[_Token], at: int, limit: int) -> int | None:
    if at < limit:
        return None
    if tokens[at].operand:
        return at
    if tokens[at].text != ")":
        return None
    depth = 0
    for back in range(at, limit - 1, -1):
        depth += {")": 1, "(": -1}.get(tokens[back].text, 0)
        if depth == 0:
            called = back > limit and tokens[back - 1].operand and tokens[back - 1].end == tokens[back].start
            return back - 1 if called else back
    return None


def _rightwards(tokens: Sequence[_Token], place: int) -> int | None:
    """Where the expression ends that begins after a place; ``None`` where there is none."""
    limit = min(len(tokens), place + 1 + _REACH)
    end: int | None = None
    at = place + 1
    while at < limit:
        if tokens[at].text in ("-", "−"):
            at += 1
        operand = _operand_after(tokens, at, limit)
        if operand is None:
            break
        end = at = operand
        if at >= limit or tokens[at].text not in _OPERATORS:
            break
        at += 1
    return end


def _operand_after(tokens: Sequence[_Token], at: int, limit: int) -> int | None:
    if at >= limit:
        return None
    if tokens[at].operand:
        called = at + 1 < limit and tokens[at + 1].text == "(" and tokens[at].end == tokens[at + 1].start
        if not called:
            return at + 1
        at += 1
    if tokens[at].text != "(":
        return None
    depth = 0
    for ahead in range(at, limit):
        depth += {"(": 1, ")": -1}.get(tokens[ahead].text, 0)
        if depth == 0:
            return ahead + 1
    return None
