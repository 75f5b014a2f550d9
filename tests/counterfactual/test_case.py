import pytest

from counterpoise.counterfactual.case import Case, Execution, Role, Stage, Variable, problems
from counterpoise.counterfactual.scm import SCM

SWITCH = SCM(
    exogenous={"u_valve": (0, 1), "u_pump": (0, 1)},
    mechanisms={"valve": "u_valve", "pump": "valve and u_pump"},
    labels={"valve": {0: "closed", 1: "open"}, "pump": {0: "off", 1: "running"}},
)
VALVE = Variable(name="valve", role=Role.EXPOSURE, factual="open", counterfactual="closed")
PUMP = Variable(name="pump", role=Role.OUTCOME, factual="running", counterfactual="off")


def case(**changes) -> Case:
    fields = {
        "id": "c1",
        "dataset": "test",
        "modality": "text",
        "context": "The pump runs only when the valve is open and the fuse is whole.",
        "question": "Had the valve been closed, would the pump have run?",
        "answer_kind": "label",
        "variables": (VALVE, PUMP),
        "edges": (("valve", "pump"),),
        "intervention": {"valve": "closed"},
        "target": "off",
        "gold_kind": "executed",
        "source": "test",
        "revision": "1",
        "cluster": "c1",
        "execution": Execution(scm=SWITCH, observed=("valve", "pump")),
    }
    return Case(**(fields | changes))


def choice(**changes) -> Case:
    fields = {"answer_kind": "choice", "options": ("off", "running"), "target": "A", "gold_kind": "derived"}
    return case(**(fields | changes))


def test_a_sound_case_has_no_problems():
    assert problems(case()) == []
    assert problems(choice()) == []
    assert case().stages == tuple(Stage)


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (case(question=" "), "the question is empty"),
        (case(target="N/A"), "target 'N/A' is a placeholder"),
        (case(target=""), "target '' is a placeholder"),
        (case(target="unspecified action"), "target 'unspecified action' is a placeholder"),
        (case(variables=(VALVE, PUMP, PUMP)), "variable name 'pump' occurs twice"),
        (case(variables=(VALVE, PUMP, Variable(name="?", role=Role.COVARIATE))), "variable name '?' is a placeholder"),
        (
            case(variables=(VALVE, PUMP.model_copy(update={"factual": "altered pump"}))),
            "factual value 'altered pump' of 'pump' is a placeholder",
        ),
        (
            case(variables=(VALVE, PUMP.model_copy(update={"counterfactual": "TBD"}))),
            "counterfactual value 'TBD' of 'pump' is a placeholder",
        ),
        (case(variables=(VALVE,), edges=()), "no variable has the role outcome"),
        (case(variables=(PUMP,), edges=(), intervention={}), "no variable has the role exposure"),
        (case(edges=(("valve", "tank"),)), "edge endpoint 'tank' is not a variable"),
        (case(edges=(("valve", "valve"),)), "edge from 'valve' to itself"),
        (case(edges=(("valve", "pump"), ("valve", "pump"))), "an edge occurs twice"),
        (case(edges=(("valve", "pump"), ("pump", "valve"))), "the graph has a cycle"),
        (case(intervention={"tank": "full"}), "intervention on 'tank', which is not a variable"),
        (case(intervention={"pump": "off"}), "intervention on 'pump', which is not the exposure"),
        (
            case(intervention={"valve": "shut"}),
            "intervention sets 'valve' to 'shut' but its counterfactual value is 'closed'",
        ),
        (
            case(variables=(VALVE.model_copy(update={"factual": "Closed "}), PUMP)),
            "intervention does not change 'valve'",
        ),
        (
            case(variables=(VALVE.model_copy(update={"factual": None}), PUMP)),
            "intervention does not change 'valve'",
        ),
        (choice(options=("off",)), "a choice of 1 option(s)"),
        (choice(options=("off", " ")), "an option is empty"),
        (choice(options=("off", "Off ")), "two options are the same"),
        (choice(target="C"), "target 'C' is not an option's letter"),
        (case(execution=None), "executed gold without the model that computed it"),
        (case(edges=()), "the graph is not that of the executed model"),
        (
            case(execution=Execution(scm=SWITCH, observed=("valve", "fuse"))),
            "the model cannot be executed: 'fuse'",
        ),
        (
            case(
                variables=(VALVE, PUMP.model_copy(update={"factual": None})),
            ),
            "the model cannot be executed: observed variable 'pump' has no factual value",
        ),
        (
            case(variables=(VALVE, PUMP.model_copy(update={"factual": "humming"}))),
            "the model cannot be executed: 'humming' is not a value of 'pump'; expected one of off, running",
        ),
        (
            case(variables=(VALVE, PUMP, Variable(name="fuse", role=Role.COVARIATE))),
            "variable 'fuse' is not in the executed model",
        ),
        (
            case(variables=(VALVE, PUMP.model_copy(update={"counterfactual": "running"}))),
            "counterfactual value of 'pump' is 'running', execution gives 'off'",
        ),
        (case(target="running"), "target is 'running', execution gives 'off'"),
    ],
)
def test_each_fault_is_named(faulty, message):
    assert message in problems(faulty)


def test_what_the_observation_leaves_open_must_be_undetermined():
    shut = Variable(name="valve", role=Role.EXPOSURE, factual="closed", counterfactual="open")
    off = Variable(name="pump", role=Role.OUTCOME, factual="off", counterfactual="undetermined")
    open_case = case(variables=(shut, off), intervention={"valve": "open"}, target="undetermined")
    assert problems(open_case) == []
    assert problems(open_case.model_copy(update={"target": "running"})) == [
        "target is 'running', execution gives 'undetermined'"
    ]


def test_an_observation_that_cannot_have_happened_is_a_fault():
    shut = VALVE.model_copy(update={"factual": "closed", "counterfactual": "open"})
    assert problems(case(variables=(shut, PUMP), intervention={"valve": "open"})) == [
        "the model cannot be executed: no world agrees with the evidence (valve=closed, pump=running)"
    ]


def test_stages_follow_from_the_gold_that_is_there():
    bare = choice(variables=(), edges=(), intervention={}, execution=None)
    assert bare.stages == (Stage.ANSWER,)
    assert problems(bare) == []
    no_outcome = choice(variables=(VALVE, PUMP.model_copy(update={"counterfactual": None})), execution=None)
    assert no_outcome.stages == (Stage.VARIABLES, Stage.GRAPH, Stage.INTERVENTION, Stage.ANSWER)


def test_variables_are_found_by_role_and_name():
    assert case().of_role(Role.OUTCOME, Role.MEDIATOR) == (PUMP,)
    assert case().variable("valve") == VALVE
    with pytest.raises(KeyError):
        case().variable("tank")


def test_the_hash_is_of_the_whole_content():
    assert case().hash == case().hash
    assert case(context="Other.").hash != case().hash
