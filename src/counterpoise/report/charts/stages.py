"""The charts of the stage table: scores as a heat map, and with their intervals beside the baselines."""

from collections.abc import Mapping, Sequence
from typing import Any

from counterpoise.report.charts.drawing import (
    INK,
    MUTED,
    PAPER,
    SERIES,
    SHADES,
    cycle,
    heading,
    in_order,
    labels,
    panel_heading,
    panels,
    score_axis,
    sentence,
    svg,
)
from counterpoise.report.lines import ORACLE, STAGES, StageLine
from counterpoise.report.visible import one_line

__all__ = ["heat_map", "stage_intervals"]

_BASELINE_SHAPES = ("triangle-up", "diamond", "square", "cross", "triangle-down")
_WIDTH = 330
_STANDING = {"above": "", "unknown": "", "level": " · at baseline", "below": " · below baseline"}


def heat_map(lines: Sequence[StageLine]) -> str:
    """Datasets × stages of one model: the score in each cell, its n, and whether it lies above the baselines.

    Args:
        lines: of one run and model, one mode and one elicitation: each dataset and stage once.
    """
    import altair as alt

    datasets = labels(line.dataset for line in lines)
    stages = labels(in_order((line.stage for line in lines), STAGES))
    cells = [
        {
            "dataset": datasets[line.dataset],
            "stage": stages[line.stage],
            "value": line.estimate.value,
            "score": "–" if line.estimate.value is None else f"{line.estimate.value:.2f}",
            "note": f"n={line.estimate.n}{_STANDING[line.standing]}",
        }
        for line in lines
    ]
    base = alt.Chart(alt.InlineData(values=cells)).encode(
        x=alt.X("stage:N", title=None, sort=list(stages.values()), axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("dataset:N", title=None, sort=list(datasets.values())),
    )
    ink = alt.condition("datum.value > 0.5", alt.value("#ffffff"), alt.value(INK))
    chart = alt.layer(
        base.mark_rect(stroke=PAPER, strokeWidth=3, cornerRadius=5).encode(
            color=alt.condition(
                "isValid(datum.value)",
                alt.Color("value:Q", scale=alt.Scale(domain=[0, 1], range=list(SHADES)), legend=None),
                alt.value("#eceff1"),
            )
        ),
        base.mark_text(fontSize=18, fontWeight=600, dy=-8).encode(text="score:N", color=ink),
        base.mark_text(fontSize=11, dy=13).encode(text="note:N", color=ink),
    ).properties(
        width=alt.Step(136),
        height=alt.Step(62),
        title=heading(
            "Score by stage and dataset",
            "From 0 (pale) to 1 (dark). A cell is marked unless it is clearly better than the best baseline.",
        ),
    )
    return svg(chart)


def stage_intervals(lines: Sequence[StageLine]) -> str:
    """Each stage's score with its 95 % interval, the baselines of the same cases beside it; one panel a dataset."""
    import altair as alt

    key = _distinguishing(lines)
    series = labels((_series(line, key) for line in lines), limit=60)
    names = labels(in_order((b.name for line in lines for b in line.baselines if b.name != ORACLE), ()))
    stages = labels(in_order((line.stage for line in lines), STAGES))
    own, floors = _marks(lines, key, series, names, stages)
    colour = alt.Color(
        "series:N",
        title=sentence(" · ".join(key)),
        scale=alt.Scale(domain=list(series.values()), range=cycle(SERIES, len(series))),
        legend=alt.Legend() if len(series) > 1 else None,
    )
    shape = alt.Shape(
        "baseline:N",
        title="Baseline without a model",
        scale=alt.Scale(domain=list(names.values()), range=cycle(_BASELINE_SHAPES, len(names))),
    )
    x = alt.X("value:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=score_axis())
    drawn = []
    for dataset, label in labels(line.dataset for line in lines).items():
        mine = [row for row in own if row["dataset"] == dataset]
        theirs = [row for row in floors if row["dataset"] == dataset]
        present = [stage for stage in stages.values() if any(row["stage"] == stage for row in (*mine, *theirs))]
        place_by = {"y": alt.Y("stage:N", title=None, sort=present, scale=alt.Scale(domain=present))}
        if len(series) > 1:
            place_by["yOffset"] = alt.YOffset("series:N", scale=alt.Scale(domain=list(series.values())))
        models = alt.Chart(alt.InlineData(values=mine)).encode(**place_by)
        drawn.append(
            alt.layer(
                alt.Chart(alt.InlineData(values=theirs))
                .mark_point(size=62, filled=False, color="#66707a", opacity=1, strokeWidth=1.4)
                .encode(**place_by, x=x, shape=shape),
                models.mark_rule(strokeWidth=2.4).encode(
                    x=alt.X("low:Q", scale=alt.Scale(domain=[0, 1])), x2="high:Q", color=colour
                ),
                models.mark_point(size=80, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(
                    x=x, color=colour
                ),
                models.mark_text(align="left", dx=10, fontSize=10.5, color=MUTED).encode(
                    text="n:N", x=alt.value(_WIDTH)
                ),
            ).properties(
                width=_WIDTH,
                height=alt.Step(28) if len(series) == 1 else alt.Step(20, **{"for": "offset"}),
                title=panel_heading(label),
            )
        )
    title = heading(
        "Scores against baselines",
        f"{sentence(_setting(lines))}. Scores with 95 % intervals; every mark of a row rests on the same cases.",
    )
    return panels(drawn, title, columns=2)


def _marks(
    lines: Sequence[StageLine],
    key: Sequence[str],
    series: Mapping[str, str],
    names: Mapping[str, str],
    stages: Mapping[str, str],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is drawn of the models, and of the baselines."""
    own, floors = [], []
    for line in lines:
        place = {"dataset": line.dataset, "stage": stages[line.stage], "series": series[_series(line, key)]}
        if line.estimate.value is not None:
            own.append(
                place
                | {"value": line.estimate.value, "n": f"n={line.estimate.n}"}
                | {"low": line.estimate.low, "high": line.estimate.high}
            )
        floors += [
            place | {"baseline": names[baseline.name], "value": baseline.estimate.value}
            for baseline in line.baselines
            if baseline.name in names and baseline.estimate.value is not None
        ]
    return own, floors


def _setting(lines: Sequence[StageLine]) -> str:
    """Mode and elicitation where all lines share them."""
    modes, ways = {line.mode for line in lines}, {line.elicit for line in lines}
    said = [f"{modes.pop()} mode"] if len(modes) == 1 else []
    said += [f"{ways.pop()} elicitation"] if len(ways) == 1 else []
    return one_line(", ".join(said) or "several modes", 60)


def _distinguishing(lines: Sequence[StageLine]) -> tuple[str, ...]:
    """The fewest of model, mode, elicitation and run that tell apart the lines of one dataset and stage."""
    names = ("model", "mode", "elicit", "run")
    whole = len({tuple(getattr(line, name) for name in names) for line in lines})
    for count in range(1, len(names)):
        key = names[:count]
        if len({tuple(getattr(line, name) for name in key) for line in lines}) == whole:
            return key
    return names


def _series(line: StageLine, key: Sequence[str]) -> str:
    return " · ".join(str(getattr(line, name)) for name in key)
