"""Reasoning by stage, at the checkpoints of a lab run or before and after a verification."""

from collections.abc import Sequence

from counterpoise.report.charts.drawing import (
    MUTED,
    PAPER,
    SERIES,
    cycle,
    heading,
    in_order,
    labels,
    panel_heading,
    panels,
    score_axis,
)
from counterpoise.report.lines import STAGES
from counterpoise.report.safety.lines import Place, ReasoningLine
from counterpoise.report.safety.titles import place_title

__all__ = ["reasoning_panels"]

_SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")
_FIRST = {"base": "#6d757d", "before": "#6d757d", "aligned": "#0072B2", "attacked": "#D55E00", "verified": "#0072B2"}


def reasoning_panels(lines: Sequence[ReasoningLine], places: Sequence[Place]) -> str:
    """A panel for each dataset: the score of each stage with its interval, a row for each place; empty without scores.

    Args:
        lines: of one attack.
        places: in the order in which they are shown.
    """
    import altair as alt

    shown = [line for line in lines if line.place in places and line.estimate.value is not None]
    if not shown:
        return ""
    present = [place for place in places if any(line.place == place for line in shown)]
    names = labels((place_title(place) for place in present), limit=48)
    series = [names[place_title(place)] for place in present]
    defended = cycle(SERIES[2:], len(present))
    colours = [_FIRST.get(place.checkpoint, defended[number]) for number, place in enumerate(present)]
    colour = alt.Color("series:N", title="Checkpoint", scale=alt.Scale(domain=series, range=colours))
    shape = alt.Shape("series:N", title="Checkpoint", scale=alt.Scale(domain=series, range=cycle(_SHAPES, len(series))))
    drawn = []
    for dataset, label in labels(line.dataset for line in shown).items():
        mine = [line for line in shown if line.dataset == dataset]
        stages = labels(in_order((line.stage for line in mine), STAGES))
        rows = [
            {
                "series": names[place_title(line.place)],
                "stage": stages[line.stage],
                "value": line.estimate.value,
                "low": line.estimate.low,
                "high": line.estimate.high,
                "n": f"n={line.estimate.n}",
            }
            for line in mine
        ]
        order = list(stages.values())
        base = alt.Chart(alt.InlineData(values=rows)).encode(
            y=alt.Y("stage:N", title=None, sort=order, scale=alt.Scale(domain=order)),
            yOffset=alt.YOffset("series:N", scale=alt.Scale(domain=series)),
        )
        scale = alt.Scale(domain=[0, 1])
        x = alt.X("value:Q", title=None, scale=scale, axis=score_axis())
        drawn.append(
            alt.layer(
                base.mark_rule(strokeWidth=2).encode(
                    x=alt.X("low:Q", title=None, scale=scale, axis=score_axis()), x2="high:Q", color=colour
                ),
                base.mark_point(size=58, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(
                    x=x, color=colour, shape=shape
                ),
                base.mark_text(align="left", dx=10, fontSize=9.5, color=MUTED).encode(text="n:N", x=alt.value(330)),
            ).properties(width=330, height=alt.Step(13, **{"for": "offset"}), title=panel_heading(label))
        )
    title = heading("Reasoning by stage", "Scores from 0 to 1 with 95 % intervals, on the same cases everywhere.")
    return panels(drawn, title, columns=2)
