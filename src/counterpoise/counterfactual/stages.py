"""The stages: what a model is asked, the form of its answer, and the gold answer.

All functions are pure. What a stage reads of the stages before it is an argument, ``given``: their gold in isolated
mode, the model's own answers in chained mode. Prompts put the context first, then what is given in a fixed order,
then the stage's instruction, so that the prompts of one case share their beginnings. The structured answers are plain
JSON values:

============  ==========================================================================
variables     ``[{"name": str, "role": str | None, "value": str | None}, ...]``
graph         ``[[cause, effect], ...]``
intervention  ``{variable: value}``
abduction     ``{unseen cause: value}``
outcome       ``{variable: value}`` for every mediator and outcome
answer        ``str``: an option's letter, a number, a numeral or a label
============  ==========================================================================
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from counterpoise.counterfactual.case import UNDETERMINED, Case, Execution, Role, Stage, Variable
from counterpoise.counterfactual.elicit import PROMPT_VERSION, elicitation, prompt_text, written
from counterpoise.errors import UnsupportedError
from counterpoise.lm.protocol import Message
from counterpoise.rng import rng_for

__all__ = [
    "CHAIN",
    "PROMPT_VERSION",
    "Given",
    "asked",
    "build_messages",
    "edit_chars",
    "gold_answer",
    "gold_shown",
    "isolated",
    "letters",
    "max_tokens",
    "names_given",
    "reads",
    "render",
    "schema",
    "shown",
]

Given = Mapping[Stage, Any]
"""Structured answers of earlier stages, as a prompt shows them; a stage that is absent is not shown."""

CHAIN = (Stage.VARIABLES, Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME, Stage.ANSWER)
"""The stages that a chained run goes through, each reading the model's own answers to those before it."""

_READS: dict[Stage, tuple[Stage, ...]] = {
    Stage.VARIABLES: (),
    Stage.GRAPH: (Stage.VARIABLES,),
    Stage.INTERVENTION: (Stage.VARIABLES, Stage.GRAPH),
    Stage.ABDUCTION: (Stage.VARIABLES, Stage.GRAPH),
    Stage.OUTCOME: (Stage.VARIABLES, Stage.GRAPH, Stage.INTERVENTION, Stage.ABDUCTION),
    Stage.ANSWER: (Stage.VARIABLES, Stage.GRAPH, Stage.INTERVENTION, Stage.ABDUCTION, Stage.OUTCOME),
}

MAX_VARIABLES = 12
"""Most variables that a completion of the variables stage may list."""
MAX_EDGES = 24
"""Most edges that a completion of the graph stage may list; no more than a DAG of the variables can have, either."""
NAME_CHARS = 80
VALUE_CHARS = 80

_MAX_TOKENS = {
    Stage.VARIABLES: 480,
    Stage.GRAPH: 640,
    Stage.INTERVENTION: 120,
    Stage.ABDUCTION: 320,
    Stage.OUTCOME: 320,
    Stage.ANSWER: 64,
}
_ANSWER_CHARS = {"number": 32, "numeral": 32, "label": 80}
LITERAL_CHARS = 400
EDIT_TOKENS_PER_CHARACTER = 0.5
"""More than any tokenizer takes for running text or code."""


def reads(stage: Stage) -> tuple[Stage, ...]:
    """The earlier stages whose answers a stage's prompt can show, in the order it shows them."""
    return _READS[stage]


def isolated(case: Case, stage: Stage) -> dict[Stage, Any]:
    """What a stage is given in isolated mode: the gold of the earlier stages that the case has gold for.

    The answer stage is given nothing (it is the question end to end), and no stage is told what abduction finds. For
    abduction itself, the values of variables that were not observed are kept back: they follow from what it asks for.
    """
    if stage is Stage.ANSWER:
        return {}
    given: dict[Stage, Any] = {
        earlier: gold_shown(case, earlier)
        for earlier in _READS[stage]
        if earlier in case.stages and earlier is not Stage.ABDUCTION
    }
    if stage is Stage.ABDUCTION and isinstance(case.execution, Execution):
        observed = case.execution.observed
        given[Stage.VARIABLES] = [
            item if item["name"] in observed else {**item, "value": None} for item in given[Stage.VARIABLES]
        ]
    return given


def gold_shown(case: Case, stage: Stage) -> Any:
    """A stage's gold as later stages are shown it: like :func:`gold_answer`, variables shuffled and with glosses."""
    if stage is Stage.VARIABLES:
        return [
            {"name": v.name, "role": str(v.role), "value": v.factual, **({"gloss": v.gloss} if v.gloss else {})}
            for v in shown(case)
        ]
    return gold_answer(case, stage)


def build_messages(
    case: Case,
    stage: Stage,
    *,
    elicit: str = "direct",
    given: Given | None = None,
    shots: Sequence[Case] = (),
    hints: str = "",
    focused: Sequence[bytes] = (),
    data: Path | None = None,
) -> list[Message]:
    """The prompt of a stage: the context, what is given of earlier stages, then the instruction.

    Args:
        case: the case.
        stage: what is asked.
        elicit: name of the elicitation.
        given: answers of earlier stages to show; default the gold, as :func:`isolated` says.
        shots: solved cases to show before, each as a turn of its own with gold given and gold answered; those without
            gold for the stage are left out.
        hints: what a tool found in the case, shown after the context; empty for none.
        focused: PNG files that a tool made of the case's pictures, shown after them.
        data: folder of the case's photographs.

    Raises:
        UnsupportedError: the case has no gold for the stage.
        UnknownNameError: no such elicitation.
        DataError: a photograph cannot be read.
    """
    _check(case, stage)
    messages: list[Message] = []
    for shot in shots:
        if stage in shot.stages:
            messages.append(_turn(shot, _prompt(shot, stage, elicit, isolated(shot, stage)), (), data))
            messages.append({"role": "assistant", "content": render(stage, gold_answer(shot, stage))})
    given = isolated(case, stage) if given is None else given
    return [*messages, _turn(case, _prompt(case, stage, elicit, given, hints), focused, data)]


def _turn(case: Case, text: str, focused: Sequence[bytes], data: Path | None) -> Message:
    """A user's turn with the pictures of the case."""
    message: Message = {"role": "user", "content": text}
    if case.media:
        from counterpoise.counterfactual.pictures import as_uri, picture

        pictures = [picture(medium, data) for medium in case.media]
        message["images"] = [as_uri(content) for content in (*pictures, *focused)]
    return message


def _prompt(case: Case, stage: Stage, elicit: str, given: Given, hints: str = "") -> str:
    way = elicitation(elicit)
    variables = given.get(Stage.VARIABLES) or []
    wanted = asked(given)
    fields = {
        "context": case.context.strip() or "(none)",
        "question": case.question.strip(),
        "options": "\n".join(
            f"{letter}. {text.strip()}" for letter, text in zip(letters(case), case.options, strict=True)
        ),
        "letters": ", ".join(letters(case)),
        "variables": "\n".join(_variable_line(item) for item in variables) or "- none",
        "edges": "\n".join(f"- {cause} -> {effect}" for cause, effect in given.get(Stage.GRAPH) or ()) or "- none",
        "intervention": _value_lines(given.get(Stage.INTERVENTION), " is set to: "),
        "abduction": _value_lines(given.get(Stage.ABDUCTION), ": "),
        "outcome": _value_lines(given.get(Stage.OUTCOME), ": "),
        "mechanisms": "\n".join(f"- {line}" for line in case.mechanisms),
        "unseen": "\n".join(_unseen_line(cause.name, cause.values.values()) for cause in case.exogenous),
        "unseen_answers": ", ".join(_shape(variable=cause.name, value="<value>") for cause in case.exogenous),
        "asked": ", ".join(wanted) or "every mediator, and the outcome that the question asks about",
        "answers": ", ".join(_shape(variable=name, value="<value>") for name in wanted)
        or _shape(variable="<variable>", value="<value>"),
        # Only where the question itself allows it: elsewhere it would be a hint that is never right.
        "undetermined": " " + prompt_text("undetermined") if UNDETERMINED in case.question else "",
        "reasoning": way.shape,
        "hints": hints,
    }
    names = _prompt_names(case, stage, given)
    if hints:
        names.insert(1, "hints")
    parts = [Template(prompt_text(name)).substitute(fields) for name in names]
    if way.instruction:
        parts.append(way.instruction)
    return "\n\n".join(parts)


def schema(case: Case, stage: Stage, *, elicit: str = "direct", given: Given | None = None) -> dict[str, Any]:
    """JSON schema of the stage's completion: bounded, strict, and without the gold.

    Names of variables that the prompt gives are an ``enum``; every object lists all its properties as required and
    allows no others, as hosted structured output asks for.

    Raises:
        UnsupportedError: the case has no gold for the stage.
        UnknownNameError: no such elicitation.
    """
    _check(case, stage)
    given = isolated(case, stage) if given is None else given
    return elicitation(elicit).extend(_SCHEMAS[stage](case, given))


def gold_answer(case: Case, stage: Stage) -> Any:
    """The structured gold of a stage; see the module's table.

    Raises:
        UnsupportedError: the case has no gold for the stage.
    """
    _check(case, stage)
    match stage:
        case Stage.VARIABLES:
            return [{"name": v.name, "role": str(v.role), "value": v.factual} for v in case.variables]
        case Stage.GRAPH:
            return [list(edge) for edge in case.edges]
        case Stage.INTERVENTION:
            return dict(case.intervention)
        case Stage.ABDUCTION:
            return {cause.name: cause.value for cause in case.exogenous}
        case Stage.OUTCOME:
            return {
                variable.name: variable.counterfactual
                for variable in shown(case)
                if variable.role in (Role.MEDIATOR, Role.OUTCOME)
            }
        case Stage.ANSWER:
            return case.target


def render(stage: Stage, answer: Any) -> str:
    """The completion text that states a structured answer: what a perfect model would write.

    >>> render(Stage.GRAPH, [["rain", "flood"]])
    '{"edges": [{"cause": "rain", "effect": "flood"}]}'
    """
    match stage:
        case Stage.VARIABLES:
            body: dict[str, Any] = {
                "variables": [{k: item.get(k) or "" for k in ("name", "role", "value")} for item in answer]
            }
        case Stage.GRAPH:
            body = {"edges": [{"cause": cause, "effect": effect} for cause, effect in answer]}
        case Stage.INTERVENTION:
            body = {"intervention": _pairs(answer)}
        case Stage.ABDUCTION | Stage.OUTCOME:
            body = {"values": _pairs(answer)}
        case Stage.ANSWER:
            body = {"answer": answer}
    return json.dumps(body, ensure_ascii=False)


def max_tokens(case: Case, stage: Stage, *, elicit: str = "direct") -> int:
    """Upper bound of new tokens for one completion of a stage; that of a rewritten text grows with the text.

    Raises:
        UnknownNameError: no such elicitation.
    """
    bound = _MAX_TOKENS[stage]
    if stage is Stage.ANSWER and case.answer_kind == "literal":
        bound += LITERAL_CHARS // 2
    if stage is Stage.ANSWER and case.answer_kind == "edit":
        bound += round(edit_chars(case) * EDIT_TOKENS_PER_CHARACTER)
    return bound + elicitation(elicit).extra_tokens


def edit_chars(case: Case) -> int:
    """Most characters of a rewritten text: half as many again as the text that is rewritten has."""
    return 200 + 3 * len(case.original or "") // 2


def letters(case: Case) -> list[str]:
    """The letters of the case's options, in order; empty when it has none."""
    return [chr(ord("A") + index) for index in range(len(case.options))]


def shown(case: Case) -> tuple[Variable, ...]:
    """The variables in the order that prompts list them: shuffled by the case's id.

    Gold is often written from cause to effect; a list in that order would give the graph away.
    """
    variables = list(case.variables)
    rng_for(0, "shown", case.dataset, case.id).shuffle(variables)
    return tuple(variables)


def names_given(given: Given) -> tuple[str, ...]:
    """The names of the variables that a prompt lists, in its order."""
    return tuple(dict.fromkeys(item["name"] for item in given.get(Stage.VARIABLES) or ()))


def asked(given: Given) -> tuple[str, ...]:
    """The mediators and outcomes that a prompt lists: what the outcome stage asks for, in the prompt's order."""
    roles = (Role.MEDIATOR, Role.OUTCOME)
    return tuple(dict.fromkeys(item["name"] for item in given.get(Stage.VARIABLES) or () if item["role"] in roles))


def _check(case: Case, stage: Stage) -> None:
    if stage not in case.stages:
        raise UnsupportedError(
            f"case has no gold for stage {str(stage)!r}",
            where=f"{case.dataset} {case.id}",
            expected="one of " + ", ".join(case.stages),
        )


_KNOWN = {
    Stage.VARIABLES: "known_variables",
    Stage.GRAPH: "known_graph",
    Stage.INTERVENTION: "known_intervention",
    Stage.ABDUCTION: "known_abduction",
    Stage.OUTCOME: "known_outcome",
}


def _prompt_names(case: Case, stage: Stage, given: Given) -> list[str]:
    names = ["context", *(_KNOWN[earlier] for earlier in _READS[stage] if earlier in given)]
    if stage is Stage.ABDUCTION and case.mechanisms:
        names.append("known_mechanisms")
    return [*names, f"answer_{case.answer_kind}" if stage is Stage.ANSWER else str(stage)]


def _variable_line(item: Mapping[str, Any]) -> str:
    said = ", ".join(str(note) for note in (item["role"], item.get("gloss")) if note)
    notes = f" ({said})" if said else ""
    value = f": {item['value']}" if item["value"] is not None else ": (not known)"
    return f"- {item['name']}{notes}{value}"


def _value_lines(values: Mapping[str, str] | None, sign: str) -> str:
    return "\n".join(f"- {name}{sign}{value}" for name, value in (values or {}).items()) or "- none"


def _unseen_line(name: str, values: Iterable[str]) -> str:
    return f"- {name}: {' or '.join(values)}"


def _shape(**fields: str) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"variable": name, "value": value} for name, value in values.items()]


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _array(items: dict[str, Any], low: int, high: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": low, "maxItems": high}


def _name(names: Sequence[str]) -> dict[str, Any]:
    """One of the names, or any text where there is none to choose from."""
    return {"type": "string", "enum": list(names)} if names else written(NAME_CHARS)


def _variables_schema(case: Case, given: Given) -> dict[str, Any]:
    role = {"type": "string", "enum": [str(role) for role in Role]}
    # An empty value says that it is not known.
    value = {**written(VALUE_CHARS), "minLength": 0, "pattern": "^([^<.\\s]|$)"}
    item = _object(name=written(NAME_CHARS), role=role, value=value)
    return {"variables": _array(item, 1, MAX_VARIABLES)}


def _graph_schema(case: Case, given: Given) -> dict[str, Any]:
    names = names_given(given)
    item = _object(cause=_name(names), effect=_name(names))
    most = len(names) * (len(names) - 1) // 2 if names else MAX_EDGES
    return {"edges": _array(item, 0, min(MAX_EDGES, most))}


def _intervention_schema(case: Case, given: Given) -> dict[str, Any]:
    item = _object(variable=_name(names_given(given)), value=written(VALUE_CHARS))
    # As many as the prompt lists exposures: how many the gold has would be a hint in chained mode.
    exposures = sum(one["role"] == Role.EXPOSURE for one in given.get(Stage.VARIABLES) or ())
    return {"intervention": _array(item, 1, max(1, exposures))}


def _abduction_schema(case: Case, given: Given) -> dict[str, Any]:
    names = [cause.name for cause in case.exogenous]
    item = _object(variable=_name(names), value=written(VALUE_CHARS))
    return {"values": _array(item, len(names), len(names))}


def _outcome_schema(case: Case, given: Given) -> dict[str, Any]:
    names = asked(given)
    item = _object(variable=_name(names), value=written(VALUE_CHARS))
    return {"values": _array(item, len(names) or 1, len(names) or MAX_VARIABLES)}


def _answer_schema(case: Case, given: Given) -> dict[str, Any]:
    if case.answer_kind == "choice":
        return {"answer": {"type": "string", "enum": letters(case)}}
    if case.answer_kind == "literal":
        # Lists and empty texts begin with what other answers may not begin with.
        return {"answer": {"type": "string", "minLength": 1, "maxLength": LITERAL_CHARS}}
    return {"answer": written(_ANSWER_CHARS.get(case.answer_kind) or edit_chars(case))}


_SCHEMAS = {
    Stage.VARIABLES: _variables_schema,
    Stage.GRAPH: _graph_schema,
    Stage.INTERVENTION: _intervention_schema,
    Stage.ABDUCTION: _abduction_schema,
    Stage.OUTCOME: _outcome_schema,
    Stage.ANSWER: _answer_schema,
}
