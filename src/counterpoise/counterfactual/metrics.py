"""From rows to the numbers of the stage table: extract columns, prepare sums, compute estimates.

Each stage has one headline metric: micro-F1 over all variables, micro-F1 over directed edges, accuracy of the
intervention, accuracy per variable of the outcome stage, accuracy of the answer. Failed rows are in every
denominator; unscored rows are in none and are counted beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from counterpoise.counterfactual.case import Role, Stage
from counterpoise.statistics import Estimate, Statistic, cluster_bootstrap, f1, mean, paired_bootstrap, proportion

__all__ = ["METRICS", "TEMPLATE_MODEL", "StageSummary", "advantage", "headline", "summarise"]

RowLike = Mapping[str, Any]

METRICS: dict[Stage, str] = {
    Stage.VARIABLES: "variable F1",
    Stage.GRAPH: "edge F1",
    Stage.INTERVENTION: "accuracy",
    Stage.OUTCOME: "accuracy per variable",
    Stage.ANSWER: "accuracy",
}
"""The headline metric of each stage."""

TEMPLATE_MODEL = "baseline/constant-template"
"""The ``model`` of the rows that skill is measured against."""

_F1_COUNTS = {Stage.VARIABLES: "all", Stage.GRAPH: "edge"}
_FURTHER_F1 = {
    Stage.VARIABLES: {**{f"{role} F1": str(role) for role in Role}, "variable F1, exact names": "all_exact"},
    Stage.GRAPH: {"skeleton F1": "skeleton", "edge F1, exact names": "edge_exact"},
}
_FURTHER_MEANS = {
    Stage.VARIABLES: {"role accuracy": "role_accuracy", "factual value accuracy": "value_accuracy"},
    Stage.GRAPH: {"mean SHD": "shd", "acyclic rate": "acyclic", "exact graph rate": "exact"},
    Stage.INTERVENTION: {
        "variable accuracy": "variable_match",
        "value accuracy": "value_match",
        "accuracy, exact": "exact",
    },
    Stage.OUTCOME: {"outcome accuracy": "outcome_correct"},
}
_FURTHER_RECALLS = {
    Stage.OUTCOME: {"mediator accuracy": "mediator", "accuracy per variable, exact": "all_exact"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSummary:
    """One line of the stage table.

    Attributes:
        dataset: of the rows; likewise ``modality``, ``stage``, ``mode``, ``elicit``, ``model``.
        metric: name of the headline metric.
        estimate: its value, 95 % interval and denominator in rows; no value where every row is unscored.
        n: rows, whatever their status.
        parse_failed: rows whose completion could not be read; they score 0.
        model_failed: rows for which the model gave no completion; they score 0.
        unscored: rows without a score; not in the estimate.
        tokens_in: mean prompt tokens per row.
        tokens_out: mean completion tokens per row.
        further: secondary metrics by name: F1 per role, skeleton F1, rates; ``None`` where undefined.
            ``mean SHD`` is an edge count, all others are in [0, 1].
        confusion: variables stage: ``(gold role, predicted role)`` to how many variables found by name.
        skill: graph stage, where rows of the constant template for the same cases were given:
            ``(F1 - F1_template) / (1 - F1_template)``, at most 1, negative when below the template; else ``None``.
    """

    dataset: str
    modality: str
    stage: Stage
    mode: str
    elicit: str
    model: str
    metric: str
    estimate: Estimate
    n: int
    parse_failed: int
    model_failed: int
    unscored: int
    tokens_in: float
    tokens_out: float
    further: dict[str, float | None] = field(default_factory=dict)
    confusion: dict[tuple[str, str], int] = field(default_factory=dict)
    skill: float | None = None


def summarise(
    rows: Sequence[RowLike], *, baselines: Sequence[RowLike] = (), seed: int = 0, resamples: int = 2000
) -> list[StageSummary]:
    """One summary per dataset, mode, elicitation, model and stage, in order of first appearance, stages in their order.

    Args:
        rows: rows of a diagnosis as JSON objects, see :class:`~counterpoise.counterfactual.score.DiagnosisRow`.
        baselines: baseline rows of the same cases; used for ``skill`` only.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        The summaries; no rows give an empty list.
    """
    template: dict[tuple[str, str, str], RowLike] = {
        (str(row["dataset"]), str(row["stage"]), str(row["case_id"])): row
        for row in baselines
        if row["model"] == TEMPLATE_MODEL
    }
    groups: dict[tuple[str, ...], list[RowLike]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row[key]) for key in ("dataset", "mode", "elicit", "model", "stage")), []).append(
            row
        )
    order = list(dict.fromkeys(key[:-1] for key in groups))
    keys = [(*key, str(stage)) for key in order for stage in Stage if (*key, str(stage)) in groups]
    return [_summary(groups[key], template, seed, resamples) for key in keys]


def headline(stage: Stage, rows: Iterable[RowLike]) -> float | None:
    """The headline metric of rows of one stage; ``None`` where there is no scored row."""
    columns = _columns(stage, [row for row in rows if row["score"] is not None])
    sums: list[float] = [sum(column) for column in zip(*columns, strict=True)]
    if not sums:
        return None
    if stage in _F1_COUNTS:
        tp, fp, fn = sums
        return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else None
    right, items = sums
    return right / items


def advantage(
    stage: Stage, rows: Sequence[RowLike], others: Sequence[RowLike], *, seed: int = 0, resamples: int = 2000
) -> Estimate:
    """How much better ``rows`` are than ``others`` in a stage's headline metric, on the cases scored for both.

    Returns:
        Difference with its 95 % interval from the paired bootstrap over clusters; no value without common cases.
    """
    by_case = {row["case_id"]: row for row in others if row["score"] is not None}
    pairs = [(row, by_case[row["case_id"]]) for row in rows if row["score"] is not None and row["case_id"] in by_case]
    return paired_bootstrap(
        _columns(stage, [other for _, other in pairs]),
        _columns(stage, [own for own, _ in pairs]),
        [own["cluster"] for own, _ in pairs],
        _statistic(stage),
        seed=seed,
        resamples=resamples,
    )


def _statistic(stage: Stage) -> Statistic:
    return f1 if stage in _F1_COUNTS else mean


def _columns(stage: Stage, rows: Sequence[RowLike]) -> list[tuple[float, ...]]:
    """The summed columns of the headline metric: counts for F1, right answers and their number for accuracies."""
    if stage in _F1_COUNTS:
        return [_counts(row, _F1_COUNTS[stage]) for row in rows]
    if stage is Stage.OUTCOME:
        return [(tp, tp + fn) for tp, _, fn in (_counts(row, "all") for row in rows)]
    return [(float(row["score"]), 1.0) for row in rows]


def _counts(row: RowLike, name: str) -> tuple[float, float, float]:
    counts = row["counts"].get(name) or {"tp": 0, "fp": 0, "fn": 0}
    return float(counts["tp"]), float(counts["fp"]), float(counts["fn"])


def _total(rows: Sequence[RowLike], name: str) -> tuple[float, float, float]:
    counts = [_counts(row, name) for row in rows]
    return sum(tp for tp, _, _ in counts), sum(fp for _, fp, _ in counts), sum(fn for _, _, fn in counts)


def _summary(
    rows: list[RowLike], template: Mapping[tuple[str, str, str], RowLike], seed: int, resamples: int
) -> StageSummary:
    first = rows[0]
    stage = Stage(first["stage"])
    scored = [row for row in rows if row["score"] is not None]
    return StageSummary(
        dataset=first["dataset"],
        modality=first["modality"],
        stage=stage,
        mode=first["mode"],
        elicit=first["elicit"],
        model=first["model"],
        metric=METRICS[stage],
        estimate=_estimate(stage, scored, seed, resamples),
        n=len(rows),
        parse_failed=_with_status(rows, "parse_failed"),
        model_failed=_with_status(rows, "model_failed"),
        unscored=len(rows) - len(scored),
        tokens_in=_mean_tokens(rows, "input"),
        tokens_out=_mean_tokens(rows, "output"),
        further=_further(stage, scored),
        confusion=_confusion(scored) if stage is Stage.VARIABLES else {},
        skill=_skill(scored, template) if stage is Stage.GRAPH else None,
    )


def _estimate(stage: Stage, rows: Sequence[RowLike], seed: int, resamples: int) -> Estimate:
    clusters = [row["cluster"] for row in rows]
    if stage in (Stage.INTERVENTION, Stage.ANSWER):
        return proportion([row["score"] == 1 for row in rows], clusters, seed=seed, resamples=resamples)
    return cluster_bootstrap(_columns(stage, rows), clusters, _statistic(stage), seed=seed, resamples=resamples)


def _with_status(rows: Sequence[RowLike], status: str) -> int:
    return sum(row["status"] == status for row in rows)


def _mean_tokens(rows: Sequence[RowLike], side: str) -> float:
    return sum(int(row["tokens"][side]) for row in rows) / len(rows)


def _further(stage: Stage, rows: Sequence[RowLike]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, key in _FURTHER_F1.get(stage, {}).items():
        tp, fp, fn = _total(rows, key)
        found[name] = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else None
    for name, key in _FURTHER_RECALLS.get(stage, {}).items():
        tp, _, fn = _total(rows, key)
        found[name] = tp / (tp + fn) if tp + fn else None
    for name, key in _FURTHER_MEANS.get(stage, {}).items():
        values = [float(row["measures"][key]) for row in rows if key in row["measures"]]
        found[name] = sum(values) / len(values) if values else None
    return found


def _confusion(rows: Sequence[RowLike]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        for key, count in row["measures"].items():
            if key.startswith("confusion:"):
                gold, _, predicted = key.removeprefix("confusion:").partition(">")
                found[gold, predicted] = found.get((gold, predicted), 0) + round(count)
    return found


def _skill(rows: Sequence[RowLike], template: Mapping[tuple[str, str, str], RowLike]) -> float | None:
    others = [template.get((str(row["dataset"]), str(row["stage"]), str(row["case_id"]))) for row in rows]
    present = [row for row in others if row is not None]
    if not rows or len(present) != len(rows):
        return None
    own, constant = headline(Stage.GRAPH, rows), headline(Stage.GRAPH, present)
    return (own - constant) / (1 - constant) if own is not None and constant is not None and constant < 1 else None
