import json

import pytest

from counterpoise.counterfactual.case import Role, Stage
from counterpoise.counterfactual.dag import sid
from counterpoise.counterfactual.parse import Parsed, parse
from counterpoise.counterfactual.score import DiagnosisRow, row, score
from counterpoise.counterfactual.stages import gold_answer, render
from counterpoise.errors import UnsupportedError
from counterpoise.lm.protocol import Completion
from counterpoise.records import canonical_json


def counts(tp, fp, fn):
    return {"tp": tp, "fp": fp, "fn": fn}


def variable(name, role, value=None):
    return {"name": name, "role": role, "value": value}


def test_variables_are_counted_per_role(gate):
    answer = [
        variable("The lever", "exposure", "pulled"),  # right
        variable("state of the lock", "outcome", "shut"),  # found, wrong role, wrong value
        variable("boat", "outcome", "gone"),  # right
        variable("moon", "covariate"),  # invented
        variable("sun", None),  # invented, without a role
    ]
    scored = score(gate, Stage.VARIABLES, Parsed("ok", answer))
    assert scored.counts["exposure"] == counts(1, 0, 0)
    assert scored.counts["covariate"] == counts(0, 1, 1)
    assert scored.counts["mediator"] == counts(0, 0, 2)
    assert scored.counts["outcome"] == counts(1, 1, 0)
    assert scored.counts["all"] == counts(2, 3, 3)
    assert scored.counts["all_exact"] == counts(1, 4, 4)
    assert scored.score == pytest.approx(2 * 2 / (2 * 2 + 3 + 3))
    assert scored.measures == {
        "confusion:exposure>exposure": 1.0,
        "confusion:mediator>outcome": 1.0,
        "confusion:outcome>outcome": 1.0,
        "confusion:covariate>missing": 1.0,  # time of day
        "confusion:mediator>missing": 1.0,  # bell
        "confusion:none>covariate": 1.0,  # moon
        "confusion:none>none": 1.0,  # sun
        "role_accuracy": pytest.approx(2 / 3),
        "value_accuracy": pytest.approx(2 / 3),
    }


def test_a_name_said_twice_is_found_once_and_in_the_right_role(gate):
    answer = [variable("lock", "outcome"), variable("the lock", "mediator")]
    scored = score(gate, Stage.VARIABLES, Parsed("ok", answer))
    assert scored.counts["mediator"] == counts(1, 0, 1)
    assert scored.counts["outcome"] == counts(0, 1, 1)


def test_a_variable_without_a_factual_value_is_no_value_to_get_right(total):
    scored = score(total, Stage.VARIABLES, Parsed("ok", [variable("sum", "outcome", "22")]))
    assert "value_accuracy" not in scored.measures


def test_edges_are_counted_with_direction_and_without(gate):
    answer = [["lever", "lock"], ["The bell", "lever"], ["lock", "boat"], ["boat", "moon"], ["lock", "lock"]]
    scored = score(gate, Stage.GRAPH, Parsed("ok", answer))
    assert scored.counts["edge"] == counts(2, 3, 2)
    # The self-loop is a pair that is not adjacent in the gold.
    assert scored.counts["skeleton"] == counts(3, 2, 1)
    assert scored.counts["edge_exact"] == counts(2, 3, 2)
    assert scored.counts["edge_matched"] == counts(2, 2, 2)
    # Missing: time of day - lever; reversed: lever - bell; invented: boat - moon, lock - lock. A graph with a cycle has
    # no intervention distance.
    assert scored.measures == {
        "shd": 4.0,
        "exact": 0.0,
        "acyclic": 0.0,
        "error:missing": 1.0,
        "error:reversed": 1.0,
        "error:invented": 1.0,
        "error:self": 1.0,
    }
    assert scored.score == pytest.approx(4 / 9)


def test_an_empty_graph_is_an_answer_and_misses_everything(gate):
    scored = score(gate, Stage.GRAPH, Parsed("ok", []))
    assert scored.counts["edge"] == counts(0, 0, 4)
    distance = sid(gate.edges, [], [v.name for v in gate.variables])
    assert scored.measures == {"shd": 4.0, "exact": 0.0, "acyclic": 1.0, "sid": distance, "error:missing": 4.0}
    assert scored.score == 0.0
    assert scored.counts["edge_matched"] == counts(0, 0, 4)


def test_the_intervention_distance_is_on_gold_variables(gate):
    right = [list(edge) for edge in gate.edges]
    invented = [["moon", "boat"], ["lever", "tide"]]
    assert score(gate, Stage.GRAPH, Parsed("ok", right)).measures["sid"] == 0.0
    assert score(gate, Stage.GRAPH, Parsed("ok", [*right, *invented])).measures["sid"] == 0.0
    backwards = score(gate, Stage.GRAPH, Parsed("ok", [[effect, cause] for cause, effect in right])).measures["sid"]
    assert backwards == sid(gate.edges, [(b, a) for a, b in gate.edges], [v.name for v in gate.variables]) > 0
    # A cycle through what is no variable is a cycle all the same.
    assert "sid" not in score(gate, Stage.GRAPH, Parsed("ok", [*right, ["boat", "moon"], ["moon", "lever"]])).measures


def test_every_wrong_edge_is_of_one_kind(gate):
    answer = [
        ["lever", "lock"],  # right
        ["bell", "lever"],  # reversed
        ["time of day", "boat"],  # shortcut
        ["boat", "lever"],  # backwards
        ["lock", "bell"],  # confounded: the lever causes both
        ["tide", "boat"],  # invented
        ["lock", "lock"],  # self
    ]
    scored = score(gate, Stage.GRAPH, Parsed("ok", answer))
    kinds = {name.removeprefix("error:"): n for name, n in scored.measures.items() if name.startswith("error:")}
    expected = dict.fromkeys(("reversed", "shortcut", "backwards", "confounded", "invented", "self"), 1.0)
    assert kinds == {**expected, "missing": 2.0}
    assert scored.counts["edge"] == counts(1, 6, 3)


OWN = [
    {"name": "Lever", "role": "exposure", "value": "pulled"},
    {"name": "the sluice", "role": "mediator", "value": "open"},
    {"name": "state of the lock", "role": "mediator", "value": "open"},
    {"name": "boat", "role": "outcome", "value": "gone"},
]


def own_score(case, stage, answer, own=OWN):
    return score(case, stage, Parsed("ok", answer), own=own)


def test_own_names_stand_for_the_gold_that_they_were_assigned_to(gate):
    edges = [["Lever", "state of the lock"], ["state of the lock", "boat"]]
    scored = own_score(gate, Stage.GRAPH, edges)
    assert scored.counts["edge"] == counts(2, 0, 2)
    assert scored.counts["edge_exact"] == counts(0, 2, 4)
    # Among lever, lock and boat there is nothing to miss.
    assert scored.counts["edge_matched"] == counts(2, 0, 0)
    assert own_score(gate, Stage.INTERVENTION, {"Lever": "not pulled"}).score == 1.0
    outcome = own_score(gate, Stage.OUTCOME, {"state of the lock": "closed", "boat": "moored", "the sluice": "closed"})
    assert outcome.score == pytest.approx(2 / 3)
    assert outcome.counts["all"] == counts(2, 0, 1)


def test_an_own_name_that_stands_for_nothing_is_wrong(gate):
    scored = own_score(gate, Stage.GRAPH, [["Lever", "the sluice"], ["the sluice", "boat"]])
    assert scored.counts["edge"] == counts(0, 2, 4)
    # Both ends of the gold edge into the boat are matched, so it counts as missed there, whatever was written.
    assert scored.counts["edge_matched"] == counts(0, 0, 2)
    assert scored.measures["error:invented"] == 2.0
    assert own_score(gate, Stage.INTERVENTION, {"the sluice": "not pulled"}).score == 0.0
    assert own_score(gate, Stage.INTERVENTION, {"Lever": "not pulled", "the sluice": "shut"}).score == 0.0
    assert own_score(gate, Stage.OUTCOME, {"the sluice": "closed"}).score == 0.0


def test_own_names_are_assigned_one_to_one(gate):
    own = [variable("lock", "outcome"), variable("The lock", "mediator"), variable("state of the lock", None)]
    # Three names of one gold variable: the one in the right role stands for it, the others for nothing.
    assert own_score(gate, Stage.OUTCOME, {"The lock": "closed"}, own).counts["all"] == counts(1, 0, 2)
    for name in ("lock", "state of the lock"):
        assert own_score(gate, Stage.OUTCOME, {name: "closed"}, own).counts["all"] == counts(0, 0, 3)
    scored = own_score(
        gate, Stage.GRAPH, [["lever", "The lock"], ["lever", "lock"]], [*own, variable("lever", "exposure")]
    )
    assert scored.counts["edge"] == counts(1, 1, 3)


def test_of_listed_names_of_one_spelling_a_third_writing_means_the_first(gate):
    own = [variable("Lock", "outcome"), variable("The lock", "mediator")]
    assert own_score(gate, Stage.OUTCOME, {"LOCK": "closed"}, own).counts["all"] == counts(0, 0, 3)
    assert own_score(gate, Stage.OUTCOME, {"LOCK": "closed"}, own[::-1]).counts["all"] == counts(1, 0, 2)


def test_a_gold_name_that_the_prompt_did_not_list_is_wrong(gate):
    """What is spelled like gold by chance, off the list, is no way around the assignment."""
    own = [variable("the sluice", "mediator"), variable("boat", "outcome")]
    assert own_score(gate, Stage.INTERVENTION, {"lever": "not pulled"}, own).score == 0.0
    assert own_score(gate, Stage.OUTCOME, {"lock": "closed"}, own).score == 0.0
    assert own_score(gate, Stage.GRAPH, [["lock", "boat"]], own).counts["edge"] == counts(0, 1, 4)


def test_without_own_variables_names_are_compared_with_the_gold(gate):
    for own in ([], None):
        assert own_score(gate, Stage.INTERVENTION, {"The Lever": "not pulled"}, own).score == 1.0
        assert own_score(gate, Stage.GRAPH, [["the lever", "lock"]], own).counts["edge_matched"] == counts(1, 0, 3)


def test_rows_of_a_chain_read_own_names(gate):
    completion = Completion(text='{"values": {"State of the lock": "closed", "lock": "closed"}}')
    found = row(gate, Stage.OUTCOME, completion, run="r", model="m", mode="chained", own=OWN)
    assert found.answer == {"state of the lock": "closed"}
    assert found.counts["all"] == counts(1, 0, 2)
    assert found.mode == "chained"


def test_unseen_causes_are_counted_by_whether_they_are_settled(lamp):
    def scored(answer):
        return score(lamp, Stage.ABDUCTION, Parsed("ok", answer))

    right = scored({"guest": "Undetermined", "bulb": "whole"})
    assert (right.score, right.measures) == (1.0, {"value_accuracy": 1.0})
    assert right.counts == {"all": counts(2, 0, 0), "settled": counts(1, 0, 0), "open": counts(1, 0, 0)}
    overclaimed = scored({"guest": "there", "bulb": "whole", "moon": "full"})
    assert (overclaimed.score, overclaimed.measures) == (0.0, {"value_accuracy": 0.5})
    assert overclaimed.counts == {"all": counts(1, 1, 1), "settled": counts(1, 0, 0), "open": counts(0, 1, 1)}
    absent = scored({"guest": "undetermined"})
    assert absent.counts == {"all": counts(1, 0, 1), "settled": counts(0, 0, 1), "open": counts(1, 0, 0)}


def test_a_cause_that_is_not_answered_is_not_undetermined(lamp):
    assert score(lamp, Stage.ABDUCTION, Parsed("ok", {"bulb": "whole", "guest": ""})).score == 0.0


@pytest.mark.parametrize(
    ("answer", "right", "variable_match", "value_match"),
    [
        ({"lever": "not pulled"}, 1.0, 1.0, 1.0),
        ({"The Lever": "was not pulled"}, 1.0, 1.0, 1.0),
        ({"lever": "pulled"}, 0.0, 1.0, 0.0),
        ({"lock": "not pulled"}, 0.0, 0.0, 0.0),
        ({"lever": "not pulled", "lock": "closed"}, 0.0, 0.0, 1.0),
        ({"crank": "not pulled"}, 0.0, 0.0, 0.0),
    ],
)
def test_an_intervention_needs_variable_and_value(gate, answer, right, variable_match, value_match):
    scored = score(gate, Stage.INTERVENTION, Parsed("ok", answer))
    assert scored.score == right
    assert scored.measures["variable_match"] == variable_match
    assert scored.measures["value_match"] == value_match


def test_outcome_values_are_counted_per_mediator_and_outcome(gate):
    scored = score(gate, Stage.OUTCOME, Parsed("ok", {"lock": "would be Closed", "boat": "gone", "moon": "full"}))
    assert scored.counts["mediator"] == counts(1, 0, 1)
    assert scored.counts["outcome"] == counts(0, 1, 1)
    assert scored.counts["all"] == counts(1, 1, 2)
    assert scored.counts["all_exact"] == counts(0, 2, 3)
    assert scored.score == pytest.approx(1 / 3)
    assert scored.measures == {"outcome_correct": 0.0, "exact": 0.0}


def test_answers_are_compared_by_kind(gate, total, apples, word):
    def right(case, answer):
        return score(case, Stage.ANSWER, Parsed("ok", answer)).score

    assert right(gate, "B") == 1.0
    assert right(gate, "A") == 0.0
    assert right(total, "24") == 1.0
    assert right(total, "24.0") == 0.0
    assert right(apples, "12.0") == 1.0
    assert right(apples, "undetermined") == 0.0
    assert right(word, "would not be open") == 1.0
    assert right(word, "open") == 0.0


def test_failed_answers_score_zero_and_keep_the_gold_in_the_denominator(item):
    case, stage = item
    failed = score(case, stage, Parsed("parse_failed"))
    gold = score(case, stage, Parsed("ok", gold_answer(case, stage)))
    assert failed.score == 0.0
    assert gold.score == 1.0
    assert failed.counts.keys() == gold.counts.keys()
    for name, value in gold.counts.items():
        assert value["fp"] == value["fn"] == 0
        # Direction is judged on the pairs that were joined.
        assert failed.counts[name] == counts(0, 0, 0 if name == "orientation" else value["tp"])


def test_a_row_keeps_what_was_written_and_what_it_was_worth(gate):
    completion = Completion(text='{"answer": "B"}', input_tokens=90, output_tokens=6, seconds=0.5)
    found = row(gate, Stage.ANSWER, completion, run="diagnose-1", model="fake/lm")
    assert (found.status, found.score, found.answer, found.target) == ("ok", 1.0, "B", "B")
    assert (found.tokens.input, found.tokens.output, found.seconds) == (90, 6, 0.5)
    assert (found.case_id, found.dataset, found.cluster, found.facets) == ("gate-1", "hand", "gate", {"shape": "hand"})
    again = DiagnosisRow.model_validate(json.loads(canonical_json(found.model_dump(mode="json"))))
    assert again == found


def test_a_failed_model_is_a_row_with_a_reason(gate):
    completion = Completion(text="", finish="error", error="out of\nmemory")
    found = row(gate, Stage.GRAPH, completion, run="r", model="m")
    assert (found.status, found.score, found.reason, found.answer) == ("model_failed", 0.0, "out of memory", None)
    assert found.counts["edge"] == counts(0, 0, 4)
    assert "acyclic" not in found.measures
    assert "sid" not in found.measures


def test_a_completion_cut_at_the_limit_says_so(gate):
    found = row(gate, Stage.OUTCOME, Completion(text="Let me think", finish="length"), run="r", model="m")
    assert found.status == "parse_failed"
    assert "cut off at the token limit" in (found.reason or "")


def test_rows_of_hostile_completions_can_be_stored(gate):
    text = '{"variables": [{"name": "a\\ud800b", "role": "exposure", "value": "\\ud800"}]} \ud83d <script>'
    found = row(gate, Stage.VARIABLES, Completion(text=text), run="r", model="m")
    assert found.status == "ok"
    canonical_json(found.model_dump(mode="json")).encode()


def test_a_stage_without_gold_is_not_scored(apples):
    with pytest.raises(UnsupportedError):
        row(apples, Stage.GRAPH, Completion(text="{}"), run="r", model="m")


def test_a_wrong_role_costs_more_than_a_right_one(gate):
    right = gold_answer(gate, Stage.VARIABLES)
    wrong = [{**item, "role": str(Role.COVARIATE)} for item in right]
    scored = score(gate, Stage.VARIABLES, parse(gate, Stage.VARIABLES, render(Stage.VARIABLES, wrong)))
    assert scored.counts["all"] == counts(1, 4, 4)
    assert scored.measures["value_accuracy"] == 1.0
