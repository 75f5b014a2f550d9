import json
from pathlib import Path

import jsonschema
import pytest

from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.elicit import ELICITATIONS
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.stages import (
    asked,
    build_messages,
    gold_answer,
    letters,
    max_tokens,
    render,
    schema,
    shown,
)
from counterpoise.errors import UnknownNameError, UnsupportedError

GOLDEN = Path(__file__).parent / "golden"
STAGES = list(Stage)


def prompt(case: Case, stage: Stage, elicit: str = "direct") -> str:
    messages = build_messages(case, stage, elicit=elicit)
    assert [message["role"] for message in messages] == ["user"]
    return messages[0]["content"]


@pytest.mark.parametrize("name", ["gate", "total"])
def test_prompts_are_the_reviewed_ones(name, request, pytestconfig):
    case = request.getfixturevalue(name)
    parts = [f"===== {stage}, {elicit}\n{prompt(case, stage, elicit)}" for elicit in ELICITATIONS for stage in STAGES]
    assert "\n".join(parts) + "\n" == (GOLDEN / f"prompts-{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("elicit", list(ELICITATIONS))
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", ["gate", "total"])
def test_the_gold_completion_follows_the_schema(name, stage, elicit, request):
    case = request.getfixturevalue(name)
    form = schema(case, stage, elicit=elicit)
    jsonschema.Draft202012Validator.check_schema(form)
    completion = json.loads(render(stage, gold_answer(case, stage)))
    if elicit == "cot":
        assert next(iter(form["properties"])) == "reasoning"
        completion = {"reasoning": "Because.", **completion}
    jsonschema.validate(completion, form)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**completion, "more": 1}, form)


def objects(form):
    if isinstance(form, dict):
        if form.get("type") == "object":
            yield form
        for value in form.values():
            yield from objects(value)
    elif isinstance(form, list):
        for value in form:
            yield from objects(value)


@pytest.mark.parametrize("elicit", list(ELICITATIONS))
@pytest.mark.parametrize("stage", STAGES)
def test_schemas_are_strict_and_bounded(gate, stage, elicit):
    form = schema(gate, stage, elicit=elicit)
    for item in objects(form):
        assert item["additionalProperties"] is False
        assert item["required"] == list(item["properties"])
        for value in item["properties"].values():
            if value["type"] == "string":
                assert "enum" in value or "maxLength" in value
            else:
                assert "maxItems" in value


def test_given_names_are_the_only_ones_allowed(gate):
    answer = {"edges": [{"cause": "lever", "effect": "padlock"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer, schema(gate, Stage.GRAPH))


@pytest.mark.parametrize("stage", STAGES)
def test_no_prompt_or_schema_shows_the_gold_of_its_stage_or_a_later_one(gate, stage):
    text = prompt(gate, stage) + json.dumps(schema(gate, stage))
    secrets = ["closed", "silent", "moored"]
    if stage is not Stage.OUTCOME:
        secrets.append("is set to")
    if stage in (Stage.VARIABLES, Stage.GRAPH, Stage.ANSWER):
        secrets.append("-> boat")
    if stage in (Stage.VARIABLES, Stage.ANSWER):
        secrets += ["time of day", "covariate)", "mediator)"]
    for secret in secrets:
        assert secret not in text


@pytest.mark.parametrize("stage", STAGES)
def test_the_options_are_shown_at_the_answer_stage_only(gate, stage):
    assert ("The boat would have stayed." in prompt(gate, stage)) is (stage is Stage.ANSWER)


def test_prompts_of_a_case_share_their_beginnings(gate):
    texts = {stage: prompt(gate, stage) for stage in STAGES}
    for earlier, later in ((Stage.GRAPH, Stage.INTERVENTION), (Stage.INTERVENTION, Stage.OUTCOME)):
        shared = texts[earlier].split("\n\nTask:")[0]
        assert texts[later].startswith(shared)


def test_the_order_of_the_variables_says_nothing(gate):
    permuted = gate.model_copy(update={"id": "gate-2"})
    orders = {tuple(v.name for v in shown(gate.model_copy(update={"id": f"gate-{i}"}))) for i in range(40)}
    assert len(orders) > 20
    assert shown(gate) == shown(gate.model_copy())
    assert sorted(v.name for v in shown(permuted)) == sorted(v.name for v in gate.variables)
    assert {v.name for v in asked(gate)} == {"lock", "bell", "boat"}


def test_reasoning_is_paid_for():
    for stage in STAGES:
        assert max_tokens(stage, elicit="cot") > max_tokens(stage) > 0


def test_unanswerable_requests_are_refused_in_one_line(gate, apples):
    with pytest.raises(UnsupportedError, match=r"no gold for stage 'graph'.*hand apples.*expected one of answer"):
        build_messages(apples, Stage.GRAPH)
    with pytest.raises(UnsupportedError):
        schema(apples, Stage.OUTCOME)
    with pytest.raises(UnsupportedError):
        gold_answer(apples, Stage.VARIABLES)
    with pytest.raises(UnknownNameError, match=r"unknown elicitation 'cott'.*did you mean 'cot'"):
        build_messages(gate, Stage.ANSWER, elicit="cott")
    with pytest.raises(UnknownNameError):
        max_tokens(Stage.ANSWER, elicit="")


def test_dollar_signs_and_braces_of_a_context_are_text(gate):
    case = gate.model_copy(update={"context": "It costs $5 and ${question} {0} %s.", "question": "$context?"})
    text = prompt(case, Stage.ANSWER)
    assert "It costs $5 and ${question} {0} %s." in text
    assert "$context?" in text


def test_letters_follow_the_options(gate, total):
    assert letters(gate) == ["A", "B", "C"]
    assert letters(total) == []


def test_undetermined_is_offered_only_where_the_question_offers_it(gate):
    assert "undetermined" not in prompt(gate, Stage.OUTCOME)
    case = gate.model_copy(update={"question": gate.question + ' Say "undetermined" if it cannot be known.'})
    assert "If more than one value is possible" in prompt(case, Stage.OUTCOME)


@pytest.mark.parametrize("stage", STAGES)
def test_the_gaps_of_the_form_are_no_answer(gate, stage):
    text = prompt(gate, stage)
    form = json.loads(text[text.rindex("\n{") :])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(form, schema(gate, stage))
    assert parse(gate, stage, json.dumps(form)).status == "parse_failed"
