"""The diagnosis table: datasets × stages of one run, with the baselines of the same cases beside each line."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from counterpoise.counterfactual.metrics import StageSummary, advantage, summarise
from counterpoise.report.folders import Run
from counterpoise.report.lines import Baseline, Failures, StageLine

__all__ = ["stage_lines"]

_BASELINE = "baseline/"

RowLike = Mapping[str, Any]


def stage_lines(run: Run) -> list[StageLine]:
    """The lines of a diagnosis run, in the order of its datasets; empty without rows.

    Answers arrive in any order, and a bootstrap depends on the order of its clusters: rows are sorted first, so the
    same answers give the same intervals. Baselines are compared on the cases that the model has rows for, so a run
    that is not complete is compared fairly.
    """
    named = run.manifest.config.get("datasets")
    order = {name: position for position, name in enumerate(named if isinstance(named, list) else ())}
    sort = partial(sorted, key=lambda row: (order.get(row["dataset"], len(order)), row["dataset"], row["case_id"]))
    rows = sort(row.model_dump() for row in run.rows)
    asked = {(row["dataset"], row["stage"], row["case_id"]) for row in rows}
    beside = sort(row.model_dump() for row in run.baselines)
    beside = [row for row in beside if (row["dataset"], row["stage"], row["case_id"]) in asked]
    floors = summarise(beside)
    return [
        _line(
            run.id, summary, tuple(_baseline(summary, floor, rows, beside) for floor in floors if _same(summary, floor))
        )
        for summary in summarise(rows, baselines=beside)
    ]


def _same(summary: StageSummary, floor: StageSummary) -> bool:
    return (summary.dataset, summary.stage) == (floor.dataset, floor.stage)


def _baseline(
    summary: StageSummary, floor: StageSummary, rows: Sequence[RowLike], beside: Sequence[RowLike]
) -> Baseline:
    def of(one: StageSummary, among: Sequence[RowLike]) -> list[RowLike]:
        key = (one.dataset, one.stage, one.model)
        return [row for row in among if (row["dataset"], row["stage"], row["model"]) == key]

    gain = advantage(summary.stage, of(summary, rows), of(floor, beside))
    return Baseline(floor.model.removeprefix(_BASELINE), floor.estimate, gain)


def _line(run: str, summary: StageSummary, baselines: tuple[Baseline, ...]) -> StageLine:
    return StageLine(
        run=run,
        model=summary.model,
        dataset=summary.dataset,
        stage=str(summary.stage),
        mode=summary.mode,
        elicit=summary.elicit,
        metric=summary.metric,
        estimate=summary.estimate,
        failures=Failures(summary.parse_failed, summary.model_failed, summary.unscored),
        input_tokens=summary.tokens_in,
        output_tokens=summary.tokens_out,
        baselines=baselines,
        skill=summary.skill,
        details=tuple(summary.further.items()),
        confusion=tuple((gold, predicted, n) for (gold, predicted), n in sorted(summary.confusion.items())),
    )
