import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoise.counterfactual.results.attribution import CHAINED, READING, attributions

STAGES = ("variables", "graph", "intervention", "abduction", "outcome")
PLAIN = ("variables", "graph", "intervention", "outcome")


def answer(case, upto, right, **changes):
    """A row of the answer stage: gold up to ``upto``, or none."""
    row = {
        "run": "r",
        "model": "m",
        "dataset": "d",
        "case_id": f"c{case}",
        "cluster": f"c{case}",
        "stage": "answer",
        "mode": "chained" if upto == CHAINED else "substitution",
        "upto": None if upto == CHAINED else upto,
        "elicit": "direct",
        "score": None if right is None else float(right),
    }
    return row | changes


def ladder(case, levels, stages=PLAIN, **changes):
    """Rows of every rung of a case: ``levels`` says whether the answer is right from ``none`` upwards."""
    return [answer(case, upto, right, **changes) for upto, right in zip((CHAINED, *stages), levels, strict=True)]


def costs(one):
    return {cost.stage: cost.estimate.value for cost in one.costs}


def test_costs_of_four_hand_made_cases():
    rows = [
        *ladder(0, [1, 1, 1, 1, 1]),  # right whatever is given
        *ladder(1, [0, 0, 1, 1, 1]),  # the graph was what it lacked
        *ladder(2, [0, 0, 1, 1, 1]),
        *ladder(3, [0, 1, 0, 0, 0]),  # gold variables help, the gold graph spoils it again
    ]
    (one,) = attributions(rows)
    assert [(rung.upto, rung.estimate.value) for rung in one.rungs] == [
        (CHAINED, 0.25),
        ("variables", 0.5),
        ("graph", 0.75),
        ("intervention", 0.75),
        ("outcome", 0.75),
    ]
    assert costs(one) == {"variables": 0.25, "graph": 0.25, "intervention": 0, "outcome": 0, READING: 0.25}
    graph = one.costs[1]
    assert (graph.gained, graph.lost) == (2, 1)
    # Two of three discordant pairs on one side: 2 * (3 + 1) / 8.
    assert graph.p == pytest.approx(1.0)
    assert one.costs[-1].p is None
    assert (one.n, one.left_out, one.missing, one.lacking) == (4, 0, (), ())
    assert one.chained.value == 0.25


def test_p_values_and_their_correction():
    rows = [row for case in range(8) for row in ladder(case, [0, 0, 1, 1, 1])]
    (one,) = attributions(rows)
    by_stage = {cost.stage: cost for cost in one.costs}
    assert by_stage["graph"].p == pytest.approx(2 / 2**8)
    assert by_stage["graph"].p_holm == pytest.approx(4 * 2 / 2**8)
    assert by_stage["outcome"].p == by_stage["outcome"].p_holm == 1.0
    assert by_stage["graph"].clear
    assert not by_stage["variables"].clear


def test_abduction_is_a_rung_of_the_cases_that_have_it():
    rows = [*ladder(0, [0, 0, 0, 0, 1, 1], STAGES), *ladder(1, [0, 0, 0, 0, 0, 1], STAGES)]
    rows += [*ladder(2, [0, 0, 0, 0, 1]), *ladder(3, [0, 0, 0, 1, 1])]
    rows += ladder(4, [0, 0, 0, 0, 1, 1], STAGES, dataset="e")
    with_it, without, other, pooled = attributions(rows)
    assert (with_it.dataset, with_it.abduction, with_it.n) == ("d", True, 2)
    assert costs(with_it) == {
        "variables": 0,
        "graph": 0,
        "intervention": 0,
        "abduction": 0.5,
        "outcome": 0.5,
        READING: 0,
    }
    assert (without.abduction, costs(without)["outcome"]) == (False, 0.5)
    assert (other.dataset, other.n) == ("e", 1)
    # Pooled, abduction is part of the outcome's cost, since not all cases have it.
    assert (pooled.dataset, pooled.datasets, pooled.abduction, pooled.n) == ("", ("d", "e"), False, 5)
    assert costs(pooled) == {
        "variables": 0,
        "graph": 0,
        "intervention": pytest.approx(0.2),
        "outcome": pytest.approx(0.8),
        READING: 0,
    }


def test_pooling_keeps_abduction_where_all_have_it_and_clusters_of_two_datasets_apart():
    rows = [
        row
        for dataset in ("d", "e")
        for case in range(3)
        for row in ladder(case, [0, 0, 0, 0, 1, 1], STAGES, dataset=dataset)
    ]
    *_, pooled = attributions(rows)
    assert pooled.abduction
    assert costs(pooled)["abduction"] == 1.0
    assert pooled.rungs[0].estimate.clusters == 6


@pytest.mark.parametrize("rung", [CHAINED, *STAGES])
def test_a_rung_that_no_case_has_is_named_and_nothing_is_computed(rung):
    marked = [answer(0, CHAINED, 1, stage="abduction", mode="isolated")]  # the case has unseen causes
    rows = [row for row in ladder(0, [1] * 6, STAGES) if (row["upto"] or CHAINED) != rung]
    (one,) = attributions(rows + marked)
    assert one.missing == (rung,)
    assert one.lacking == ((rung, 1),)
    assert (one.costs, one.rungs, one.n, one.left_out) == ((), (), 0, 1)
    assert one.chained.value is None


def test_cases_that_lack_a_rung_or_a_score_are_left_out_and_counted():
    rows = [*ladder(0, [0, 0, 1, 1, 1]), *ladder(1, [1, 1, 1, 1, None]), *ladder(2, [1, 1, 1, 1, 1])[:-1]]
    (one,) = attributions(rows)
    assert (one.n, one.left_out, one.lacking, one.missing) == (1, 2, (("outcome", 2),), ())
    assert costs(one)["graph"] == 1.0


def test_rungs_of_different_cases_only_give_no_number():
    rows = [*ladder(0, [1] * 5)[:3], *ladder(1, [1] * 5)[3:]]
    (one,) = attributions(rows)
    assert (one.costs, one.missing, one.left_out) == ((), (), 2)


def test_rows_of_isolated_mode_alone_give_no_attribution():
    assert attributions([answer(0, CHAINED, 1, mode="isolated")]) == []
    assert attributions([]) == []


def test_elicitations_and_models_are_kept_apart():
    rows = [*ladder(0, [1] * 5), *ladder(0, [0] * 5, elicit="cot"), *ladder(0, [0] * 5, model="other")]
    found = attributions(rows)
    assert [(one.model, one.elicit, one.chained.value) for one in found] == [
        ("m", "direct", 1.0),
        ("m", "cot", 0.0),
        ("other", "direct", 0.0),
    ]


def test_the_order_of_rows_does_not_matter():
    rows = [
        row for case in range(12) for row in ladder(case, [case % 2, 1, 1, case % 3 > 0, 1], cluster=f"k{case // 2}")
    ]
    shuffled = rows.copy()
    random.Random(0).shuffle(shuffled)
    assert attributions(rows) == attributions(shuffled)


levels = st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(levels)
def test_costs_telescope_from_one_to_the_chained_result(cases):
    rows = [row for case, right in enumerate(cases) for row in ladder(case, right, STAGES)]
    (one,) = attributions(rows, resamples=20)
    assert one.chained.value == pytest.approx(sum(right[0] for right in cases) / len(cases))
    assert 1 - sum(costs(one).values()) == pytest.approx(one.chained.value)
    for cost in one.costs:
        assert cost.estimate.low <= cost.estimate.value <= cost.estimate.high
        assert cost.estimate.value == pytest.approx((cost.gained - cost.lost) / one.n)


def test_simulated_failures_are_recovered_within_the_intervals():
    rates = {"variables": 0.9, "graph": 0.6, "intervention": 0.95, "abduction": 0.7, "outcome": 0.8, READING: 0.9}
    truth, level = {}, 1.0
    for stage in reversed(rates):
        truth[stage] = level * (1 - rates[stage])
        level *= rates[stage]
    inside = []
    for seed in range(12):
        draws = random.Random(seed)
        rows = []
        for case in range(150):
            right = [draws.random() < rate for rate in rates.values()]
            rows += ladder(case, [all(right[count:]) for count in range(6)], STAGES)
        (one,) = attributions(rows, resamples=500)
        inside += [cost.estimate.low <= truth[cost.stage] <= cost.estimate.high for cost in one.costs]
        assert one.chained.low <= level + 0.12
    # 72 intervals that each hold with probability 0.95: fewer than 62 has a probability below one in a thousand.
    assert sum(inside) >= 62
