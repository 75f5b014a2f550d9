"""From rows to the numbers of the stage table: extract columns, prepare sums, compute estimates.

Each stage has one headline metric: micro-F1 over all variables, micro-F1 over directed edges, accuracy of the
intervention, of the abduction (every unseen cause right), accuracy per variable of the outcome stage, accuracy of the
answer. Failed rows are in every
denominator; unscored rows are in none and are counted beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from counterpoise.counterfactual.case import Role, Stage
from counterpoise.statistics import Estimate, Statistic, cluster_bootstrap, f1, mean, paired_bootstrap, proportion

__all__ = [
    "EDIT_METRIC",
    "METRICS",
    "TEMPLATE_MODEL",
    "StageSummary",
    "advantage",
    "headline",
    "metric_of",
    "summarise",
]

RowLike = Mapping[str, Any]

METRICS: dict[Stage, str] = {
    Stage.VARIABLES: "variable F1",
    Stage.GRAPH: "edge F1",
    Stage.INTERVENTION: "accuracy",
    Stage.ABDUCTION: "accuracy",
    Stage.OUTCOME: "accuracy per variable",
    Stage.ANSWER: "accuracy",
}
"""The headline metric of each stage."""

EDIT_METRIC = "word edit F1"
"""The headline metric of the answer stage where the answer is a rewritten text: its mean over cases."""

TEMPLATE_MODEL = "baseline/constant-template"
"""The ``model`` of the rows that skill is measured against."""

_F1_COUNTS = {Stage.VARIABLES: "all", Stage.GRAPH: "edge"}
_FURTHER_F1 = {
    Stage.VARIABLES: {"variable": "all", **{str(role): str(role) for role in Role}},
    Stage.GRAPH: {
        "edge": "edge",
        "edge among matched nodes": "edge_matched",
        "skeleton": "skeleton",
        "orientation": "orientation",
    },
}
"""Given with precision and recall."""
_EXACT_F1 = {
    Stage.VARIABLES: {"variable F1, exact names": "all_exact"},
    Stage.GRAPH: {"edge F1, exact names": "edge_exact"},
}
_FURTHER_MEANS = {
    Stage.VARIABLES: {"role accuracy": "role_accuracy", "factual value accuracy": "value_accuracy"},
    Stage.GRAPH: {"mean SHD": "shd", "mean SID": "sid", "acyclic rate": "acyclic", "exact graph rate": "exact"},
    Stage.INTERVENTION: {
        "variable accuracy": "variable_match",
        "value accuracy": "value_match",
        "accuracy, exact": "exact",
    },
    Stage.OUTCOME: {"outcome accuracy": "outcome_correct"},
}
_FURTHER_RECALLS = {
    Stage.ABDUCTION: {
        "accuracy per unseen cause": "all",
        "accuracy where it is settled": "settled",
        "accuracy where it is open": "open",
    },
    Stage.OUTCOME: {"mediator accuracy": "mediator", "accuracy per variable, exact": "all_exact"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSummary:
    """One line of the stage table.

    Attributes:
        dataset: of the rows; likewise ``modality``, ``stage``, ``mode``, ``upto``, ``elicit``, ``k``, ``model``.
        metric: name of the headline metric.
        estimate: its value, 95 % interval and denominator in rows; no value where every row is unscored.
        n: rows, whatever their status.
        parse_failed: rows whose completion could not be read; they score 0.
        model_failed: rows for which the model gave no completion; they score 0.
        unscored: rows without a score; not in the estimate.
        tokens_in: mean prompt tokens per row.
        tokens_out: mean completion tokens per row.
        further: secondary metrics by name: precision, recall and F1 per role and kind of edge, rates; ``None`` where
            undefined. ``mean SHD`` counts edges and ``mean SID`` pairs of variables, all others are in [0, 1].
        confusion: variables stage: ``(gold role, predicted role)`` to a number of variables; ``missing`` stands for the
            predicted role of those that were not found, ``none`` for the gold role of those that were invented.
        errors: graph stage: kind of wrong edge to how many, see
            :func:`~counterpoise.counterfactual.dag.error_kinds`.
        skill: graph stage, where rows of the constant template for the same cases were given:
            ``(F1 - F1_template) / (1 - F1_template)``, at most 1, negative when below the template; else ``None``.
    """

    dataset: str
    modality: str
    stage: Stage
    mode: str
    upto: str
    elicit: str
    k: int
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
    errors: dict[str, int] = field(default_factory=dict)
    skill: float | None = None


def summarise(
    rows: Sequence[RowLike], *, baselines: Sequence[RowLike] = (), seed: int = 0, resamples: int = 2000
) -> list[StageSummary]:
    """One summary per dataset, mode, last stage given, elicitation, model and stage.

    In order of first appearance, stages in their own order.

    Args:
        rows: rows of a diagnosis as JSON objects, see :class:`~counterpoise.counterfactual.score.DiagnosisRow`.
        baselines: baseline rows of the same cases; used for ``skill`` only.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        The summaries; no rows give an empty list.
    """
    template = {_key(row): row for row in baselines if row["model"] == TEMPLATE_MODEL}
    groups: dict[tuple[str, ...], list[RowLike]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row[name] or "") for name in _GROUP), []).append(row)
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


_GROUP = ("dataset", "mode", "upto", "elicit", "model", "stage")


def _key(row: RowLike) -> tuple[str, ...]:
    """What a row and the baseline's row beside it have in common."""
    return tuple(str(row[name] or "") for name in ("dataset", "stage", "mode", "upto", "case_id"))


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
    rows: Sequence[RowLike], template: Mapping[tuple[str, ...], RowLike], seed: int, resamples: int
) -> StageSummary:
    first = rows[0]
    stage = Stage(first["stage"])
    scored = [row for row in rows if row["score"] is not None]
    return StageSummary(
        dataset=first["dataset"],
        modality=first["modality"],
        stage=stage,
        mode=first["mode"],
        upto=str(first["upto"] or ""),
        elicit=first["elicit"],
        k=first["k"],
        model=first["model"],
        metric=metric_of(stage, rows),
        estimate=_estimate(stage, scored, seed, resamples),
        n=len(rows),
        parse_failed=_with_status(rows, "parse_failed"),
        model_failed=_with_status(rows, "model_failed"),
        unscored=len(rows) - len(scored),
        tokens_in=_mean_tokens(rows, "input"),
        tokens_out=_mean_tokens(rows, "output"),
        further=_further(stage, scored),
        confusion={_cell(name): n for name, n in _occurrences(scored, "confusion:").items()},
        errors=_occurrences(scored, "error:"),
        skill=_skill(scored, template) if stage is Stage.GRAPH else None,
    )


def _estimate(stage: Stage, rows: Sequence[RowLike], seed: int, resamples: int) -> Estimate:
    clusters = [row["cluster"] for row in rows]
    if stage in (Stage.INTERVENTION, Stage.ABDUCTION, Stage.ANSWER) and not _edited(rows):
        return proportion([row["score"] == 1 for row in rows], clusters, seed=seed, resamples=resamples)
    return cluster_bootstrap(_columns(stage, rows), clusters, _statistic(stage), seed=seed, resamples=resamples)


def metric_of(stage: Stage, rows: Sequence[RowLike]) -> str:
    """Name of the headline metric of rows of one stage."""
    return EDIT_METRIC if _edited(rows) else METRICS[stage]


def _edited(rows: Sequence[RowLike]) -> bool:
    return any("edit" in row["counts"] for row in rows)


def _with_status(rows: Sequence[RowLike], status: str) -> int:
    return sum(row["status"] == status for row in rows)


def _mean_tokens(rows: Sequence[RowLike], side: str) -> float:
    return sum(int(row["tokens"][side]) for row in rows) / len(rows)


def _further(stage: Stage, rows: Sequence[RowLike]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, key in _FURTHER_F1.get(stage, {}).items():
        tp, fp, fn = _total(rows, key)
        found[f"{name} precision"] = tp / (tp + fp) if tp + fp else None
        found[f"{name} recall"] = tp / (tp + fn) if tp + fn else None
        found[f"{name} F1"] = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else None
    for name, key in _EXACT_F1.get(stage, {}).items():
        tp, fp, fn = _total(rows, key)
        found[name] = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else None
    for name, key in _FURTHER_RECALLS.get(stage, {}).items():
        tp, _, fn = _total(rows, key)
        found[name] = tp / (tp + fn) if tp + fn else None
    for name, key in _FURTHER_MEANS.get(stage, {}).items():
        values = [float(row["measures"][key]) for row in rows if key in row["measures"]]
        found[name] = sum(values) / len(values) if values else None
    if _edited(rows):
        found["exact text rate"] = sum(row["measures"].get("exact", 0.0) for row in rows) / len(rows)
    return found


def _occurrences(rows: Sequence[RowLike], prefix: str) -> dict[str, int]:
    """Sums of the measures whose names begin with the prefix, most frequent first."""
    found: dict[str, int] = {}
    for row in rows:
        for key, count in row["measures"].items():
            if key.startswith(prefix):
                name = key.removeprefix(prefix)
                found[name] = found.get(name, 0) + round(count)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _cell(name: str) -> tuple[str, str]:
    gold, _, predicted = name.partition(">")
    return gold, predicted


def _skill(rows: Sequence[RowLike], template: Mapping[tuple[str, ...], RowLike]) -> float | None:
    others = [template.get(_key(row)) for row in rows]
    present = [row for row in others if row is not None]
    if not rows or len(present) != len(rows):
        return None
    own, constant = headline(Stage.GRAPH, rows), headline(Stage.GRAPH, present)
    return (own - constant) / (1 - constant) if own is not None and constant is not None and constant < 1 else None
