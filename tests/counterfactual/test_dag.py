import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.case import Role
from counterpoise.counterfactual.dag import (
    Counts,
    confounders,
    edge_counts,
    has_path,
    is_acyclic,
    orientation_counts,
    roles_from_graph,
    shd,
    skeleton_counts,
)

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
