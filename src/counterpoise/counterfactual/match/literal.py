"""Python literals compared by type and value, without evaluating anything: only literals are read."""

import ast
from typing import Any

__all__ = ["MAX_CHARS", "read_literal", "same_literal"]

MAX_CHARS = 2000
"""Longest text that is read; bounds the depth that the reader has to go."""


def read_literal(text: str) -> tuple[bool, Any]:
    """Whether a text is a Python literal, and its value; names, calls and operators are none.

    >>> read_literal("[1, (2, 'x')]"), read_literal("print(1)")
    ((True, [1, (2, 'x')]), (False, None))
    """
    text = text.strip()
    if not text or len(text) > MAX_CHARS or "\0" in text:
        return False, None
    try:
        return True, ast.literal_eval(text)
    # What hostile text ends in: no syntax, too deep, an unhashable key, a number with too many digits.
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return False, None


def same_literal(gold: str, text: str) -> bool:
    """Whether two texts state the same literal.

    True is not 1 and a list is no tuple, but 2 is 2.0: programs differ in that only by how a quotient was taken.

    >>> same_literal("[1, 2]", "[1,2]"), same_literal("'a'", '"a"'), same_literal("True", "1"), same_literal("2", "2.0")
    (True, True, False, True)
    """
    if gold.strip() == text.strip():
        return True
    (known, first), (readable, second) = read_literal(gold), read_literal(text)
    return known and readable and _same(first, second)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, (int, float, complex)) and isinstance(second, (int, float, complex)):
        return first == second or (first != first and second != second)
    if type(first) is not type(second):
        return False
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_same(value, second[key]) for key, value in first.items())
    return bool(first == second)
