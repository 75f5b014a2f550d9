import pytest

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.modes import as_given, given_to, levels, own_variables, stages_in
from counterpoise.counterfactual.stages import MAX_VARIABLES, build_messages, gold_shown, isolated

V, G, I, O, A = Stage.VARIABLES, Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME, Stage.ANSWER  # noqa: E741
OWN = {
    V: [{"name": "crank", "role": "exposure", "value": "turned"}, {"name": "ship", "role": "outcome", "value": None}],
    G: [["crank", "ship"]],
    I: {"crank": "still"},
    O: {"ship": "moored"},
}


def test_levels_are_the_stages_before_the_answer(gate, apples):
    assert levels(gate) == (V, G, I, O)
    assert levels(apples) == ()


def test_the_stages_of_each_mode(gate, apples):
    assert stages_in(gate, "chained") == (V, G, I, O, A)
    assert stages_in(gate, "substitution", V) == (G, I, O, A)
    assert stages_in(gate, "substitution", O) == (A,)
    assert stages_in(apples, "chained") == ()


def test_isolated_gives_the_gold_of_earlier_stages_and_nothing_to_the_answer(gate):
    assert given_to(gate, O, "isolated", None, OWN) == isolated(gate, O)
    assert given_to(gate, A, "isolated", None, OWN) == {}


@pytest.mark.parametrize("stage", [V, G, I, O, A])
def test_chained_gives_only_what_the_model_said(gate, stage):
    given = given_to(gate, stage, "chained", None, OWN)
    assert given == {
        earlier: OWN[earlier] for earlier in (V, G, I, O) if list(Stage).index(earlier) < list(Stage).index(stage)
    }
    text = build_messages(gate, stage, given=given)[-1]["content"].split("Task:")[0]
    # The gold names and values of the case that its own texts do not hold must not leak.
    assert "state of the lock" not in text
    assert "where the boat is" not in text


def test_a_substitution_gives_gold_up_to_its_level_and_own_after_it(gate):
    given = given_to(gate, A, "substitution", G, OWN)
    assert given == {V: gold_shown(gate, V), G: gold_shown(gate, G), I: OWN[I], O: OWN[O]}
    assert given_to(gate, A, "substitution", O, {}) == {s: gold_shown(gate, s) for s in (V, G, I, O)}


def test_variables_are_the_models_own_in_chained_mode_only(gate):
    given = given_to(gate, G, "chained", None, OWN)
    assert own_variables("chained", None, given) == OWN[V]
    assert own_variables("chained", None, {}) is None
    assert own_variables("substitution", V, given_to(gate, G, "substitution", V, OWN)) is None


def test_what_could_not_be_read_gives_nothing(gate):
    assert [as_given(stage, None) for stage in (V, G, I, O)] == [[], [], {}, {}]
    text = build_messages(gate, O, given={V: [], G: [], I: {}})[-1]["content"]
    assert "every mediator" in text
    assert "- none" in text


def test_long_answers_are_cut_before_they_are_shown():
    said = [{"name": "n" * 500, "role": None, "value": "v" * 500}] * 50
    shown = as_given(V, said)
    assert len(shown) == MAX_VARIABLES
    assert len(shown[0]["name"]) <= 100
    assert len(as_given(G, [["a", "b"]] * 100)) < 100
