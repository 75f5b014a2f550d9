"""Facts about causal graphs, and counts of how two graphs differ.

A graph is a collection of directed edges ``(parent, child)`` between names. Every function is defined on empty
graphs, and the comparisons also on predictions that are no DAG at all (cycles, self-loops, both directions).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import networkx as nx

from counterpoise.counterfactual.case import Edge, Role

__all__ = [
    "Counts",
    "confounders",
    "edge_counts",
    "error_kinds",
    "has_path",
    "is_acyclic",
    "orientation_counts",
    "roles_from_graph",
    "shd",
    "sid",
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


def sid(gold: Iterable[Edge], predicted: Iterable[Edge], variables: Iterable[str]) -> int | None:
    """Structural intervention distance: how many effects the prediction, taken as the truth, would get wrong.

    The number of ordered pairs ``(i, j)`` for which adjusting for the parents that ``i`` has in the prediction does not
    give the distribution of ``j`` under an intervention on ``i`` in the gold DAG. Not symmetric; at most n (n - 1).
    Source: Peters and Bühlmann (2015), "Structural Intervention Distance for Evaluating Causal Graphs".

    Args:
        gold: the edges of the gold DAG.
        predicted: any edges; those with an end that is no variable are left out.
        variables: every variable of the gold, those without edges included.

    Returns:
        The distance; ``None`` where it is not defined, because one of the graphs has a cycle.

    >>> sid([("a", "b"), ("b", "c")], [("a", "b"), ("b", "c"), ("a", "c")], "abc")
    0
    >>> sid([("a", "b")], [("b", "a")], "ab"), sid([("a", "b")], [], "ab"), sid([("a", "b")], [("b", "b")], "ab")
    (2, 1, None)
    """
    names, answered = list(dict.fromkeys(variables)), list(predicted)
    truth = _graph(gold)
    truth.add_nodes_from(names)
    if not nx.is_directed_acyclic_graph(truth) or not is_acyclic(answered):
        return None
    below = {node: frozenset({node, *nx.descendants(truth, node)}) for node in truth}
    wrong = 0
    for cause in names:
        parents = {parent for parent, child in answered if child == cause and parent in names}
        wrong += sum(not _adjusts(truth, below, cause, effect, parents) for effect in names if effect != cause)
    return wrong


Below = Mapping[str, frozenset[str]]
"""Every node to itself and its descendants."""


def _adjusts(truth: "nx.DiGraph[Any]", below: Below, cause: str, effect: str, by: set[str]) -> bool:
    """Whether adjusting for ``by``, taken to be the parents of ``cause``, gives the right effect on ``effect``."""
    if effect in by:
        # What is taken for a cause is taken to be unaffected.
        return effect not in below[cause]
    on_paths = {node for node in below[cause] if node != cause and effect in below[node]}
    # Nothing on a causal path, nor a consequence of it, may be held fixed; and all other paths must be blocked.
    return not any(below[node] & by for node in on_paths) and not _connected(truth, below, cause, effect, by, on_paths)


def _connected(truth: "nx.DiGraph[Any]", below: Below, start: str, end: str, by: set[str], without: set[str]) -> bool:
    """Whether ``by`` leaves a path open, the edges from ``start`` to ``without`` not counted: d-connection.

    A walk goes through a node unless it is held fixed, and turns at a collider if something below that is held fixed.
    """
    waiting, seen = [(start, True)], set[tuple[str, bool]]()
    while waiting:
        node, from_below = waiting.pop()
        if node == end:
            return True
        if (node, from_below) in seen:
            continue
        seen.add((node, from_below))
        if node not in by:
            waiting += [(child, False) for child in truth.succ[node] if node != start or child not in without]
        if node not in by if from_below else below[node] & by:
            waiting += [(parent, True) for parent in truth.pred[node]]
    return False


def error_kinds(gold: Iterable[Edge], predicted: Iterable[Edge], variables: Iterable[str]) -> dict[str, int]:
    """What kind of mistake each wrong or absent edge is; kinds that do not occur are absent.

    ``missing``: a gold edge whose ends are not adjacent in the prediction. ``reversed``: a predicted edge that is a
    gold edge the other way round. ``shortcut``: cause and effect joined directly though only a longer directed path
    joins them. ``backwards``: the same against the path. ``confounded``: joined though they only share a cause.
    ``unrelated``: joined though nothing of this holds. ``self``: an edge from a variable to itself. ``invented``: an
    end that is no variable of the gold.

    Args:
        gold: the edges of the gold DAG.
        predicted: any edges.
        variables: every variable of the gold, those without edges included.

    >>> error_kinds([("x", "m"), ("m", "y")], [("x", "y"), ("y", "m"), ("x", "q")], ["x", "m", "y"])
    {'missing': 1, 'shortcut': 1, 'reversed': 1, 'invented': 1}
    """
    right, answer, names = set(gold), list(dict.fromkeys(predicted)), set(variables)
    graph = _graph(right)
    graph.add_nodes_from(names)
    adjacent = _pairs(answer)
    found: dict[str, int] = {}

    def count(kind: str) -> None:
        found[kind] = found.get(kind, 0) + 1

    for edge in right:
        if frozenset(edge) not in adjacent:
            count("missing")
    for cause, effect in answer:
        if (cause, effect) in right:
            continue
        if cause == effect:
            count("self")
        elif cause not in graph or effect not in graph:
            count("invented")
        elif (effect, cause) in right:
            # Beside the right edge, the reversed one is still a mistake of direction.
            count("reversed")
        elif effect in nx.descendants(graph, cause):
            count("shortcut")
        elif cause in nx.descendants(graph, effect):
            count("backwards")
        elif nx.ancestors(graph, cause) & nx.ancestors(graph, effect):
            count("confounded")
        else:
            count("unrelated")
    return found


def _graph(edges: Iterable[Edge]) -> "nx.DiGraph[Any]":
    graph: nx.DiGraph[Any] = nx.DiGraph()
    graph.add_edges_from(edges)
    return graph


def _pairs(edges: Iterable[Edge]) -> set[frozenset[str]]:
    return {frozenset(edge) for edge in edges}
