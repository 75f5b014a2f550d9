"""From a parsed answer to scores and counts, and to the row that is kept.

Pure and deterministic: a score depends on the case, the stage and the answer alone. A completion that cannot be read
scores 0 and counts every gold item as missed, so no denominator shrinks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from counterpoise.counterfactual.case import Case, Modality, Role, Stage, Variable
from counterpoise.counterfactual.dag import edge_counts, is_acyclic, shd, skeleton_counts
from counterpoise.counterfactual.match import MATCHERS, VALUE_MATCHERS, assign, resolve, without_subject
from counterpoise.counterfactual.parse import Parsed, clean, parse
from counterpoise.counterfactual.stages import PROMPT_VERSION, gold_answer
from counterpoise.lm.protocol import Completion
from counterpoise.records import Row, Status, Tokens

__all__ = ["DiagnosisRow", "Scored", "row", "score"]

Counts = dict[str, dict[str, int]]


class DiagnosisRow(Row):
    """One stage of one case, asked of one model.

    Attributes:
        kind: always ``diagnose``.
        mode: where the answers to earlier stages come from: ``isolated`` (gold).
        elicit: the elicitation's name.
        cluster: items of one cluster are not independent.
        facets: properties of the case to break results down by.
        score: variables, graph: F1 of this case; outcome: fraction of values right; intervention, answer: 0 or 1.
            0 where nothing could be read or the model failed; ``None`` for ``unscored``.
        counts: name to ``tp``, ``fp``, ``fn``. Variables: one per role, ``all``, and ``all_exact`` (names compared
        exactly).
            Graph: ``edge``, ``edge_exact``, ``skeleton``. Outcome: ``mediator``, ``outcome``, ``all``, ``all_exact``.
        measures: further numbers per case; see :func:`score`.
        prompt_version: version of the prompt texts.
        completion: what the model wrote.
        answer: the structured answer read from it, or ``None``.
        target: the structured gold.
    """

    kind: str = "diagnose"
    case_id: str
    dataset: str
    modality: Modality
    stage: Stage
    mode: str = "isolated"
    elicit: str = "direct"
    cluster: str
    facets: dict[str, str] = Field(default_factory=dict)
    counts: dict[str, dict[Literal["tp", "fp", "fn"], int]] = Field(default_factory=dict)
    measures: dict[str, float] = Field(default_factory=dict)
    prompt_version: str = PROMPT_VERSION
    completion: str = ""
    answer: Any = None
    target: Any = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A score in [0, 1], with the counts and measures of :class:`DiagnosisRow`."""

    score: float
    counts: Counts = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)


def score(case: Case, stage: Stage, parsed: Parsed) -> Scored:
    """Compare an answer with the gold.

    Names and values are compared with the normalised matchers; what the exact ones would give is kept beside it.

    Returns:
        Score and counts as :class:`DiagnosisRow` says. Measures, absent where they have no denominator:

        * variables: ``role_accuracy`` and ``value_accuracy`` among variables found by name (the latter among those
        with a
          factual value), and one count ``confusion:GOLD>PREDICTED`` per pair of roles that occurs among them;
        * graph: ``shd``, ``acyclic`` (0 or 1, for an answer that was read) and ``exact`` (0 or 1);
        * intervention: ``variable_match``, ``value_match``, ``exact`` (0 or 1);
        * outcome: ``outcome_correct`` (0 or 1: every outcome right), ``exact`` (fraction right under the exact
        matcher);
        * answer: none.

    Raises:
        UnsupportedError: the case has no gold for the stage.
    """
    gold = gold_answer(case, stage)
    answer = parsed.answer if parsed.status == "ok" else None
    match stage:
        case Stage.VARIABLES:
            return _variables(case, answer or [])
        case Stage.GRAPH:
            return _graph(case, answer)
        case Stage.INTERVENTION:
            return _intervention(case, gold, answer or {})
        case Stage.OUTCOME:
            return _outcome(case, gold, answer or {})
        case Stage.ANSWER:
            return Scored(float(_same_answer(case, gold, answer)))


def row(
    case: Case,
    stage: Stage,
    completion: Completion,
    *,
    run: str,
    model: str,
    mode: str = "isolated",
    elicit: str = "direct",
) -> DiagnosisRow:
    """Parse and score a completion and put everything into a row.

    A completion with ``finish == "error"`` gives a row with status ``model_failed``.

    Raises:
        UnsupportedError: the case has no gold for the stage.
    """
    status: Status
    reason: str | None
    if completion.finish == "error":
        parsed = Parsed("parse_failed")
        status, reason = "model_failed", completion.error or "the model gave no completion"
    else:
        parsed = parse(case, stage, completion.text)
        status, reason = parsed.status, parsed.reason
        if status == "parse_failed" and completion.finish == "length":
            reason = f"{reason}; the completion was cut off at the token limit"
    scored = score(case, stage, parsed)
    return DiagnosisRow(
        run=run,
        model=model,
        status=status,
        reason=clean(" ".join(reason.split())) if reason else None,
        score=scored.score,
        tokens=Tokens(input=completion.input_tokens, output=completion.output_tokens),
        seconds=completion.seconds,
        case_id=case.id,
        dataset=case.dataset,
        modality=case.modality,
        stage=stage,
        mode=mode,
        elicit=elicit,
        cluster=case.cluster,
        facets=dict(case.facets),
        counts=scored.counts,
        measures=scored.measures,
        completion=clean(completion.text),
        answer=parsed.answer,
        target=gold_answer(case, stage),
    )


def _count(tp: int, fp: int, fn: int) -> dict[str, int]:
    return {"tp": tp, "fp": fp, "fn": fn}


def _f1(counts: Mapping[str, int]) -> float:
    """F1 of one case; 1 when there is neither gold nor prediction."""
    denominator = 2 * counts["tp"] + counts["fp"] + counts["fn"]
    return 2 * counts["tp"] / denominator if denominator else 1.0


def _variables(case: Case, predicted: list[dict[str, Any]]) -> Scored:
    pairs = _pairs(case, predicted, "normalised")
    exact = _role_counts(case, predicted, _pairs(case, predicted, "exact"))
    counts = {**_role_counts(case, predicted, pairs), "all_exact": exact["all"]}
    measures: dict[str, float] = {}
    roles_right, valued, values_right = 0, 0, 0
    for gold_index, predicted_index in pairs:
        gold, item = case.variables[gold_index], predicted[predicted_index]
        roles_right += gold.role == item["role"]
        cell = f"confusion:{gold.role}>{item['role'] or 'none'}"
        measures[cell] = measures.get(cell, 0.0) + 1.0
        if gold.factual is not None:
            valued += 1
            values_right += _same_value(case, gold, gold.factual, item["value"])
    if pairs:
        measures["role_accuracy"] = roles_right / len(pairs)
    if valued:
        measures["value_accuracy"] = values_right / valued
    return Scored(_f1(counts["all"]), counts, measures)


def _pairs(case: Case, predicted: list[dict[str, Any]], matcher: str) -> list[tuple[int, int]]:
    """Gold and predicted variables that are the same, one to one: most pairs, then right roles, then values."""
    same = MATCHERS[matcher]
    weights = []
    for gold in case.variables:
        line = []
        for item in predicted:
            weight = same(gold, item["name"])
            if weight > 0:
                weight += 0.01 * (gold.role == item["role"])
                weight += 0.0001 * (gold.factual is not None and _same_value(case, gold, gold.factual, item["value"]))
            line.append(weight)
        weights.append(line)
    return assign(weights)


def _role_counts(case: Case, predicted: list[dict[str, Any]], pairs: list[tuple[int, int]]) -> Counts:
    """A variable is found when name and role are right; one of the wrong role is missed there and invented here."""
    found = [case.variables[g].role for g, p in pairs if case.variables[g].role == predicted[p]["role"]]
    counts = {
        str(role): _count(
            tp := found.count(role),
            sum(item["role"] == role for item in predicted) - tp,
            len(case.of_role(role)) - tp,
        )
        for role in Role
    }
    counts["all"] = _count(len(found), len(predicted) - len(found), len(case.variables) - len(found))
    return counts


def _graph(case: Case, predicted: list[list[str]] | None) -> Scored:
    written = [(cause, effect) for cause, effect in predicted or []]
    edges = list(dict.fromkeys((resolve(case, c) or c, resolve(case, e) or e) for c, e in written))
    counts = {
        "edge": _count(*edge_counts(case.edges, edges)),
        "edge_exact": _count(*edge_counts(case.edges, written)),
        "skeleton": _count(*skeleton_counts(case.edges, edges)),
    }
    measures = {"shd": float(shd(case.edges, edges)), "exact": float(set(edges) == set(case.edges))}
    if predicted is not None:
        measures["acyclic"] = float(is_acyclic(edges))
    return Scored(_f1(counts["edge"]), counts, measures)


def _intervention(case: Case, gold: Mapping[str, str], answer: Mapping[str, str]) -> Scored:
    resolved = {resolve(case, name) or name: value for name, value in answer.items()}
    variable = resolved.keys() == gold.keys()
    value = all(_same_value(case, case.variable(name), wanted, resolved.get(name)) for name, wanted in gold.items())
    measures = {
        "variable_match": float(variable),
        "value_match": float(value),
        "exact": float(dict(answer) == dict(gold)),
    }
    return Scored(float(variable and value), {}, measures)


def _outcome(case: Case, gold: Mapping[str, str], answer: Mapping[str, str]) -> Scored:
    resolved = {resolve(case, name) or name: value for name, value in answer.items()}
    right = {name for name, value in gold.items() if _same_value(case, case.variable(name), value, resolved.get(name))}
    exact = {name for name, value in gold.items() if resolved.get(name) == value}
    groups = {
        str(role): {variable.name for variable in case.of_role(role)}
        for role in (Role.MEDIATOR, Role.OUTCOME)
        if case.of_role(role)
    }
    counts = {role: _value_counts(names, right, resolved) for role, names in groups.items()}
    counts["all"] = _value_counts(gold, right, resolved)
    counts["all_exact"] = _value_counts(gold, exact, resolved)
    measures = {
        "outcome_correct": float(groups.get(str(Role.OUTCOME), set()) <= right),
        "exact": len(exact) / len(gold),
    }
    return Scored(len(right) / len(gold), counts, measures)


def _value_counts(names: Iterable[str], right: set[str], answered: Mapping[str, str]) -> dict[str, int]:
    """A wrong value is invented and missed; an absent one is missed only."""
    wanted = set(names)
    tp = len(wanted & right)
    return _count(tp, len(wanted & answered.keys()) - tp, len(wanted) - tp)


def _same_answer(case: Case, gold: str, answer: str | None) -> bool:
    if case.answer_kind == "choice":
        return gold == answer
    if answer is not None and VALUE_MATCHERS["normalised"](gold, answer, case.answer_kind):
        return True
    return any(_same_value(case, outcome, gold, answer) for outcome in case.of_role(Role.OUTCOME))


def _same_value(case: Case, variable: Variable, gold: str, value: str | None) -> bool:
    """Whether a value is the gold one, also where the variable is named before it ("the door would be open")."""
    if value is None:
        return False
    same = VALUE_MATCHERS["normalised"]
    return same(gold, value, case.answer_kind) or same(gold, without_subject(variable, value), case.answer_kind)
