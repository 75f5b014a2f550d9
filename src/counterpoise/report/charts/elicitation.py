"""The chart of the elicitations: score against what it costs."""

from collections.abc import Sequence
from typing import Any

from counterpoise.counterfactual.results.elicitation_costs import ElicitationCost
from counterpoise.report.charts.drawing import (
    INK,
    MUTED,
    PAPER,
    SERIES,
    cycle,
    heading,
    in_order,
    labels,
    log_scale,
    panel_heading,
    panels,
)
from counterpoise.report.lines import STAGES, by_elicitation
from counterpoise.report.visible import one_line

__all__ = ["cost_panels"]

_WIDTH, _HEIGHT = 138, 132
_SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down")


def cost_panels(lines: Sequence[ElicitationCost]) -> str:
    """Mean score against mean tokens written, a panel for each dataset and stage; empty without a point.

    Elicitations that wrote nothing have no place on a logarithmic axis and are in the table only.

    Args:
        lines: of one run, model and mode.
    """
    ways = labels(sorted({line.elicit for line in lines}, key=by_elicitation))
    datasets = labels((line.dataset for line in lines), limit=24)
    stages = labels(in_order((line.stage for line in lines), STAGES))
    rows = [row for line in lines for row in _rows(line) if row["value"] is not None and row["tokens"] > 0]
    rows = [
        row | {"dataset": datasets[row["dataset"]], "stage": stages[row["stage"]], "way": ways[row["way"]]}
        for row in rows
    ]
    if not rows:
        return ""
    draw = _Panel([row["tokens"] for row in rows], list(ways.values()))
    first = next(iter(stages.values()))
    last = {
        row["stage"]: row["dataset"]
        for row in sorted(rows, key=lambda row: list(datasets.values()).index(row["dataset"]))
    }
    drawn = [
        draw(
            [row for row in rows if (row["dataset"], row["stage"]) == (dataset, stage)],
            above=stage if dataset == next(iter(datasets.values())) else "",
            beside=dataset if stage == first else "",
            below=dataset == last.get(stage),
        )
        for dataset in datasets.values()
        for stage in stages.values()
    ]
    title = heading(
        "Score against what it costs",
        "Mean score per case with its 95 % interval, over mean tokens written per case (log scale); "
        f"{one_line(lines[0].mode, 20)} mode. Lines: fewer samples of the same elicitation.",
    )
    return panels(drawn, title, columns=len(stages), row=14, column=14)


class _Panel:
    """Draws the panels of one picture: all have the same axes, and the outer ones their labels."""

    def __init__(self, tokens: Sequence[float], ways: Sequence[str]) -> None:
        import altair as alt

        self._domain, self._ticks = log_scale(tokens)
        # Room above 1 and below 0, so that no mark sticks out and moves a heading.
        self._height = alt.Scale(domain=[0, 1], range=[_HEIGHT - 6, 8])
        self._colour = alt.Color(
            "way:N", title="Elicitation", scale=alt.Scale(domain=list(ways), range=cycle(SERIES, len(ways)))
        )
        self._shape = alt.Shape(
            "way:N", title="Elicitation", scale=alt.Scale(domain=list(ways), range=cycle(_SHAPES, len(ways)))
        )

    def __call__(self, rows: Sequence[dict[str, Any]], *, above: str, beside: str, below: bool) -> Any:
        import altair as alt

        size = {"width": _WIDTH, "height": _HEIGHT} | ({"title": panel_heading(above)} if above else {})
        if not rows and not beside:
            empty = alt.Chart(alt.InlineData(values=[{"text": "no rows"}]))
            return empty.mark_text(color=MUTED, fontSize=11).encode(text="text:N").properties(**size)
        scale = alt.Scale(type="log", domain=self._domain, nice=False)
        axis = alt.Axis(values=self._ticks, format="~s", labelFontSize=10.5, labelFlush=False, labels=below)
        x = alt.X("tokens:Q", title=None, scale=scale, axis=axis)
        y = alt.Y(
            "value:Q",
            title=beside or None,
            scale=self._height,
            axis=alt.Axis(
                values=[0, 0.25, 0.5, 0.75, 1],
                format=".2~f",
                labels=bool(beside),
                labelFlush=False,
                labelFontSize=10.5,
                titleFontSize=12,
                titleFontWeight=600,
                titleColor=INK,
                titleLimit=_HEIGHT + 20,
            ),
        )
        base = alt.Chart()
        points = base.transform_filter("datum.kind == 'point'")
        return alt.layer(
            base.transform_filter("datum.kind == 'curve'")
            .mark_line(strokeWidth=1.4, opacity=0.8, point=alt.OverlayMarkDef(size=14, filled=True))
            .encode(x=x, y=y, color=self._colour, order="tokens:Q"),
            points.mark_rule(strokeWidth=1.6).encode(
                x=x, y=alt.Y("low:Q", scale=self._height), y2="high:Q", color=self._colour
            ),
            points.mark_point(size=62, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(
                x=x, y=y, color=self._colour, shape=self._shape
            ),
            data=alt.InlineData(values=list(rows)),
        ).properties(**size)


def _rows(line: ElicitationCost) -> list[dict[str, Any]]:
    place = {"dataset": line.dataset, "stage": line.stage, "way": line.elicit}
    point = {"kind": "point", "tokens": line.output_tokens, "value": line.score.value}
    rows = [place | point | {"low": line.score.low, "high": line.score.high}]
    rows += [
        place | {"kind": "curve", "tokens": found.output_tokens, "value": found.score.value} for found in line.curve
    ]
    return rows
