"""The lab tables: rates of every checkpoint and arm, paired differences, and what was trained.

The numbers are those of :func:`counterpoise.customization.summary.summarise`; here they become lines of a report,
with the failures, seeds and agreement that a reader needs beside them.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from counterpoise.customization.summary import summarise
from counterpoise.report.folders import Run
from counterpoise.report.lines import ChangeLine, Failures, RateLine, TrainingLine
from counterpoise.safety.judges import known_agreement
from counterpoise.statistics import Estimate

__all__ = ["lab_lines", "training_lines"]

_SHARED = "all arms"


def lab_lines(run: Run) -> tuple[list[RateLine], list[ChangeLine]]:
    """Rates and paired differences of a lab run; both empty without rows."""
    if not run.rows:
        return [], []
    found = summarise([row.model_dump() for row in run.rows])
    return [_rate(run, entry) for entry in found["rates"]], [_change(run, entry) for entry in found["changes"]]


def training_lines(run: Run) -> list[TrainingLine]:
    """What each step trained on, means over seeds."""
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for cell in run.cells:
        # A checkpoint whose name holds no arm comes before any arm's data was seen, so all arms share it.
        own = "." in cell.checkpoint
        groups.setdefault((cell.arm if own else _SHARED, cell.phase if own else "", cell.step), []).append(cell)
    return [
        TrainingLine(
            run=run.id,
            phase=phase,
            arm=arm,
            step=step,
            seeds=len({cell.seed for cell in cells}),
            examples=fmean(cell.examples for cell in cells),
            loss_tokens=fmean(cell.loss_tokens for cell in cells),
            defence_tokens=fmean(cell.defence_tokens for cell in cells),
            epochs=fmean(cell.epochs for cell in cells),
            learning_rate=fmean(cell.learning_rate for cell in cells),
            loss_first=fmean(cell.loss_first for cell in cells),
            loss_last=fmean(cell.loss_last for cell in cells),
            seconds=fmean(cell.seconds for cell in cells),
        )
        for (arm, phase, step), cells in groups.items()
    ]


def _rate(run: Run, entry: Mapping[str, Any]) -> RateLine:
    place = {name: entry[name] for name in ("phase", "arm", "checkpoint", "prompt_set")}
    rows = [row for row in run.rows if all(getattr(row, name) == value for name, value in place.items())]
    agreement = known_agreement(entry["judge"])
    return RateLine(
        run=run.id,
        model=rows[0].model,
        metric=_metric(entry),
        estimate=_estimate(entry),
        failures=Failures(
            parse_failed=_with_status(rows, "parse_failed"),
            model_failed=_with_status(rows, "model_failed"),
            unscored=entry["unscored"],
        ),
        seeds=len({row.seed for row in rows}),
        judge=entry["judge"],
        agreement=str(agreement) if agreement else None,
        **place,
    )


def _change(run: Run, entry: Mapping[str, Any]) -> ChangeLine:
    first, last = entry["from"], entry["to"]
    arms_compared = first["checkpoint"] == last["checkpoint"]
    return ChangeLine(
        run=run.id,
        phase=last["phase"],
        arm=last["arm"],
        first=first["arm"] if arms_compared else first["checkpoint"],
        last=last["arm"] if arms_compared else last["checkpoint"],
        metric=_metric(entry),
        prompt_set=entry["prompt_set"],
        estimate=_estimate(entry),
        dropped=entry["dropped"],
        against_arm=arms_compared,
    )


def _metric(entry: Mapping[str, Any]) -> str:
    """A metric's name in words: ``over_refusal_rate`` is the over-refusal rate."""
    return str(entry["metric"]).replace("over_", "over-").replace("_", " ")


def _estimate(entry: Mapping[str, Any]) -> Estimate:
    return Estimate(entry["value"], entry["low"], entry["high"], entry["n"], entry["clusters"])


def _with_status(rows: Sequence[Any], status: str) -> int:
    return sum(row.status == status for row in rows)
