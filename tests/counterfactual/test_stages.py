import json
from pathlib import Path

import jsonschema
import pytest

from counterpoise.counterfactual.case import Case, Stage
from counterpoise.counterfactual.elicit import ELICITATIONS
from counterpoise.counterfactual.parse import parse
from counterpoise.counterfactual.stages import (
    CHAIN,
    asked,
    build_messages,
    gold_answer,
    gold_shown,
    isolated,
    letters,
    max_tokens,
    names_given,
    reads,
    render,
    schema,
    shown,
)
from counterpoise.errors import UnknownNameError, UnsupportedError

GOLDEN = Path(__file__).parent / "golden"
STAGES = list(Stage)
OWN = [
    {"name": "the crank", "role": "exposure", "value": "turned"},
    {"name": "the sluice", "role": "mediator", "value": None},
    {"name": "fog", "role": None, "value": "thick"},
    {"name": "the barge", "role": "outcome", "value": "gone"},
]


def prompt(case: Case, stage: Stage, elicit: str = "direct", given=None) -> str:
    messages = build_messages(case, stage, elicit=elicit, given=given)
    assert [message["role"] for message in messages] == ["user"]
    return messages[0]["content"]


@pytest.mark.parametrize("name", ["gate", "total", "lamp"])
def test_prompts_are_the_reviewed_ones(name, hand):
    case = hand[name]
    parts = [f"===== {stage}, {way}\n{prompt(case, stage, way)}" for way in ("direct", "cot") for stage in case.stages]
    assert "\n".join(parts) + "\n" == (GOLDEN / f"prompts-{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("elicit", list(ELICITATIONS))
def test_the_gold_completion_follows_the_schema(item, elicit):
    case, stage = item
    form = schema(case, stage, elicit=elicit)
    jsonschema.Draft202012Validator.check_schema(form)
    completion = json.loads(render(stage, gold_answer(case, stage)))
    if ELICITATIONS[elicit].reasoning_chars:
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


def is_strict_and_bounded(form):
    for item in objects(form):
        assert item["additionalProperties"] is False
        assert item["required"] == list(item["properties"])
        for value in item["properties"].values():
            if value["type"] == "string":
                assert "enum" in value or "maxLength" in value
            else:
                assert "maxItems" in value
    return True


@pytest.mark.parametrize("elicit", list(ELICITATIONS))
def test_schemas_are_strict_and_bounded(item, elicit):
    case, stage = item
    assert is_strict_and_bounded(schema(case, stage, elicit=elicit))


def test_given_names_are_the_only_ones_allowed(gate):
    answer = {"edges": [{"cause": "lever", "effect": "padlock"}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(answer, schema(gate, Stage.GRAPH))


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage is not Stage.ABDUCTION])
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


def test_abduction_is_asked_before_anything_is_changed(lamp):
    text = prompt(lamp, Stage.ABDUCTION) + json.dumps(schema(lamp, Stage.ABDUCTION))
    assert "is set to" not in text
    assert "dark" not in text
    assert "- guest: away or there" in text
    assert "\n".join(f"- {line}" for line in lamp.mechanisms) in text
    # Neither the settled nor the open cause is told apart.
    assert text.count("whole") - lamp.context.count("whole") == text.count("broken") + 1


def test_what_abduction_finds_is_shown_only_when_it_is_given(lamp):
    assert "bulb" not in prompt(lamp, Stage.OUTCOME).removeprefix("Context:\n" + lamp.context)
    given = isolated(lamp, Stage.OUTCOME) | {Stage.ABDUCTION: gold_shown(lamp, Stage.ABDUCTION)}
    assert "- guest: undetermined\n- bulb: whole" in prompt(lamp, Stage.OUTCOME, given=given)
    assert "- guest: undetermined\n- bulb: whole" in prompt(lamp, Stage.ANSWER, given=given)


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage is not Stage.ABDUCTION])
def test_the_options_are_shown_at_the_answer_stage_only(gate, stage):
    assert ("The boat would have stayed." in prompt(gate, stage)) is (stage is Stage.ANSWER)


def test_prompts_of_a_case_share_their_beginnings(lamp):
    texts = {stage: prompt(lamp, stage) for stage in STAGES}
    for earlier, later in (
        (Stage.GRAPH, Stage.INTERVENTION),
        (Stage.INTERVENTION, Stage.ABDUCTION),
        (Stage.INTERVENTION, Stage.OUTCOME),
    ):
        shared = texts[earlier].split("\n\nTask:")[0]
        assert len(shared) > len(lamp.context)
        assert texts[later].startswith(shared)


def test_the_gold_is_given_in_isolated_mode_and_nothing_for_the_answer(item):
    case, stage = item
    given = isolated(case, stage)
    assert given == (
        {}
        if stage is Stage.ANSWER
        else {earlier: gold_shown(case, earlier) for earlier in reads(stage) if earlier is not Stage.ABDUCTION}
    )
    assert prompt(case, stage, given=given) == prompt(case, stage)
    assert schema(case, stage, given=given) == schema(case, stage)


def test_a_chained_prompt_shows_the_models_own_answers_and_no_gold(gate):
    given = {
        Stage.VARIABLES: OWN,
        Stage.GRAPH: [["the crank", "the sluice"]],
        Stage.INTERVENTION: {"the crank": "not turned"},
        Stage.OUTCOME: {"the barge": "still here"},
    }
    for position, stage in enumerate(CHAIN):
        told = {earlier: given[earlier] for earlier in CHAIN[:position]}
        text = prompt(gate, stage, given=told)
        assert set(told) == {earlier for earlier in reads(stage) if earlier is not Stage.ABDUCTION}
        rest = text.replace(gate.context, "").replace(gate.question, "")
        for name in ("lever", "lock", "bell", "time of day", "where the boat is", "morning"):
            assert name not in rest
        if stage is not Stage.VARIABLES:
            assert "- the crank (exposure): turned\n- the sluice (mediator): (not known)\n- fog: thick\n" in text
        assert ("- the crank -> the sluice" in text) is (position > 1)
        assert ("- the crank is set to: not turned" in text) is (position > 2)
        assert ("- the barge: still here" in text) is (position > 3)
    outcome = prompt(gate, Stage.OUTCOME, given=given)
    assert "would have had: the sluice, the barge." in outcome
    assert outcome.count('{"variable": ') == 2


def test_a_chained_schema_allows_the_models_own_names_only(gate):
    given = {Stage.VARIABLES: OWN}
    names = [item["name"] for item in OWN]
    assert names_given(given) == tuple(names)
    assert asked(given) == ("the sluice", "the barge")
    edges = schema(gate, Stage.GRAPH, given=given)["properties"]["edges"]
    assert edges["items"]["properties"]["cause"] == edges["items"]["properties"]["effect"]
    assert edges["items"]["properties"]["cause"]["enum"] == names
    assert edges["maxItems"] == 6
    change = schema(gate, Stage.INTERVENTION, given=given)["properties"]["intervention"]
    assert change["items"]["properties"]["variable"]["enum"] == names
    values = schema(gate, Stage.OUTCOME, given=given)["properties"]["values"]
    assert values["items"]["properties"]["variable"]["enum"] == ["the sluice", "the barge"]
    assert (values["minItems"], values["maxItems"]) == (2, 2)


@pytest.mark.parametrize("stage", [Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME])
def test_an_own_list_without_variables_leaves_the_names_open(gate, stage):
    given = {earlier: [] if earlier in (Stage.VARIABLES, Stage.GRAPH) else {} for earlier in reads(stage)}
    text = prompt(gate, stage, given=given)
    assert "Variables, with their roles and their values before the change:\n- none\n" in text
    assert text.count("- none") == len(reads(stage))
    form = schema(gate, stage, given=given)
    assert is_strict_and_bounded(form)
    assert '"enum"' not in json.dumps(form)
    for name in ("lever", "lock", "bell", "time of day"):
        assert name not in json.dumps(form)
    written = {
        Stage.GRAPH: [["door", "light"]],
        Stage.INTERVENTION: {"door": "shut"},
        Stage.OUTCOME: {"light": "off"},
    }[stage]
    jsonschema.validate(json.loads(render(stage, written)), form)


def test_solved_cases_come_first_and_with_their_own_gold(gate, total, apples):
    messages = build_messages(gate, Stage.GRAPH, shots=[total, apples])
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages[0]["content"] == prompt(total, Stage.GRAPH)
    assert messages[1]["content"] == render(Stage.GRAPH, gold_answer(total, Stage.GRAPH))
    assert messages[2]["content"] == prompt(gate, Stage.GRAPH)
    # What the case is given says nothing about what its examples are.
    chained = build_messages(gate, Stage.GRAPH, given={Stage.VARIABLES: OWN}, shots=[total])
    assert chained[:2] == messages[:2]


def test_the_order_of_the_variables_says_nothing(gate):
    permuted = gate.model_copy(update={"id": "gate-2"})
    orders = {tuple(v.name for v in shown(gate.model_copy(update={"id": f"gate-{i}"}))) for i in range(40)}
    assert len(orders) > 20
    assert shown(gate) == shown(gate.model_copy())
    assert sorted(v.name for v in shown(permuted)) == sorted(v.name for v in gate.variables)
    assert set(asked(isolated(gate, Stage.OUTCOME))) == {"lock", "bell", "boat"}


def test_reasoning_is_paid_for(gate):
    for stage in STAGES:
        assert max_tokens(gate, stage, elicit="cot") > max_tokens(gate, stage) > 0


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
        max_tokens(gate, Stage.ANSWER, elicit="")


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


def test_the_gaps_of_the_form_are_no_answer(item):
    case, stage = item
    text = prompt(case, stage)
    form = json.loads(text[text.rindex("\n{") :])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(form, schema(case, stage))
    assert parse(case, stage, json.dumps(form)).status == "parse_failed"
