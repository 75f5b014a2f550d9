"""The causal shapes that cases are generated in.

A shape is a small graph over identifiers: ``x`` is the exposure, ``y`` the outcome. Variables that are never shown to
have a value are hidden: the unobserved confounder of the front-door and the instrument.
"""

from dataclasses import dataclass
from random import Random
from typing import Literal

__all__ = ["SHAPES", "Shape", "ShapeName", "widen"]

ShapeName = Literal[
    "chain",
    "fork",
    "collider",
    "mediated-triangle",
    "two-mediators",
    "front-door",
    "instrument",
    "distractors",
    "no-path",
]


@dataclass(frozen=True, slots=True)
class Shape:
    """A causal graph with exposure ``x`` and outcome ``y``.

    Attributes:
        name: which shape it is.
        edges: (parent, child) pairs of identifiers; acyclic.
        hidden: identifiers whose value no observation ever states.
    """

    name: ShapeName
    edges: tuple[tuple[str, str], ...]
    hidden: frozenset[str] = frozenset()

    @property
    def variables(self) -> tuple[str, ...]:
        """All identifiers, sorted."""
        return tuple(sorted({end for edge in self.edges for end in edge}))

    @property
    def roots(self) -> tuple[str, ...]:
        """Identifiers without parents, sorted."""
        return tuple(name for name in self.variables if not self.parents(name))

    @property
    def order(self) -> tuple[str, ...]:
        """All identifiers, parents first; ties in alphabetical order."""
        placed: list[str] = []
        while len(placed) < len(self.variables):
            placed += [
                name
                for name in self.variables
                if name not in placed and all(parent in placed for parent in self.parents(name))
            ]
        return tuple(placed)

    def parents(self, child: str) -> tuple[str, ...]:
        """The parents of a variable, sorted."""
        return tuple(sorted(parent for parent, end in self.edges if end == child))


def _shape(name: ShapeName, edges: str, hidden: str = "") -> Shape:
    return Shape(name, tuple((edge[0], edge[1]) for edge in edges.split()), frozenset(hidden))


SHAPES: dict[ShapeName, Shape] = {
    shape.name: shape
    for shape in (
        _shape("chain", "xm my"),
        _shape("fork", "zx zy xy"),
        _shape("collider", "xy xc yc"),
        _shape("mediated-triangle", "xm my xy"),
        _shape("two-mediators", "xm xn my ny"),
        _shape("front-door", "zx zy xm my", hidden="z"),
        _shape("instrument", "wx zx zy xy", hidden="z"),
        _shape("distractors", "xm my xd ef"),
        _shape("no-path", "zx zy xd"),
    )
}
"""Every shape in its smallest form, by name."""

_EXTRA_ROOTS = {1: 0, 2: 0, 3: 1, 4: 2, 5: 3}
_MAX_PARENTS = 3


def widen(shape: Shape, difficulty: int, rng: Random) -> Shape:
    """The shape with the further causes that a difficulty of 1 to 5 brings: none at 1 and 2, three at 5.

    Each new variable is a root with one child other than the exposure, so paths between exposure and outcome and
    the roles of the other variables stay what they were.
    """
    edges = list(shape.edges)
    for number in range(_EXTRA_ROOTS[difficulty]):
        counts = {child: sum(end == child for _, end in edges) for _, child in edges if child != "x"}
        open_children = sorted(child for child, count in counts.items() if count < _MAX_PARENTS)
        if not open_children:
            break
        edges.append((f"k{number + 1}", rng.choice(open_children)))
    return Shape(shape.name, tuple(edges), shape.hidden)
