"""Answers that are a text or a Python literal as they stand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.counterfactual.case import Case, Stage, problems
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.score import score
from counterpoise.counterfactual.stages import gold_answer, max_tokens, render, schema

ORIGINAL = "Statement1: The bridge is old. Statement2: It should be closed."


def case(kind: str, target: str, original: str | None = None) -> Case:
    return Case(
        id=kind,
        dataset="hand",
        modality="text",
        context=original or "f(1) returns 2.",
        question="What if it were otherwise?",
        answer_kind=kind,
        original=original,
        target=target,
        gold_kind="derived",
        source="this project",
        revision="1",
        cluster=kind,
    )


LITERAL = case("literal", "['a', 1]")
EDIT = case("edit", ORIGINAL.replace("closed", "repaired"), ORIGINAL)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"answer": "[\'a\', 1]"}', "['a', 1]"),
        ('{"answer": ["a", 1]}', "['a', 1]"),
        ('{"answer": true}', "True"),
        ('{"answer": null}', "None"),
        ('{"answer": "No"}', "'No'"),  # one word is that text
        ('{"answer": "2@6#"}', "'2@6#'"),
        ('{"answer": "None"}', "None"),
        ("```python\n[1, 2]\n```", "[1, 2]"),
        ("(1, 2)", "(1, 2)"),
        ('Sure!\n{"answer": "3"}', "3"),
        ('{"answer": "3"} {"answer": "3.0"}', "3"),
    ],
)
def test_literals_are_read(text: str, answer: str) -> None:
    assert parse(LITERAL, Stage.ANSWER, text).answer == answer


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "the first element"}',
        '{"answer": "[1, 2"}',
        '{"answer": "<value>"}',
        '{"answer": "f(1)"}',
        '{"answer": "3"} or {"answer": "4"}',
        '{"answer": ',
        "It returns three.",
        '{"answer": "' + "[" * 5000,
        "",
    ],
)
def test_what_states_no_literal_is_not_guessed(text: str) -> None:
    parsed = parse(LITERAL, Stage.ANSWER, text)
    assert parsed.status == "parse_failed"
    assert parsed.reason


def test_a_rewritten_text_is_taken_whole() -> None:
    text = json.dumps({"answer": EDIT.target + '\nA "quoted" end.'})
    assert parse(EDIT, Stage.ANSWER, text).answer == EDIT.target + '\nA "quoted" end.'
    assert parse(EDIT, Stage.ANSWER, EDIT.target).answer == EDIT.target
    assert parse(EDIT, Stage.ANSWER, '{"answer": "a"} {"answer": "b"}').status == "parse_failed"


def test_a_rewriting_is_scored_by_what_it_changes() -> None:
    def scored(answer: str) -> float | None:
        return score(EDIT, Stage.ANSWER, parse(EDIT, Stage.ANSWER, render(Stage.ANSWER, answer))).score

    assert scored(EDIT.target) == 1.0
    assert scored(ORIGINAL) == 0.0
    assert scored(ORIGINAL.replace("closed", "painted")) == pytest.approx(0.5)
    nothing = score(EDIT, Stage.ANSWER, parse(EDIT, Stage.ANSWER, ""))
    assert (nothing.score, nothing.counts["edit"]) == (0.0, {"tp": 0, "fp": 0, "fn": 2})


def test_there_is_room_for_the_whole_text() -> None:
    long = case("edit", "b " * 2000, "a " * 2000)
    assert max_tokens(long, Stage.ANSWER) > 2000 > max_tokens(LITERAL, Stage.ANSWER)
    assert schema(long, Stage.ANSWER)["properties"]["answer"]["maxLength"] > 4000
    assert gold_answer(long, Stage.ANSWER) == long.target


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"original": None}, "without the text"),
        ({"original": "  "}, "without the text"),
        ({"target": ORIGINAL + " "}, "was to be rewritten"),
    ],
)
def test_an_edit_needs_something_to_edit(changed: dict[str, str | None], reason: str) -> None:
    assert problems(EDIT) == []
    assert reason in "; ".join(problems(EDIT.model_copy(update=changed)))


@pytest.mark.parametrize("value", ["None", "''", "-1", "[]"])
def test_values_of_programs_are_no_placeholders(value: str) -> None:
    assert problems(case("literal", value)) == []


@given(st.text(max_size=300))
def test_nothing_raises(text: str) -> None:
    for one in (LITERAL, EDIT):
        assert parse(one, Stage.ANSWER, text).status in ("ok", "parse_failed")
