import itertools

import gadjid
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.case import Role
from counterpoise.counterfactual.dag import (
    Counts,
    confounders,
    edge_counts,
    error_kinds,
    has_path,
    is_acyclic,
    orientation_counts,
    roles_from_graph,
    shd,
    sid,
    skeleton_counts,
)
from counterpoise.rng import rng_for

edge = st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"))
graphs = st.lists(edge, max_size=8)


def test_confounder_is_neither_instrument_nor_mediator_nor_cause_of_the_outcome_alone():
    edges = [("z", "x"), ("z", "y"), ("w", "x"), ("k", "y"), ("x", "m"), ("m", "y")]
    assert confounders(edges, "x", "y") == {"z"}
    assert confounders([("a", "z"), *edges], "x", "y") == {"a", "z"}
    assert confounders([], "x", "y") == frozenset()


def test_roles():
    edges = [("z", "x"), ("x", "m"), ("m", "n"), ("n", "y"), ("x", "d"), ("y", "e")]
    roles = roles_from_graph(edges, "x", "y", ["lonely"])
    assert roles == {
        "d": Role.COVARIATE,
        "e": Role.COVARIATE,
        "lonely": Role.COVARIATE,
        "m": Role.MEDIATOR,
        "n": Role.MEDIATOR,
        "x": Role.EXPOSURE,
        "y": Role.OUTCOME,
        "z": Role.COVARIATE,
    }
    assert roles_from_graph([], "x", "y") == {"x": Role.EXPOSURE, "y": Role.OUTCOME}


def test_has_path_needs_an_edge():
    assert not has_path([("a", "b")], "a", "a")
    assert has_path([("a", "b"), ("b", "a")], "a", "a")


@pytest.mark.parametrize(("edges", "acyclic"), [([], True), ([("a", "a")], False), ([("a", "b"), ("a", "c")], True)])
def test_is_acyclic(edges, acyclic):
    assert is_acyclic(edges) is acyclic


def test_a_reversed_edge_costs_direction_but_not_skeleton():
    gold, predicted = [("a", "b"), ("b", "c")], [("b", "a"), ("b", "c")]
    assert edge_counts(gold, predicted) == Counts(1, 1, 1)
    assert skeleton_counts(gold, predicted) == Counts(2, 0, 0)
    assert orientation_counts(gold, predicted) == Counts(1, 1, 1)
    assert shd(gold, predicted) == 1


def test_predictions_that_are_no_dag_are_counted():
    gold = [("a", "b")]
    assert shd(gold, [("a", "b"), ("b", "a")]) == 1
    assert skeleton_counts(gold, [("a", "a")]) == Counts(0, 1, 1)
    assert orientation_counts(gold, [("a", "a")]) == Counts(0, 0, 0)


@given(graphs, graphs)
def test_identities_of_the_comparisons(gold, predicted):
    edges, skeleton = edge_counts(gold, predicted), skeleton_counts(gold, predicted)
    assert edges.tp + edges.fn == len(set(gold))
    assert edges.tp + edges.fp == len(set(predicted))
    assert edge_counts(predicted, gold) == Counts(edges.tp, edges.fn, edges.fp)
    assert skeleton.fp <= edges.fp
    assert shd(gold, predicted) == shd(predicted, gold)
    assert (shd(gold, predicted) == 0) == (set(gold) == set(predicted))
    assert edge_counts(gold, gold).fp == edge_counts(gold, gold).fn == shd(gold, gold) == 0


GOLD = [("z", "x"), ("z", "y"), ("x", "m"), ("m", "y")]


@pytest.mark.parametrize(
    ("predicted", "kinds"),
    [
        (GOLD, {}),
        (GOLD[:3], {"missing": 1}),
        ([*GOLD[:3], ("y", "m")], {"reversed": 1}),
        ([*GOLD, ("y", "m")], {"reversed": 1}),
        ([*GOLD, ("x", "y")], {"shortcut": 1}),
        ([*GOLD, ("y", "x")], {"backwards": 1}),
        ([*GOLD, ("x", "x")], {"self": 1}),
        ([*GOLD, ("x", "q"), ("q", "x"), ("q", "p")], {"invented": 3}),
        ([*GOLD, ("w", "y")], {"unrelated": 1}),
        ([*GOLD, ("q", "q")], {"self": 1}),
        ([*GOLD, ("x", "y"), ("x", "y")], {"shortcut": 1}),
        ([], {"missing": 4}),
    ],
)
def test_each_wrong_edge_is_of_one_kind(predicted, kinds):
    assert error_kinds(GOLD, predicted, "wxymz") == kinds


def test_variables_with_a_common_cause_are_confounded_and_not_unrelated():
    gold = [("z", "a"), ("z", "b"), ("w", "c")]
    assert error_kinds(gold, [*gold, ("a", "b")], "abcwz") == {"confounded": 1}
    assert error_kinds(gold, [*gold, ("a", "c")], "abcwz") == {"unrelated": 1}


@given(graphs, graphs)
def test_every_wrong_edge_is_counted_once(gold, predicted):
    if is_acyclic(gold):
        kinds = error_kinds(gold, predicted, "abcd")
        assert sum(kinds.values()) - kinds.get("missing", 0) == edge_counts(gold, predicted).fp
        assert kinds.get("missing", 0) == skeleton_counts(gold, predicted).fn


def drawn_dag(rng, names):
    order = list(names)
    rng.shuffle(order)
    density = rng.random()
    return [pair for pair in itertools.combinations(order, 2) if rng.random() < density]


def matrix(edges, names):
    found = np.zeros((len(names), len(names)), dtype=np.int8)
    for cause, effect in edges:
        found[names.index(cause), names.index(effect)] = 1
    return found


@pytest.mark.parametrize("size", range(2, 9))
def test_the_intervention_distance_agrees_with_an_independent_implementation(size):
    names = "abcdefgh"[:size]
    found = set()
    for index in range(60):
        rng = rng_for(0, "sid", size, index)
        gold, predicted = drawn_dag(rng, names), drawn_dag(rng, names)
        _, mistakes = gadjid.sid(matrix(gold, names), matrix(predicted, names), edge_direction="from row to column")
        assert sid(gold, predicted, names) == mistakes
        found.add(mistakes)
    assert len(found) > 1


def adjusted_effect(joint, names, cause, effect, parents):
    """The distribution of ``effect`` that adjusting for ``parents`` gives for each value of a binary ``cause``."""
    if effect in parents:
        return [sum(p for world, p in joint.items() if world[names.index(effect)])] * 2
    answer = []
    for setting in (0, 1):
        total = 0.0
        for values in itertools.product((0, 1), repeat=len(parents)):
            at = {names.index(name): value for name, value in zip(parents, values, strict=True)}
            stratum = {w: p for w, p in joint.items() if all(w[i] == v for i, v in at.items())}
            exposed = {w: p for w, p in stratum.items() if w[names.index(cause)] == setting}
            weight = sum(stratum.values())
            total += weight * sum(p for w, p in exposed.items() if w[names.index(effect)]) / sum(exposed.values())
        answer.append(total)
    return answer


def drawn_mechanisms(rng, gold, names):
    parents = {name: [cause for cause, effect in gold if effect == name] for name in names}
    return {
        name: (causes, {v: rng.uniform(0.1, 0.9) for v in itertools.product((0, 1), repeat=len(causes))})
        for name, causes in parents.items()
    }


def world_probabilities(mechanisms, names, do):
    joint = {}
    for world in itertools.product((0, 1), repeat=len(names)):
        values, probability = dict(zip(names, world, strict=True)), 1.0
        for name, (causes, table) in mechanisms.items():
            one = table[tuple(values[cause] for cause in causes)]
            if name in do:
                one = float(do[name])
            probability *= one if values[name] else 1 - one
        joint[world] = probability
    return joint


@pytest.mark.parametrize("index", range(40))
def test_the_intervention_distance_counts_effects_that_come_out_wrong(index):
    """By enumeration: in a distribution of the gold, the adjusted effect is not the effect of the intervention."""
    names = "abcd"
    rng = rng_for(0, "sid by enumeration", index)
    gold, predicted = drawn_dag(rng, names), drawn_dag(rng, names)
    mechanisms = drawn_mechanisms(rng, gold, names)
    joint = world_probabilities(mechanisms, names, {})
    wrong = 0
    for cause, effect in itertools.permutations(names, 2):
        parents = [parent for parent, child in predicted if child == cause]
        claimed = adjusted_effect(joint, names, cause, effect, parents)
        true = [
            sum(
                p for w, p in world_probabilities(mechanisms, names, {cause: setting}).items() if w[names.index(effect)]
            )
            for setting in (0, 1)
        ]
        wrong += any(abs(a - b) > 1e-9 for a, b in zip(claimed, true, strict=True))
    assert sid(gold, predicted, names) == wrong


def test_the_intervention_distance_is_defined_for_dags_only():
    assert sid([("a", "b")], [("a", "b"), ("b", "a")], "ab") is None
    assert sid([("a", "b")], [("b", "b")], "ab") is None
    assert sid([("a", "b"), ("b", "a")], [], "ab") is None
    assert sid([("a", "b")], [("q", "p"), ("p", "q")], "ab") is None
    assert sid([], [], "") == sid([], [], "a") == 0


def test_the_intervention_distance_leaves_out_what_is_no_variable():
    assert sid([("a", "b")], [("a", "b"), ("q", "a"), ("b", "p")], "ab") == 0
    # A variable without edges is a variable: nothing causes it and it causes nothing.
    assert sid([("a", "b")], [("a", "b"), ("c", "b")], "abc") == 0
    assert sid([("a", "b")], [("a", "b"), ("b", "c")], "abc") == 0
    assert sid([("a", "c"), ("b", "c")], [("a", "c"), ("c", "b")], "abc") == 3


@given(graphs)
def test_a_graph_is_at_no_distance_from_itself_nor_from_one_with_more_edges(gold):
    if is_acyclic(gold):
        assert sid(gold, gold, "abcd") == 0
        order = list(nx.lexicographical_topological_sort(nx.DiGraph([*gold, *((n, n + n) for n in "abcd")])))
        complete = list(itertools.combinations([name for name in order if name in "abcd"], 2))
        assert sid(gold, complete, "abcd") == 0
