"""The calls in a test, read off its source: a test is never run.

A test is a function of ``candidate``, the tested function, whose assertions call it.
"""

import ast
from dataclasses import dataclass
from typing import Any

__all__ = ["Call", "asserted_calls"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call in an assertion.

    Attributes:
        arguments: their source, in one spelling.
        constant: whether they are made of literals and arithmetic alone, so that they are the same in every world.
        states: what the assertion says of the value: that it equals ``value``, that its truth is ``value``, or nothing
            that can be read off.
        value: see ``states``.
    """

    arguments: str
    constant: bool
    states: str = "nothing"
    value: Any = None

    def agrees(self, value: Any) -> bool:
        """Whether a value of the call is what the assertion says, as far as it says anything."""
        if self.states == "nothing":
            return True
        return bool(value == self.value) if self.states == "equality" else bool(value) is self.value


def asserted_calls(test: ast.Module) -> list[Call]:
    r"""Every call of ``candidate`` in an assertion, in source order.

    >>> test = ast.parse("def check(candidate):\n    assert candidate([1], 'a') == 2\n    assert not candidate(x)")
    >>> [(call.arguments, call.constant, call.states, call.value) for call in asserted_calls(test)]
    [("[1], 'a'", True, 'equality', 2), ('x', False, 'truth', False)]
    """
    asserts = [node for node in ast.walk(test) if isinstance(node, ast.Assert)]
    asserts.sort(key=lambda node: (node.lineno, node.col_offset))
    return [_call(node.test, call) for node in asserts for call in ast.walk(node.test) if _is_candidate(call)]


def _is_candidate(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "candidate"


def _call(test: ast.expr, call: ast.AST) -> Call:
    assert isinstance(call, ast.Call)
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    # Two stars take a dictionary apart, whose keys need not be names.
    constant = all(keyword.arg for keyword in call.keywords) and all(
        isinstance(node, _CONSTANT) for value in values for node in ast.walk(value)
    )
    arguments = ", ".join(ast.unparse(part) for part in (*call.args, *call.keywords))
    return Call(arguments, constant, *_statement(test, call))


_CONSTANT = (
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.Set,
    ast.Dict,
    ast.UnaryOp,
    ast.BinOp,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
)


def _statement(test: ast.expr, call: ast.Call) -> tuple[str, Any]:
    if test is call:
        return "truth", True
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and test.operand is call:
        return "truth", False
    if isinstance(test, ast.Compare) and test.left is call and isinstance(test.ops[0], ast.Eq | ast.Is):
        try:
            return "equality", ast.literal_eval(test.comparators[0])
        except (ValueError, TypeError, MemoryError, RecursionError):
            pass
    return "nothing", None
