import pytest

from counterpoise.counterfactual.baselines import BASELINES
from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.metrics import METRICS, headline, summarise
from counterpoise.counterfactual.score import row
from counterpoise.counterfactual.stages import render
from counterpoise.lm.protocol import Completion


def written(case, stage, text, model="m", **changes):
    completion = text if isinstance(text, Completion) else Completion(text=text, input_tokens=10, output_tokens=4)
    return {**row(case, stage, completion, run="r", model=model).model_dump(mode="json"), **changes}


def only(summaries):
    assert len(summaries) == 1
    return summaries[0]


def test_no_rows_give_no_summary():
    assert summarise([]) == []
    assert headline(Stage.GRAPH, []) is None


def test_answers_are_an_accuracy_with_failures_in_the_denominator(gate):
    texts = ['{"answer": "B"}', '{"answer": "A"}', "nonsense", Completion(text="", finish="error", error="timeout")]
    rows = [written(gate, Stage.ANSWER, text, cluster=f"c{i}", case_id=f"{i}") for i, text in enumerate(texts)]
    rows.append(written(gate, Stage.ANSWER, texts[0], cluster="c9", case_id="9", status="unscored", score=None))
    found = only(summarise(rows))
    assert found.metric == METRICS[Stage.ANSWER] == "accuracy"
    assert (found.estimate.value, found.estimate.n, found.estimate.clusters) == (0.25, 4, 4)
    assert (found.n, found.parse_failed, found.model_failed, found.unscored) == (5, 1, 1, 1)
    # Wilson at 1 of 4.
    assert (round(found.estimate.low, 3), round(found.estimate.high, 3)) == (0.046, 0.699)
    assert found.tokens_in == pytest.approx((4 * 10 + 0) / 5)


def test_items_of_one_cluster_are_resampled_together(gate):
    rows = [written(gate, Stage.ANSWER, '{"answer": "B"}', case_id=str(i), cluster=str(i // 5)) for i in range(20)]
    rows += [written(gate, Stage.ANSWER, '{"answer": "A"}', case_id=f"w{i}", cluster=f"w{i // 5}") for i in range(20)]
    found = only(summarise(rows))
    assert (found.estimate.value, found.estimate.n, found.estimate.clusters) == (0.5, 40, 8)
    assert found.estimate.high - found.estimate.low > 0.4
    assert summarise(rows) == summarise(rows)


def test_graphs_are_micro_averaged_and_set_against_the_template(gate, total):
    rows = [
        written(gate, Stage.GRAPH, render(Stage.GRAPH, [["lever", "lock"], ["boat", "lock"]])),  # 1 tp, 1 fp, 3 fn
        written(total, Stage.GRAPH, render(Stage.GRAPH, [["base", "sum"], ["first number", "sum"]])),  # 2 tp
    ]
    template = BASELINES["constant-template"]
    baselines = [
        written(case, Stage.GRAPH, template(case, Stage.GRAPH, 0), model="baseline/constant-template")
        for case in (gate, total)
    ]
    found = only(summarise(rows, baselines=baselines))
    assert found.estimate.value == pytest.approx(6 / 10)
    template_f1 = 2 * 6 / (2 * 6 + 5 + 1)
    assert found.skill == pytest.approx((0.6 - template_f1) / (1 - template_f1))
    assert found.further["skeleton F1"] == pytest.approx(2 * 4 / (2 * 4 + 2))
    assert found.further["mean SHD"] == 1.5
    assert found.further["acyclic rate"] == 1.0
    assert found.further["exact graph rate"] == 0.5
    assert only(summarise(rows)).skill is None
    assert only(summarise(rows, baselines=baselines[:1])).skill is None


def test_the_acyclic_rate_is_of_graphs_that_were_read(gate):
    rows = [
        written(gate, Stage.GRAPH, render(Stage.GRAPH, [["lever", "lever"]]), case_id="1"),
        written(gate, Stage.GRAPH, "nonsense", case_id="2"),
    ]
    found = only(summarise(rows))
    assert found.further["acyclic rate"] == 0.0
    assert found.further["mean SHD"] == pytest.approx((5 + 4) / 2)
    assert found.estimate.value == 0.0
    assert only(summarise(rows[1:])).further["acyclic rate"] is None


def test_variables_are_broken_down_by_role(gate):
    text = render(
        Stage.VARIABLES,
        [
            {"name": "lever", "role": "exposure", "value": "pulled"},
            {"name": "lock", "role": "outcome", "value": "shut"},
        ],
    )
    found = only(summarise([written(gate, Stage.VARIABLES, text)]))
    assert found.estimate.value == pytest.approx(2 / (2 + 1 + 4))
    assert found.further["exposure F1"] == 1.0
    assert found.further["mediator F1"] == 0.0
    assert found.further["factual value accuracy"] == 0.5
    assert found.confusion == {("exposure", "exposure"): 1, ("mediator", "outcome"): 1}


def test_outcomes_are_counted_per_variable(gate, total):
    rows = [
        written(gate, Stage.OUTCOME, '{"values": {"lock": "closed", "bell": "silent", "boat": "gone"}}'),
        written(total, Stage.OUTCOME, '{"values": {"sum": "24"}}'),
    ]
    found = only(summarise(rows))
    # Per variable, not per case: 3 of 4, where the mean of cases would be 5/6.
    assert found.estimate.value == 0.75
    assert found.further["mediator accuracy"] == 1.0
    assert found.further["outcome accuracy"] == 0.5


def test_groups_are_kept_apart_and_in_order(gate):
    rows = [
        written(gate, stage, "x", model=model, elicit=elicit)
        for model in ("b", "a")
        for stage in (Stage.ANSWER, Stage.VARIABLES)
        for elicit in ("direct", "cot")
    ]
    found = [(s.model, s.elicit, str(s.stage)) for s in summarise(rows)]
    assert found == [(m, e, s) for m in ("b", "a") for e in ("direct", "cot") for s in ("variables", "answer")]


def test_only_unscored_rows_give_no_value(gate):
    found = only(summarise([written(gate, Stage.ANSWER, "B", status="unscored", score=None)]))
    assert found.estimate.value is None
    assert (found.n, found.unscored) == (1, 1)
