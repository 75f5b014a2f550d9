"""The stages: what a model is asked, the form of its answer, and the gold answer.

All functions are pure. In isolated mode each stage's prompt carries the gold of the stages before it, in a fixed
order, so that the prompts of one case share their beginnings. The structured answers are plain JSON values:

============  ==========================================================================
variables     ``[{"name": str, "role": str | None, "value": str | None}, ...]``
graph         ``[[cause, effect], ...]``
intervention  ``{variable: value}``
outcome       ``{variable: value}`` for every mediator and outcome
answer        ``str``: an option's letter, a number, a numeral or a label
============  ==========================================================================
"""

import json
from collections.abc import Mapping
from string import Template
from typing import Any

from counterpoise.counterfactual.case import UNDETERMINED, Case, Role, Stage, Variable
from counterpoise.counterfactual.elicit import PROMPT_VERSION, elicitation, prompt_text, written
from counterpoise.errors import UnsupportedError
from counterpoise.lm.protocol import Message
from counterpoise.rng import rng_for

__all__ = [
    "PROMPT_VERSION",
    "asked",
    "build_messages",
    "gold_answer",
    "letters",
    "max_tokens",
    "render",
    "schema",
    "shown",
]

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
    Stage.OUTCOME: 320,
    Stage.ANSWER: 64,
}
_ANSWER_CHARS = {"number": 32, "numeral": 32, "label": 80}


def build_messages(case: Case, stage: Stage, *, elicit: str = "direct") -> list[Message]:
    """The prompt of a stage in isolated mode: the context, the gold of earlier stages, then the instruction.

    The answer stage is given the context, the question and the options only.

    Raises:
        UnsupportedError: the case has no gold for the stage.
        UnknownNameError: no such elicitation.
    """
    _check(case, stage)
    way = elicitation(elicit)
    fields = {
        "context": case.context.strip() or "(none)",
        "question": case.question.strip(),
        "options": "\n".join(
            f"{letter}. {text.strip()}" for letter, text in zip(letters(case), case.options, strict=True)
        ),
        "letters": ", ".join(letters(case)),
        "variables": "\n".join(_variable_line(variable) for variable in shown(case)),
        "edges": "\n".join(f"- {cause} -> {effect}" for cause, effect in case.edges) or "- none",
        "intervention": "\n".join(f"- {name} is set to: {value}" for name, value in case.intervention.items()),
        "asked": ", ".join(variable.name for variable in asked(case)),
        "answers": ", ".join(_shape(variable=variable.name, value="<value>") for variable in asked(case)),
        # Only where the question itself allows it: elsewhere it would be a hint that is never right.
        "undetermined": " " + prompt_text("undetermined") if UNDETERMINED in case.question else "",
        "reasoning": way.shape,
    }
    parts = [Template(prompt_text(name)).substitute(fields) for name in _prompt_names(case, stage)]
    if way.instruction:
        parts.append(way.instruction)
    return [{"role": "user", "content": "\n\n".join(parts)}]


def schema(case: Case, stage: Stage, *, elicit: str = "direct") -> dict[str, Any]:
    """JSON schema of the stage's completion: bounded, strict, and without the gold.

    Names of variables that the prompt gives are an ``enum``; every object lists all its properties as required and
    allows no others, as hosted structured output asks for.

    Raises:
        UnsupportedError: the case has no gold for the stage.
        UnknownNameError: no such elicitation.
    """
    _check(case, stage)
    return elicitation(elicit).extend(_SCHEMAS[stage](case))


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
        case Stage.OUTCOME:
            return {variable.name: variable.counterfactual for variable in asked(case)}
        case Stage.ANSWER:
            return case.target


def render(stage: Stage, answer: Any) -> str:
    """The completion text that states a structured answer: what a perfect model would write.

    >>> render(Stage.GRAPH, [["rain", "flood"]])
    '{"edges": [{"cause": "rain", "effect": "flood"}]}'
    """
    match stage:
        case Stage.VARIABLES:
            body: dict[str, Any] = {"variables": [{**item, "value": item.get("value") or ""} for item in answer]}
        case Stage.GRAPH:
            body = {"edges": [{"cause": cause, "effect": effect} for cause, effect in answer]}
        case Stage.INTERVENTION:
            body = {"intervention": _pairs(answer)}
        case Stage.OUTCOME:
            body = {"values": _pairs(answer)}
        case Stage.ANSWER:
            body = {"answer": answer}
    return json.dumps(body, ensure_ascii=False)


def max_tokens(stage: Stage, *, elicit: str = "direct") -> int:
    """Upper bound of new tokens for one completion of a stage.

    Raises:
        UnknownNameError: no such elicitation.
    """
    return _MAX_TOKENS[stage] + elicitation(elicit).extra_tokens


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


def asked(case: Case) -> tuple[Variable, ...]:
    """The variables whose values the outcome stage asks for, in the order of :func:`shown`."""
    return tuple(variable for variable in shown(case) if variable.role in (Role.MEDIATOR, Role.OUTCOME))


def _check(case: Case, stage: Stage) -> None:
    if stage not in case.stages:
        raise UnsupportedError(
            f"case has no gold for stage {str(stage)!r}",
            where=f"{case.dataset} {case.id}",
            expected="one of " + ", ".join(case.stages),
        )


def _prompt_names(case: Case, stage: Stage) -> list[str]:
    names = ["context"]
    if stage is Stage.ANSWER:
        return [*names, f"answer_{case.answer_kind}"]
    if stage is not Stage.VARIABLES:
        names.append("known_variables")
    if stage in (Stage.INTERVENTION, Stage.OUTCOME) and case.edges:
        names.append("known_graph")
    if stage is Stage.OUTCOME:
        names.append("known_intervention")
    return [*names, str(stage)]


def _variable_line(variable: Variable) -> str:
    gloss = f", {variable.gloss}" if variable.gloss else ""
    value = f": {variable.factual}" if variable.factual is not None else ": (not known)"
    return f"- {variable.name} ({variable.role}{gloss}){value}"


def _shape(**fields: str) -> str:
    return json.dumps(fields, ensure_ascii=False)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"variable": name, "value": value} for name, value in values.items()]


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _array(items: dict[str, Any], low: int, high: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": low, "maxItems": high}


def _names(variables: tuple[Variable, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": [variable.name for variable in variables]}


def _variables_schema(case: Case) -> dict[str, Any]:
    role = {"type": "string", "enum": [str(role) for role in Role]}
    # An empty value says that it is not known.
    value = {**written(VALUE_CHARS), "minLength": 0, "pattern": "^([^<.\\s]|$)"}
    item = _object(name=written(NAME_CHARS), role=role, value=value)
    return {"variables": _array(item, 1, MAX_VARIABLES)}


def _graph_schema(case: Case) -> dict[str, Any]:
    count = len(case.variables)
    item = _object(cause=_names(shown(case)), effect=_names(shown(case)))
    return {"edges": _array(item, 0, min(MAX_EDGES, count * (count - 1) // 2))}


def _intervention_schema(case: Case) -> dict[str, Any]:
    item = _object(variable=_names(shown(case)), value=written(VALUE_CHARS))
    return {"intervention": _array(item, 1, len(case.of_role(Role.EXPOSURE)))}


def _outcome_schema(case: Case) -> dict[str, Any]:
    variables = asked(case)
    item = _object(variable=_names(variables), value=written(VALUE_CHARS))
    return {"values": _array(item, len(variables), len(variables))}


def _answer_schema(case: Case) -> dict[str, Any]:
    if case.answer_kind == "choice":
        return {"answer": {"type": "string", "enum": letters(case)}}
    return {"answer": written(_ANSWER_CHARS[case.answer_kind])}


_SCHEMAS = {
    Stage.VARIABLES: _variables_schema,
    Stage.GRAPH: _graph_schema,
    Stage.INTERVENTION: _intervention_schema,
    Stage.OUTCOME: _outcome_schema,
    Stage.ANSWER: _answer_schema,
}
