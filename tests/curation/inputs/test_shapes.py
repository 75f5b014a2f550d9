from typing import Any

import pytest

from counterpoise.curation.inputs.fields import Misfit
from counterpoise.curation.inputs.guessing import guess, rivals
from counterpoise.curation.inputs.shapes import SHAPES, Content, Reading

USER, ASSISTANT = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}
SYSTEM = {"role": "system", "content": "Be brief."}
HUMAN, GPT = {"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}
CHOICES = [{"label": "A", "text": "Not so."}, {"label": "B", "text": "So."}]


def content(record: Any, **given: str) -> Content:
    return guess(record, given, SHAPES).content(record)


@pytest.mark.parametrize(
    ("record", "shape"),
    [
        ({"question": "Why?", "answer": "So."}, "pairs"),
        ({"Question": "Why?", "ANSWER": "So.", "n": 1}, "pairs"),
        ({"query": "Why?", "response": "So."}, "pairs"),
        ({"prompt": "Why?", "completion": "So."}, "pairs"),
        ({"prompt": "Why?", "chosen": "So.", "rejected": "No."}, "pairs"),
        ({"instruction": "Why?", "output": "So."}, "pairs"),
        ({"instruction": "Why?", "input": " ", "output": "So."}, "pairs"),
        ({"instruction": "Why?", "input": None, "output": "So."}, "pairs"),
        ({"instruction": "Why?", "context": "", "response": "So.", "category": "open"}, "pairs"),
        ({"problem": "Why?", "solution": "So.", "answer": "18"}, "pairs"),
        ({"instruction": "Why?", "output": "So.", "answer": "B"}, "pairs"),
        ({"input": "Why?", "target": "So.", "target_scores": {"Yes": 1}}, "pairs"),
        ({"question": "Why?", "answer": "So.", "context": {"title": ["a"]}}, "pairs"),
        ({"question": "Why?", "answer": "So.", "text": "Why? So."}, "pairs"),
        ({"prompt": [USER], "completion": [ASSISTANT]}, "pairs"),
        ({"prompt": "Why?", "completion": [ASSISTANT]}, "pairs"),
        ({"messages": [USER, ASSISTANT], "prompt": "Other?"}, "messages"),
        ({"conversations": [HUMAN, GPT]}, "messages"),
        ([USER, ASSISTANT], "messages"),
        ({"question": {"stem": "Why?", "choices": CHOICES}, "answerKey": "B"}, "choices"),
        (
            {"question": "Why?", "choices": {"label": ["A", "B"], "text": ["Not so.", "So."]}, "answerKey": "b"},
            "choices",
        ),
        ({"question_stem": "Why?", "choices": CHOICES, "answerKey": " B "}, "choices"),
        ({"question": "Why?", "choices": ["Not so.", "So."], "answer": 1}, "choices"),
        ({"question": "Why?", "options": ["Not so.", "So."], "answer": "B"}, "choices"),
        ({"question": "Why?", "options": {"A": "Not so.", "B": "So."}, "answer": "B"}, "choices"),
        ({"question": "Why?", "options": ["Not so.", "So."], "answer": "so."}, "choices"),
        ({"question": "Why?", "choices": {"label": ["1", "2"], "text": ["Not so.", "So."]}, "answerKey": 2}, "choices"),
    ],
)
def test_every_shape_is_found(record: Any, shape: str) -> None:
    reading = guess(record, {}, SHAPES)
    assert reading.shape == shape
    assert reading.content(record) == Content("Why?", "So.")


def test_a_lone_text_has_no_question() -> None:
    assert content({"text": "So.", "url": "x"}) == Content(None, "So.")


def test_what_comes_with_an_instruction_is_put_after_it() -> None:
    assert content({"instruction": "Why?", "input": "It is.", "output": "So."}) == Content(
        "Why?\n\nIt is.", "So.", context="input"
    )
    record = {"question": "Why?", "context": "It is.", "answer": "So.", "hint": "Ice."}
    assert content(record) == Content("Why?\n\nIt is.", "So.", context="context")
    assert content(record, context="") == Content("Why?", "So.")
    assert content(record, context="hint") == Content("Why?\n\nIce.", "So.", context="hint")
    assert (
        Reading(shape="pairs", question="q", answer="a", context="c").content({"q": "Why?", "a": "So."}).context is None
    )


@pytest.mark.parametrize(
    "turns",
    [
        [SYSTEM, USER, ASSISTANT],
        [USER, ASSISTANT, {"role": "user", "content": "And?"}, {"role": "assistant", "content": "Then."}],
        [ASSISTANT, USER, ASSISTANT],
        [{"role": "user", "content": "Hello?"}, USER, ASSISTANT],
        [USER, {"role": "tool", "content": "42"}, ASSISTANT],
        [USER, ASSISTANT, {"role": "user", "content": None}],
    ],
)
def test_of_a_conversation_the_first_answered_turn_is_taken(turns: list[Any]) -> None:
    assert content({"messages": turns}) == Content("Why?", "So.", shortened=True)


def test_a_completion_may_repeat_its_prompt() -> None:
    assert content({"prompt": "Why?", "chosen": [USER, ASSISTANT], "rejected": []}) == Content(
        "Why?", "So.", shortened=True
    )


def test_named_fields_are_used_and_may_be_nested() -> None:
    record = {"q": "Why?", "a": {"texts": ["No.", "So."]}, "a.b": "Dotted."}
    assert content(record, question="q", answer="a.texts.1") == Content("Why?", "So.")
    assert content(record, question="q", answer="a.b") == Content("Why?", "Dotted.")
    assert content(record, text="q") == Content(None, "Why?")
    assert content({"dialog": [HUMAN, GPT]}, messages="dialog") == Content("Why?", "So.")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"question": "Why?"}, "no question with an answer, conversation or text among the fields 'question'"),
        ({}, "among the fields none"),
        ("Why?", "a string, not an object with fields"),
        (["Why?"], "a list, not a list of turns"),
        ([], "a list, not a list of turns"),
        (None, "null, not an object"),
        ({"question": "Why?", "answer": None}, "field 'answer' is null, not a string"),
        ({"question": "Why?", "answer": 7}, "field 'answer' is a number, not a string"),
        ({"question": "Why?", "answer": True}, "field 'answer' is a boolean, not a string"),
        ({"question": "Why?", "answer": ["So."]}, "field 'answer' is a list, not a string"),
        ({"question": {"stem": "Why?"}, "answer": "So."}, "field 'question' is an object, not a string"),
        ({"messages": "hello"}, "a string, not a list of turns"),
        ({"messages": [USER]}, "no user turn that an assistant turn follows"),
        ({"messages": [ASSISTANT, USER]}, "no user turn that an assistant turn follows"),
        ({"messages": [USER, {"role": "assistant", "content": [{"type": "image"}]}]}, "field 'content' is a list"),
        ({"messages": [{"content": "Why?"}]}, "a turn without 'role' or 'from'"),
        ({"messages": [{"role": 1}]}, "field 'role' is a number"),
        ({"messages": [USER, {"role": "assistant"}]}, "a turn without 'content' or 'value'"),
        ({"question_stem": "Why?", "choices": CHOICES, "answerKey": ""}, "the key names none of the 2 choices"),
        ({"question_stem": "Why?", "choices": CHOICES, "answerKey": 2}, "the key names none of the 2 choices"),
        ({"question_stem": "Why?", "choices": CHOICES, "answerKey": -1}, "the key names none of the 2 choices"),
        ({"question_stem": "Why?", "choices": CHOICES, "answerKey": True}, "the key names none of the 2 choices"),
        ({"question_stem": "Why?", "choices": [1, 2], "answerKey": "A"}, "the choices are not labelled texts"),
        ({"question_stem": "Why?", "choices": [*CHOICES, {}], "answerKey": "A"}, "the choices are not labelled texts"),
        ({"question_stem": "Why?", "choices": {"label": ["A", "B"], "text": ["So."]}, "answerKey": "A"}, "labelled"),
        ({"question_stem": "Why?", "choices": "A or B", "answerKey": "A"}, "the choices are not labelled texts"),
    ],
)
def test_what_does_not_fit_says_why(record: Any, reason: str) -> None:
    with pytest.raises(Misfit) as caught:
        guess(record, {}, SHAPES)
    assert reason in str(caught.value)


def test_hostile_names_are_shown_escaped_and_cut() -> None:
    record = {f"\x1b[31m{number}" + "x" * 1000: number for number in range(1000)}
    with pytest.raises(Misfit) as caught:
        guess(record, {}, SHAPES)
    message = str(caught.value)
    assert "\x1b" not in message
    assert message.endswith("and 988 more")
    assert len(message) < 1000


def test_rivals_are_the_fields_that_could_have_been_meant() -> None:
    record = {"instruction": "Why?", "input": "It is.", "output": "So.", "answer": "B", "prompt": "Full", "target": ""}
    assert rivals(record, guess(record, {}, SHAPES)) == ["answer", "prompt"]
    conversation = {"messages": [USER, ASSISTANT], "prompt": "Why?"}
    assert rivals(conversation, guess(conversation, {}, SHAPES)) == []
