"""Facts about causal graphs, and counts of how two graphs differ.

A graph is a collection of directed edges ``(parent, child)`` between names. Every function is defined on empty
graphs, and the comparisons also on predictions that are no DAG at all (cycles, self-loops, both directions).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import networkx as nx

from counterpoise.counterfactual.case import Edge, Role

__all__ = [
    "Counts",
    "confounders",
    "edge_counts",
    "has_path",
    "is_acyclic",
    "orientation_counts",
    "roles_from_graph",
    "shd",
    "skeleton_counts",
]


class Counts(NamedTuple):
    """True positives, false positives and false negatives."""

    tp: int
    fp: int
    fn: int


def is_acyclic(edges: Iterable[Edge]) -> bool:
    """Whether the graph has no directed cycle; a self-loop is one.

    >>> is_acyclic([("a", "b"), ("b", "c")]), is_acyclic([("a", "b"), ("b", "a")]), is_acyclic([])
    (True, False, True)
    """
    return nx.is_directed_acyclic_graph(_graph(edges))


def has_path(edges: Iterable[Edge], start: str, end: str) -> bool:
    """Whether a directed path of at least one edge leads from ``start`` to ``end``.

    >>> has_path([("a", "b"), ("b", "c")], "a", "c"), has_path([("a", "b")], "b", "a"), has_path([], "a", "b")
    (True, False, False)
    """
    graph = _graph(edges)
    return start in graph and any(end == child or end in nx.descendants(graph, child) for child in graph[start])


def confounders(edges: Iterable[Edge], exposure: str, outcome: str) -> frozenset[str]:
    """Common causes of exposure and outcome: what reaches the outcome also when the exposure is held fixed.

    >>> sorted(confounders([("z", "x"), ("z", "y"), ("x", "y"), ("w", "x")], "x", "y"))
    ['z']
    """
    graph = _graph(edges)
    if exposure not in graph or outcome not in graph:
        return frozenset()
    causes = nx.ancestors(graph, exposure) - {exposure, outcome}
    # An instrument reaches the outcome through the exposure only, so the exposure is taken out.
    graph.remove_node(exposure)
    return frozenset(causes & nx.ancestors(graph, outcome))


def roles_from_graph(
    edges: Iterable[Edge], exposure: str, outcome: str, variables: Iterable[str] = ()
) -> dict[str, Role]:
    """The causal role of every variable of a graph.

    A mediator lies on a directed path from exposure to outcome; everything else is a covariate, also a
    consequence of the exposure that does not lead to the outcome.

    Args:
        edges: the graph.
        exposure: its exposure.
        outcome: its outcome.
        variables: further variables, for those without edges.

    Returns:
        Name to role, sorted by name.

    >>> {name: str(role) for name, role in roles_from_graph([("x", "m"), ("m", "y"), ("x", "d")], "x", "y").items()}
    {'d': 'covariate', 'm': 'mediator', 'x': 'exposure', 'y': 'outcome'}
    """
    graph = _graph(edges)
    graph.add_nodes_from((exposure, outcome, *variables))
    between = nx.descendants(graph, exposure) & nx.ancestors(graph, outcome)
    roles = {name: Role.MEDIATOR if name in between else Role.COVARIATE for name in sorted(graph)}
    return roles | {exposure: Role.EXPOSURE, outcome: Role.OUTCOME}


def edge_counts(gold: Iterable[Edge], predicted: Iterable[Edge]) -> Counts:
    """Directed edges found, invented and missed; a reversed edge is both invented and missed.

    >>> edge_counts([("a", "b"), ("b", "c")], [("a", "b"), ("c", "b")])
    Counts(tp=1, fp=1, fn=1)
    >>> edge_counts([], [])
    Counts(tp=0, fp=0, fn=0)
    """
    right, answer = set(gold), set(predicted)
    return Counts(len(right & answer), len(answer - right), len(right - answer))


def skeleton_counts(gold: Iterable[Edge], predicted: Iterable[Edge]) -> Counts:
    """Adjacent pairs found, invented and missed, whatever their direction.

    >>> skeleton_counts([("a", "b"), ("b", "c")], [("b", "a")])
    Counts(tp=1, fp=0, fn=1)
    """
    right, answer = _pairs(gold), _pairs(predicted)
    return Counts(len(right & answer), len(answer - right), len(right - answer))


def orientation_counts(gold: Iterable[Edge], predicted: Iterable[Edge]) -> Counts:
    """:func:`edge_counts` on the pairs that are adjacent in both graphs: direction alone.

    >>> orientation_counts([("a", "b"), ("b", "c"), ("c", "d")], [("a", "b"), ("c", "b")])
    Counts(tp=1, fp=1, fn=1)
    """
    right, answer = set(gold), set(predicted)
    shared = _pairs(right) & _pairs(answer)
    return edge_counts(
        (edge for edge in right if frozenset(edge) in shared),
        (edge for edge in answer if frozenset(edge) in shared),
    )


def shd(gold: Iterable[Edge], predicted: Iterable[Edge]) -> int:
    """Structural Hamming distance: the number of pairs whose connection differs.

    A missing, an invented and a reversed edge each count 1. Source: Tsamardinos, Brown and Aliferis (2006).

    >>> shd([("a", "b"), ("b", "c")], [("b", "a"), ("c", "d")]), shd([], [])
    (3, 0)
    """
    return len(_pairs(set(gold) ^ set(predicted)))


def _graph(edges: Iterable[Edge]) -> "nx.DiGraph[Any]":
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_edges_from(edges)
    return graph


def _pairs(edges: Iterable[Edge]) -> set[frozenset[str]]:
    return {frozenset(edge) for edge in edges}
