"""What the sections on customization and verification show, prepared for their templates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup

from counterpoise.report import charts
from counterpoise.report.safety.grid import Grid, grid_of
from counterpoise.report.safety.lines import (
    ChangeLine,
    Curve,
    GateLine,
    Judged,
    Place,
    RateLine,
    ReasoningChange,
    ReasoningLine,
    SafetyRun,
    TrainingLine,
)
from counterpoise.report.safety.titles import COMPARISONS, EVERY_SET, SHARES, by_place, main_places

__all__ = ["AttackView", "LabView", "Panel", "lab_view", "panel"]

_FIRST_NOTES = 10

Line = TypeVar("Line", ChangeLine, GateLine, ReasoningChange)


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart with its caption."""

    svg: Markup
    caption: str


@dataclass(frozen=True, slots=True)
class AttackView:
    """One attack of a lab run: its grid, the charts in plain sight, and those that are folded."""

    grid: Grid
    first: tuple[Panel, ...]
    more: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class LabView:
    """One lab run.

    Attributes:
        notes: in plain sight; ``more_notes`` are folded.
        rates: every rate, by place.
        changes: every paired change, by comparison.
        gates: every gate, by comparison.
        reasoning: every stage, by place.
        reasoning_changes: by comparison.
    """

    run: str
    model: str
    seeds: int
    ratios: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]
    more_notes: tuple[str, ...]
    attacks: tuple[AttackView, ...]
    rates: tuple[tuple[Place, tuple[RateLine, ...]], ...]
    changes: tuple[tuple[str, tuple[ChangeLine, ...]], ...]
    gates: tuple[tuple[str, tuple[GateLine, ...]], ...]
    reasoning: tuple[tuple[Place, tuple[ReasoningLine, ...]], ...]
    reasoning_changes: tuple[tuple[str, tuple[ReasoningChange, ...]], ...]
    training: tuple[TrainingLine, ...]


def lab_view(run: SafetyRun) -> LabView:
    """What is shown of a lab run."""
    return LabView(
        run=run.run,
        model=run.model,
        seeds=len(run.seeds),
        ratios=run.main_ratios,
        notes=run.notes[:_FIRST_NOTES],
        more_notes=run.notes[_FIRST_NOTES:],
        attacks=tuple(_attack(run, name) for name in dict(run.main_ratios) or ("",)) if run.rates else (),
        rates=tuple(
            (place, tuple(line for line in run.rates if line.place == place))
            for place in sorted({line.place for line in run.rates}, key=by_place)
        ),
        changes=_by_comparison(run.changes),
        gates=_by_comparison(run.gates),
        reasoning=tuple(
            (place, tuple(line for line in run.reasoning if line.place == place))
            for place in sorted({line.place for line in run.reasoning}, key=by_place)
        ),
        reasoning_changes=_by_comparison(run.reasoning_changes),
        training=run.training,
    )


def _by_comparison(lines: Sequence[Line]) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """The lines of each comparison, in the order in which places are shown."""
    found = {name: [line for line in lines if line.comparison == name] for name in COMPARISONS}
    return tuple(
        (name, tuple(sorted(mine, key=lambda line: by_place(line.after)))) for name, mine in found.items() if mine
    )


def _attack(run: SafetyRun, name: str) -> AttackView:
    grid = grid_of(run, name)
    return AttackView(grid, tuple(_first_panels(run, grid)), tuple(_more_panels(run, name, grid.places)))


def _first_panels(run: SafetyRun, grid: Grid) -> Iterator[Panel]:
    name = grid.attack
    columns = [column.what for column in grid.columns if column.what.metric in SHARES]
    yield from panel(
        charts.rate_panels(grid.rates, grid.places, columns),
        "The numbers of the table above. Each row is a checkpoint; bars are 95 % intervals.",
    )
    ratio = dict(run.main_ratios).get(name)
    points = [p for p in run.pareto if p.place.attack == name and (p.efficient is None or p.place.ratio == ratio)]
    judge = points[0].judge if points else ""
    yield from panel(
        charts.pareto_chart([point for point in points if point.judge == judge]),
        f"Both rates by {judge}. Faint bars are 95 % intervals: arms whose bars overlap have not been shown to differ, "
        "and the front is drawn through the values alone. Points without room for a label are in the table.",
    )


def _more_panels(run: SafetyRun, name: str, places: Sequence[Place]) -> Iterator[Panel]:
    yield from panel(
        charts.curve_panels(
            _one_judge([c for c in run.dose_response if c.attack == name and c.ratio == dict(run.main_ratios)[name]]),
            axis="share of the dose",
            title="Dose and response",
            subtitle="How much of the defender's data it takes; dose 0 is the undefended model. Root axis.",
        ),
        "Dose is the share of the plan's loss-bearing tokens that an arm got.",
    )
    yield from panel(
        charts.curve_panels(
            _one_judge([c for c in run.ratio_sweep if c.attack == name]),
            axis="share of the attack's own examples",
            title="Ratio of the attack",
            subtitle="How few harmful examples undo the alignment, with and without a defence. Root axis.",
        ),
        "At 0 % the customer's data is ordinary instruction data alone.",
    )
    gaps = [line for line in run.gaps if line.place in places]
    for prompts in dict.fromkeys(line.prompt_set for line in gaps):
        yield from panel(
            charts.gap_panels([line for line in gaps if line.prompt_set == prompts], places),
            "Perplexity of answers that are given, not of what the model writes: no judge is involved.",
        )
    thought = [line for line in run.reasoning if line.place.attack in ("", name)]
    order = main_places(run, name, (line.place for line in thought))
    yield from panel(
        charts.reasoning_panels(thought, order),
        "A slice of the counterfactual diagnosis, each stage given the gold of those before it. The table of changes "
        "below pairs the cases.",
    )


def _one_judge(curves: Sequence[Curve]) -> list[Curve]:
    """The curves of each metric by its first judge, of its pooled set where there are several."""
    pooled = {(c.what.measure, c.what.metric) for c in curves if c.what.prompt_set == EVERY_SET}
    sets = [c for c in curves if c.what.prompt_set == EVERY_SET or (c.what.measure, c.what.metric) not in pooled]
    first: dict[str, Judged] = {}
    for curve in sets:
        # Refusals of ordinary requests are another metric of the same name.
        if curve.what.measure != "helpfulness":
            first.setdefault(curve.what.metric, curve.what)
    return [curve for curve in sets if first.get(curve.what.metric) == curve.what]


def panel(svg: str, caption: str) -> Iterator[Panel]:
    """A chart with its caption, if there is anything in it."""
    if svg:
        yield Panel(Markup(svg), caption)
