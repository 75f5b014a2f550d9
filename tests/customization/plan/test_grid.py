from itertools import permutations

import networkx as nx
import pytest

from counterpoise.customization.plan import Plan
from counterpoise.customization.plan.grid import BASE, cells, chain_names, dependency_graph, training_order


def plan(**settings):
    defend = {"phases": ["none", "before", "after"], "arms": ["curated", "nothing", "refusals"]}
    defaults = {"curated": "c.jsonl", "attack": {"name": "harm"}}
    return Plan.model_validate({**defaults, **settings, "defend": {**defend, **settings.get("defend", {})}})


def names(chosen):
    return [cell.name for cell in cells(chosen)]


def test_the_grid():
    found = names(plan(seeds=[0, 7]))
    assert found[:5] == [
        "harm-none-nothing-s0",
        "harm-before-curated-s0",
        "harm-before-refusals-s0",
        "harm-after-curated-s0",
        "harm-after-refusals-s0",
    ]
    assert len(found) == len(set(found)) == 10


def test_none_and_nothing_are_one_undefended_cell():
    with_them = cells(plan())
    without = cells(plan(defend={"phases": ["before", "after"], "arms": ["curated", "refusals"], "doses": [0, 1]}))
    assert with_them == without
    assert [cell.name for cell in with_them if not cell.dose] == ["harm-none-nothing-s0"]


def test_sweeps_change_one_thing_at_a_time():
    attack = {"name": "harm", "ratio": 1.0, "ratios": [0, 0.5, 1]}
    chosen = plan(attack=attack, defend={"doses": [0, 0.1, 1], "sweep_arms": ["curated"]})
    swept = [cell for cell in cells(chosen) if not cell.main]
    assert [cell.name for cell in swept] == [
        "harm-after-curated-s0-d10",
        "harm-none-nothing-s0-r0",
        "harm-after-curated-s0-r0",
        "harm-none-nothing-s0-r50",
        "harm-after-curated-s0-r50",
    ]
    assert all((cell.ratio == 1) or (cell.dose in (0, 1)) for cell in swept)
    assert len(set(names(chosen))) == len(names(chosen))


def test_phases_that_are_not_run_are_not_swept():
    chosen = plan(attack={"name": "harm", "ratios": [0.5]}, defend={"phases": ["before"]})
    assert [cell.name for cell in cells(chosen) if not cell.main] == ["harm-none-nothing-s0-r50"]


def test_attacks_share_alignment_and_what_comes_before():
    chosen = Plan.model_validate(
        {"curated": "c", "attacks": [{"name": "a"}, {"name": "b"}], "defend": {"phases": ["before", "after"]}}
    )
    graph = dependency_graph(cells(chosen))
    assert set(graph.successors(BASE)) == {"s0-align"}
    assert set(graph.successors("s0-align-defend.curated")) == {
        "s0-align-defend.curated-attack+a",
        "s0-align-defend.curated-attack+b",
    }


@pytest.mark.parametrize("align", [{}, None])
def test_a_checkpoint_depends_on_the_one_it_continues_from_alone(align):
    chosen = plan(align=align, seeds=[0, 1], attack={"name": "harm", "ratios": [0.5]}, defend={"phases": ["every"]})
    graph = dependency_graph(cells(chosen))
    assert nx.is_arborescence(graph)
    order = training_order(graph)
    assert order[0] == BASE
    assert sorted(order) == sorted(graph.nodes)
    places = {name: place for place, name in enumerate(order)}
    assert all(places[first] < places[second] for first, second in graph.edges)
    for cell in cells(chosen):
        chain = chain_names(graph, cell.checkpoint)
        assert chain[-1] == cell.checkpoint
        assert set(chain) == nx.ancestors(graph, cell.checkpoint) - {BASE} | {cell.checkpoint}


def test_the_graph_does_not_depend_on_the_order_of_the_plan():
    arms = ["curated", "uncurated", "refusals"]
    graphs = [
        dependency_graph(cells(plan(defend={"arms": list(order), "phases": list(phases), "doses": [0.5]})))
        for order in permutations(arms)
        for phases in permutations(["before", "during", "after", "every"])
    ]
    first = graphs[0]
    assert all(set(graph.edges) == set(first.edges) and set(graph.nodes) == set(first.nodes) for graph in graphs)


def test_descendants_follow_their_checkpoint_directly():
    graph = dependency_graph(cells(plan(seeds=[0, 1], defend={"phases": ["before", "during", "after", "every"]})))
    order = training_order(graph)
    for name in order:
        place, below = order.index(name), nx.descendants(graph, name)
        assert set(order[place + 1 : place + 1 + len(below)]) == below
