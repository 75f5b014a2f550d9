"""The rewrite: a program whose every position goes through one function, which decides how to count.

``s[i]`` becomes ``__on__(3)(s)[i]``, where 3 is the number of the expression ``s[i]``, and ``s.index(x)`` becomes
``__on__()(s).index(x)``. What the name is bound to when the program runs decides the world, see
:mod:`~counterpoise.counterfactual.programs.positions`; the rewritten text is the same for both. ``s`` and ``i`` are
still evaluated once and in the same order, so stores, deletions, ``s[i] += 1``, unpacking and loops over ``s[i]`` need
nothing more. Whether ``s`` is a sequence or a dictionary is decided when the program runs. Annotations are left alone:
``List[int]`` is no element.
"""

import ast
from dataclasses import dataclass

from counterpoise.counterfactual.programs.positions import HELPER, SEARCHES

__all__ = ["Rewritten", "rewrite", "without_docstrings"]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A rewritten program.

    Attributes:
        text: its source.
        expressions: the source of every distinct expression that reads an element or a slice, in source order, on one
            line; its number is its place here. Those that ``+=`` and the like also read are left out: which read was
            the first would be hard to see.
        parts: pairs of numbers of which the first expression is a part of the second.
    """

    text: str
    expressions: tuple[str, ...]
    parts: frozenset[tuple[int, int]] = frozenset()


def rewrite(program: str) -> Rewritten:
    """Rewrite a program that is valid Python.

    >>> print(rewrite("def f(s): return s[0]").text)
    def f(s):
        return __on__(0)(s)[0]
    """
    tree = ast.parse(program)
    reads = _Reads()
    reads.visit(tree)
    # Where one expression begins another (s[0] in s[0][1]) the shorter is evaluated first.
    found = sorted(reads.found, key=lambda node: (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset))
    augmented = {ast.unparse(node.target) for node in ast.walk(tree) if isinstance(node, ast.AugAssign)}
    # The same expression may be spelt with other spaces; the first spelling is shown, unless it takes several lines.
    shown: dict[str, str] = {}
    spelt = {node: spelling for node in found if (spelling := ast.unparse(node)) not in augmented}
    for node, spelling in spelt.items():
        source = ast.get_source_segment(program, node)
        shown.setdefault(spelling, spelling if source is None or "\n" in source else source)
    places = {spelling: place for place, spelling in enumerate(shown)}
    numbers = {node: places[spelling] for node, spelling in spelt.items()}
    parts = frozenset(
        (numbers[inner], number)
        for node, number in numbers.items()
        for inner in ast.walk(node)
        if isinstance(inner, ast.Subscript) and numbers.get(inner, number) != number
    )
    return Rewritten(
        ast.unparse(ast.fix_missing_locations(_Rewriter(numbers).visit(tree))), tuple(shown.values()), parts
    )


def without_docstrings(program: str) -> str:
    """The source without its docstrings and other strings that stand alone, all else as it is.

    Docstrings state what the function is meant to return, with examples in many forms, and all of it is about
    positions from 0. A body that was nothing else becomes ``pass``.
    """
    lines = program.splitlines(keepends=True)
    # From the end, so that the lines before keep their numbers.
    for node, alone in sorted(_standing_strings(ast.parse(program)), key=lambda found: -found[0].lineno):
        start, end = node.lineno - 1, node.end_lineno or node.lineno
        # Offsets of the syntax tree are in bytes.
        before = lines[start].encode()[: node.col_offset].decode()
        after = lines[end - 1].encode()[node.end_col_offset :].decode()
        if alone or before.strip() or after.strip():
            lines[start:end] = [f"{before}pass{after}"]
            continue
        while end < len(lines) and not lines[end].strip():
            end += 1
        del lines[start:end]
    return "".join(lines).strip("\n").rstrip() + "\n"


class _Unannotated(ast.NodeTransformer):
    """Goes everywhere but into annotations."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        returns, node.returns = node.returns, None
        self.generic_visit(node)
        node.returns = returns
        return node


class _Reads(_Unannotated):
    """Finds the subscripts that read."""

    def __init__(self) -> None:
        self.found: list[ast.Subscript] = []

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        if isinstance(node.ctx, ast.Load):
            self.found.append(node)
        self.generic_visit(node)
        return node


class _Rewriter(_Unannotated):
    """Puts the helper around whatever is indexed or searched."""

    def __init__(self, numbers: dict[ast.Subscript, int]) -> None:
        self._numbers = numbers

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        self.generic_visit(node)
        node.value = _helped(node.value, self._numbers.get(node))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if node.attr in SEARCHES:
            node.value = _helped(node.value, None)
        return node


def _helped(value: ast.expr, number: int | None) -> ast.Call:
    arguments: list[ast.expr] = [] if number is None else [ast.Constant(number)]
    view = ast.Call(func=ast.Name(id=HELPER, ctx=ast.Load()), args=arguments, keywords=[])
    return ast.Call(func=view, args=[value], keywords=[])


def _standing_strings(tree: ast.Module) -> list[tuple[ast.Expr, bool]]:
    """Statements that are a string and no more, each with whether it is all of its body."""
    return [
        (statement, len(body) == 1)
        for node in ast.walk(tree)
        for name in ("body", "orelse", "finalbody")
        if isinstance(body := getattr(node, name, None), list)
        for statement in body
        if isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    ]
