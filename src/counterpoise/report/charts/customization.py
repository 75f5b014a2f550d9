"""The chart of a lab run."""

from collections.abc import Sequence

from counterpoise.report.charts.drawing import MUTED, PAPER, cycle, heading, in_order, labels, sentence, svg
from counterpoise.report.lines import CHECKPOINTS, RateLine, arm_title
from counterpoise.report.visible import one_line

__all__ = ["rate_dots"]

_CHECKPOINT_COLOURS = ("#6d757d", "#0072B2", "#D55E00", "#009E73")


def rate_dots(lines: Sequence[RateLine]) -> str:
    """Rates of one metric and prompt set with intervals: a panel for each arm, a row for each checkpoint."""
    import altair as alt

    arms = labels(_arm(line) for line in lines)
    checkpoints = labels(in_order((line.checkpoint for line in lines), CHECKPOINTS))
    rows = [
        {"arm": arms[_arm(line)], "checkpoint": checkpoints[line.checkpoint], "value": line.estimate.value}
        | {"low": line.estimate.low, "high": line.estimate.high, "n": f"n={line.estimate.n}"}
        for line in lines
        if line.estimate.value is not None
    ]
    if not rows:
        return ""
    metric, prompts = lines[0].metric, lines[0].prompt_set
    good = "higher is safer" if metric == "safety rate" else "lower is better"
    scale = alt.Scale(domain=[0, 1])
    colour = alt.Color(
        "checkpoint:N",
        legend=None,
        scale=alt.Scale(domain=list(checkpoints.values()), range=cycle(_CHECKPOINT_COLOURS, len(checkpoints))),
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("checkpoint:N", title=None, sort=list(checkpoints.values())), color=colour
    )
    width = 250
    title = f"{sentence(metric)}, with 95 % interval"
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], labelFlush=False)
    chart = (
        alt.layer(
            base.mark_rule(strokeWidth=2.4).encode(x=alt.X("low:Q", scale=scale, axis=axis, title=title), x2="high:Q"),
            base.mark_point(size=95, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(
                x=alt.X("value:Q", scale=scale, axis=axis, title=title)
            ),
            base.mark_text(align="left", dx=8, fontSize=10.5).encode(
                text="n:N", x=alt.value(width), color=alt.value(MUTED)
            ),
        )
        .properties(width=width, height=alt.Step(25))
        .facet(
            row=alt.Row(
                "arm:N",
                title=None,
                sort=list(arms.values()),
                header=alt.Header(
                    labelAngle=0, labelAlign="left", labelFontSize=12.5, labelFontWeight=600, labelPadding=12
                ),
            ),
            spacing=10,
            title=heading(f"{sentence(metric)} by arm and checkpoint", f"{good}; prompts: {one_line(prompts, 40)}"),
        )
        .resolve_scale(y="independent")
    )
    return svg(chart)


def _arm(line: RateLine) -> str:
    return arm_title(line.phase, line.arm)
