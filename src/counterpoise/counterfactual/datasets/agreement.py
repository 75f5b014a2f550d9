"""How far the two passes behind a set of annotations agree.

The second pass is scored against the first like a model's answers against gold, by the same matcher: what a model could
reach if it reasoned like a second annotator. Roles have a kappa besides, over the variables that both passes name.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from counterpoise.counterfactual.case import Case, Role, Stage
from counterpoise.counterfactual.datasets.annotation import Annotation, passes
from counterpoise.counterfactual.match import Matcher
from counterpoise.counterfactual.parse import Parsed
from counterpoise.counterfactual.score import score
from counterpoise.counterfactual.stages import gold_answer
from counterpoise.statistics import Estimate, cluster_bootstrap, f1, mean

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement of two passes over the items that both annotated.

    Attributes:
        dataset: of the items.
        n: items that both passes annotated.
        alone: items that only one of them did.
        variables: F1 over variables, name and role right.
        role_kappa: Cohen's kappa of the roles of the variables that both name; ``None`` where one role is all there is.
        named: variables that both name.
        edges: F1 over edges; an edge of a variable that the other pass has not is missed or invented.
        edges_named: F1 over the edges between variables that both name.
        interventions: share of items with the same variable set to the same value.
        outcomes: share of the mediators and outcomes with the same counterfactual value.
    """

    dataset: str
    n: int
    alone: int
    variables: Estimate
    role_kappa: float | None
    named: int
    edges: Estimate
    edges_named: Estimate
    interventions: Estimate
    outcomes: Estimate


def agreement(dataset: str, matcher: Matcher, *, seed: int = 0) -> Agreement:
    """Score the second pass of a dataset against the first.

    Args:
        dataset: one of :data:`~counterpoise.counterfactual.datasets.annotation.ANNOTATED`.
        matcher: decides which names and values are the same.
        seed: of the bootstrap over items.
    """
    first, second = passes(dataset)
    both = sorted(first.keys() & second.keys())
    confusion: Counter[tuple[str, str]] = Counter()
    columns: dict[Stage, list[tuple[float, ...]]] = {stage: [] for stage in _STAGES}
    named: list[tuple[float, ...]] = []
    for identity in both:
        gold, other = _case(dataset, first[identity]), _case(dataset, second[identity])
        own = gold_answer(other, Stage.VARIABLES)
        for stage in _STAGES:
            parsed = Parsed("ok", gold_answer(other, stage))
            scored = score(gold, stage, parsed, own=None if stage is Stage.VARIABLES else own, matcher=matcher)
            if scored.score is None:
                continue
            columns[stage].append(_column(stage, scored.score, scored.counts))
            if stage is Stage.GRAPH:
                named.append(_cell(scored.counts["edge_matched"]))
            if stage is Stage.VARIABLES:
                for cell, count in scored.measures.items():
                    if cell.startswith("confusion:"):
                        role, _, answered = cell.removeprefix("confusion:").partition(">")
                        confusion[role, answered] += round(count)
    found = {
        stage: cluster_bootstrap(rows, range(len(rows)), f1 if stage in _F1 else mean, seed=seed)
        for stage, rows in columns.items()
    }
    roles = {cell: count for cell, count in confusion.items() if set(cell) <= {str(role) for role in Role}}
    return Agreement(
        dataset=dataset,
        n=len(both),
        alone=len(first.keys() ^ second.keys()),
        variables=found[Stage.VARIABLES],
        role_kappa=_kappa(roles),
        named=sum(roles.values()),
        edges=found[Stage.GRAPH],
        edges_named=cluster_bootstrap(named, range(len(named)), f1, seed=seed),
        interventions=found[Stage.INTERVENTION],
        outcomes=found[Stage.OUTCOME],
    )


_F1 = {Stage.VARIABLES: "all", Stage.GRAPH: "edge"}
_STAGES = (Stage.VARIABLES, Stage.GRAPH, Stage.INTERVENTION, Stage.OUTCOME)


def _column(stage: Stage, value: float, counts: Mapping[str, Mapping[str, int]]) -> tuple[float, ...]:
    if stage in _F1:
        return _cell(counts[_F1[stage]])
    if stage is Stage.OUTCOME:
        cell = counts["all"]
        return float(cell["tp"]), float(cell["tp"] + cell["fn"])
    return value, 1.0


def _cell(cell: Mapping[str, int]) -> tuple[float, ...]:
    return float(cell["tp"]), float(cell["fp"]), float(cell["fn"])


def _case(dataset: str, annotation: Annotation) -> Case:
    """An annotation as a case, for the scorer: it reads no text of an item."""
    outcome = next(variable for variable in annotation.variables if variable.role is Role.OUTCOME)
    return Case(
        id=annotation.id,
        dataset=dataset,
        modality="text",
        context="",
        question=annotation.id,
        answer_kind="label",
        variables=annotation.variables,
        edges=annotation.edges,
        intervention=annotation.intervention,
        target=outcome.counterfactual or "",
        gold_kind="annotated",
        source="this project",
        revision="1",
        cluster=annotation.id,
    )


def _kappa(cells: Mapping[tuple[str, str], int]) -> float | None:
    """Cohen's kappa of a table of counts; ``None`` without a table or where chance agreement is certain.

    >>> _kappa({("a", "a"): 2, ("b", "b"): 2}), _kappa({("a", "a"): 1, ("a", "b"): 1, ("b", "a"): 1, ("b", "b"): 1})
    (1.0, 0.0)
    """
    total = sum(cells.values())
    if not total:
        return None
    observed = sum(count for (one, other), count in cells.items() if one == other) / total
    labels = {label for cell in cells for label in cell}
    chance = sum(
        sum(count for (one, _), count in cells.items() if one == label)
        * sum(count for (_, other), count in cells.items() if other == label)
        for label in labels
    ) / (total * total)
    return (observed - chance) / (1 - chance) if chance < 1 else None
