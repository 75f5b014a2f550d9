"""How metrics depend on the dose of the defence, or on the ratio of the attack."""

from collections.abc import Sequence
from typing import Any

from counterpoise.report.charts.drawing import PAPER, heading, labels, panel_heading, panels, sentence
from counterpoise.report.charts.rates import NO_DEFENCE, PHASE_SHAPES, arm_colours
from counterpoise.report.lines import position
from counterpoise.report.safety.lines import Curve
from counterpoise.report.safety.titles import ARMS, METRICS, PHASES, SHARES, metric_title
from counterpoise.report.visible import one_line

__all__ = ["curve_panels"]

_SHOWN = ("safety_rate", "over_refusal_rate", "log_perplexity_gap")
_DASHES: dict[str, list[int]] = {"before": [2, 3], "during": [6, 3], "after": [1, 0], "every": [8, 3, 2, 3]}


def curve_panels(curves: Sequence[Curve], *, axis: str, title: str, subtitle: str) -> str:
    """A panel for each metric, a line for each arm and phase; empty without curves.

    Args:
        curves: of one attack, one judge and one set of each metric.
        axis: what the horizontal axis is, in words.
        title: of the figure.
        subtitle: under it.
    """
    import altair as alt

    shown = [curve for curve in curves if curve.what.metric in _SHOWN]
    if not shown:
        return ""
    order = sorted(shown, key=lambda curve: (position(curve.phase, PHASES), position(curve.arm, ARMS)))
    arms = list(dict.fromkeys(_arm(curve) for curve in order))
    phases = list(dict.fromkeys(curve.phase for curve in order))
    names = labels(arms, limit=50)
    colour = alt.Color("arm:N", title="Arm", scale=alt.Scale(domain=list(names.values()), range=arm_colours(arms)))
    used = alt.Legend() if len(phases) > 1 else None
    shape = alt.Shape(
        "phase:N",
        title="Used",
        legend=used,
        scale=alt.Scale(domain=phases, range=[PHASE_SHAPES.get(phase, "cross") for phase in phases]),
    )
    dash = alt.StrokeDash(
        "phase:N", legend=None, scale=alt.Scale(domain=phases, range=[_DASHES.get(phase, [1, 0]) for phase in phases])
    )
    drawn = []
    for metric in sorted({curve.what.metric for curve in shown}, key=lambda name: position(name, METRICS)):
        mine = [curve for curve in order if curve.what.metric == metric]
        ticks = sorted({point.at for curve in mine for point in curve.points})
        x = alt.X(
            "at:Q",
            title=axis,
            # Small shares are where most happens; the root gives them room.
            scale=alt.Scale(type="sqrt", domain=[0, max(1, *ticks)]),
            axis=alt.Axis(values=ticks, format=".3~%", labelFlush=False, labelOverlap=True),
        )
        share = metric in SHARES
        y_scale = alt.Scale(domain=[0, 1]) if share else alt.Scale(zero=True)
        y_axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]) if share else alt.Axis(format=".1f")
        base = alt.Chart(alt.InlineData(values=_rows(mine, names))).encode(x=x, color=colour)
        y = alt.Y("value:Q", title=None, scale=y_scale, axis=y_axis)
        drawn.append(
            alt.layer(
                base.mark_rule(strokeWidth=1.4, opacity=0.45).encode(
                    y=alt.Y("low:Q", title=None, scale=y_scale, axis=y_axis), y2="high:Q"
                ),
                base.mark_line(strokeWidth=2).encode(y=y, strokeDash=dash),
                base.mark_point(size=60, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(y=y, shape=shape),
            ).properties(
                width=290,
                height=200,
                title=panel_heading(sentence(metric_title(metric)), one_line(mine[0].what.prompt_set, 40)),
            )
        )
    return panels(drawn, heading(title, subtitle), columns=min(3, len(drawn)), column=34)


def _rows(curves: Sequence[Curve], names: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "arm": names[_arm(curve)],
            "phase": curve.phase,
            "at": point.at,
            "value": point.estimate.value,
            "low": point.estimate.low,
            "high": point.estimate.high,
        }
        for curve in curves
        for point in curve.points
        if point.estimate.value is not None
    ]


def _arm(curve: Curve) -> str:
    return NO_DEFENCE if curve.phase == "none" else curve.arm
