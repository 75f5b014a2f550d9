"""What several answers to one question say together.

Answers are compared in a canonical form that never looks at the gold. A whole answer is voted on where it is one thing
(intervention, answer); a list is voted on item by item, because five lists of edges are rarely equal.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.match import normalise, number
from counterpoise.counterfactual.match.literal import read_literal

__all__ = ["vote"]

Item = TypeVar("Item")


def vote(case: Case, stage: Stage, answers: Sequence[Any]) -> Any:
    """The structured answer that the given ones agree on most; ``None`` without answers.

    Answer and intervention: the most frequent one. Abduction and outcome: for each variable its most frequent value.
    Graph: the edges that more than half of the answers have. Variables: those that more than half of the answers name,
    each with its most frequent role and value; when there is no such variable or edge, the first answer stands. Of
    equally frequent things the one that came first wins.

    Args:
        case: says how answers are compared; its gold has no influence.
        stage: of the answers.
        answers: structured answers in the form of :mod:`~counterpoise.counterfactual.stages`, in the order sampled.
    """
    if not answers:
        return None
    match stage:
        case Stage.ANSWER:
            return _most(answers, lambda text: _canonical(case, text))
        case Stage.INTERVENTION:
            return _most(answers, lambda values: frozenset(_spelled(case, values).items()))
        case Stage.ABDUCTION | Stage.OUTCOME:
            return _values(case, answers)
        case Stage.GRAPH:
            edges = [[(cause, effect) for cause, effect in answer] for answer in answers]
            kept = _majority(edges, lambda edge: (normalise(edge[0]), normalise(edge[1])))
            return [list(group[0]) for group in kept] or answers[0]
        case Stage.VARIABLES:
            kept_variables = _majority(answers, lambda item: normalise(item["name"]))
            return [_variable(case, group) for group in kept_variables] or answers[0]


def _canonical(case: Case, text: str) -> Hashable:
    if case.answer_kind in ("choice", "numeral"):
        return text.upper()
    if case.answer_kind == "literal":
        return repr(read_literal(text)[1])
    if case.answer_kind == "edit":
        return " ".join(text.split())
    value = number(text)
    return normalise(text) if value is None else value


def _spelled(case: Case, values: Mapping[str, str]) -> dict[str, Hashable]:
    return {normalise(name): _canonical(case, value) for name, value in values.items()}


def _most(items: Sequence[Item], key: Callable[[Item], Hashable]) -> Item:
    """The first item of the most frequent kind."""
    counts = Counter(key(item) for item in items)
    return max(items, key=lambda item: counts[key(item)])


def _majority(answers: Sequence[Iterable[Item]], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Items that more than half of the answers have, grouped by kind, in the order in which kinds came up."""
    groups: dict[Hashable, list[Item]] = {}
    for answer in answers:
        once: dict[Hashable, Item] = {}
        for item in answer:
            once.setdefault(key(item), item)
        for kind, item in once.items():
            groups.setdefault(kind, []).append(item)
    return [group for group in groups.values() if len(group) > len(answers) / 2]


def _values(case: Case, answers: Sequence[Mapping[str, str]]) -> dict[str, str]:
    names = dict.fromkeys(name for answer in answers for name in answer)
    return {
        name: _most([answer[name] for answer in answers if name in answer], lambda text: _canonical(case, text))
        for name in names
    }


def _variable(case: Case, group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    roles = [item["role"] for item in group if item["role"]]
    values = [item["value"] for item in group if item["value"]]
    return {
        "name": group[0]["name"],
        "role": _most(roles, lambda role: role) if roles else None,
        "value": _most(values, lambda value: _canonical(case, value)) if values else None,
    }
