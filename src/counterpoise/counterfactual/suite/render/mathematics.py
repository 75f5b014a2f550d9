"""Systems of equations: what is given, what was observed and what is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from counterpoise.counterfactual.case import AnswerKind
from counterpoise.counterfactual.scm import SCM
from counterpoise.counterfactual.suite.draw.equations import Equation, EquationSystem, Term
from counterpoise.counterfactual.suite.render.story import Told, Unseen, listed

__all__ = ["MathStory", "pose"]

_LETTERS = "b c d f g h j k m n p q r s t v w x y z".split()
_QUANTITIES = {
    "bakery": "loaves rolls trays sacks orders customers helpers deliveries jars crates eggs cakes".split(),
    "depot": "pallets trucks drivers parcels shelves scanners shifts returns routes labels carts boxes".split(),
    "orchard": "baskets pickers ladders trees bees hives barrels apples rows wagons bottles visitors".split(),
    "telegraph": "signals relays pulses lamps messages operators poles clerks batteries bells codes letters".split(),
}
_PLACES = {"bakery": "a bakery", "depot": "a depot", "orchard": "an orchard", "telegraph": "a telegraph office"}
_OPENINGS = {
    "symbols": (
        "Whole numbers are linked by the following equations, each of which says how its left side is produced.",
        "A process computes whole numbers. Each equation gives the value on its left from the values on its right.",
    ),
    "quantities": (
        "In a model of {domain}, each count follows from others by an equation. Counts may be negative (debts).",
        "The books of {domain} are kept by these equations. Each produces its left side; negative counts are debts.",
    ),
}
_ROOTS = (
    "{name} is set from outside: a whole number from {low} to {high}.",
    "{name} does not depend on the others; it is a whole number from {low} to {high}.",
)
_UNSEEN = (
    "Nothing measures {names}; {each} is a whole number from {low} to {high}, {free}.",
    "Nobody can see {names}; {each} is a whole number from {low} to {high}, {free}.",
)
_MOD = '("A mod k" is the remainder of A by k, from 0 to k - 1.)'
_OBSERVED = ("It was observed that {values}.", "In one run of it, {values}.")
_UNNOTED = ("The value of {names} was not recorded.", "No value of {names} is known.")
_QUESTIONS = (
    "Had {exposure} been set to {value} in this same situation, with its own equation put aside and {rest}, what would "
    "{outcome} have been?",
    "Imagine the same situation, {rest}, except that {exposure} had been forced to be {value}. What would the value of "
    "{outcome} have been?",
)
_ANSWERS = (
    'Answer with a whole number, or with "undetermined" if what is known leaves more than one value possible.',
    'Give a whole number; answer "undetermined" when the observations do not settle the value.',
)


@dataclass(frozen=True, slots=True)
class MathStory:
    """An equation system with names.

    Attributes:
        system: the equations.
        domain_name: ``symbols`` or the kind of quantities.
        names: identifier to display name.
        scm: the executable model.
    """

    system: EquationSystem
    domain_name: str
    names: Mapping[str, str]
    scm: SCM

    @property
    def answer_kind(self) -> AnswerKind:
        """A whole number."""
        return "number"

    def settings(self, factual: str, rng: Random) -> str:
        """Another value of the exposure than the factual one: of its range if it has one, else at most 4 away."""
        exposure = next(equation for equation in self.system.equations if equation.variable == "x")
        low, high = (int(factual) - 4, int(factual) + 4) if exposure.terms else exposure.domain
        return str(rng.choice([value for value in range(low, high + 1) if value != int(factual)]))

    def told(self, evidence: Mapping[str, str], rng: Random) -> Told:
        """The equations in random order, the ranges of what is not computed, and what was observed."""
        opening = rng.choice(_OPENINGS["symbols" if self.domain_name == "symbols" else "quantities"])
        equations = [equation for equation in self.system.equations if equation.terms]
        rng.shuffle(equations)
        lines = tuple(self._equation(equation) for equation in equations)
        parts = [opening.format(domain=_PLACES.get(self.domain_name)), "\n".join(lines)]
        notes = [
            rng.choice(_ROOTS).format(name=self.names[root.variable], low=root.domain[0], high=root.domain[1])
            for root in self.system.equations
            if not root.terms
        ]
        rng.shuffle(notes)
        notes += self._unseen(rng)
        if any(equation.form == "mod" for equation in equations):
            notes.append(_MOD)
        context = "\n\n".join([*parts, " ".join(notes), self._observation(evidence, rng)])
        return Told(context, lines, self._words())

    def question(self, action: Mapping[str, str], rng: Random) -> str:
        """The counterfactual question."""
        name = self.names["x"]
        unseen = any(equation.unseen for equation in self.system.equations)
        question = rng.choice(_QUESTIONS).format(
            exposure=name,
            value=action[name],
            outcome=self.names["y"],
            rest="everything unseen as it was" if unseen else "everything set from outside as it was",
        )
        return f"{question} {rng.choice(_ANSWERS)}"

    def _words(self) -> dict[str, Unseen]:
        """The words for every exogenous variable: a root has its own name, an unseen term that of the equation."""
        return {
            f"u_{equation.variable}": Unseen(
                self._noise(equation) if equation.terms else self.names[equation.variable],
                {value: str(value) for value in range(equation.domain[0], equation.domain[1] + 1)},
            )
            for equation in self.system.equations
            if equation.unseen or not equation.terms
        }

    def _unseen(self, rng: Random) -> list[str]:
        noisy = [equation for equation in self.system.equations if equation.unseen]
        if not noisy:
            return []
        # Every unseen term of one system has the same range, so one sentence states them all.
        low, high = noisy[0].domain
        return [
            rng.choice(_UNSEEN).format(
                names=listed([self._noise(equation) for equation in noisy], "or"),
                each="each" if len(noisy) > 1 else "it",
                low=low,
                high=high,
                free="free of the others and of everything above" if len(noisy) > 1 else "free of everything above",
            )
        ]

    def _equation(self, equation: Equation) -> str:
        name = self.names[equation.variable]
        unseen = f" + {self._noise(equation)}" if equation.unseen else ""
        inner = self._sum(equation.terms, equation.constant)
        if equation.unseen and equation.inside:
            inner, unseen = inner + unseen, ""
        match equation.form:
            case "linear":
                return f"{name} = {inner}{unseen}"
            case "mod":
                return f"{name} = (({inner}) mod {equation.bound}){unseen}"
            case "max" | "min":
                return f"{name} = {equation.form}({inner}, {equation.bound}){unseen}"
            case "cases":
                other = self._sum(equation.other_terms, 0)
                switch = f"{self.names[equation.switch]} > {equation.bound}"
                return f"{name} = {inner}{unseen} if {switch}, and {name} = {other}{unseen} otherwise"

    def _sum(self, terms: tuple[Term, ...], constant: int) -> str:
        """A sum as it is written: no coefficient 1, no zero constant, minus signs for negative parts."""
        pieces = [(coefficient, self._product(abs(coefficient), name)) for coefficient, name in terms]
        if constant:
            pieces.append((constant, str(abs(constant))))
        text = ""
        for sign, piece in pieces:
            if text:
                text += f" {'-' if sign < 0 else '+'} {piece}"
            else:
                text = f"-{piece}" if sign < 0 else piece
        return text

    def _product(self, coefficient: int, identifier: str) -> str:
        name = self.names[identifier]
        if coefficient == 1:
            return name
        return f"{coefficient}{name}" if self.domain_name == "symbols" else f"{coefficient} * {name}"

    def _noise(self, equation: Equation) -> str:
        return f"u_{self.names[equation.variable]}"

    def _observation(self, evidence: Mapping[str, str], rng: Random) -> str:
        seen = [f"{name} = {value}" for name, value in evidence.items()]
        rng.shuffle(seen)
        text = rng.choice(_OBSERVED).format(values=listed(seen))
        unnoted = sorted(name for name in self.names.values() if name not in evidence)
        return text + (" " + rng.choice(_UNNOTED).format(names=listed(unnoted, "or")) if unnoted else "")


def pose(system: EquationSystem, rng: Random) -> MathStory:
    """Name the numbers of an equation system: letters or counted things, drawn at random."""
    domain = rng.choice(("symbols", "symbols", *_QUANTITIES))
    variables = system.shape.variables
    words = rng.sample(_QUANTITIES.get(domain, _LETTERS), len(variables))
    names = dict(zip(variables, words, strict=True))
    scm = SCM(exogenous=system.exogenous, mechanisms=system.mechanisms, names=names)
    return MathStory(system, domain, names, scm)
