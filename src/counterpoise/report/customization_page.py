"""What the customization section of the page shows, prepared for its template."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from counterpoise.report import charts
from counterpoise.report.lines import CHECKPOINTS, RateLine, arm_title, position

__all__ = ["Arm", "RateGroup", "RateRow", "rate_charts", "rate_groups"]


@dataclass(frozen=True, slots=True)
class RateRow:
    """A checkpoint with the rate of each column; ``None`` where it was not measured."""

    checkpoint: str
    seeds: int
    cells: tuple[RateLine | None, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """The checkpoints of one arm in one phase."""

    title: str
    rows: tuple[RateRow, ...]


@dataclass(frozen=True, slots=True)
class RateGroup:
    """The rates of one run; columns are (metric, prompt set), judges (metrics, judge, agreement)."""

    run: str
    model: str
    judges: tuple[tuple[tuple[str, ...], str, str | None], ...]
    columns: tuple[tuple[str, str], ...]
    arms: tuple[Arm, ...]


def rate_groups(rates: Sequence[RateLine]) -> list[RateGroup]:
    """The rates of each run, by arm and checkpoint."""
    groups = []
    for run in dict.fromkeys(line.run for line in rates):
        mine = [line for line in rates if line.run == run]
        columns = tuple(dict.fromkeys((line.metric, line.prompt_set) for line in mine))
        arms = dict.fromkeys((line.phase, line.arm) for line in mine)
        groups.append(
            RateGroup(
                run=run,
                model=mine[0].model,
                judges=tuple(
                    (tuple(dict.fromkeys(line.metric for line in mine if line.judge == judge)), judge, agreement)
                    for judge, agreement in dict.fromkeys((line.judge, line.agreement) for line in mine)
                ),
                columns=columns,
                arms=tuple(
                    Arm(arm_title(*arm), _rate_rows([line for line in mine if (line.phase, line.arm) == arm], columns))
                    for arm in arms
                ),
            )
        )
    return groups


def _rate_rows(lines: Sequence[RateLine], columns: Sequence[tuple[str, str]]) -> tuple[RateRow, ...]:
    rows = []
    checkpoints = dict.fromkeys(line.checkpoint for line in lines)
    for checkpoint in sorted(checkpoints, key=lambda name: position(name, CHECKPOINTS)):
        cells = {(line.metric, line.prompt_set): line for line in lines if line.checkpoint == checkpoint}
        seeds = max(line.seeds for line in cells.values())
        rows.append(RateRow(checkpoint, seeds, tuple(cells.get(column) for column in columns)))
    return tuple(rows)


def rate_charts(rates: Sequence[RateLine]) -> dict[str, list[tuple[str, Markup]]]:
    """For each run, a chart of every metric and prompt set, with the metric's name."""
    drawn: dict[str, list[tuple[str, Markup]]] = {}
    for run, metric, prompts in dict.fromkeys((line.run, line.metric, line.prompt_set) for line in rates):
        mine = [line for line in rates if (line.run, line.metric, line.prompt_set) == (run, metric, prompts)]
        drawn.setdefault(run, []).append((metric, Markup(charts.rate_dots(mine))))
    return drawn
