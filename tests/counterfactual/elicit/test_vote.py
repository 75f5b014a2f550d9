import pytest

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.elicit.vote import vote


def test_the_most_frequent_answer_wins_and_the_first_of_equals(word, apples, gate):
    assert vote(word, Stage.ANSWER, ["open", "shut", "The shut."]) == "shut"
    assert vote(word, Stage.ANSWER, ["open", "shut"]) == "open"
    assert vote(apples, Stage.ANSWER, ["12", "3", "12.0"]) == "12"
    assert vote(gate, Stage.ANSWER, ["A", "B", "B"]) == "B"


def test_no_answers_give_none(gate):
    for stage in gate.stages:
        assert vote(gate, stage, []) is None


def test_an_intervention_is_voted_on_as_a_whole(gate):
    answers = [
        {"lever": "pulled"},
        {"Lever": "not pulled"},
        {"lever": "not pulled", "boat": "gone"},
        {"lever": "not pulled"},
    ]
    assert vote(gate, Stage.INTERVENTION, answers) == {"Lever": "not pulled"}


def test_outcomes_are_voted_on_by_variable(gate):
    answers = [{"lock": "open", "boat": "moored"}, {"lock": "closed"}, {"lock": "closed", "boat": "gone"}]
    assert vote(gate, Stage.OUTCOME, answers) == {"lock": "closed", "boat": "moored"}


def test_edges_need_more_than_half(gate):
    answers = [[["a", "b"], ["b", "c"]], [["a", "b"]], [["A", "b"], ["c", "b"]], [["b", "c"]]]
    assert vote(gate, Stage.GRAPH, answers) == [["a", "b"]]
    assert vote(gate, Stage.GRAPH, [[["a", "b"]], [["b", "c"]]]) == [["a", "b"]]


def test_variables_need_more_than_half_and_take_the_usual_role(gate):
    def said(name, role, value=None):
        return {"name": name, "role": role, "value": value}

    answers = [
        [said("lever", "covariate"), said("moon", "outcome")],
        [said("the lever", "exposure", "pulled"), said("lock", "mediator")],
        [said("lever", "exposure"), said("lock", None), said("lock", "outcome")],
    ]
    assert vote(gate, Stage.VARIABLES, answers) == [said("lever", "exposure", "pulled"), said("lock", "mediator")]


@pytest.mark.parametrize("stage", [Stage.VARIABLES, Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME])
def test_equal_answers_vote_for_themselves(gate, stage):
    from counterpoise.counterfactual.stages import gold_answer

    gold = gold_answer(gate, stage)
    assert vote(gate, stage, [gold] * 3) == gold
