"""Executable structural causal models over small discrete domains.

A model is data: exogenous domains and one expression per endogenous variable, in the language of
:mod:`counterpoise.counterfactual.expression`. Counterfactuals are exact: every exogenous assignment that
agrees with the evidence is found (abduction), the mechanisms of the intervention's variables are replaced
(action), and each assignment is run again (prediction). A variable that comes out with several values is
undetermined. There is no prior over the exogenous variables, so an answer is a set of possible values and not
a distribution. Source: Pearl, *Causality* (2009), section 7.1.
"""

import graphlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from counterpoise.counterfactual.expression import MAX_VALUE, Expression, ScmError, parse_expression

__all__ = ["MAX_ASSIGNMENTS", "SCM", "ScmError"]

MAX_ASSIGNMENTS = 2_000_000
"""Largest product of the exogenous domains; beyond it exact enumeration is refused."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset("and or not if else in is min max abs True False None lambda for await yield def class".split())
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class SCM(BaseModel):
    """A discrete structural causal model.

    Mechanisms use identifiers; the outside (evidence, interventions, results, edges) uses display names and
    value texts, as a context shows them. A value's text is its label, or its numeral in the variable's base, or
    its decimal digits.

    Attributes:
        exogenous: identifier to its possible values, at least one, no duplicates.
        mechanisms: endogenous identifier to an expression over exogenous and endogenous identifiers.
        names: identifier to display name, where they differ ("water_level" to "water level"); unique.
        labels: endogenous identifier to the words for its values; every value that it takes needs one.
        numerals: endogenous identifier to the base, 2 to 36, that its value is written in: a number, or the
            identifier of the endogenous variable that holds it.

    Raises:
        ScmError: on construction: a cycle, an unknown name, a mechanism outside the language, too many assignments.

    A two-digit addition in a base that is itself a variable. Abduction reads the digits off the observation, action
    replaces the base, prediction adds again:

    >>> addition = SCM(
    ...     exogenous={"u_base": (8, 10), "u_a1": (2,), "u_a0": (7,), "u_b1": (1,), "u_b0": (6,)},
    ...     mechanisms={
    ...         "base": "u_base",
    ...         "low": "u_a0 + u_b0",
    ...         "carry": "low // base",
    ...         "sum": "(u_a1 + u_b1 + carry) * base + low % base",
    ...     },
    ...     names={"low": "sum of the last digits"},
    ...     numerals={"sum": "base", "low": "base"},
    ... )
    >>> addition.run({"u_base": 10, "u_a1": 2, "u_a0": 7, "u_b1": 1, "u_b0": 6})["sum"]
    '43'
    >>> {name: sorted(texts) for name, texts in addition.counterfactual({"base": "10"}, {"base": "8"}).items()}
    {'base': ['8'], 'sum of the last digits': ['15'], 'carry': ['1'], 'sum': ['45']}
    >>> addition.edges
    (('base', 'carry'), ('base', 'sum'), ('carry', 'sum'), ('sum of the last digits', 'carry'),
     ('sum of the last digits', 'sum'))
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exogenous: dict[str, tuple[int, ...]]
    mechanisms: dict[str, str]
    names: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, dict[int, str]] = Field(default_factory=dict)
    numerals: dict[str, int | str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _validated(self) -> Self:
        for name in (*self.exogenous, *self.mechanisms):
            if not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
                raise ScmError(f"{name!r} is not an identifier", expected="ASCII letters, digits and underscores")
        if both := sorted(self.exogenous.keys() & self.mechanisms.keys()):
            raise ScmError(f"{both[0]!r} is both exogenous and endogenous")
        if not self.mechanisms:
            raise ScmError("a model without mechanisms")
        self._check_domains()
        self._check_presentation()
        known = self.exogenous.keys() | self.mechanisms.keys()
        for name, expression in self._expressions.items():
            if unknown := sorted(expression.names - known):
                raise ScmError(f"mechanism of {name!r} reads {unknown[0]!r}, which is not in the model")
        if not self._order:  # computing it raises on a cycle
            raise ScmError("a model without mechanisms")
        return self

    def _check_domains(self) -> None:
        for name, domain in self.exogenous.items():
            if not domain or len(set(domain)) != len(domain):
                raise ScmError(f"domain of {name!r} is empty or repeats a value")
            if any(abs(value) > MAX_VALUE for value in domain):
                raise ScmError(f"domain of {name!r} has a value beyond {MAX_VALUE}")
        assignments = math.prod(len(domain) for domain in self.exogenous.values())
        if assignments > MAX_ASSIGNMENTS:
            raise ScmError(f"{assignments} exogenous assignments", expected=f"at most {MAX_ASSIGNMENTS}")

    def _check_presentation(self) -> None:
        known = self.exogenous.keys() | self.mechanisms.keys()
        for field, keys in (("names", self.names), ("labels", self.labels), ("numerals", self.numerals)):
            allowed = known if field == "names" else self.mechanisms.keys()
            if unknown := sorted(keys.keys() - allowed):
                raise ScmError(f"{field} of {unknown[0]!r}, which is not in the model")
        shown = [self.names.get(name, name) for name in (*self.exogenous, *self.mechanisms)]
        if len(set(shown)) != len(shown) or not all(name.strip() for name in shown):
            raise ScmError("display names are empty or not unique")
        if both := sorted(self.labels.keys() & self.numerals.keys()):
            raise ScmError(f"{both[0]!r} has labels and a numeral base; choose one")
        for name, words in self.labels.items():
            if len(set(words.values())) != len(words):
                raise ScmError(f"two values of {name!r} have the same label")
        for name, base in self.numerals.items():
            if isinstance(base, str) and (base not in self.mechanisms or base == name):
                raise ScmError(f"base of {name!r} is {base!r}", expected="a number or another endogenous variable")
            if isinstance(base, int) and not 2 <= base <= 36:
                raise ScmError(f"base of {name!r} is {base}", expected="2 to 36")

    @cached_property
    def _expressions(self) -> dict[str, Expression]:
        return {name: parse_expression(source) for name, source in self.mechanisms.items()}

    @cached_property
    def _order(self) -> tuple[str, ...]:
        sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
        for name, expression in sorted(self._expressions.items()):
            parents = set(expression.names & self.mechanisms.keys())
            base = self.numerals.get(name)
            # A numeral can only be read once its base is known.
            sorter.add(name, *sorted(parents | ({base} if isinstance(base, str) else set())))
        try:
            sorter.prepare()
        except graphlib.CycleError as error:
            raise ScmError("the mechanisms form a cycle", where=" -> ".join(reversed(error.args[1]))) from None
        order: list[str] = []
        while sorter.is_active():
            # Sorted layers make the order independent of the order of the fields in a file.
            layer = sorted(sorter.get_ready())
            order += layer
            sorter.done(*layer)
        return tuple(order)

    @cached_property
    def _identifiers(self) -> dict[str, str]:
        return {self.names.get(name, name): name for name in self.mechanisms}

    @cached_property
    def _needs(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each endogenous variable, in order, with the exogenous ones that it is the first to read."""
        seen: set[str] = set()
        plan = []
        for name in self._order:
            new = sorted((self._expressions[name].names & self.exogenous.keys()) - seen)
            seen.update(new)
            plan.append((name, tuple(new)))
        return tuple(plan)

    @property
    def order(self) -> tuple[str, ...]:
        """Display names of the endogenous variables, parents first."""
        return tuple(self.names.get(name, name) for name in self._order)

    @cached_property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Edges (parent, child) between endogenous variables, as display names, sorted."""
        return tuple(
            sorted(
                (self.names.get(parent, parent), self.names.get(child, child))
                for child, expression in self._expressions.items()
                for parent in expression.names & self.mechanisms.keys()
            )
        )

    def run(self, exogenous: Mapping[str, int], do: Mapping[str, str] | None = None) -> dict[str, str]:
        """The one world that an exogenous assignment and an intervention give.

        Args:
            exogenous: a value for every exogenous identifier.
            do: display name to value text; cuts the mechanism of what it sets.

        Returns:
            Display name to value text of every endogenous variable, parents first.

        Raises:
            ScmError: a name or value that is not in the model, a missing value, or a mechanism without a value.
        """
        if unknown := sorted(exogenous.keys() ^ self.exogenous.keys()):
            raise ScmError(f"exogenous {unknown[0]!r} is unknown or has no value")
        for name, value in exogenous.items():
            if value not in self.exogenous[name]:
                raise ScmError(f"{value} is not a value of exogenous {name!r}")
        return self._predict(exogenous, self._assignment(do or {}))

    def abduct(self, evidence: Mapping[str, str]) -> tuple[dict[str, int], ...]:
        """Every exogenous assignment that agrees with the evidence; empty when there is none.

        Exact: assignments are extended along the topological order and dropped at the first observed variable that
        comes out differently.

        Args:
            evidence: display name to observed value text.

        Raises:
            ScmError: an unknown name or value, or a mechanism without a value in a world not yet excluded.
        """
        return tuple(self._abducted(evidence))

    def counterfactual(self, evidence: Mapping[str, str], do: Mapping[str, str]) -> dict[str, frozenset[str]]:
        """What every endogenous variable would have been under ``do``, given what was observed.

        Returns:
            Display name to the possible value texts, parents first; several mean that the evidence leaves it open.

        Raises:
            ScmError: no world agrees with the evidence, or a name or value is unknown.
        """
        found: dict[str, set[str]] = {name: set() for name in self.order}
        for world in self._counterfactual_worlds(evidence, do):
            for name, text in world.items():
                found[name].add(text)
        return {name: frozenset(texts) for name, texts in found.items()}

    def settled(self, evidence: Mapping[str, str], do: Mapping[str, str], variable: str) -> str | None:
        """The only value that ``variable`` can have had under ``do``, or ``None`` when the evidence leaves several.

        The same as looking it up in :meth:`counterfactual`, but stops at the second value.

        Raises:
            ScmError: as :meth:`counterfactual`.
        """
        self._assignment({variable: ""}, check_values=False)
        value: str | None = None
        for world in self._counterfactual_worlds(evidence, do):
            if value is not None and world[variable] != value:
                return None
            value = world[variable]
        return value

    def interventional(self, do: Mapping[str, str]) -> dict[str, frozenset[str]]:
        """What every endogenous variable can be under ``do`` when nothing was observed (no abduction)."""
        return self.counterfactual({}, do)

    def _counterfactual_worlds(self, evidence: Mapping[str, str], do: Mapping[str, str]) -> Iterator[dict[str, str]]:
        action = self._assignment(do)
        consistent = False
        # Abduction: the exogenous assignments that can have produced the evidence.
        for exogenous in self._abducted(evidence):
            consistent = True
            # Action and prediction: the intervened mechanisms are replaced, the exogenous values are kept.
            yield self._predict(exogenous, action)
        if not consistent:
            stated = ", ".join(f"{name}={text}" for name, text in evidence.items())
            raise ScmError("no world agrees with the evidence", where=stated or None)

    def _abducted(self, evidence: Mapping[str, str]) -> Iterator[dict[str, int]]:
        for world in self._consistent({}, self._assignment(evidence), 0):
            yield {name: world[name] for name in self.exogenous}

    def _assignment(self, texts: Mapping[str, str], *, check_values: bool = True) -> dict[str, str]:
        """Identifiers to texts; refuses names that are not endogenous and texts that are no value."""
        assignment = {}
        for shown, text in texts.items():
            name = self._identifiers.get(shown)
            if name is None:
                raise ScmError(f"unknown variable {shown!r}", expected="one of " + ", ".join(self.order))
            if not check_values:
                continue
            if name in self.labels:
                if text not in self.labels[name].values():
                    known = ", ".join(self.labels[name].values())
                    raise ScmError(f"{text!r} is not a value of {shown!r}", expected=f"one of {known}")
            elif name in self.numerals:
                text = text.upper()
                if not re.fullmatch(r"-?[0-9A-Z]{1,40}", text):
                    raise ScmError(f"{text!r} is not a value of {shown!r}", expected="a numeral")
            elif not re.fullmatch(r"-?(0|[1-9][0-9]{0,12})", text) or abs(int(text)) > MAX_VALUE:
                raise ScmError(f"{text!r} is not a value of {shown!r}", expected="a whole number")
            assignment[name] = text
        return assignment

    def _predict(self, exogenous: Mapping[str, int], action: Mapping[str, str]) -> dict[str, str]:
        world = dict(exogenous)
        for name in self._order:
            text = action.get(name)
            world[name] = self._expressions[name].evaluate(world) if text is None else self._integer(name, text, world)
        return {self.names.get(name, name): self._text(name, world) for name in self._order}

    def _consistent(self, world: dict[str, int], observed: Mapping[str, str], depth: int) -> Iterator[dict[str, int]]:
        """Extend a partial world by the variable at ``depth`` in every way that agrees with the evidence."""
        if depth == len(self._needs):
            unread = [name for name in self.exogenous if name not in world]
            for values in itertools.product(*(self.exogenous[name] for name in unread)):
                yield world | dict(zip(unread, values, strict=True))
            return
        name, new = self._needs[depth]
        for values in itertools.product(*(self.exogenous[exogenous] for exogenous in new)):
            extended = world | dict(zip(new, values, strict=True))
            extended[name] = self._expressions[name].evaluate(extended)
            if name not in observed or self._text(name, extended) == observed[name]:
                yield from self._consistent(extended, observed, depth + 1)

    def _text(self, name: str, world: Mapping[str, int]) -> str:
        value = world[name]
        if name in self.labels:
            if value not in self.labels[name]:
                raise ScmError(f"value {value} of {name!r} has no label")
            return self.labels[name][value]
        return _numeral(value, self._base(name, world)) if name in self.numerals else str(value)

    def _integer(self, name: str, text: str, world: Mapping[str, int]) -> int:
        if name in self.labels:
            return next(value for value, label in self.labels[name].items() if label == text)
        if name not in self.numerals:
            return int(text)
        base = self._base(name, world)
        try:
            value = int(text, base)
        except ValueError:
            raise ScmError(f"{text!r} is not a numeral in base {base}") from None
        if abs(value) > MAX_VALUE:
            raise ScmError(f"value of {name!r} is beyond {MAX_VALUE}")
        return value

    def _base(self, name: str, world: Mapping[str, int]) -> int:
        base = self.numerals[name]
        value = world[base] if isinstance(base, str) else base
        if not 2 <= value <= 36:
            raise ScmError(f"base of {name!r} is {value}", expected="2 to 36")
        return value


def _numeral(value: int, base: int) -> str:
    digits = ""
    rest = abs(value)
    while rest or not digits:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return "-" + digits if value < 0 else digits
