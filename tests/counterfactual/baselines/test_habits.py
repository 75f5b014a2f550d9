import pytest

from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.case import UNDETERMINED, Role, Variable


def versions(case, **columns):
    """One case per value of the columns, each in a cluster of its own."""
    count = len(next(iter(columns.values())))
    return [
        case.model_copy(
            update={"id": f"v-{i}", "cluster": f"v-{i}", **{name: values[i] for name, values in columns.items()}}
        )
        for i in range(count)
    ]


def node(name, role):
    return Variable(name=name, role=role)


def test_without_other_clusters_there_are_no_habits(gate):
    for habits in (Habits([]), Habits([gate]), Habits([gate, gate.model_copy(update={"id": "gate-2"})])):
        assert habits.target(gate) is None
        assert habits.variables(gate) == []
        assert habits.setting(gate, "lever") is None
        assert habits.value(gate, "lock") is None
        assert habits.cause(gate, ["on", "off"]) is None
        assert not habits.has_edge(gate, node("lever", Role.EXPOSURE), node("lock", Role.MEDIATOR))


def test_of_equally_common_answers_the_first_in_the_alphabet_counts(gate):
    cases = versions(gate, target="CBCB")
    assert Habits(cases).target(gate) == Habits(reversed(cases)).target(gate) == "B"


def test_an_answer_that_the_case_cannot_have_is_no_habit(gate, word):
    cases = versions(gate, target="CCCA")
    two = gate.model_copy(update={"options": gate.options[:2], "target": "B"})
    assert Habits(cases).target(two) == "A"
    assert Habits(cases[:3]).target(two) is None
    assert Habits(cases).target(word.model_copy(update={"cluster": "w"})) is None


def test_a_case_is_answered_from_the_other_clusters(gate):
    cases = versions(gate, target="AAABB")
    habits = Habits(cases)
    # Without itself, the first has two against two.
    assert habits.target(cases[0]) == "A"
    fewer = Habits(cases[1:])
    assert fewer.target(cases[1]) == "B"
    assert fewer.target(cases[3]) == "A"
    # Whatever was asked before: what is left out is the asking case's own cluster.
    assert [fewer.target(case) for case in cases[1:]] == ["B", "B", "A", "A"]
    same = [case.model_copy(update={"cluster": "one"}) for case in cases[:3]]
    assert Habits([*same, *cases[3:]]).target(same[0]) == "B"


def test_the_usual_variables_are_those_of_more_than_half(gate):
    few, all_five = gate.variables[:2], gate.variables
    habits = Habits(versions(gate, variables=[few, all_five, few]))
    assert habits.variables(gate) == [
        {"name": "lever", "role": "exposure", "value": "pulled"},
        {"name": "time of day", "role": "covariate", "value": "morning"},
    ]


def test_where_no_variable_is_usual_the_commonest_few_are_taken(gate):
    variables = [tuple(v.model_copy(update={"name": f"{v.name} {i}"}) for v in gate.variables) for i in range(3)]
    found = Habits(versions(gate, variables=variables)).variables(gate)
    assert len(found) == 4
    assert all(variable["name"].endswith((" 0", " 1", " 2")) for variable in found)


def test_edges_are_usual_by_name_where_most_cases_have_the_names(gate):
    reverse = tuple((effect, cause) for cause, effect in gate.edges)
    habits = Habits(versions(gate, edges=[gate.edges, gate.edges, reverse]))
    lever, lock = gate.variable("lever"), gate.variable("lock")
    assert habits.has_edge(gate, lever, lock)
    assert not habits.has_edge(gate, lock, lever)
    # The boat follows from the lock and not from the bell, which no rule by role can say.
    assert habits.has_edge(gate, lock, gate.variable("boat"))
    assert not habits.has_edge(gate, gate.variable("bell"), gate.variable("boat"))
    even = Habits(versions(gate, edges=[gate.edges, reverse]))
    assert not even.has_edge(gate, lever, lock)


def test_edges_are_usual_by_role_where_the_names_are_rare(gate, lamp):
    odd = gate.model_copy(update={"id": "odd", "cluster": "odd", "edges": (("boat", "lever"),)})
    habits = Habits([odd, *versions(lamp, target=["dark"] * 3)])
    # One case in four has these names and no such edge; by role three of four have it.
    assert habits.has_edge(gate, gate.variable("lever"), gate.variable("boat"))
    assert habits.has_edge(gate, node("p", Role.EXPOSURE), node("q", Role.OUTCOME))
    assert not habits.has_edge(gate, node("p", Role.OUTCOME), node("q", Role.EXPOSURE))
    assert not habits.has_edge(gate, node("p", Role.MEDIATOR), node("q", Role.MEDIATOR))


def test_values_are_those_of_the_variable_or_else_of_any(gate):
    cases = versions(gate, intervention=[{"lever": "not pulled"}, {"rope": "cut"}, {"rope": "cut"}])
    habits = Habits(cases)
    assert habits.setting(gate, "lever") == "not pulled"
    assert habits.setting(gate, "rope") == "cut"
    assert habits.setting(gate, "crank") == "cut"
    assert habits.value(gate, "boat") == "moored"
    # Closed, silent and moored are equally common.
    assert habits.value(gate, "barge") == "closed"
    # A covariate's value is not asked for at the outcome stage.
    assert habits.value(gate, "time of day") == "closed"


@pytest.mark.parametrize(
    ("allowed", "value"),
    [(["whole", UNDETERMINED], UNDETERMINED), (["whole", "broken"], "whole"), (["on", "off"], None), ([], None)],
)
def test_a_cause_takes_the_commonest_value_that_it_may_have(lamp, allowed, value):
    # Of each case one cause is open and one is whole: in the alphabet "undetermined" is first.
    habits = Habits(versions(lamp, target=["dark"] * 3))
    assert habits.cause(lamp, allowed) == value
