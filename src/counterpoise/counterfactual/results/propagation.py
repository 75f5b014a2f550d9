"""What errors that are passed on cost each stage: the model's own earlier answers against gold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from counterpoise.counterfactual.case import Stage
from counterpoise.counterfactual.results.metrics import advantage, metric_of, summarise
from counterpoise.statistics import Estimate, mcnemar

__all__ = ["Propagation", "propagations"]

RowLike = Mapping[str, Any]

_BINARY = (Stage.INTERVENTION, Stage.ABDUCTION, Stage.ANSWER)
_NO_VALUE = Estimate(None, None, None, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """A stage given the model's own earlier answers against the same stage given gold.

    For the answer stage, ``isolated`` is the question asked at once, without any stage before it: the difference is
    then what taking the question apart gains.

    Attributes:
        run: the run of the rows; likewise ``model``, ``elicit``, ``dataset``, ``stage``.
        metric: the stage's headline metric.
        isolated: its value in isolated mode, on the cases scored in both modes.
        chained: its value in chained mode, on the same cases.
        difference: ``chained - isolated``, paired; no value where no case is scored in both.
        p: exact McNemar p-value where a case scores 0 or 1; else ``None``.
        left_out: cases with a row in one of the modes that are not scored in both.
    """

    run: str
    model: str
    elicit: str
    dataset: str
    stage: str
    metric: str
    isolated: Estimate
    chained: Estimate
    difference: Estimate
    p: float | None
    left_out: int


def propagations(rows: Sequence[RowLike], *, seed: int = 0, resamples: int = 2000) -> list[Propagation]:
    """Chained minus isolated for each model, elicitation, dataset and stage that has chained rows.

    Args:
        rows: rows of one run as JSON objects, see :class:`~counterpoise.counterfactual.score.DiagnosisRow`;
            substitution rows are not read.
        seed: of the bootstrap.
        resamples: of the bootstrap.

    Returns:
        In order of first appearance, stages in their own order.
    """
    groups: dict[tuple[str, ...], dict[Stage, dict[str, dict[str, RowLike]]]] = {}
    for row in rows:
        if row["mode"] in ("isolated", "chained"):
            key = tuple(row[name] for name in ("run", "model", "elicit", "dataset"))
            sides = groups.setdefault(key, {}).setdefault(Stage(row["stage"]), {"isolated": {}, "chained": {}})
            sides[row["mode"]][row["case_id"]] = row
    return [
        _propagation(key, stage, stages[stage], seed, resamples)
        for key, stages in groups.items()
        for stage in Stage
        if stage in stages and stages[stage]["chained"]
    ]


def _propagation(
    key: tuple[str, ...], stage: Stage, sides: Mapping[str, Mapping[str, RowLike]], seed: int, resamples: int
) -> Propagation:
    run, model, elicit, dataset = key
    gold, own = sides["isolated"], sides["chained"]
    cases = sorted({*gold, *own})
    both = [case for case in cases if all(case in s and s[case]["score"] is not None for s in (gold, own))]
    isolated, chained = [gold[case] for case in both], [own[case] for case in both]
    binary = both and stage in _BINARY and all(row["score"] in (0, 1) for row in (*isolated, *chained))
    return Propagation(
        run=run,
        model=model,
        elicit=elicit,
        dataset=dataset,
        stage=str(stage),
        metric=metric_of(stage, [*isolated, *chained]),
        isolated=_level(isolated, seed, resamples),
        chained=_level(chained, seed, resamples),
        difference=advantage(stage, chained, isolated, seed=seed, resamples=resamples),
        p=mcnemar([r["score"] == 1 for r in isolated], [r["score"] == 1 for r in chained]) if binary else None,
        left_out=len(cases) - len(both),
    )


def _level(rows: Sequence[RowLike], seed: int, resamples: int) -> Estimate:
    """The headline estimate of rows of one stage and mode."""
    return summarise(rows, seed=seed, resamples=resamples)[0].estimate if rows else _NO_VALUE
