"""Rules over two- and three-valued variables: the mechanisms of text cases.

A rule is a list of conditions with the state each leads to, and possibly one hidden condition that overrides it (the
variable sticks in a state) or inverts it. Rules know nothing of words; they can be spoken and executed.
"""

from dataclasses import dataclass
from random import Random
from typing import Literal

from counterpoise.counterfactual.suite.draw.shapes import Shape

__all__ = ["Atom", "Branch", "Condition", "Hidden", "Rule", "RuleSystem", "draw_rules"]


_MAX_TERNARY = 3
"""Most three-valued variables of a system; no domain of the vocabulary has fewer."""


@dataclass(frozen=True, slots=True)
class Atom:
    """That a variable is in a state, or, negated, that it is not."""

    variable: str
    value: int
    negated: bool = False

    @property
    def expression(self) -> str:
        """In the mechanism language; 0 or 1."""
        return f"({self.variable} {'!=' if self.negated else '=='} {self.value})"


@dataclass(frozen=True, slots=True)
class Condition:
    """A combination of atoms: ``all``, ``any``, ``one`` (exactly one of two), ``most`` (at least two of three)."""

    kind: Literal["all", "any", "one", "most"]
    atoms: tuple[Atom, ...]

    @property
    def expression(self) -> str:
        """In the mechanism language; 0 or 1."""
        parts = [atom.expression for atom in self.atoms]
        match self.kind:
            case "all":
                return f"({' and '.join(parts)})"
            case "any":
                return f"({' or '.join(parts)})"
            case "one":
                return f"({' != '.join(parts)})"
            case "most":
                return f"({' + '.join(parts)} >= 2)"


@dataclass(frozen=True, slots=True)
class Branch:
    """The state that a condition leads to."""

    condition: Condition
    value: int


@dataclass(frozen=True, slots=True)
class Hidden:
    """A hidden two-valued cause of one variable.

    Attributes:
        kind: ``stick``: when it holds, the variable is in the state ``value`` whatever the rule says; ``flip``:
            when it holds, the variable is in the other of its two states.
        value: the state of ``stick``; unused otherwise.
    """

    kind: Literal["stick", "flip"]
    value: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """How a variable follows from its parents; the first condition that holds decides.

    Without branches the variable is a root: it takes any of its states, set from outside.
    """

    variable: str
    branches: tuple[Branch, ...] = ()
    default: int = 0
    hidden: Hidden | None = None

    @property
    def expression(self) -> str:
        """In the mechanism language, reading the exogenous ``u_<variable>`` where there is one."""
        if not self.branches:
            return f"u_{self.variable}"
        text = str(self.default)
        for branch in reversed(self.branches):
            text = f"({branch.value} if {branch.condition.expression} else {text})"
        if self.hidden is None:
            return text
        if self.hidden.kind == "flip":
            return f"(1 - {text} if u_{self.variable} else {text})"
        return f"({self.hidden.value} if u_{self.variable} else {text})"


@dataclass(frozen=True, slots=True)
class RuleSystem:
    """A shape with a rule for every variable.

    Attributes:
        shape: the graph.
        sizes: number of states of each variable, 2 or 3.
        rules: one per variable, in the order of ``sizes``.
    """

    shape: Shape
    sizes: dict[str, int]
    rules: tuple[Rule, ...]

    @property
    def exogenous(self) -> dict[str, tuple[int, ...]]:
        """Domains: a root's states, a hidden cause's 0 and 1."""
        return {
            f"u_{rule.variable}": tuple(range(2 if rule.branches else self.sizes[rule.variable]))
            for rule in self.rules
            if rule.hidden or not rule.branches
        }

    @property
    def mechanisms(self) -> dict[str, str]:
        """Expressions by variable."""
        return {rule.variable: rule.expression for rule in self.rules}


def draw_rules(shape: Shape, difficulty: int, rng: Random) -> RuleSystem:
    """Draw the number of states and the rule of every variable.

    Difficulty 1 has two states, "and", "or" and hidden causes; 2 adds "exactly one of"; 3 adds three-valued
    variables, negated conditions and "at least two of".
    """
    ternary = rng.sample(shape.variables, rng.randint(0, _MAX_TERNARY)) if difficulty >= 3 else []
    sizes = {name: 3 if name in ternary else 2 for name in shape.variables}
    hidden_share = rng.choice((0.3, 0.5, 0.8))
    rules = tuple(_draw_rule(name, shape.parents(name), sizes, difficulty, hidden_share, rng) for name in sizes)
    return RuleSystem(shape, sizes, rules)


def _draw_rule(
    name: str, parents: tuple[str, ...], sizes: dict[str, int], difficulty: int, hidden_share: float, rng: Random
) -> Rule:
    if not parents:
        return Rule(name)
    values = list(range(sizes[name]))
    rng.shuffle(values)
    groups = _grouped(parents, sizes[name], sizes, rng)
    branches = tuple(
        Branch(_draw_condition(group, sizes, difficulty, rng), value)
        for group, value in zip(groups, values, strict=False)
    )
    if len(groups) == 2 and groups[0] == groups[1]:
        # Two conditions on one three-valued parent: they must name different states.
        first, second = rng.sample(range(sizes[parents[0]]), 2)
        branches = tuple(
            Branch(Condition("all", (Atom(parents[0], state),)), branch.value)
            for state, branch in zip((first, second), branches, strict=True)
        )
    return Rule(name, branches, values[len(groups)], _draw_hidden(sizes[name], hidden_share, rng))


def _grouped(parents: tuple[str, ...], size: int, sizes: dict[str, int], rng: Random) -> list[tuple[str, ...]]:
    """Which parents each condition is about: one condition for two states, two where three states can be told apart."""
    shuffled = list(parents)
    rng.shuffle(shuffled)
    if size == 2:
        return [tuple(shuffled)]
    if len(shuffled) == 1:
        return [tuple(shuffled)] * (2 if sizes[shuffled[0]] == 3 else 1)
    return [tuple(shuffled[:1]), tuple(shuffled[1:])]


def _draw_condition(names: tuple[str, ...], sizes: dict[str, int], difficulty: int, rng: Random) -> Condition:
    negated = 0.25 if difficulty >= 3 else 0.0
    atoms = tuple(Atom(name, rng.randrange(sizes[name]), rng.random() < negated) for name in names)
    if len(atoms) == 1:
        return Condition("all", atoms)
    kinds: list[Literal["all", "any", "one", "most"]] = ["all", "any"]
    if difficulty >= 2 and len(atoms) == 2:
        kinds.append("one")
    if difficulty >= 3 and len(atoms) == 3:
        kinds.append("most")
    return Condition(rng.choice(kinds), atoms)


def _draw_hidden(size: int, share: float, rng: Random) -> Hidden | None:
    if rng.random() >= share:
        return None
    if size == 2 and rng.random() < 0.4:
        return Hidden("flip")
    return Hidden("stick", rng.randrange(size))
