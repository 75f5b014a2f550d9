import pytest

from counterpoise.counterfactual.baselines import ask_baseline
from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.results.metrics import METRICS, advantage, headline, summarise
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
    baselines = [
        written(
            case,
            Stage.GRAPH,
            ask_baseline("constant-template", case, Stage.GRAPH, Habits([])),
            model="baseline/constant-template",
        )
        for case in (gate, total)
    ]
    found = only(summarise(rows, baselines=baselines))
    assert found.estimate.value == pytest.approx(6 / 10)
    template_f1 = 2 * 6 / (2 * 6 + 5 + 1)
    assert found.skill == pytest.approx((0.6 - template_f1) / (1 - template_f1))
    assert found.further["skeleton F1"] == pytest.approx(2 * 4 / (2 * 4 + 2))
    assert found.further["mean SHD"] == 1.5
    assert found.further["mean SID"] == rows[0]["measures"]["sid"] / 2 > 0
    assert found.further["edge among matched nodes F1"] == found.further["edge F1"]
    # Of the four edges that join what the gold joins, three point the right way.
    assert found.further["orientation F1"] == pytest.approx(2 * 3 / (2 * 3 + 2))
    assert found.errors == {"missing": 2, "reversed": 1}
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
    # Ordered by how often; of the gold variables that were not found one was a mediator, one the outcome.
    assert found.confusion == {
        ("covariate", "missing"): 1,
        ("exposure", "exposure"): 1,
        ("mediator", "missing"): 1,
        ("mediator", "outcome"): 1,
        ("outcome", "missing"): 1,
    }


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


def test_unseen_causes_are_counted_per_case_and_per_cause(lamp):
    texts = [{"guest": "undetermined", "bulb": "whole"}, {"guest": "there", "bulb": "whole"}, {"guest": "undetermined"}]
    rows = [
        written(lamp, Stage.ABDUCTION, render(Stage.ABDUCTION, text), case_id=str(i), cluster=str(i))
        for i, text in enumerate(texts)
    ]
    rows.append(written(lamp, Stage.ABDUCTION, "nonsense", case_id="x", cluster="x"))
    found = only(summarise(rows))
    assert (found.metric, found.estimate.value, found.estimate.n) == ("accuracy", 0.25, 4)
    assert found.further == {
        "accuracy per unseen cause": 4 / 8,
        "accuracy where it is settled": 2 / 4,
        "accuracy where it is open": 2 / 4,
    }


def test_the_intervention_distance_is_of_acyclic_graphs_that_were_read(gate):
    right = render(Stage.GRAPH, gate.edges)
    rows = [
        written(gate, Stage.GRAPH, text, case_id=str(i))
        for i, text in enumerate([right, render(Stage.GRAPH, [["lever", "lever"]]), "nonsense"])
    ]
    assert only(summarise(rows)).further["mean SID"] == 0.0
    assert only(summarise(rows[1:])).further["mean SID"] is None


def test_skill_is_against_the_template_of_the_same_mode(gate):
    rows = [written(gate, Stage.GRAPH, render(Stage.GRAPH, gate.edges[:2]), mode="chained")]
    template = written(gate, Stage.GRAPH, render(Stage.GRAPH, gate.edges[:1]), model="baseline/constant-template")
    assert only(summarise(rows, baselines=[template])).skill is None
    chained = {**template, "mode": "chained"}
    f1, constant = 4 / 6, 2 / 5
    assert only(summarise(rows, baselines=[template, chained])).skill == pytest.approx((f1 - constant) / (1 - constant))


def test_an_advantage_is_paired_by_case(gate):
    def answers(letters):
        return [
            written(gate, Stage.ANSWER, f'{{"answer": "{letter}"}}', case_id=str(i), cluster=str(i))
            for i, letter in enumerate(letters)
        ]

    found = advantage(Stage.ANSWER, answers("BBBBAAAA"), answers("BBAAAAAA"))
    assert (found.value, found.n) == (0.25, 8)
    assert found.low >= 0.0
    assert advantage(Stage.ANSWER, answers("BB"), []).value is None


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
