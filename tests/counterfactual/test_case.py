import pytest

from counterpoise.counterfactual.case import Case, Execution, Exogenous, Media, Role, Stage, Variable, problems
from counterpoise.counterfactual.media import Item
from counterpoise.counterfactual.scm import SCM

SWITCH = SCM(
    exogenous={"u_valve": (0, 1), "u_pump": (0, 1)},
    mechanisms={"valve": "u_valve", "pump": "valve and u_pump"},
    labels={"valve": {0: "closed", 1: "open"}, "pump": {0: "off", 1: "running"}},
)
VALVE = Variable(name="valve", role=Role.EXPOSURE, factual="open", counterfactual="closed")
PUMP = Variable(name="pump", role=Role.OUTCOME, factual="running", counterfactual="off")
FUSE = Exogenous(name="fuse", identifier="u_pump", values={0: "blown", 1: "whole"}, value="whole")
RULE = "The pump runs only when the valve is open and the fuse is whole."


def case(**changes) -> Case:
    fields = {
        "id": "c1",
        "dataset": "test",
        "modality": "text",
        "context": RULE,
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


def whole(**changes) -> Case:
    """With gold of every stage."""
    return case(**({"exogenous": (FUSE,), "mechanisms": (RULE,)} | changes))


def picture(*shown: tuple[str, str | None]) -> Media:
    frame = ((0, 0), (9, 9))
    items = [Item(name=name, place="left", state=state, look="", frame=frame, marks=()) for name, state in shown]
    return Media(width=10, height=10, background=(255, 255, 255), items=tuple(items))


def test_a_sound_case_has_no_problems():
    assert problems(case()) == []
    assert problems(choice()) == []
    assert problems(whole()) == []
    assert whole().stages == tuple(Stage)
    assert case().stages == tuple(stage for stage in Stage if stage is not Stage.ABDUCTION)


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


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (
            whole(exogenous=(FUSE.model_copy(update={"value": "blown"}),)),
            "exogenous 'fuse' is 'blown', abduction gives 'whole'",
        ),
        (
            whole(exogenous=(FUSE.model_copy(update={"value": "undetermined"}),)),
            "exogenous 'fuse' is 'undetermined', abduction gives 'whole'",
        ),
        (whole(exogenous=(FUSE, FUSE)), "two exogenous variables have the same name"),
        (
            whole(exogenous=(FUSE.model_copy(update={"values": {0: "blown"}}),)),
            "values of exogenous 'fuse' are not those of the executed model",
        ),
        (
            whole(exogenous=(FUSE.model_copy(update={"identifier": "u_tank"}),)),
            "values of exogenous 'fuse' are not those of the executed model",
        ),
        (
            whole(gold_kind="derived", execution=None),
            "gold of the abduction stage without the model that computed it",
        ),
        (whole(mechanisms=("The pump is magic.",)), "mechanism 'The pump is magic.' is not in the context"),
        (
            whole(mechanisms=("The pump runs only when", "the fuse is whole.")),
            "there is not one mechanism for every variable with a cause",
        ),
        (case(modality="image"), "an image case without a picture"),
        (
            case(media=(picture(("valve", "open"), ("pump", "off")),)),
            "the picture shows 'pump' as 'off', observed was 'running'",
        ),
        (
            case(media=(picture(("valve", "open"), ("pump", None)),)),
            "the picture shows 'pump' as None, observed was 'running'",
        ),
        (
            case(media=(picture(("valve", "open"), ("pump", "running"), ("tank", "full")),)),
            "the picture shows 'tank' as 'full', observed was None",
        ),
    ],
)
def test_each_fault_of_what_belongs_to_executed_cases_is_named(faulty, message):
    assert problems(faulty) == [message]


def test_a_picture_that_shows_what_was_observed_is_sound():
    shown = case(modality="image", media=(picture(("valve", "open"), ("pump", "running"), ("tank", None)),))
    assert problems(shown) == []
    assert Case.model_validate_json(shown.model_dump_json()) == shown


def test_white_space_of_a_mechanism_does_not_matter():
    assert problems(whole(mechanisms=("The pump runs only\n  when the valve is open and the fuse is whole.",))) == []


def test_an_unseen_cause_that_the_observation_leaves_open_is_undetermined():
    shut = Variable(name="valve", role=Role.EXPOSURE, factual="closed", counterfactual="open")
    off = Variable(name="pump", role=Role.OUTCOME, factual="off", counterfactual="undetermined")
    open_case = whole(
        variables=(shut, off),
        intervention={"valve": "open"},
        target="undetermined",
        exogenous=(FUSE.model_copy(update={"value": "undetermined"}),),
    )
    assert problems(open_case) == []


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
