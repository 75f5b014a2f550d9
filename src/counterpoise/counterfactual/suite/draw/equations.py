"""Integer equations with unseen terms: the mechanisms of mathematics cases."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from counterpoise.counterfactual.suite.draw.shapes import Shape

__all__ = ["Equation", "EquationSystem", "Form", "Term", "draw_equations"]

Term = tuple[int, str]
"""A coefficient and the variable that it multiplies."""
_Range = tuple[int, int]
Form = Literal["linear", "max", "min", "mod", "cases"]
"""``linear``: a sum; ``max``, ``min``: the sum, at least or at most a bound; ``mod``: its remainder by the bound;
``cases``: one of two sums, by whether the switch is above the bound."""


@dataclass(frozen=True, slots=True)
class Equation:
    """How a number follows from its parents.

    Attributes:
        variable: the left-hand side.
        terms: the sum; empty for a root, which takes any value of ``domain``, set from outside.
        constant: added to the sum.
        form: see :data:`Form`.
        bound: of ``max``, ``min``, ``mod`` (at least 2) and ``cases``; unused otherwise.
        switch: the variable that decides ``cases``.
        other_terms: the sum of ``cases`` when the switch is not above the bound; its constant is 0.
        domain: smallest and largest value of the root or of the unseen term.
        unseen: whether an unseen term is added; always false for roots.
        inside: whether it is added before ``max``, ``min`` or ``mod`` and not after.
    """

    variable: str
    terms: tuple[Term, ...] = ()
    constant: int = 0
    form: Form = "linear"
    bound: int = 0
    switch: str = ""
    other_terms: tuple[Term, ...] = ()
    domain: tuple[int, int] = (0, 0)
    unseen: bool = False
    inside: bool = False

    @property
    def expression(self) -> str:
        """In the mechanism language, reading the exogenous ``u_<variable>`` where there is one."""
        noise = f"u_{self.variable}"
        if not self.terms:
            return noise
        inner = _sum(self.terms, self.constant) + (f" + {noise}" if self.unseen and self.inside else "")
        match self.form:
            case "linear":
                text = inner
            case "mod":
                text = f"({inner}) % {self.bound}"
            case "cases":
                text = f"(({inner}) if {self.switch} > {self.bound} else ({_sum(self.other_terms, 0)}))"
            case "max" | "min":
                text = f"{self.form}({inner}, {self.bound})"
        return text + (f" + {noise}" if self.unseen and not self.inside else "")


def _sum(terms: tuple[Term, ...], constant: int) -> str:
    return " + ".join([*(f"{coefficient} * {name}" for coefficient, name in terms), str(constant)])


@dataclass(frozen=True, slots=True)
class EquationSystem:
    """A shape with an equation for every variable."""

    shape: Shape
    equations: tuple[Equation, ...]

    @property
    def exogenous(self) -> dict[str, tuple[int, ...]]:
        """Domains of roots and unseen terms."""
        return {
            f"u_{equation.variable}": tuple(range(equation.domain[0], equation.domain[1] + 1))
            for equation in self.equations
            if equation.unseen or not equation.terms
        }

    @property
    def mechanisms(self) -> dict[str, str]:
        """Expressions by variable."""
        return {equation.variable: equation.expression for equation in self.equations}


_FORMS: dict[int, tuple[Form, ...]] = {
    1: ("linear", "linear", "max", "min"),
    2: ("linear", "linear", "max", "min", "mod"),
    3: ("linear", "max", "min", "mod", "cases"),
    4: ("linear", "max", "min", "mod", "cases"),
    5: ("linear", "max", "min", "mod", "cases", "cases"),
}


def draw_equations(shape: Shape, difficulty: int, rng: Random) -> EquationSystem:
    """Draw an equation for every variable, parents first.

    Difficulty 1 has sums with small coefficients and bounds; 2 adds remainders; 3 adds equations by cases; coefficients
    and constants grow up to 5. Bounds lie within what the sum or the switch can be, so that they matter.
    """
    share = rng.choice((0.3, 0.5, 0.8))
    computed = len(shape.variables) - len(shape.roots)
    # One range for all unseen terms, so one sentence can state it; small where their product would be large.
    reach = (-2, 2) if difficulty >= 3 and computed <= 3 else (-1, 1)
    equations: list[Equation] = []
    ranges: dict[str, _Range] = {}
    for name in shape.order:
        parents = list(shape.parents(name))
        rng.shuffle(parents)
        if parents:
            equation = _draw_equation(name, parents, ranges, difficulty, rng)
            if rng.random() < share:
                inside = equation.form in ("max", "min", "mod") and rng.random() < 0.4
                equation = replace(equation, domain=reach, unseen=True, inside=inside)
        else:
            low = rng.randint(1, 2 + 2 * difficulty)
            equation = Equation(name, domain=(low, low + rng.randint(3, 5)))
        equations.append(equation)
        ranges[name] = _range_of(equation, ranges)
    return EquationSystem(shape, tuple(equations))


def _draw_equation(
    name: str, parents: list[str], ranges: Mapping[str, _Range], difficulty: int, rng: Random
) -> Equation:
    terms = _draw_terms(parents, difficulty, rng)
    constant = rng.randint(-2 - difficulty, 2 + difficulty)
    form = rng.choice(_FORMS[difficulty])
    if form == "linear":
        return Equation(name, terms, constant)
    if form == "mod":
        return Equation(name, terms, constant, form, bound=rng.randint(4, 6 + 2 * difficulty))
    if form == "cases":
        switch = rng.choice(parents)
        other = _draw_terms(parents, difficulty, rng)
        return Equation(name, terms, constant, form, _between(ranges[switch], rng), switch, other)
    return Equation(name, terms, constant, form, bound=_between(_sum_range(terms, constant, ranges), rng))


def _draw_terms(parents: list[str], difficulty: int, rng: Random) -> tuple[Term, ...]:
    largest = 2 + difficulty // 2
    coefficients = [number for number in range(-largest, largest + 1) if number]
    return tuple((rng.choice(coefficients), parent) for parent in parents)


def _sum_range(terms: tuple[Term, ...], constant: int, ranges: Mapping[str, _Range]) -> _Range:
    ends = [sorted((coefficient * ranges[name][0], coefficient * ranges[name][1])) for coefficient, name in terms]
    return constant + sum(low for low, _ in ends), constant + sum(high for _, high in ends)


def _range_of(equation: Equation, ranges: Mapping[str, _Range]) -> _Range:
    """Bounds of the values that an equation can give; not always reached."""
    if not equation.terms:
        return equation.domain
    low, high = _sum_range(equation.terms, equation.constant, ranges)
    match equation.form:
        case "mod":
            low, high = 0, equation.bound - 1
        case "max" | "min":
            clamp = max if equation.form == "max" else min
            low, high = clamp(low, equation.bound), clamp(high, equation.bound)
        case "cases":
            other_low, other_high = _sum_range(equation.other_terms, 0, ranges)
            low, high = min(low, other_low), max(high, other_high)
    return low + equation.domain[0], high + equation.domain[1]


def _between(values: _Range, rng: Random) -> int:
    """A number well inside a range, so that values on both sides of it occur."""
    low, high = values
    return rng.randint(low + (high - low) // 4, max(low + (high - low) // 4, high - (high - low) // 4 - 1))
