"""Small Python functions with unseen arguments: the mechanisms of code cases.

What a statement looks like is drawn in :mod:`counterpoise.counterfactual.suite.draw.statements`.
"""

from dataclasses import dataclass
from random import Random

from counterpoise.counterfactual.suite.draw.shapes import Shape
from counterpoise.counterfactual.suite.draw.statements import Statement, Writer

__all__ = ["MAX_LATENTS", "MAX_WORDED", "Program", "draw_program"]

MAX_LATENTS = 4
"""Most unseen arguments of a program."""
MAX_WORDED = 4
"""Most variables of a program that are words and not numbers."""


@dataclass(frozen=True, slots=True)
class Program:
    """A shape with a statement for every variable, in an order in which they can run."""

    shape: Shape
    statements: tuple[Statement, ...]

    @property
    def exogenous(self) -> dict[str, tuple[int, ...]]:
        """Domains of arguments, seen and unseen."""
        return {f"u_{statement.variable}": statement.domain for statement in self.statements if statement.domain}

    @property
    def mechanisms(self) -> dict[str, str]:
        """Expressions by variable."""
        return {statement.variable: statement.expression for statement in self.statements}


def draw_program(shape: Shape, difficulty: int, rng: Random) -> Program:
    """Draw a statement for every variable, parents first.

    Difficulty 1 has sums, bounds and ``if``; 2 adds remainders, quotients and a second step; 3 adds helper functions,
    conditional expressions and chains of conditions; 4 adds loops and lookups. Coefficients grow up to 5.
    """
    count = min(MAX_WORDED, len(shape.variables) // 2)
    worded = set(rng.sample(shape.variables, rng.randint(0, count)))
    share = rng.choice((0.3, 0.5, 0.8))
    writer = Writer(difficulty, rng)
    statements: list[Statement] = []
    for name in shape.order:
        parents = list(shape.parents(name))
        rng.shuffle(parents)
        if not parents:
            statements.append(writer.argument(name, worded=name in worded))
        else:
            latents = sum(bool(statement.domain) and bool(statement.lines) for statement in statements)
            unseen = rng.random() < share and latents < MAX_LATENTS
            statements.append(writer.statement(name, parents, worded=name in worded, unseen=unseen))
    return Program(shape, tuple(_runnable(shape, statements, rng)))


def _runnable(shape: Shape, statements: list[Statement], rng: Random) -> list[Statement]:
    """A random order in which every statement comes after those it reads."""
    rest = list(statements)
    placed: list[Statement] = []
    while rest:
        done = {statement.variable for statement in placed}
        ready = [statement for statement in rest if done.issuperset(shape.parents(statement.variable))]
        placed.append(rng.choice(ready))
        rest.remove(placed[-1])
    return placed
