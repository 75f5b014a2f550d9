"""Answers without a model: what a score must beat to mean anything.

A baseline is a function ``(case, stage, seed) -> completion text``; its text goes through the same parser and scorer
as a model's. Except for the oracle, none sees the gold of the stage that it answers:

==================  ==========================================================================================
oracle              writes the gold; must score 1.0, or the stage is broken
constant-template   variables: the four role names (sees nothing). Graph: the six edges Z→X, Z→M, Z→Y, X→M, X→Y,
                    M→Y between all given variables of those roles. Intervention, outcome: "not" before the given
                    factual value. Answer: the first option, 0, or "undetermined"
copy-factual        variables: the context's sentences, the first as exposure, the last as outcome. Graph: a chain in
                    the order shown. Intervention, outcome: the given factual values. Answer: the factual value of
                    the outcome, else the first option or 0
random              variables: words of the context in random roles. Graph: a random DAG. Intervention, outcome: any
                    given factual value. Answer: any option, number of the context, or value of the outcome's domain
==================  ==========================================================================================
"""

import re
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from random import Random
from typing import Any

from counterpoise.counterfactual.case import UNDETERMINED, Case, Role, Stage
from counterpoise.counterfactual.stages import gold_answer, letters, render, shown
from counterpoise.rng import rng_for

__all__ = ["BASELINES", "Baseline", "template_edges"]

Baseline = Callable[[Case, Stage, int], str]

_TEMPLATE = (
    (Role.COVARIATE, Role.EXPOSURE),
    (Role.COVARIATE, Role.MEDIATOR),
    (Role.COVARIATE, Role.OUTCOME),
    (Role.EXPOSURE, Role.MEDIATOR),
    (Role.EXPOSURE, Role.OUTCOME),
    (Role.MEDIATOR, Role.OUTCOME),
)


def _oracle(case: Case, stage: Stage, seed: int) -> str:
    return render(stage, gold_answer(case, stage))


def template_edges(case: Case) -> list[tuple[str, str]]:
    """The six-edge template over the case's variables by role; looks at no gold edge.

    Source: the constant graph prompt of the published evaluation (arXiv 2505.11839, released code).
    """
    return [
        (cause.name, effect.name)
        for first, second in _TEMPLATE
        for cause in case.of_role(first)
        for effect in case.of_role(second)
    ]


def _constant_template(case: Case, stage: Stage, seed: int) -> str:
    match stage:
        case Stage.VARIABLES:
            answer: Any = [{"name": str(role), "role": str(role), "value": None} for role in Role]
        case Stage.GRAPH:
            answer = template_edges(case)
        case Stage.INTERVENTION:
            answer = {name: f"not {value}" for name, value in _factual(case, Role.EXPOSURE).items()}
        case Stage.OUTCOME:
            answer = {name: f"not {value}" for name, value in _factual(case, Role.MEDIATOR, Role.OUTCOME).items()}
        case Stage.ANSWER:
            answer = _first_answer(case)
    return render(stage, answer)


def _copy_factual(case: Case, stage: Stage, seed: int) -> str:
    match stage:
        case Stage.VARIABLES:
            answer: Any = _sentences(case)
        case Stage.GRAPH:
            names = [variable.name for variable in shown(case)]
            answer = list(pairwise(names))
        case Stage.INTERVENTION:
            answer = _factual(case, Role.EXPOSURE)
        case Stage.OUTCOME:
            answer = _factual(case, Role.MEDIATOR, Role.OUTCOME)
        case Stage.ANSWER:
            stated = [variable.factual for variable in case.of_role(Role.OUTCOME) if variable.factual]
            answer = stated[0] if stated and case.answer_kind != "choice" else _first_answer(case)
    return render(stage, answer)


def _random(case: Case, stage: Stage, seed: int) -> str:
    rng = rng_for(seed, "baseline", case.dataset, case.id, str(stage))
    values = [variable.factual for variable in case.variables if variable.factual is not None] or [UNDETERMINED]
    match stage:
        case Stage.VARIABLES:
            words = sorted(set(_words(case))) or [str(Role.EXPOSURE)]
            chosen = rng.sample(words, min(len(words), rng.randint(2, 6)))
            answer: Any = [{"name": w, "role": str(rng.choice(list(Role))), "value": None} for w in chosen]
        case Stage.GRAPH:
            names = [variable.name for variable in case.variables]
            rng.shuffle(names)
            answer = [pair for pair in combinations(names, 2) if rng.random() < 0.5]
        case Stage.INTERVENTION:
            answer = {rng.choice(case.variables).name: rng.choice(values)}
        case Stage.OUTCOME:
            answer = {v.name: rng.choice(values) for v in case.of_role(Role.MEDIATOR, Role.OUTCOME)}
        case Stage.ANSWER:
            answer = _random_answer(case, rng, values)
    return render(stage, answer)


BASELINES: dict[str, Baseline] = {
    "oracle": _oracle,
    "constant-template": _constant_template,
    "copy-factual": _copy_factual,
    "random": _random,
}


def _factual(case: Case, *roles: Role) -> dict[str, str]:
    """Given factual values; "unknown" where the context has none, so that the answer stays a valid one."""
    return {variable.name: variable.factual or "unknown" for variable in case.of_role(*roles)}


def _sentences(case: Case) -> list[dict[str, Any]]:
    found = re.split(r"(?<=[.!?;])\s+", case.context.strip())[:6] if case.context.strip() else [case.question]
    names = list(dict.fromkeys(sentence.strip(" .!?;")[:120] for sentence in found if sentence.strip(" .!?;")))
    roles = [Role.EXPOSURE, *[Role.COVARIATE] * max(0, len(names) - 2), Role.OUTCOME]
    return [{"name": name, "role": str(role), "value": None} for name, role in zip(names, roles, strict=False)]


def _words(case: Case) -> list[str]:
    return re.findall(r"[^\W\d_]{3,40}", f"{case.context} {case.question}")


def _first_answer(case: Case) -> str:
    if case.answer_kind == "choice":
        return letters(case)[0]
    return UNDETERMINED if case.answer_kind == "label" else "0"


def _random_answer(case: Case, rng: Random, values: Sequence[str]) -> str:
    if case.answer_kind == "choice":
        return rng.choice(letters(case))
    domain: list[str] = []
    if case.execution is not None and case.answer_kind == "label":
        shown = {name: case.execution.scm.names.get(name, name) for name in case.execution.scm.labels}
        outcomes = {variable.name for variable in case.of_role(Role.OUTCOME)}
        for name, labels in case.execution.scm.labels.items():
            domain += labels.values() if shown[name] in outcomes else []
    elif case.answer_kind in ("number", "numeral"):
        domain = re.findall(r"\b\d[\d.]*\d\b|\b\d\b", f"{case.context} {case.question}")
    return rng.choice(domain or list(values))
