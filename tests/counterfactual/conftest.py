"""Two small cases written by hand, one per modality, for tests that need no dataset."""

import pytest

from counterpoise.counterfactual.case import Case, Role, Variable, problems


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
