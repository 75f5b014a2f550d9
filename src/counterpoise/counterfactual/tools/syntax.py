"""From a Python syntax tree to findings, in the order of the source."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from counterpoise.counterfactual.tools.finding import Finding

__all__ = ["findings"]

_KINDS = ("definition", "parameter", "data flow", "call", "subscript", "literal", "use")
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_MAX_NAMES = 12  # In a line of data flow.
_MAX_NODES = 20_000  # Of a tree, from the top of the source on.


@dataclass(frozen=True, slots=True)
class _Entry:
    """A finding to be; its text is written only if it is wanted, because writing code out costs time."""

    line: int
    column: int
    kind: str
    write: Callable[[], tuple[str, str]]

    @property
    def order(self) -> tuple[int, int, int]:
        """By line, then by kind where that is definition, parameter or flow, then by column."""
        return self.line, min(_KINDS.index(self.kind), 3), self.column


def findings(tree: ast.Module) -> Iterator[Finding]:
    """What a tree defines, uses and computes from what; line by line. Nothing is run.

    What cannot be written out again, such as a number with thousands of digits, is left out.
    """
    for entry in sorted(_entries(tree), key=lambda one: one.order):
        try:
            text, detail = entry.write()
        # Trees that were parsed may still be too deep to be written out.
        except (MemoryError, RecursionError, ValueError):
            continue
        yield Finding(entry.kind, text, detail)


def _entries(tree: ast.Module) -> Iterator[_Entry]:
    # A stack of our own: the depth of a foreign tree must not be the depth of Python's.
    waiting: list[tuple[ast.AST, tuple[ast.expr, ...]]] = [(tree, ())]
    for _ in range(_MAX_NODES):
        if not waiting:
            break
        node, conditions = waiting.pop()
        yield from _of_node(node, conditions)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # A docstring is no literal of the program.
        children: list[tuple[ast.AST, tuple[ast.expr, ...]]] = []
        for name, value in ast.iter_fields(node):
            # The body of a branch or loop depends on its condition; the condition itself does not.
            inner = conditions
            if name in ("body", "orelse"):
                if isinstance(node, ast.If | ast.While | ast.IfExp):
                    inner = (*conditions, node.test)[-8:]
                elif isinstance(node, _Function | ast.ClassDef):
                    inner = ()
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    children.append((child, inner))
        waiting += reversed(children)


def _of_node(node: ast.AST, conditions: tuple[ast.expr, ...]) -> Iterator[_Entry]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            what = "class" if isinstance(node, ast.ClassDef) else "function"
            yield _entry(node, "definition", _said(node.name, f"{what}, line {node.lineno}"))
            if not isinstance(node, ast.ClassDef):
                yield from _parameters(node.args, node.name)
        case ast.Lambda():
            yield from _parameters(node.args, "a lambda")
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                yield _entry(node, "definition", _said(alias.asname or alias.name, f"import, line {node.lineno}"))
        case ast.Assign():
            for target in node.targets:
                yield from _flow(node, target, node.value, conditions)
        case ast.AugAssign():
            yield from _flow(node, node.target, node.value, conditions, itself=True)
        case ast.AnnAssign() if node.value is not None:
            yield from _flow(node, node.target, node.value, conditions)
        case ast.NamedExpr():
            yield from _flow(node, node.target, node.value, conditions)
        case ast.For() | ast.AsyncFor():
            yield from _flow(node, node.target, node.iter, conditions)
        case ast.comprehension():
            yield from _flow(node.target, node.target, node.iter, conditions)
        case ast.withitem() if node.optional_vars is not None:
            yield from _flow(node.context_expr, node.optional_vars, node.context_expr, conditions)
        case ast.Return() if node.value is not None:
            yield _flow_entry(node, "return", node.value, conditions)
        case ast.Call():
            yield _entry(node, "call", lambda: (ast.unparse(node), f"line {node.lineno}"))
        case ast.Subscript():
            yield _entry(node, "subscript", lambda: (ast.unparse(node), f"line {node.lineno}"))
        case ast.Constant() if node.value is not Ellipsis:
            yield _entry(node, "literal", lambda: (repr(node.value), f"line {node.lineno}"))
        case ast.Name() if isinstance(node.ctx, ast.Load):
            yield _entry(node, "use", _said(node.id, f"first on line {node.lineno}"))


def _parameters(arguments: ast.arguments, function: str) -> Iterator[_Entry]:
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: dict[str, ast.expr] = {
        one.arg: value
        for one, value in zip(plain[len(plain) - len(arguments.defaults) :], arguments.defaults, strict=True)
    }
    defaults |= {
        one.arg: value
        for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if value is not None
    }
    rest = [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    for one in (*plain, *arguments.kwonlyargs, *rest):

        def write(one: ast.arg = one) -> tuple[str, str]:
            default = f", by default {ast.unparse(defaults[one.arg])}" if one.arg in defaults else ""
            return one.arg, f"of {function}{default}"

        yield _entry(one, "parameter", write)


def _flow(
    place: ast.stmt | ast.expr,
    target: ast.expr,
    value: ast.expr,
    conditions: tuple[ast.expr, ...],
    itself: bool = False,
) -> Iterator[_Entry]:
    """What each name of an assignment's target is computed from."""
    names = [node for node in ast.walk(target) if isinstance(node, ast.Name)]
    stored = [node.id for node in names if isinstance(node.ctx, ast.Store)]
    # "xs[i] = y" changes xs, and reads i.
    changed = _changed(target)
    read = [node.id for node in names if isinstance(node.ctx, ast.Load) and node.id not in changed]
    for name in dict.fromkeys([*stored, *changed]):
        if name in stored:
            yield _entry(place, "definition", _said(name, f"variable, line {place.lineno}"))
        kept = [name] if itself or name in changed else []
        yield _flow_entry(place, name, value, conditions, also=(*read, *kept))


def _changed(target: ast.expr) -> list[str]:
    """The names of the objects that a target changes in place."""
    found = []
    for node in ast.walk(target):
        inner: ast.expr | None = node if isinstance(node, ast.Subscript | ast.Attribute) else None
        if inner is not None and isinstance(getattr(node, "ctx", None), ast.Store):
            while isinstance(inner, ast.Subscript | ast.Attribute):
                inner = inner.value
            if isinstance(inner, ast.Name):
                found.append(inner.id)
    return found


def _flow_entry(
    place: ast.stmt | ast.expr,
    name: str,
    value: ast.expr,
    conditions: tuple[ast.expr, ...],
    also: tuple[str, ...] = (),
) -> _Entry:
    def write() -> tuple[str, str]:
        called = {id(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
        read = [node.id for node in _names(value) if id(node) not in called]
        sources = list(dict.fromkeys([*also, *read]))[:_MAX_NAMES]
        if not sources:
            sources = ["constants only"] if not called else ["calls only"]
        under = list(dict.fromkeys(node.id for test in conditions for node in _names(test)))[:_MAX_NAMES]
        detail = f"line {place.lineno}" + (f", depends on the condition over {', '.join(under)}" if under else "")
        return f"{name} <- {', '.join(sources)}", detail

    return _entry(place, "data flow", write)


def _names(expression: ast.expr) -> list[ast.Name]:
    """The names that an expression reads, in order of appearance."""
    names = [node for node in ast.walk(expression) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return sorted(names, key=lambda node: (node.lineno, node.col_offset))


def _said(text: str, detail: str) -> Callable[[], tuple[str, str]]:
    return lambda: (text, detail)


def _entry(node: ast.AST, kind: str, write: Callable[[], tuple[str, str]]) -> _Entry:
    # Every node that comes here has a place; the types of some say so only by their subclasses.
    return _Entry(getattr(node, "lineno", 0), getattr(node, "col_offset", 0), kind, write)
