"""The rates of every place beside each other, with their intervals."""

from collections.abc import Sequence
from typing import Any

from counterpoise.report.charts.drawing import PAPER, heading, labels, panel_heading, panels, sentence
from counterpoise.report.safety.lines import Judged, Place, RateLine
from counterpoise.report.safety.titles import CHECKPOINTS, metric_title, place_title
from counterpoise.report.visible import one_line

__all__ = ["CHECKPOINT_COLOURS", "NO_DEFENCE", "PHASE_SHAPES", "arm_colours", "rate_panels"]

CHECKPOINT_COLOURS = {
    "base": "#6d757d",
    "before": "#6d757d",
    "aligned": "#0072B2",
    "attacked": "#D55E00",
    "defended": "#009E73",
    "verified": "#0072B2",
}

NO_DEFENCE = "no defence"
"""How the absence of an arm is called in a legend."""

ARM_COLOURS = {
    "curated": "#0072B2",
    "curated-min": "#56B4E9",
    "curated-random": "#CC79A7",
    "contrast": "#7A3E9D",
    "uncurated": "#D55E00",
    "refusals": "#009E73",
    "refusals-backdoor": "#E69F00",
    NO_DEFENCE: "#6d757d",
}
"""An arm has the same colour in every chart."""

PHASE_SHAPES = {
    "none": "circle",
    "before": "triangle-down",
    "during": "diamond",
    "after": "square",
    "every": "triangle-up",
}

_WIDTH = 860
"""Pixels of the panels together."""

_GOOD = {
    "safety_rate": "higher is safer",
    "attack_success_rate": "lower is safer",
    "over_refusal_rate": "lower is better",
}


def arm_colours(arms: Sequence[str]) -> list[str]:
    """The colours of some arms."""
    return [ARM_COLOURS.get(arm, "#1d2329") for arm in arms]


def rate_panels(rates: Sequence[RateLine], places: Sequence[Place], columns: Sequence[Judged]) -> str:
    """A panel for each metric, a row for each place; empty without a rate to draw.

    Args:
        rates: of one attack.
        places: in the order of the rows.
        columns: what is drawn, shares only.
    """
    import altair as alt

    names = labels((place_title(place) for place in places), limit=48)
    rows = {place: names[place_title(place)] for place in places}
    drawn = []
    shown = [what for what in columns if any(_here(line, what, rows) for line in rates)]
    for number, what in enumerate(shown):
        lines = [line for line in rates if _here(line, what, rows)]
        values = [
            {
                "place": rows[line.place],
                "checkpoint": line.place.checkpoint,
                "value": line.estimate.value,
                "low": line.estimate.low,
                "high": line.estimate.high,
            }
            for line in lines
        ]
        axis = alt.Axis(format=".0%", values=[0, 0.5, 1], labelFlush=False)
        scale = alt.Scale(domain=[0, 1])
        base = alt.Chart(alt.InlineData(values=values)).encode(
            y=alt.Y(
                "place:N",
                title=None,
                sort=list(rows.values()),
                scale=alt.Scale(domain=list(rows.values())),
                axis=alt.Axis(labels=number == 0, labelLimit=300, grid=True, gridColor="#f0f2f3"),
            ),
            color=alt.Color("checkpoint:N", legend=None, scale=_checkpoints()),
        )
        attacked = [value for value in values if value["checkpoint"] == "attacked"]
        drawn.append(
            alt.layer(
                alt.Chart(alt.InlineData(values=attacked))
                .mark_rule(strokeDash=[3, 3], strokeWidth=1, color=CHECKPOINT_COLOURS["attacked"], opacity=0.6)
                .encode(x=alt.X("value:Q", scale=scale, axis=axis, title=None)),
                base.mark_rule(strokeWidth=2.2).encode(
                    x=alt.X("low:Q", scale=scale, axis=axis, title=None), x2="high:Q"
                ),
                base.mark_point(size=60, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(
                    x=alt.X("value:Q", scale=scale, axis=axis, title=None)
                ),
            ).properties(
                width=max(90, _WIDTH // max(3, len(shown)) - 20),
                height=alt.Step(19),
                title=panel_heading(sentence(metric_title(what.metric)), _under(what, lines)),
            )
        )
    title = heading(
        "Every checkpoint and arm" if _attacked(places) else "Before and after",
        "With 95 % intervals. The dashed line is the attacked model, which a defence starts from."
        if _attacked(places)
        else "With 95 % intervals.",
    )
    return panels(drawn, title, columns=len(shown), column=20)


def _here(line: RateLine, what: Judged, rows: Any) -> bool:
    return line.what == what and line.place in rows and line.estimate.value is not None


def _attacked(places: Sequence[Place]) -> bool:
    return any(place.checkpoint == "attacked" for place in places)


def _under(what: Judged, lines: Sequence[RateLine]) -> str:
    counts = sorted({line.estimate.n for line in lines})
    n = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return ", ".join(part for part in (_GOOD.get(what.metric, ""), f"n={n}", one_line(what.prompt_set, 24)) if part)


def _checkpoints() -> Any:
    import altair as alt

    colours = [CHECKPOINT_COLOURS[name] for name in CHECKPOINTS]
    return alt.Scale(domain=list(CHECKPOINTS), range=colours)
