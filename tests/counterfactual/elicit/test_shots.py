from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.elicit.shots import RESERVED, reserve


def renamed(case, number, cluster):
    return case.model_copy(update={"id": f"{case.id}-{number}", "cluster": cluster})


def test_no_cluster_is_on_both_sides(gate, apples):
    cases = [renamed(gate, n, f"c{n // 2}") for n in range(20)] + [renamed(apples, n, f"d{n}") for n in range(40)]
    shots, tested = reserve(cases)
    assert len(shots) == RESERVED
    assert {case.cluster for case in shots}.isdisjoint(case.cluster for case in tested)
    assert len(tested) == 60 - 2 * RESERVED
    # Those with gold for every stage are the useful ones.
    assert all(Stage.GRAPH in case.stages for case in shots)


def test_the_choice_does_not_depend_on_the_order(gate):
    cases = [renamed(gate, n, f"c{n}") for n in range(30)]
    assert [c.id for c in reserve(cases)[0]] == [c.id for c in reserve(cases[::-1])[0]]


def test_few_clusters_are_all_tested(gate):
    cases = [renamed(gate, n, f"c{n}") for n in range(2 * RESERVED - 1)]
    assert reserve(cases) == ([], cases)
