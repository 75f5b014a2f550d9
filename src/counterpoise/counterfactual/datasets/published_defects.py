"""What can be wrong with a published annotation, and what is worth knowing of it: one check a name.

A check reads a record as it stands, or a record and the item that it belongs to; see
:mod:`~counterpoise.counterfactual.datasets.published` for what the names are used for.
"""

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx

from counterpoise.counterfactual.case import Case, Edge, Role
from counterpoise.counterfactual.datasets.published_records import Record, World

__all__ = ["ITEM_DEFECTS", "LONGEST_VALUE", "RECORD_DEFECTS", "REMARKS"]

LONGEST_VALUE = 80
"""Characters of a value that a stage may be answered with."""

_Check = Callable[[Record], bool]


def _in(world: str, check: Callable[[World], bool]) -> _Check:
    return lambda record: check(record.factual if world == "factual" else record.counterfactual)


def _no_value(role: Role) -> Callable[[World], bool]:
    return lambda world: any(re.fullmatch(r"\s*n\.?\s*/?\s*a\.?\s*", text, re.IGNORECASE) for text in world.roles[role])


def _template(role: Role) -> _Check:
    """Whether a text of the role is one of those that stand in many records and say nothing of their items."""
    return lambda record: any(
        text.strip().casefold() in _TEMPLATES[role]
        for world in (record.factual, record.counterfactual)
        for text in world.roles[role]
    )


_TEMPLATES: dict[Role, frozenset[str]] = {
    Role.EXPOSURE: frozenset(
        {
            "unspecified action",
            "not unspecified action",
            "external condition changed",
            "adding objects",
            "removing objects",
            "changing quantity",
        }
    ),
    Role.COVARIATE: frozenset({"basic condition"}),
    Role.MEDIATOR: frozenset(
        {
            "basic result",
            "altered basic result",
            "logical necessity shift",
            "object in factual scene",
            "object identity changed in counterfactual scene",
            "object existence depends on external conditions",
        }
    ),
    Role.OUTCOME: frozenset({"general argument adjustment", "general argument adjustment changed"}),
}


def _endpoint(world: World) -> bool:
    return bool({end for edge in world.edges or () for end in edge} - set(world.texts))


def _cycle(world: World) -> bool:
    return not nx.is_directed_acyclic_graph(nx.DiGraph([edge for edge in world.edges or () if edge[0] != edge[1]]))


def _placed(world: World) -> set[tuple[tuple[Role, int], tuple[Role, int]]] | None:
    """The edges between places of roles; ``None`` where texts do not name places."""
    places = {text: (role, index) for role in Role for index, text in enumerate(world.roles[role])}
    if len(places) != len(world.texts) or _endpoint(world):
        return None
    return {(places[parent], places[child]) for parent, child in world.edges or ()}


def _graphs_differ(record: Record) -> bool:
    before, after = _placed(record.factual), _placed(record.counterfactual)
    if before is None or after is None or record.factual.edges is None or record.counterfactual.edges is None:
        return False
    # An intervention cuts what leads to the exposure and nothing else.
    cut = {edge for edge in before if edge[1][0] is Role.EXPOSURE}
    return not before - cut <= after <= before


def _negated_elsewhere(record: Record) -> bool:
    """Whether the exposure is only negated although the item's question has no negation in it."""
    question = re.split(r"[.!?]\s+", (record.text or "").strip())[-1]
    return _negated(record) and bool(question) and not re.search(r"\b(?:not|never|no)\b|n['’]t\b", question.casefold())


def _negated(record: Record) -> bool:
    return record.counterfactual.exposure == f"not {record.factual.exposure}"


def _role_missing(record: Record) -> bool:
    return any(
        not world.roles[role] or not all(text.strip() for text in world.roles[role])
        for world in (record.factual, record.counterfactual)
        for role in Role
    )


_ALTERED = re.compile(r"altered\b.*|.*\(altered\)", re.IGNORECASE | re.DOTALL)
_INSTRUCTION = "Please modify the Statements"

RECORD_DEFECTS: Mapping[str, _Check] = {
    "a role is empty": _role_missing,
    **{
        f"{world} {role} is N.A.": _in(world, _no_value(role))
        for world in ("factual", "counterfactual")
        for role in Role
    },
    **{f"{role} is a template": _template(role) for role in Role},
    "exposure is the instruction, cut off": lambda record: _INSTRUCTION in record.factual.exposure,
    "a value is cut off": lambda record: any(
        text.rstrip().endswith("...") for world in (record.factual, record.counterfactual) for text in world.texts
    ),
    f"a value is longer than {LONGEST_VALUE} characters": lambda record: any(
        len(text) > LONGEST_VALUE for world in (record.factual, record.counterfactual) for text in world.texts
    ),
    "a value has no letter or digit": lambda record: any(
        not any(map(str.isalnum, text)) for world in (record.factual, record.counterfactual) for text in world.texts
    ),
    "mediator is only called altered": lambda record: any(map(_ALTERED.fullmatch, record.counterfactual.mediators)),
    "exposure is negated, the question is about another change": _negated_elsewhere,
    "exposure does not change": lambda record: record.factual.exposure == record.counterfactual.exposure,
    "covariates change": lambda record: record.factual.covariates != record.counterfactual.covariates,
    **{
        f"{what} in the {name} world": _in(name, check)
        for name in ("factual", "counterfactual")
        for what, check in {
            "exposure is the outcome": lambda world: world.exposure == world.outcome,
            "two roles have the same text": lambda world: len(set(world.texts)) != len(world.texts),
            "edge endpoint is not a role": _endpoint,
            "a role has no edge": lambda world: (
                world.edges is not None and bool(set(world.texts) - {end for edge in world.edges for end in edge})
            ),
            "edge to itself": lambda world: any(parent == child for parent, child in world.edges or ()),
            "cycle of several edges": _cycle,
            "an edge occurs twice": lambda world: len(set(world.edges or ())) != len(world.edges or ()),
        }.items()
    },
    "the two graphs differ": _graphs_differ,
}


def _outcome_differs(record: Record, item: Case) -> bool:
    return record.counterfactual.outcome != item.target


def _bool_differs(record: Record, item: Case) -> bool:
    answers = re.search(r"The answer: (\w+)\.$", item.context)
    said = ("no" if re.match(r"no\b", world.outcome) else "yes" for world in (record.factual, record.counterfactual))
    return tuple(said) != (answers[1] if answers else "", item.target)


def _count_differs(record: Record, item: Case) -> bool:
    answer = re.search(r"The answer: (\w+)\.$", item.context)
    said = tuple(world.outcome.partition(" ")[0] for world in (record.factual, record.counterfactual))
    return said != (answer[1] if answer else "", item.target)


def _program_differs(record: Record, item: Case) -> bool:
    return (record.factual.outcome, record.counterfactual.outcome) != (item.facets["returned"], item.target)


def _no_literal(record: Record, item: Case) -> bool:
    return any(_literal(world.outcome) is _NOTHING for world in (record.factual, record.counterfactual))


def _adds_one(record: Record, item: Case) -> bool:
    """Whether the outcome of another indexing is the factual one with 1 added to its whole numbers."""
    before, after = _literal(record.factual.outcome), _literal(record.counterfactual.outcome)
    return before != after and bool(_plus_one(before) == after)


def _plus_one(value: Any) -> Any:
    if isinstance(value, list):
        return [_plus_one(item) for item in value]
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) else value


_NOTHING = object()


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return _NOTHING


def _choice_differs(record: Record, item: Case) -> bool:
    """Whether an outcome quotes another text than that of its choice."""
    for world in (record.factual, record.counterfactual):
        said = re.fullmatch(r"Choice ([A-D])(?: \((.*)\))?", world.outcome)
        if said is None:
            return True
        option = item.options[ord(said[1]) - ord("A")]
        if said[2] is not None and re.sub(r"[\s,]", "", said[2]) != re.sub(r"[\s,]", "", option):
            return True
    return False


_DIFFERS = "outcome is not that of the raw item"
ITEM_DEFECTS: Mapping[str, Mapping[str, Callable[[Record, Case], bool]]] = {
    "Arithmetic": {_DIFFERS: _outcome_differs},
    "Arithmetic-Base-16": {_DIFFERS: _outcome_differs},
    "CVQA-Bool": {_DIFFERS: _bool_differs},
    "CVQA-Count": {_DIFFERS: _count_differs},
    "HumanEval-Exe": {
        _DIFFERS: _program_differs,
        "outcome is not a Python literal": _no_literal,
        "1 is added to an outcome instead of the indexing": _adds_one,
    },
    "MalAlgoQA": {_DIFFERS: _choice_differs},
    "RNN-Typology": {_DIFFERS: _outcome_differs},
}


def _no_edge(parents: Role, children: Role) -> Callable[[World], bool]:
    def check(world: World) -> bool:
        pairs: set[Edge] = {(parent, child) for parent in world.roles[parents] for child in world.roles[children]}
        return world.edges is not None and not pairs & set(world.edges)

    return check


REMARKS: Mapping[str, _Check] = {
    "no text": lambda record: record.text is None,
    "no graph": lambda record: record.factual.edges is None or record.counterfactual.edges is None,
    "exposure is only negated": _negated,
    "outcome does not change": lambda record: record.factual.outcome == record.counterfactual.outcome,
    "mediators do not change": lambda record: record.factual.mediators == record.counterfactual.mediators,
    "the worlds have different numbers of mediators": lambda record: (
        len(record.factual.mediators) != len(record.counterfactual.mediators)
    ),
    **{
        f"no edge from {parent} to outcome in the {world} world": _in(world, _no_edge(parent, Role.OUTCOME))
        for world in ("factual", "counterfactual")
        for parent in (Role.EXPOSURE, Role.COVARIATE)
    },
}
"""Notable, and no reason not to use a record."""
