"""Small cases written by hand, for tests that need no dataset."""

import pytest

from counterpoise.counterfactual.case import (
    UNDETERMINED,
    Case,
    Execution,
    Exogenous,
    Role,
    Stage,
    Variable,
    problems,
)
from counterpoise.counterfactual.scm import SCM


@pytest.fixture(scope="session")
def gate() -> Case:
    """A choice about a lock: covariate, exposure, two mediators, outcome."""
    case = Case(
        id="gate-1",
        dataset="hand",
        modality="text",
        context="The keeper pulls the lever because it is morning. The lock opens, the bell rings and the boat leaves.",
        question="What would have happened if the keeper had not pulled the lever?",
        options=("The boat would have left.", "The boat would have stayed.", "That is not possible."),
        answer_kind="choice",
        variables=(
            Variable(name="time of day", role=Role.COVARIATE, factual="morning", counterfactual="morning"),
            Variable(name="lever", role=Role.EXPOSURE, factual="pulled", counterfactual="not pulled"),
            Variable(
                name="lock", role=Role.MEDIATOR, factual="open", counterfactual="closed", aliases=("state of the lock",)
            ),
            Variable(name="bell", role=Role.MEDIATOR, factual="ringing", counterfactual="silent"),
            Variable(
                name="boat", role=Role.OUTCOME, factual="gone", counterfactual="moored", gloss="where the boat is"
            ),
        ),
        edges=(
            ("time of day", "lever"),
            ("lever", "lock"),
            ("lever", "bell"),
            ("lock", "boat"),
        ),
        intervention={"lever": "not pulled"},
        target="B",
        gold_kind="annotated",
        source="this project",
        revision="1",
        cluster="gate",
        facets={"shape": "hand"},
    )
    assert problems(case) == []
    return case


@pytest.fixture(scope="session")
def total() -> Case:
    """A numeral in base 8: the outcome has no factual value."""
    case = Case(
        id="total-1",
        dataset="hand",
        modality="mathematics",
        context="The numerals 17 and 5 are added. Both are written in base 10.",
        question="What would 17+5 be if both were written in base 8?",
        answer_kind="numeral",
        variables=(
            Variable(name="base", role=Role.EXPOSURE, factual="10", counterfactual="8"),
            Variable(name="first number", role=Role.COVARIATE, factual="17", counterfactual="17"),
            Variable(name="sum", role=Role.OUTCOME, counterfactual="24"),
        ),
        edges=(("base", "sum"), ("first number", "sum")),
        intervention={"base": "8"},
        target="24",
        gold_kind="derived",
        source="this project",
        revision="1",
        cluster="total",
    )
    assert problems(case) == []
    return case


@pytest.fixture(scope="session")
def lamp() -> Case:
    """A label with executed gold: of its two unseen causes one is settled by what was observed and one is open."""
    mechanisms = (
        "The switch is up if it is evening or a guest is there.",
        "The lamp is lit if the switch is up and the bulb is whole.",
    )
    case = Case(
        id="lamp-1",
        dataset="hand",
        modality="text",
        context=" ".join((*mechanisms, "It is evening, the switch is up and the lamp is lit.")),
        question="How would the lamp have been if the switch had been down?",
        answer_kind="label",
        variables=(
            Variable(name="time of day", role=Role.COVARIATE, factual="evening", counterfactual="evening"),
            Variable(name="switch", role=Role.EXPOSURE, factual="up", counterfactual="down"),
            Variable(name="lamp", role=Role.OUTCOME, factual="lit", counterfactual="dark"),
        ),
        edges=(("switch", "lamp"), ("time of day", "switch")),
        intervention={"switch": "down"},
        exogenous=(
            Exogenous(name="guest", identifier="u_guest", values={0: "away", 1: "there"}, value=UNDETERMINED),
            Exogenous(name="bulb", identifier="u_bulb", values={0: "broken", 1: "whole"}, value="whole"),
        ),
        mechanisms=mechanisms,
        target="dark",
        gold_kind="executed",
        source="this project",
        revision="1",
        cluster="lamp",
        execution=Execution(
            scm=SCM(
                exogenous={"u_time": (0, 1), "u_guest": (0, 1), "u_bulb": (0, 1)},
                mechanisms={"time": "u_time", "switch": "time or u_guest", "lamp": "switch and u_bulb"},
                names={"time": "time of day"},
                labels={
                    "time": {0: "noon", 1: "evening"},
                    "switch": {0: "down", 1: "up"},
                    "lamp": {0: "dark", 1: "lit"},
                },
            ),
            observed=("time of day", "switch", "lamp"),
        ),
    )
    assert problems(case) == []
    return case


@pytest.fixture(scope="session")
def hand(gate: Case, total: Case, lamp: Case) -> dict[str, Case]:
    """The cases with gold for stages, by name."""
    return {"gate": gate, "total": total, "lamp": lamp}


ITEMS = [
    (name, stage)
    for stage in Stage
    for name in ("gate", "total", "lamp")
    if stage is not Stage.ABDUCTION or name == "lamp"
]


@pytest.fixture(params=ITEMS, ids=lambda one: f"{one[0]}-{one[1]}")
def item(request: pytest.FixtureRequest, hand: dict[str, Case]) -> tuple[Case, Stage]:
    """Every stage of every case written by hand that has gold for it."""
    name, stage = request.param
    return hand[name], stage


@pytest.fixture(scope="session")
def apples(total: Case) -> Case:
    """A number, without stage gold."""
    return total.model_copy(
        update={
            "id": "apples",
            "answer_kind": "number",
            "target": "12",
            "variables": (),
            "edges": (),
            "intervention": {},
        }
    )


@pytest.fixture(scope="session")
def word(gate: Case) -> Case:
    """A label, without stage gold."""
    return gate.model_copy(
        update={
            "id": "word",
            "answer_kind": "label",
            "target": "not open",
            "options": (),
            "variables": (),
            "edges": (),
            "intervention": {},
        }
    )
