"""The language that mechanisms are written in: integer expressions, read but never handed to the interpreter.

Names, integer literals, ``+ - * // %``, comparisons (chains too), ``and or not``, ``a if c else b`` and the
functions ``min``, ``max`` and ``abs``. A truth value is 0 or 1. Everything else is refused, size and depth are
bounded, and so is every intermediate value, so a mechanism read from a file can neither run code nor run long.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from counterpoise.errors import DataError

__all__ = ["MAX_VALUE", "Expression", "ScmError", "parse_expression"]

MAX_LENGTH = 4000
MAX_NODES = 500
MAX_DEPTH = 60
MAX_VALUE = 10**12
"""Largest absolute value that an expression may take at any point."""

Evaluate = Callable[[Mapping[str, int]], int]

_ALLOWED_CHARACTERS = re.compile(r"[A-Za-z0-9_+\-*/%()<>=!, \n]*")
_ARITHMETIC: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, Callable[..., int]] = {"min": min, "max": max, "abs": abs}


class ScmError(DataError):
    """A structural causal model that is not valid, or a question that it cannot answer."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed mechanism.

    Attributes:
        source: the text it was parsed from.
        names: the variables it reads.
        evaluate: from values of those variables to the value; raises ScmError on division by zero or when a value
            leaves ``[-MAX_VALUE, MAX_VALUE]``.
    """

    source: str
    names: frozenset[str]
    evaluate: Evaluate

    def __reduce__(self) -> tuple[Callable[[str], "Expression"], tuple[str]]:
        # Nested functions cannot be pickled; the source can.
        return parse_expression, (self.source,)


@lru_cache(maxsize=4096)
def parse_expression(source: str) -> Expression:
    """Parse one expression of the mechanism language.

    Raises:
        ScmError: the text is too long, too deep, no expression, or uses anything outside the language.

    >>> parse_expression("x // 2 if x > 3 else -x").evaluate({"x": 9})
    4
    >>> parse_expression("x.real")
    Traceback (most recent call last):
    counterpoise.counterfactual.expression.ScmError: character '.' is not allowed (mechanism 'x.real')
    """
    if len(source) > MAX_LENGTH:
        raise ScmError(f"mechanism of {len(source)} characters", expected=f"at most {MAX_LENGTH}")
    allowed = _ALLOWED_CHARACTERS.match(source)
    if allowed and allowed.end() < len(source):
        raise _fault(f"character {source[allowed.end()]!r} is not allowed", source)
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _fault("not an expression", source) from None
    _check_size(tree, source)
    names: set[str] = set()
    evaluate = _translate(tree, source, names)
    return Expression(source, frozenset(names), evaluate)


def _check_size(tree: ast.expr, source: str) -> None:
    level: list[ast.AST] = [tree]
    nodes = depth = 0
    while level:
        nodes += len(level)
        depth += 1
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            raise _fault(f"more than {MAX_NODES} parts or {MAX_DEPTH} levels", source)
        level = [child for node in level for child in ast.iter_child_nodes(node)]


def _translate(node: ast.expr, source: str, names: set[str]) -> Evaluate:
    """Turn a whitelisted syntax tree into nested functions; ``names`` collects the variables."""

    def part(child: ast.expr) -> Evaluate:
        return _translate(child, source, names)

    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            if abs(value) > MAX_VALUE:
                raise _fault("a number is too large", source)
            return lambda _: value
        case ast.Name(id=name):
            names.add(name)
            return lambda world: world[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = part(operand)
            return lambda world: -inner(world)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = part(operand)
            return lambda world: int(not inner(world))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _ARITHMETIC:
            return _bounded(_ARITHMETIC[type(op)], part(left), part(right), source)
        case ast.BoolOp(op=op, values=values):
            parts = [part(value) for value in values]
            if isinstance(op, ast.And):
                return lambda world: int(all(inner(world) for inner in parts))
            return lambda world: int(any(inner(world) for inner in parts))
        case ast.Compare(left=left, ops=ops, comparators=right_sides) if all(type(op) in _COMPARISONS for op in ops):
            operands = [part(side) for side in (left, *right_sides)]
            tests = [_COMPARISONS[type(op)] for op in ops]
            return lambda world: _compared([operand(world) for operand in operands], tests)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            condition, then, otherwise = part(test), part(body), part(orelse)
            return lambda world: then(world) if condition(world) else otherwise(world)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            if (name == "abs") != (len(args) == 1) or not args:
                raise _fault(f"{name} of {len(args)} arguments", source)
            function, inputs = _FUNCTIONS[name], [part(argument) for argument in args]
            return lambda world: function(*(inner(world) for inner in inputs))
    raise _fault(f"{type(node).__name__} is not part of the mechanism language", source)


def _bounded(function: Callable[[int, int], int], left: Evaluate, right: Evaluate, source: str) -> Evaluate:
    def evaluate(world: Mapping[str, int]) -> int:
        try:
            value = function(left(world), right(world))
        except ZeroDivisionError:
            raise _fault("division by zero", source) from None
        if not -MAX_VALUE <= value <= MAX_VALUE:
            raise _fault("a value is too large", source)
        return value

    return evaluate


def _compared(values: list[int], tests: list[Callable[[int, int], bool]]) -> int:
    return int(all(test(a, b) for test, a, b in zip(tests, values, values[1:], strict=False)))


def _fault(what: str, source: str) -> ScmError:
    shown = source if len(source) <= 60 else source[:57] + "..."
    return ScmError(what, where=f"mechanism {shown!r}")
