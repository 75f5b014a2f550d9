"""What a lab run found, as lines: the summary of its room, computed from the rows there are, and what was trained."""

from statistics import fmean
from typing import Any

from counterpoise.customization.results.summary import summarise
from counterpoise.report.folders import Run
from counterpoise.report.safety.entries import (
    change_line,
    curve,
    gap_lines,
    gate_lines,
    pareto_point,
    place_of,
    rate_line,
    reasoning_change,
    reasoning_line,
)
from counterpoise.report.safety.lines import SafetyRun, TrainingLine

__all__ = ["lab_found", "training_lines"]

_SHARED = "all arms"


def lab_found(run: Run) -> SafetyRun | None:
    """Everything that is tabulated of a lab run; ``None`` while it has neither rows nor trained steps."""
    if not run.rows and not run.cells:
        return None
    found = summarise([row.model_dump() for row in run.rows], reasoning=run.reasoning)
    rates = tuple(rate_line(entry, place_of(entry)) for entry in found["rates"])
    changes = tuple(change_line(entry, *_between(entry)) for entry in found["changes"])
    thought = found["reasoning"]
    return SafetyRun(
        run=run.id,
        kind=run.kind,
        model=run.rows[0].model if run.rows else "",
        seeds=tuple(found["seeds"]),
        main_ratios=tuple(found["main_ratios"].items()),
        rates=rates,
        changes=changes,
        gates=tuple(gate_lines([(entry, *_between(entry)) for entry in found["gates"]], changes)),
        dose_response=tuple(curve(entry, "dose") for entry in found["dose_response"]),
        ratio_sweep=tuple(curve(entry, "ratio") for entry in found["ratio_sweep"]),
        pareto=tuple(pareto_point(entry) for entry in found["pareto"]),
        gaps=tuple(gap_lines(rates)),
        reasoning=tuple(reasoning_line(entry, place_of(entry)) for entry in thought["rates"]),
        reasoning_changes=tuple(reasoning_change(entry, *_between(entry)) for entry in thought["changes"]),
        training=training_lines(run),
        notes=tuple(found["notes"]),
    )


def training_lines(run: Run) -> tuple[TrainingLine, ...]:
    """What each step trained on, means over seeds."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for cell in run.cells:
        # A step of no arm comes before any arm's data was seen, so all arms share it.
        shared = cell.arm == "nothing"
        arm, phase = (_SHARED, "") if shared else (cell.arm, cell.phase)
        groups.setdefault((cell.attack, phase, arm, cell.dose, cell.ratio, cell.step), []).append(cell)
    return tuple(
        TrainingLine(
            attack=attack,
            phase=phase,
            arm=arm,
            dose=dose,
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
        for (attack, phase, arm, dose, _, step), cells in groups.items()
    )


def _between(entry: Any) -> tuple[str, Any, Any]:
    return entry["comparison"], place_of(entry["from"]), place_of(entry["to"])
