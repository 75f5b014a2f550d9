"""The tables of a lab run and of a verification, without their charts: page and terminal show the same ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from counterpoise.report.lines import position
from counterpoise.report.safety.lines import (
    MODEL,
    MODEL_BEFORE,
    ChangeLine,
    GateLine,
    Judged,
    Place,
    RateLine,
    SafetyRun,
)
from counterpoise.report.safety.titles import (
    EVERY_SET,
    METRICS,
    early,
    headline_columns,
    main_places,
    metric_title,
    of_attack,
    phase_title,
    place_title,
    whole_gates,
)

__all__ = [
    "Grid",
    "GridBlock",
    "GridColumn",
    "GridRow",
    "JudgeTable",
    "VerifyRow",
    "grid_of",
    "judge_tables",
    "verify_rows",
]

_GATES = {"utility": "accuracy", "over_refusal": "over_refusal_rate"}


@dataclass(frozen=True, slots=True)
class GridRow:
    """A place with the rate of each column, and its gates; ``None`` where something was not measured."""

    title: str
    cells: tuple[RateLine | None, ...]
    gates: tuple[GateLine | None, ...]


@dataclass(frozen=True, slots=True)
class GridBlock:
    """The places of one phase."""

    title: str
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A metric of the grid with any of its rates, for the judge's agreement."""

    what: Judged
    line: RateLine


@dataclass(frozen=True, slots=True)
class JudgeTable:
    """A metric that several judges decide: places by judges.

    Attributes:
        judges: one rate of each, for its name and agreement.
        rows: titles of places, with the rate by each judge.
    """

    title: str
    judges: tuple[RateLine, ...]
    rows: tuple[tuple[str, tuple[RateLine | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The rates of one attack of a lab run, phase by arm.

    Attributes:
        attack: its name.
        title: name and main ratio; empty where the run has one attack of one ratio.
        places: the rows, in order.
        rates: of these places.
        gate_names: the gates that were measured, in the order of the rows' gates.
        persona: whether what comes before the attack was asked under the attack's own persona.
    """

    attack: str
    title: str
    places: tuple[Place, ...]
    rates: tuple[RateLine, ...]
    columns: tuple[GridColumn, ...]
    gate_names: tuple[str, ...]
    blocks: tuple[GridBlock, ...]
    judges: tuple[JudgeTable, ...]
    persona: bool


@dataclass(frozen=True, slots=True)
class VerifyRow:
    """A metric of a set by one judge: now, before, what changed, and the gate on it."""

    rate: RateLine
    before: RateLine | None
    change: ChangeLine | None
    gate: GateLine | None


def grid_of(run: SafetyRun, attack: str) -> Grid:
    """The grid of one attack: its main ratio and the whole dose, with what comes before the attack."""
    rates = of_attack(run.rates, attack)
    places = main_places(run, attack, (line.place for line in rates))
    mine = [line for line in rates if line.place in places]
    columns = headline_columns(mine)
    gates = whole_gates(run, "whole")
    names = tuple(gate for gate in _GATES if any((place, gate) in gates for place in places))
    several = len(run.main_ratios) > 1
    ratio = dict(run.main_ratios).get(attack, 1.0)
    return Grid(
        attack=attack,
        title=f"{attack}, ratio {100 * ratio:.3g} %" if several or (attack and ratio != 1) else "",
        places=tuple(places),
        rates=tuple(mine),
        columns=tuple(GridColumn(what, next(line for line in mine if line.what == what)) for what in columns),
        gate_names=names,
        blocks=tuple(_blocks(mine, places, columns, names, gates)),
        judges=tuple(judge_tables(mine, places)),
        persona=any(line.place.attack == attack != "" and early(line.place) for line in run.rates),
    )


def verify_rows(run: SafetyRun) -> list[VerifyRow]:
    """Every metric of a verification, those that come first on the page in the order of their names."""
    rates = [line for line in run.rates if line.place == MODEL]
    before = {line.what: line for line in run.rates if line.place == MODEL_BEFORE}
    changes = {change.what: change for change in run.changes}
    gates = {Judged(gate.measure, gate.prompt_set, _GATES.get(gate.gate, ""), gate.judge): gate for gate in run.gates}
    rows = [VerifyRow(line, before.get(line.what), changes.get(line.what), gates.get(line.what)) for line in rates]
    return sorted(rows, key=lambda row: position(row.rate.what.metric, METRICS))


def _blocks(
    grid: Sequence[RateLine],
    places: Sequence[Place],
    columns: Sequence[Judged],
    names: Sequence[str],
    gates: Mapping[tuple[Place, str], GateLine],
) -> Iterator[GridBlock]:
    cells = {(line.place, line.what): line for line in grid}
    for phase in dict.fromkeys(place.phase for place in places):
        rows = [
            GridRow(
                place.arm if place.checkpoint == "defended" else place_title(place),
                tuple(cells.get((place, what)) for what in columns),
                tuple(gates.get((place, name)) for name in names),
            )
            for place in places
            if place.phase == phase
        ]
        yield GridBlock(phase_title(phase), tuple(rows))


def judge_tables(rates: Sequence[RateLine], places: Sequence[Place]) -> Iterator[JudgeTable]:
    """A table for each metric and set that more than one judge decides."""
    found: dict[tuple[str, str, str], dict[str, RateLine]] = {}
    for line in rates:
        found.setdefault((line.what.measure, line.what.prompt_set, line.what.metric), {}).setdefault(
            line.what.judge, line
        )
    pooled = {(measure, metric) for measure, name, metric in found if name == EVERY_SET}
    for (measure, name, metric), judges in found.items():
        if len(judges) < 2 or (name != EVERY_SET and (measure, metric) in pooled):
            continue
        cells = {
            (line.place, line.what.judge): line
            for line in rates
            if (line.what.measure, line.what.prompt_set, line.what.metric) == (measure, name, metric)
        }
        rows = [
            (place_title(place), tuple(cells.get((place, judge)) for judge in judges))
            for place in places
            if any((place, judge) in cells for judge in judges)
        ]
        yield JudgeTable(f"{metric_title(metric)} on {name}", tuple(judges.values()), tuple(rows))
