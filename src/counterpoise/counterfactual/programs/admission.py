"""Which programs come in: what can be read off the source, before anything runs.

A program is refused when it reaches for more than it needs to compute (modules, builtins and attributes that lead out
of it), or when it counts positions in a way that the rewrite does not follow.
"""

import ast
import builtins
import re

from counterpoise.counterfactual.programs.runner import BUILTINS, MODULES

__all__ = ["parsed", "refusal"]

MAX_CHARACTERS = 20_000
"""Longest program: the parser's own memory and depth grow with it."""

_HIDDEN = re.compile(
    r"__.*|(?:f|tb|gi|cr|ag|co)_(?:back|builtins|code|frame|globals|locals|next|await|yieldfrom|consts)"
)
_MATCH_POSITIONS = frozenset({"start", "end", "span", "pos", "endpos", "regs"})
_POSITION_FUNCTIONS = frozenset({"islice"})
_REFUSED: dict[type[ast.AST], str] = {
    ast.ClassDef: "defines a class",
    ast.AsyncFunctionDef: "is asynchronous",
    ast.AsyncFor: "is asynchronous",
    ast.AsyncWith: "is asynchronous",
    ast.Await: "is asynchronous",
    ast.With: "uses a context manager",
    ast.Match: "matches patterns",
}


def parsed(program: str) -> ast.Module | str:
    """The syntax tree of a program, or why there is none."""
    if len(program) > MAX_CHARACTERS:
        return f"is longer than {MAX_CHARACTERS} characters"
    try:
        return ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"is no program: {getattr(error, 'msg', None) or error or type(error).__name__}"


def refusal(tree: ast.Module, entry_point: str) -> str | None:
    """Why a program is not run, or ``None``."""
    if not any(isinstance(node, ast.FunctionDef) and node.name == entry_point for node in tree.body):
        return f"has no function {entry_point}"
    bound = _bound(tree)
    imported = {name for node in ast.walk(tree) for name in _modules(node)}
    for node in ast.walk(tree):
        if reason := _reason(node, bound, imported):
            return reason
    return None


def _reason(node: ast.AST, bound: set[str], imported: set[str]) -> str | None:
    for kind, reason in _REFUSED.items():
        if isinstance(node, kind):
            return reason
    for name in _modules(node):
        if name not in MODULES:
            return f"imports {name}"
    if isinstance(node, ast.alias):
        if node.name == "*":
            return "imports every name of a module"
        if node.name in _POSITION_FUNCTIONS:
            return f"uses {node.name}, which counts positions"
    for name in _names(node):
        if _HIDDEN.fullmatch(name):
            return f"uses the name {name}"
    if isinstance(node, ast.Name) and node.id not in bound and hasattr(builtins, node.id) and node.id not in BUILTINS:
        return f"uses {node.id}"
    if isinstance(node, ast.Attribute):
        return _attribute_reason(node, imported)
    return None


def _attribute_reason(node: ast.Attribute, imported: set[str]) -> str | None:
    if node.attr in _POSITION_FUNCTIONS:
        return f"uses {node.attr}, which counts positions"
    if node.attr in _MATCH_POSITIONS and "re" in imported:
        return f"uses {node.attr}, which counts positions"
    if node.attr in ("format", "format_map"):
        # A format can index what it shows ("{0[1]}"), and that would go on counting from 0.
        template = node.value.value if isinstance(node.value, ast.Constant) else None
        if not isinstance(template, str) or "[" in template or "." in template:
            return f"uses {node.attr} with fields that may index"
    return None


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return ["." * node.level + (node.module or "")]
    return []


def _names(node: ast.AST) -> list[str]:
    """Every name that a node itself spells."""
    found: list[str | None] = []
    match node:
        case ast.Name():
            found = [node.id]
        case ast.Attribute():
            found = [node.attr]
        case ast.FunctionDef():
            found = [node.name]
        case ast.arg() | ast.keyword():
            found = [node.arg]
        case ast.alias():
            found = [node.name, node.asname]
        case ast.Global() | ast.Nonlocal():
            found = list(node.names)
        case ast.ExceptHandler():
            found = [node.name]
    return [name for name in found if name]


def _bound(tree: ast.Module) -> set[str]:
    """Names that the program gives a meaning of its own, anywhere."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Store() | ast.Del()):
                found.add(node.id)
            case ast.FunctionDef():
                found.add(node.name)
            case ast.arg():
                found.add(node.arg)
            case ast.alias():
                found.add(node.asname or node.name)
            case ast.ExceptHandler() if node.name:
                found.add(node.name)
    return found
