"""From a parsed answer to scores and counts, and to the row that is kept.

Deterministic: a score depends on the case, the stage, the answer and the matcher alone. A completion that cannot be
read scores 0 and counts every gold item as missed, so no denominator shrinks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from counterpoise.counterfactual.case import UNDETERMINED, Case, Modality, Role, Stage, Variable
from counterpoise.counterfactual.dag import (
    edge_counts,
    error_kinds,
    is_acyclic,
    orientation_counts,
    shd,
    sid,
    skeleton_counts,
)
from counterpoise.counterfactual.match import EXACT, NORMALISED, Matcher, Pair, assign, normalise, same
from counterpoise.counterfactual.match.edit import edit_counts
from counterpoise.counterfactual.match.registry import check_named, open_named
from counterpoise.counterfactual.parse import Parsed, clean, parse
from counterpoise.counterfactual.stages import PROMPT_VERSION, gold_answer
from counterpoise.lm.protocol import Completion
from counterpoise.records import Row, Status, Tokens

__all__ = ["DiagnosisRow", "Scored", "fitting", "matcher_for", "row", "score"]

Counts = dict[str, dict[str, int]]
Own = Sequence[Mapping[str, Any]]


class DiagnosisRow(Row):
    """One stage of one case, asked of one model.

    Attributes:
        kind: always ``diagnose``.
        mode: where the answers to earlier stages come from: ``isolated`` (gold), ``chained`` (the model's own),
            ``substitution`` (gold up to the stage ``upto``, the model's own after it).
        upto: of a substitution, the last stage whose gold was given.
        elicit: the elicitation's name.
        k: samples or branches that the elicitation took.
        cluster: items of one cluster are not independent.
        facets: properties of the case to break results down by.
        matcher: name of the matcher that decided which names and values are the same.
        score: variables, graph: F1 of this case; outcome: fraction of values right; intervention, abduction, answer: 0
            or 1, but of a rewritten text the F1 over the words taken out and put in. 0 where nothing could be read or
            the model failed; ``None`` for ``unscored``.
        counts: name to ``tp``, ``fp``, ``fn``. Variables: one per role, ``all``, and ``all_exact`` (names compared
            exactly). Graph: ``edge``, ``edge_exact``, ``edge_matched`` (between nodes that stand for gold nodes),
            ``skeleton``, ``orientation``. Abduction: ``all``, ``settled``, ``open`` (by whether the gold is a value or
            undetermined). Outcome: ``mediator``, ``outcome``, ``all``, ``all_exact``. Answer: ``edit`` of a rewritten
            text.
        measures: further numbers per case; see :func:`score`.
        curve: of an elicitation with several samples, the score that fewer of them would have reached, and at what
            cost: ``k``, ``score``, ``output_tokens``, ``input_tokens``.
        prompt_version: version of the prompt texts.
        completion: what the model wrote, or what its samples were merged into.
        samples: the single completions behind a merged one.
        answer: the structured answer read from it, or ``None``.
        target: the structured gold.
    """

    kind: str = "diagnose"
    case_id: str
    dataset: str
    modality: Modality
    stage: Stage
    mode: str = "isolated"
    upto: Stage | None = None
    elicit: str = "direct"
    k: int = 1
    cluster: str
    facets: dict[str, str] = Field(default_factory=dict)
    matcher: str = NORMALISED.name
    counts: dict[str, dict[Literal["tp", "fp", "fn"], int]] = Field(default_factory=dict)
    measures: dict[str, float] = Field(default_factory=dict)
    curve: tuple[dict[str, float], ...] = ()
    prompt_version: str = PROMPT_VERSION
    completion: str = ""
    samples: tuple[str, ...] = ()
    answer: Any = None
    target: Any = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A score in [0, 1] or ``None`` where the matcher could not decide; the counts and measures of the row."""

    score: float | None
    counts: Counts = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)


class _UndecidedError(Exception):
    """The matcher could not decide a pair that the score rests on."""


def score(case: Case, stage: Stage, parsed: Parsed, *, own: Own | None = None, matcher: Matcher = NORMALISED) -> Scored:
    """Compare an answer with the gold.

    Args:
        case: the case.
        stage: the stage.
        parsed: the answer.
        own: the variables that the prompt listed, where they are not the gold ones (chained mode). They are assigned
            to the gold variables one to one; a name that stands for none of these is a wrong one, also where it is
            spelled like a gold name. Where the prompt listed none, the answer's names are compared with the gold.
        matcher: decides which names and values are the same. What comparing characters would give is kept beside it.

    Returns:
        Score and counts as :class:`DiagnosisRow` says; without a score where the matcher could not decide. Measures,
        absent where they have no denominator:

        * variables: ``role_accuracy`` and ``value_accuracy`` among variables found by name (the latter among those with
          a factual value), and one count ``confusion:GOLD>PREDICTED`` per pair of roles that occurs among them,
          ``confusion:GOLD>missing`` for gold variables not found, ``confusion:none>PREDICTED`` for invented ones;
        * graph: ``shd``, ``exact`` (0 or 1); for an answer that was read ``acyclic`` (0 or 1) and, if it is acyclic,
          ``sid`` over the gold variables, edges of other names left out; and one count ``error:KIND`` per kind of wrong
          edge, see :func:`~counterpoise.counterfactual.dag.error_kinds`;
        * intervention: ``variable_match``, ``value_match``, ``exact`` (0 or 1);
        * abduction: ``value_accuracy``, the fraction of unseen causes right;
        * outcome: ``outcome_correct`` (0 or 1: every outcome right), ``exact`` (fraction right when characters are
          compared);
        * answer: of a rewritten text, ``exact`` (0 or 1).

    Raises:
        UnsupportedError: the case has no gold for the stage.
    """
    gold = gold_answer(case, stage)
    answer = parsed.answer if parsed.status == "ok" else None
    try:
        match stage:
            case Stage.VARIABLES:
                return _variables(case, answer or [], matcher)
            case Stage.GRAPH:
                return _graph(case, answer, own, matcher)
            case Stage.INTERVENTION:
                return _intervention(case, gold, answer or {}, own, matcher)
            case Stage.ABDUCTION:
                return _abduction(gold, answer or {})
            case Stage.OUTCOME:
                return _outcome(case, gold, answer or {}, own, matcher)
            case Stage.ANSWER if case.answer_kind == "edit":
                return _edit(case, gold, answer)
            case Stage.ANSWER:
                return Scored(float(_same_answer(case, gold, answer, matcher)))
    except _UndecidedError:
        return Scored(None)


def fitting(case: Case, matcher: Matcher) -> Matcher:
    """The matcher itself, or spelling alone for executed gold: its vocabulary is closed, and the context states it."""
    return NORMALISED if case.gold_kind == "executed" else matcher


def matcher_for(cases: Iterable[Case], named: str) -> Matcher:
    """The matcher of that name, opened only if some case needs it; see :func:`fitting`.

    Raises:
        UnknownNameError: there is no such matcher.
        UsageError: its model is not installed or cannot be had.
    """
    return NORMALISED if all(case.gold_kind == "executed" for case in cases) else open_named(check_named(named))


def row(
    case: Case,
    stage: Stage,
    completion: Completion,
    *,
    run: str,
    model: str,
    mode: str = "isolated",
    upto: Stage | None = None,
    elicit: str = "direct",
    k: int = 1,
    own: Own | None = None,
    matcher: Matcher = NORMALISED,
    samples: Sequence[str] = (),
    curve: Sequence[Mapping[str, float]] = (),
) -> DiagnosisRow:
    """Parse and score a completion and put everything into a row.

    A completion with ``finish == "error"`` gives a row with status ``model_failed``; one that the matcher could not
    decide about gives ``unscored``.

    Raises:
        UnsupportedError: the case has no gold for the stage.
    """
    matcher = fitting(case, matcher)
    status: Status
    reason: str | None
    if completion.finish == "error":
        parsed = Parsed("parse_failed")
        status, reason = "model_failed", completion.error or "the model gave no completion"
    else:
        parsed = parse(case, stage, completion.text, names=None if own is None else [item["name"] for item in own])
        status, reason = parsed.status, parsed.reason
        if status == "parse_failed" and completion.finish == "length":
            reason = f"{reason}; the completion was cut off at the token limit"
    scored = score(case, stage, parsed, own=own, matcher=matcher)
    if scored.score is None:
        status, reason = "unscored", f"the matcher {matcher.name} could not decide"
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
        upto=upto,
        elicit=elicit,
        k=k,
        cluster=case.cluster,
        facets=dict(case.facets),
        matcher=matcher.name,
        counts=scored.counts,
        measures=scored.measures,
        curve=tuple(dict(point) for point in curve),
        completion=clean(completion.text),
        samples=tuple(clean(text) for text in samples),
        answer=parsed.answer,
        target=gold_answer(case, stage),
    )


def _count(tp: int, fp: int, fn: int) -> dict[str, int]:
    return {"tp": tp, "fp": fp, "fn": fn}


def _f1(counts: Mapping[str, int]) -> float:
    """F1 of one case; 1 when there is neither gold nor prediction."""
    denominator = 2 * counts["tp"] + counts["fp"] + counts["fn"]
    return 2 * counts["tp"] / denominator if denominator else 1.0


def _decide(matcher: Matcher, pairs: Sequence[Pair]) -> list[bool]:
    decisions = same(matcher, pairs)
    if any(decision is None for decision in decisions):
        raise _UndecidedError
    return [bool(decision) for decision in decisions]


def _name_pair(gold: Variable, text: str) -> Pair:
    return Pair("name", gold.name, text, aliases=gold.aliases)


def _value_pair(case: Case, variable: Variable, gold: str, text: str) -> Pair:
    return Pair("value", gold, text, about=(variable.name, *variable.aliases), answer_kind=case.answer_kind)


def _variables(case: Case, predicted: Own, matcher: Matcher) -> Scored:
    pairs, values_right = _assigned(case, predicted, matcher)
    exact, _ = _assigned(case, predicted, EXACT)
    counts = {**_role_counts(case, predicted, pairs), "all_exact": _role_counts(case, predicted, exact)["all"]}
    measures: dict[str, float] = {}

    def confuse(gold: str, answered: str) -> None:
        cell = f"confusion:{gold}>{answered}"
        measures[cell] = measures.get(cell, 0.0) + 1.0

    for gold_index, predicted_index in pairs:
        confuse(case.variables[gold_index].role, predicted[predicted_index]["role"] or "none")
    for index, variable in enumerate(case.variables):
        if index not in {g for g, _ in pairs}:
            confuse(variable.role, "missing")
    for index, item in enumerate(predicted):
        if index not in {p for _, p in pairs}:
            confuse("none", item["role"] or "none")
    valued = [pair for pair in pairs if case.variables[pair[0]].factual is not None]
    if pairs:
        measures["role_accuracy"] = sum(case.variables[g].role == predicted[p]["role"] for g, p in pairs) / len(pairs)
    if valued:
        measures["value_accuracy"] = sum(pair in values_right for pair in valued) / len(valued)
    return Scored(_f1(counts["all"]), counts, measures)


def _assigned(case: Case, predicted: Own, matcher: Matcher) -> tuple[list[tuple[int, int]], set[tuple[int, int]]]:
    """Gold and predicted variables that are the same, one to one: most pairs, then right roles, then values.

    Assigned across all roles, so a variable in the wrong role is found and confused, not missed. Also returns which
    pairs of the same name have the right factual value.
    """
    cells = [(g, p) for g in range(len(case.variables)) for p in range(len(predicted))]
    named = _decide(matcher, [_name_pair(case.variables[g], predicted[p]["name"]) for g, p in cells])
    candidates = [cell for cell, found in zip(cells, named, strict=True) if found]
    asked = [(g, p, case.variables[g].factual, predicted[p]["value"]) for g, p in candidates]
    stated = [(g, p, gold, text) for g, p, gold, text in asked if gold is not None and text is not None]
    right = _decide(matcher, [_value_pair(case, case.variables[g], gold, text) for g, _, gold, text in stated])
    values_right = {(g, p) for (g, p, _, _), found in zip(stated, right, strict=True) if found}
    weights = [[0.0] * len(predicted) for _ in case.variables]
    for g, p in candidates:
        weights[g][p] = 1 + 0.01 * (case.variables[g].role == predicted[p]["role"]) + 0.0001 * ((g, p) in values_right)
    return assign(weights), values_right


def _role_counts(case: Case, predicted: Own, pairs: list[tuple[int, int]]) -> Counts:
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


def _resolved(case: Case, texts: Iterable[str], own: Own | None, matcher: Matcher) -> dict[str, str]:
    """What each text stands for: a gold variable's name where there is one, else something that is no gold name."""
    unique = list(dict.fromkeys(texts))
    if own:
        stands = _own_names(case, own, matcher)
        # A name off the list must not become a gold name by being spelled like one.
        return {text: stands.get(text) or stands.get(normalise(text)) or f"{_NO_GOLD}{text}" for text in unique}
    names = {variable.name for variable in case.variables}
    found = {text: text for text in unique if text in names}
    cells = [(variable, text) for text in unique if text not in names for variable in case.variables]
    for (variable, text), decision in zip(cells, _decide(matcher, [_name_pair(*c) for c in cells]), strict=True):
        if decision:
            found.setdefault(text, variable.name)
    return {text: found.get(text, text) for text in unique}


_NO_GOLD = "\N{NULL}"
"""Begins the names that stand for no gold variable."""


def _own_names(case: Case, own: Own, matcher: Matcher) -> dict[str, str]:
    """Every listed name, as it is written and by its spelling, to what it stands for; of one spelling the first."""
    assigned = {p: case.variables[g].name for g, p in _assigned(case, own, matcher)[0]}
    listed = [(item["name"], assigned.get(p, f"{_NO_GOLD}{item['name']}")) for p, item in enumerate(own)]
    spelled = {normalise(name): stands_for for name, stands_for in reversed(listed)}
    return {name: stands_for for name, stands_for in (spelled | dict(listed)).items() if name}


def _graph(case: Case, predicted: Sequence[Sequence[str]] | None, own: Own | None, matcher: Matcher) -> Scored:
    written = [(cause, effect) for cause, effect in predicted or []]
    stands = _resolved(case, (end for edge in written for end in edge), own, matcher)
    edges = list(dict.fromkeys((stands[cause], stands[effect]) for cause, effect in written))
    names = [variable.name for variable in case.variables]
    known = set(names) & set(_own_names(case, own, matcher).values()) if own else set(names)
    counts = {
        "edge": _count(*edge_counts(case.edges, edges)),
        "edge_exact": _count(*edge_counts(case.edges, written)),
        "edge_matched": _count(*edge_counts(*([e for e in some if set(e) <= known] for some in (case.edges, edges)))),
        "skeleton": _count(*skeleton_counts(case.edges, edges)),
        "orientation": _count(*orientation_counts(case.edges, edges)),
    }
    measures = {"shd": float(shd(case.edges, edges)), "exact": float(set(edges) == set(case.edges))}
    if predicted is not None:
        measures["acyclic"] = float(is_acyclic(edges))
        if (distance := sid(case.edges, edges, names)) is not None:
            measures["sid"] = float(distance)
    measures |= {f"error:{kind}": float(n) for kind, n in error_kinds(case.edges, edges, names).items()}
    return Scored(_f1(counts["edge"]), counts, measures)


def _intervention(
    case: Case, gold: Mapping[str, str], answer: Mapping[str, str], own: Own | None, matcher: Matcher
) -> Scored:
    stands = _resolved(case, answer, own, matcher)
    resolved = {stands[name]: value for name, value in answer.items()}
    variable = resolved.keys() == gold.keys()
    value = _right(case, gold, resolved, matcher) == gold.keys()
    measures = {
        "variable_match": float(variable),
        "value_match": float(value),
        "exact": float(dict(answer) == dict(gold)),
    }
    return Scored(float(variable and value), {}, measures)


def _right(case: Case, gold: Mapping[str, str], answer: Mapping[str, str], matcher: Matcher) -> set[str]:
    """The variables whose value is right."""
    names = [name for name in gold if name in answer]
    pairs = [_value_pair(case, case.variable(name), gold[name], answer[name]) for name in names]
    return {name for name, decision in zip(names, _decide(matcher, pairs), strict=True) if decision}


def _abduction(gold: Mapping[str, str], answer: Mapping[str, str]) -> Scored:
    """Values are words of a list that the prompt gives, so they are compared by spelling."""
    pairs = [Pair("value", value, answer.get(name, ""), about=(name,)) for name, value in gold.items()]
    right = {name for name, found in zip(gold, _decide(NORMALISED, pairs), strict=True) if found}
    groups = {
        "all": set(gold),
        "settled": {name for name, value in gold.items() if value != UNDETERMINED},
        "open": {name for name, value in gold.items() if value == UNDETERMINED},
    }
    counts = {name: _value_counts(group, right, answer) for name, group in groups.items()}
    return Scored(float(right == gold.keys()), counts, {"value_accuracy": len(right) / len(gold)})


def _outcome(
    case: Case, gold: Mapping[str, str], answer: Mapping[str, str], own: Own | None, matcher: Matcher
) -> Scored:
    stands = _resolved(case, answer, own, matcher)
    resolved = {stands[name]: value for name, value in answer.items()}
    right = _right(case, gold, resolved, matcher)
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


def _edit(case: Case, gold: str, answer: str | None) -> Scored:
    original = case.original or ""
    counts = _count(*edit_counts(original, gold, original if answer is None else answer))
    return Scored(
        _f1(counts), {"edit": counts}, {"exact": float(answer is not None and answer.split() == gold.split())}
    )


def _same_answer(case: Case, gold: str, answer: str | None, matcher: Matcher) -> bool:
    if answer is None:
        return False
    if case.answer_kind == "choice":
        return gold == answer
    names = tuple(name for outcome in case.of_role(Role.OUTCOME) for name in (outcome.name, *outcome.aliases))
    pair = Pair("value", gold, answer, about=names, answer_kind=case.answer_kind)
    return _decide(matcher if case.answer_kind == "label" else NORMALISED, [pair])[0]
