"""Answers without a model: what a score must beat to mean anything.

A baseline writes a completion text from a :class:`Question`; its text goes through the same parser and scorer as a
model's. In chained mode it is given what it wrote itself. Except for the oracle, none sees the gold of the stage that
it answers:

==================  ==========================================================================================
oracle              writes the gold; must score 1.0, or the stage is broken
constant-template   variables: the four role names (sees nothing). Graph: the six edges Z→X, Z→M, Z→Y, X→M, X→Y,
                    M→Y between all given variables of those roles. Intervention, outcome: "not" before the given
                    factual value. Abduction: the first value listed. Answer: the first option, 0, or "undetermined"
copy-factual        variables: the context's sentences, the first as exposure, the last as outcome. Graph: a chain in
                    the order shown. Intervention, outcome: the given factual values. Abduction: "undetermined".
                    Answer: the factual value of the outcome, else the first option or 0
negate-exposure     variables, graph: as copy-factual. Intervention, outcome: the other one of two values where the
                    context has a third for neither, else "not" before the factual value. Abduction: the last value
                    listed. Answer: that of its outcome; of options the first that negates
majority            what the gold of the other clusters of the dataset most often is, see
                    :mod:`~counterpoise.counterfactual.baselines.habits`. Graph: the best template by role, or by
                    name where the names recur
random              variables: words of the context in random roles. Graph: a random DAG. Intervention, outcome: any
                    given factual value. Abduction: any value listed. Answer: any option, number of the context, or
                    value of the outcome's domain
==================  ==========================================================================================
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from random import Random
from typing import Any

from counterpoise.counterfactual.baselines.habits import Habits
from counterpoise.counterfactual.case import UNDETERMINED, Case, Role, Stage, Variable
from counterpoise.counterfactual.stages import Given, gold_answer, isolated, letters, names_given, render
from counterpoise.rng import rng_for

__all__ = ["BASELINES", "Baseline", "Question", "ask_baseline"]

_TEMPLATE = (
    (Role.COVARIATE, Role.EXPOSURE),
    (Role.COVARIATE, Role.MEDIATOR),
    (Role.COVARIATE, Role.OUTCOME),
    (Role.EXPOSURE, Role.MEDIATOR),
    (Role.EXPOSURE, Role.OUTCOME),
    (Role.MEDIATOR, Role.OUTCOME),
)
_NEGATING = re.compile(r"\b(?:not|no|never|nothing|nobody|without)\b|n[’']t\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """What a baseline is asked.

    Attributes:
        case: the case; a baseline reads its context, question and options, and the oracle its gold.
        stage: the stage.
        given: answers of earlier stages.
        habits: of the dataset, for the majority.
        seed: of the random baseline.
    """

    case: Case
    stage: Stage
    given: Given
    habits: Habits
    seed: int = 0

    def names(self, *roles: Role) -> list[str]:
        """Names of the given variables of these roles."""
        return list(self.factual(*roles))

    def factual(self, *roles: Role) -> dict[str, str]:
        """Given factual values; "unknown" where there is none, so that the answer stays a valid one."""
        items = self.given.get(Stage.VARIABLES) or ()
        return {item["name"]: item["value"] or "unknown" for item in items if item["role"] in roles}


Baseline = Callable[[Question], str]


def ask_baseline(
    name: str, case: Case, stage: Stage, habits: Habits, *, given: Given | None = None, seed: int = 0
) -> str:
    """What a baseline writes for one stage of one case; ``given`` defaults to the gold of isolated mode."""
    return BASELINES[name](Question(case, stage, isolated(case, stage) if given is None else given, habits, seed))


def _oracle(ask: Question) -> str:
    return render(ask.stage, gold_answer(ask.case, ask.stage))


def _constant_template(ask: Question) -> str:
    match ask.stage:
        case Stage.VARIABLES:
            answer: Any = [{"name": str(role), "role": str(role), "value": None} for role in Role]
        case Stage.GRAPH:
            answer = [
                (cause, effect)
                for first, second in _TEMPLATE
                for cause in ask.names(first)
                for effect in ask.names(second)
            ]
        case Stage.INTERVENTION:
            answer = {name: f"not {value}" for name, value in ask.factual(Role.EXPOSURE).items()}
        case Stage.ABDUCTION:
            answer = {cause.name: next(iter(cause.values.values())) for cause in ask.case.exogenous}
        case Stage.OUTCOME:
            answer = {name: f"not {value}" for name, value in ask.factual(Role.MEDIATOR, Role.OUTCOME).items()}
        case Stage.ANSWER:
            answer = _first_answer(ask.case)
    return render(ask.stage, answer)


def _copy_factual(ask: Question) -> str:
    match ask.stage:
        case Stage.VARIABLES:
            answer: Any = _sentences(ask.case)
        case Stage.GRAPH:
            answer = list(pairwise(names_given(ask.given)))
        case Stage.INTERVENTION:
            answer = ask.factual(Role.EXPOSURE)
        case Stage.ABDUCTION:
            answer = dict.fromkeys((cause.name for cause in ask.case.exogenous), UNDETERMINED)
        case Stage.OUTCOME:
            answer = ask.factual(Role.MEDIATOR, Role.OUTCOME)
        case Stage.ANSWER:
            stated = [variable.factual for variable in ask.case.of_role(Role.OUTCOME) if variable.factual]
            copied = stated and ask.case.answer_kind not in ("choice", "edit")
            answer = stated[0] if copied else _first_answer(ask.case)
    return render(ask.stage, answer)


def _negate_exposure(ask: Question) -> str:
    match ask.stage:
        case Stage.VARIABLES | Stage.GRAPH:
            return _copy_factual(ask)
        case Stage.INTERVENTION | Stage.OUTCOME:
            roles = (Role.EXPOSURE,) if ask.stage is Stage.INTERVENTION else (Role.MEDIATOR, Role.OUTCOME)
            answer: Any = {name: _other_value(ask.case, name, value) for name, value in ask.factual(*roles).items()}
        case Stage.ABDUCTION:
            answer = {cause.name: list(cause.values.values())[-1] for cause in ask.case.exogenous}
        case Stage.ANSWER:
            answer = _negated_answer(ask.case)
    return render(ask.stage, answer)


def _majority(ask: Question) -> str:
    case, habits = ask.case, ask.habits
    match ask.stage:
        case Stage.VARIABLES:
            answer: Any = habits.variables(case) or _sentences(case)
        case Stage.GRAPH:
            given = [
                Variable(name=item["name"], role=Role(item["role"]))
                for item in ask.given.get(Stage.VARIABLES) or ()
                if item["role"]
            ]
            answer = [
                (cause.name, effect.name)
                for cause in given
                for effect in given
                if cause is not effect and habits.has_edge(case, cause, effect)
            ]
        case Stage.INTERVENTION:
            exposures = ask.factual(Role.EXPOSURE)
            answer = {name: habits.setting(case, name) or f"not {value}" for name, value in exposures.items()}
        case Stage.ABDUCTION:
            answer = {
                cause.name: habits.cause(case, (*cause.values.values(), UNDETERMINED)) or UNDETERMINED
                for cause in case.exogenous
            }
        case Stage.OUTCOME:
            asked = ask.factual(Role.MEDIATOR, Role.OUTCOME)
            answer = {name: habits.value(case, name) or value for name, value in asked.items()}
        case Stage.ANSWER:
            answer = habits.target(case) or _first_answer(case)
    return render(ask.stage, answer)


def _random(ask: Question) -> str:
    case = ask.case
    rng = rng_for(ask.seed, "baseline", case.dataset, case.id, str(ask.stage))
    values = [value for value in ask.factual(*Role).values() if value != "unknown"] or [UNDETERMINED]
    match ask.stage:
        case Stage.VARIABLES:
            words = sorted(set(_words(case))) or [str(Role.EXPOSURE)]
            chosen = rng.sample(words, min(len(words), rng.randint(2, 6)))
            answer: Any = [{"name": w, "role": str(rng.choice(list(Role))), "value": None} for w in chosen]
        case Stage.GRAPH:
            names = list(names_given(ask.given))
            rng.shuffle(names)
            answer = [pair for pair in combinations(names, 2) if rng.random() < 0.5]
        case Stage.INTERVENTION:
            answer = {rng.choice(names_given(ask.given) or (str(Role.EXPOSURE),)): rng.choice(values)}
        case Stage.ABDUCTION:
            answer = {cause.name: rng.choice([*cause.values.values(), UNDETERMINED]) for cause in case.exogenous}
        case Stage.OUTCOME:
            answer = {name: rng.choice(values) for name in ask.names(Role.MEDIATOR, Role.OUTCOME)}
        case Stage.ANSWER:
            stated = [v.factual for v in case.variables if v.factual is not None] or [UNDETERMINED]
            answer = _random_answer(case, rng, stated)
    return render(ask.stage, answer)


BASELINES: dict[str, Baseline] = {
    "oracle": _oracle,
    "constant-template": _constant_template,
    "copy-factual": _copy_factual,
    "negate-exposure": _negate_exposure,
    "majority": _majority,
    "random": _random,
}


def _domain(case: Case, name: str) -> list[str]:
    """The values that the context says the variable can take, where it does."""
    scm = case.scm
    if scm is None:
        return []
    return [word for key, words in scm.labels.items() if scm.names.get(key, key) == name for word in words.values()]


def _other_value(case: Case, name: str, value: str) -> str:
    others = [word for word in _domain(case, name) if word != value]
    if len(others) == 1:
        return others[0]
    return value.removeprefix("not ") if value.startswith("not ") else f"not {value}"


def _negated_answer(case: Case) -> str:
    if case.answer_kind == "choice":
        negating = [letter for letter, text in zip(letters(case), case.options, strict=True) if _NEGATING.search(text)]
        return negating[0] if negating else letters(case)[0]
    stated = [(v.name, v.factual) for v in case.of_role(Role.OUTCOME) if v.factual]
    if case.answer_kind == "edit":
        return _first_answer(case)
    if case.answer_kind == "label" and stated:
        return _other_value(case, *stated[0])
    return stated[0][1] if stated else _first_answer(case)


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
    if case.answer_kind == "edit":
        return case.original or ""
    return UNDETERMINED if case.answer_kind == "label" else "0"


def _random_answer(case: Case, rng: Random, values: Sequence[str]) -> str:
    if case.answer_kind == "choice":
        return rng.choice(letters(case))
    if case.answer_kind == "edit":
        # One word less; whoever changes a text without reading it does not do better.
        words = (case.original or "").split()
        left_out = rng.randrange(len(words))
        return " ".join(words[:left_out] + words[left_out + 1 :])
    domain: list[str] = []
    if case.answer_kind == "label":
        domain = [word for outcome in case.of_role(Role.OUTCOME) for word in _domain(case, outcome.name)]
    elif case.answer_kind in ("number", "numeral"):
        domain = re.findall(r"\b\d[\d.]*\d\b|\b\d\b", f"{case.context} {case.question}")
    return rng.choice(domain or list(values))
