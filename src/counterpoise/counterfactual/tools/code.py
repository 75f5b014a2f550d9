"""What Python code defines, uses and computes from what: read from its syntax tree, never run.

The code of a text is what stands in fenced blocks, or, without any, the longest run of lines that is Python; beside it,
what stands between single backticks.
"""

import ast
import platform
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from counterpoise.counterfactual.case import Case, Modality
from counterpoise.counterfactual.tools.finding import Finding, collect
from counterpoise.counterfactual.tools.syntax import findings
from counterpoise.counterfactual.tools.tool import MAX_CHARS, Picture, visible

__all__ = ["SyntaxTool"]

_RULES = 1
"""Version of the rules; part of the tool's version."""
_FENCED = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"(?<!`)`([^`\n]{1,400})`(?!`)")
_MAX_INLINE = 40
# Bounds on the search for code among prose: lines looked at, tries, characters given to the parser and read by it.
_MAX_LINES, _MAX_TRIES, _MAX_GIVEN, _MAX_READ = 2_000, 2_000, 10_000_000, 400_000


class SyntaxTool:
    """Definitions, parameters, data flow, calls, subscripts, literals and uses of names in Python code.

    Kinds, in the order in which they are said of one place: ``definition``, ``parameter``, ``data flow`` (a name and
    the names that it is computed from, with the conditions that it depends on in the detail), ``call``, ``subscript``,
    ``literal``, ``use`` (of a name that is read). Code that does not parse gives nothing.
    """

    modality: Final[Modality] = "code"
    description: Final = "lists what Python code defines, its parameters, calls, literals, and which names make which"

    def __init__(self) -> None:
        python = platform.python_version()
        self.name = f"ast {python}"
        self.version = f"{python}; rules {_RULES}"

    def find(self, case: Case, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """See :class:`~counterpoise.counterfactual.tools.tool.Tool`; pictures are not looked at."""
        return self.run(visible(case))

    def run(self, text: str, pictures: Sequence[Picture] = ()) -> list[Finding]:
        """See :class:`~counterpoise.counterfactual.tools.tool.Tool`; only the first 100,000 characters count."""
        return collect(finding for tree in _trees(text[:MAX_CHARS]) for finding in findings(tree))


def _trees(text: str) -> Iterator[ast.Module]:
    """The syntax trees of a text's code, blocks first."""
    fenced = [match[1] for match in _FENCED.finditer(text)]
    if fenced:
        for block in fenced:
            tree = _parsed(textwrap.dedent(block))
            # Of a block that is not Python as a whole, such as a session's log, the part that is.
            yield from [tree] if isinstance(tree, ast.Module) else _longest_run(block)
    else:
        yield from _longest_run(text)
    for match in list(_INLINE.finditer(_FENCED.sub("\n", text)))[:_MAX_INLINE]:
        tree = _parsed(match[1].strip())
        if isinstance(tree, ast.Module):
            yield tree


def _parsed(source: str) -> ast.Module | int:
    """The tree of some code, or the number of the line at which it stops being Python, counted from 1."""
    try:
        with warnings.catch_warnings():
            # Of code that Python doubts, such as an unknown escape in a string.
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as error:
        return error.lineno or 1
    # Nesting that is too deep for the parser or its stack, null bytes and lone surrogates.
    except (MemoryError, RecursionError, ValueError):
        return 1


@dataclass(slots=True)
class _Budget:
    """What the search may still spend."""

    tries: int = _MAX_TRIES
    given: int = _MAX_GIVEN
    read: int = _MAX_READ

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return min(self.tries, self.given, self.read) <= 0


def _longest_run(text: str) -> list[ast.Module]:
    """The tree of the run of lines with most code; none where no line is code."""
    lines = text.splitlines()[:_MAX_LINES]
    budget = _Budget()
    best: tuple[int, ast.Module] | None = None
    start = 0
    while start < len(lines):
        end, tree = _run_from(lines, start, budget)
        if tree is not None:
            size = sum(len(line.strip()) for line in lines[start:end])
            if best is None or size > best[0]:
                best = (size, tree)
        if budget.spent:
            break
        start = max(end, start + 1)
    return [] if best is None else [best[1]]


def _run_from(lines: Sequence[str], start: int, budget: _Budget) -> tuple[int, ast.Module | None]:
    """Where the Python that begins at a line ends, and its tree if there is code in it."""
    if not lines[start].strip():
        return start + 1, None
    end = len(lines)
    while end > start and not budget.spent:
        source = textwrap.dedent("\n".join(lines[start:end]))
        tree = _parsed(source)
        fault = end - start if isinstance(tree, ast.Module) else tree
        budget.tries -= 1
        budget.given -= len(source)
        # The parser stops at the fault.
        budget.read -= sum(len(line) + 1 for line in lines[start : start + fault])
        if isinstance(tree, ast.Module):
            return end, _without_prose(tree)
        # Lines from the fault on are not part of it; a block that is open before the fault goes with them.
        end = min(start + tree - 1, end - 1)
    return start + 1, None


def _without_prose(tree: ast.Module) -> ast.Module | None:
    """The tree without statements that are prose, its lines counted from the first of the others; ``None`` if none."""
    tree.body = [statement for statement in tree.body if _is_code(statement)]
    if not tree.body:
        return None
    first = tree.body[0]
    decorators = getattr(first, "decorator_list", [])
    ast.increment_lineno(tree, 1 - min(node.lineno for node in (first, *decorators)))
    return tree


def _is_code(statement: ast.stmt) -> bool:
    """Whether a statement is more than a word, a number or a list of such, as prose can be."""
    if not isinstance(statement, ast.Expr):
        return not isinstance(statement, ast.AnnAssign) or statement.value is not None
    return any(isinstance(node, ast.Call | ast.Subscript | ast.NamedExpr) for node in ast.walk(statement.value))
