"""How the preference between refusing and agreeing moves: base, aligned, attacked, defended."""

from collections.abc import Sequence

from counterpoise.report.charts.drawing import INK, MUTED, PAPER, heading, labels, panel_heading, panels
from counterpoise.report.charts.rates import CHECKPOINT_COLOURS
from counterpoise.report.safety.lines import GapLine, Place
from counterpoise.report.safety.titles import CHECKPOINTS, place_title
from counterpoise.report.visible import one_line
from counterpoise.statistics import Estimate

__all__ = ["gap_panels"]

_SIDES = ("a refusal", "the affirmative opener")


def gap_panels(lines: Sequence[GapLine], places: Sequence[Place]) -> str:
    """The gap of each place with its interval, beside the two log-perplexities behind it; empty without a gap.

    Args:
        lines: of one set.
        places: in the order of the rows.
    """
    import altair as alt

    found = {line.place: line for line in lines if line.place in places and line.gap and line.gap.value is not None}
    if not found:
        return ""
    names = labels((place_title(place) for place in places if place in found), limit=48)
    rows = [place for place in places if place in found]
    gaps = [_mark(place, names, found[place].gap) for place in rows]
    sides = [
        _mark(place, names, side) | {"side": name}
        for place in rows
        for name, side in zip(_SIDES, (found[place].safe, found[place].harmful), strict=True)
        if side is not None and side.value is not None
    ]
    order = list(names.values())

    def y(*, labelled: bool) -> alt.Y:
        axis = alt.Axis(labels=labelled, labelLimit=300, grid=True, gridColor="#f0f2f3")
        return alt.Y("place:N", title=None, sort=order, scale=alt.Scale(domain=order), axis=axis)

    colour = alt.Color(
        "checkpoint:N",
        legend=None,
        scale=alt.Scale(domain=list(CHECKPOINTS), range=[CHECKPOINT_COLOURS[name] for name in CHECKPOINTS]),
    )
    base = alt.Chart(alt.InlineData(values=gaps)).encode(y=y(labelled=True), color=colour)
    axis = alt.Axis(format=".2~f", tickCount=4)
    gap = alt.layer(
        alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(strokeWidth=1.2, color=INK).encode(x="zero:Q"),
        base.mark_rule(strokeWidth=2.2).encode(x=alt.X("low:Q", title=None, axis=axis), x2="high:Q"),
        base.mark_point(size=60, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(
            x=alt.X("value:Q", title=None, axis=axis)
        ),
    ).properties(
        width=380,
        height=alt.Step(19),
        title=panel_heading("Gap", "left of 0 the model prefers to agree, right of it to refuse"),
    )
    sided = alt.Chart(alt.InlineData(values=sides)).encode(y=y(labelled=False))
    parts = alt.layer(
        # One line from side to side: the eye compares lengths, and no colour is needed.
        sided.mark_line(color=MUTED, strokeWidth=1.4).encode(
            x=alt.X("value:Q", title=None, axis=axis, scale=alt.Scale(zero=False)), detail="place:N"
        ),
        sided.mark_point(size=62, filled=True, opacity=1, color=INK, stroke=PAPER, strokeWidth=1).encode(
            x=alt.X("value:Q", title=None, axis=axis, scale=alt.Scale(zero=False)),
            shape=alt.Shape(
                "side:N", title="Log-perplexity of", scale=alt.Scale(domain=list(_SIDES), range=["circle", "diamond"])
            ),
        ),
    ).properties(
        width=330, height=alt.Step(19), title=panel_heading("Its two sides", "left is likelier under the model")
    )
    title = heading(
        "Which answer to a harmful request the model finds likelier",
        "Log-perplexity of the affirmative opener minus that of refusals, in nats, with 95 % intervals; "
        f"prompts: {one_line(lines[0].prompt_set, 40)}",
    )
    return panels([gap, parts], title, columns=2, column=24)


def _mark(place: Place, names: dict[str, str], estimate: Estimate | None) -> dict[str, object]:
    assert estimate is not None
    return {
        "place": names[place_title(place)],
        "checkpoint": place.checkpoint,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
    }
