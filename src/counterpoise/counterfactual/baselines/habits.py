"""What the gold of a dataset usually is: the source of the majority baseline.

Counts are kept per cluster, so a case is answered from the other clusters alone and never from its own gold.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from typing import Any

from counterpoise.counterfactual.case import Case, Edge, Role, Stage, Variable
from counterpoise.counterfactual.stages import letters

__all__ = ["Habits"]

_MOST_VARIABLES = 4
"""Variables that the majority names where no variable occurs in more than half of the cases."""

Tally = Counter[Hashable]


class Habits:
    """Counts of gold over cases, each askable without the cluster of one case.

    Args:
        cases: the cases of one dataset that a run measures.
    """

    def __init__(self, cases: Iterable[Case]) -> None:
        self._cases = list(cases)
        self._cluster: str | None = None
        self._without: dict[str, Tally] = {}

    def target(self, case: Case) -> str | None:
        """The most common answer of the other clusters that this case can have; ``None`` when there is none."""
        found = _of(self._others("target", case), case.answer_kind)
        if case.answer_kind == "choice":
            found = Counter({letter: found[letter] for letter in letters(case) if found[letter]})
        return _commonest(found)

    def variables(self, case: Case) -> list[dict[str, Any]]:
        """The variables that more than half of the others have, else the commonest few, with their usual value."""
        found = self._others("variable", case)
        cases = sum(self._others("case", case).values())
        ranked = sorted(found, key=lambda item: (-found[item], str(item)))
        usual = [item for item in ranked if found[item] > cases / 2] or ranked[:_MOST_VARIABLES]
        values = self._others("factual", case)
        roles = {item[0]: item[1] for item in usual if isinstance(item, tuple)}
        return [{"name": name, "role": role, "value": _commonest(_of(values, name))} for name, role in roles.items()]

    def has_edge(self, case: Case, cause: Variable, effect: Variable) -> bool:
        """Whether most others join two such variables: by name where most of them have both, else by role."""
        cases = self._others("case", case)["case"]
        for key, least in (((cause.name, effect.name), cases / 2), ((cause.role, effect.role), 0)):
            chances, joined = self._others("pair", case)[key], self._others("edge", case)[key]
            if chances > least:
                return joined > chances / 2
        return False

    def setting(self, case: Case, name: str) -> str | None:
        """The value that interventions of the others most often set the variable to, or else any exposure."""
        found = self._others("setting", case)
        return _commonest(_of(found, name)) or _commonest(_of(found, None))

    def cause(self, case: Case, allowed: Iterable[str]) -> str | None:
        """The commonest gold value of the others' unseen causes that is allowed here."""
        found = self._others("cause", case)
        return _commonest(Counter({value: found[value] for value in allowed if found[value]}))

    def value(self, case: Case, name: str) -> str | None:
        """The commonest counterfactual value of that variable in the others, or else of any mediator or outcome."""
        found = self._others("value", case)
        return _commonest(_of(found, name)) or _commonest(_of(found, None))

    def _others(self, what: str, case: Case) -> Tally:
        if case.cluster != self._cluster:
            self._cluster, self._without = case.cluster, {}
        if what not in self._without:
            total, clusters = self._counted[what]
            own = clusters.get(case.cluster)
            self._without[what] = total - own if own else total
        return self._without[what]

    @cached_property
    def _counted(self) -> dict[str, tuple[Tally, dict[str, Tally]]]:
        counted = {}
        for what, items in _ITEMS.items():
            clusters: dict[str, Tally] = {}
            for case in self._cases:
                clusters.setdefault(case.cluster, Counter()).update(items(case))
            total: Tally = Counter()
            for tally in clusters.values():
                total.update(tally)
            counted[what] = total, clusters
        return counted


def _of(tally: Tally, name: str | None) -> Tally:
    return Counter({key[1]: count for key, count in tally.items() if isinstance(key, tuple) and key[0] == name})


def _commonest(tally: Tally) -> str | None:
    """The most frequent text; of several the first in the alphabet, so that no order of cases decides."""
    return min(((-count, str(key)) for key, count in tally.items()), default=(0, None))[1]


def _pairs(case: Case, joined: bool) -> list[Edge | tuple[Role, Role]]:
    edges = set(case.edges)
    return [
        key
        for cause in case.variables
        for effect in case.variables
        if case.edges and cause is not effect and (not joined or (cause.name, effect.name) in edges)
        for key in ((cause.name, effect.name), (cause.role, effect.role))
    ]


def _both(pairs: Iterable[tuple[str, str | None]]) -> list[tuple[str | None, str]]:
    """Each value under its variable's name and under no name."""
    return [(key, value) for name, value in pairs if value is not None for key in (name, None)]


_ITEMS: dict[str, Callable[[Case], Iterable[Hashable]]] = {
    "case": lambda case: ["case"] if case.variables else [],
    "target": lambda case: [(case.answer_kind, case.target)],
    "variable": lambda case: [(v.name, str(v.role)) for v in case.variables],
    "factual": lambda case: [(v.name, v.factual) for v in case.variables if v.factual is not None],
    "pair": lambda case: _pairs(case, joined=False),
    "edge": lambda case: _pairs(case, joined=True),
    "setting": lambda case: _both(case.intervention.items()),
    "cause": lambda case: [cause.value for cause in case.exogenous],
    "value": lambda case: _both(
        (v.name, v.counterfactual) for v in case.of_role(Role.MEDIATOR, Role.OUTCOME) if Stage.OUTCOME in case.stages
    ),
}
