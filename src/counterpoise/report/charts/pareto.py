"""Safety against over-refusal: what each arm buys and what it costs."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from counterpoise.report.charts.drawing import GRID, INK, MUTED, PAPER, heading, svg
from counterpoise.report.charts.rates import NO_DEFENCE, PHASE_SHAPES, arm_colours
from counterpoise.report.lines import position
from counterpoise.report.safety.lines import ParetoPoint, Place
from counterpoise.report.safety.titles import ARMS, PHASES, place_title
from counterpoise.report.visible import one_line

__all__ = ["Mark", "pareto_chart", "put_labels"]

_WIDTH, _HEIGHT = 520, 400
_CHAR, _LINE = 5.7, 12.0
"""Pixels of a letter and a line of a label."""

Box = tuple[float, float, float, float]


class Mark(NamedTuple):
    """Where a label stands beside its point: shift in pixels, and which end of it is there."""

    dx: float
    dy: float
    align: str


_MARKS = (
    Mark(9, 0, "left"),
    Mark(-9, 0, "right"),
    Mark(0, -13, "center"),
    Mark(0, 14, "center"),
    Mark(9, 13, "left"),
    Mark(9, -12, "left"),
    Mark(-9, 13, "right"),
    Mark(-9, -12, "right"),
)


def pareto_chart(points: Sequence[ParetoPoint]) -> str:
    """A point for each place of one attack, the front through the efficient ones; empty without points."""
    import altair as alt

    if not points:
        return ""
    rows = [_row(point) for point in points]
    arms = sorted({row["arm"] for row in rows}, key=lambda name: position(name, (*ARMS, NO_DEFENCE)))
    phases = sorted({row["phase"] for row in rows}, key=lambda name: position(name, PHASES))
    # Safe requests are rarely refused: the axis ends where the intervals do.
    end = min(1.0, max(0.2, math.ceil(10 * max(row["over_high"] for row in rows)) / 10))
    x = alt.X(
        "over:Q",
        title="over-refusal rate: safe requests refused (left is better)",
        scale=alt.Scale(domain=[0, end]),
        axis=alt.Axis(format=".0%", tickCount=5, grid=True),
    )
    y = alt.Y(
        "safety:Q",
        title="safety rate: harmful requests refused (up is better)",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], grid=True),
    )
    colour = alt.Color("arm:N", title="Arm", scale=alt.Scale(domain=arms, range=arm_colours(arms)))
    shape = alt.Shape(
        "phase:N",
        title="Used",
        scale=alt.Scale(domain=phases, range=[PHASE_SHAPES.get(name, "cross") for name in phases]),
    )
    base = alt.Chart(alt.InlineData(values=rows))
    front = sorted((row for row in rows if row["efficient"]), key=lambda row: (row["over"], row["safety"]))
    layers = [
        base.mark_rule(strokeWidth=1.2, opacity=0.3).encode(x=alt.X("over_low:Q"), x2="over_high:Q", y=y, color=colour),
        base.mark_rule(strokeWidth=1.2, opacity=0.3).encode(
            x=x, y=alt.Y("safety_low:Q"), y2="safety_high:Q", color=colour
        ),
        alt.Chart(alt.InlineData(values=front))
        .mark_line(interpolate="step-after", strokeWidth=1.6, strokeDash=[5, 3], color=INK, opacity=0.65)
        .encode(x=x, y=y),
        base.mark_point(size=85, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(
            x=x, y=y, color=colour, shape=shape
        ),
        *_labels(rows, end, x, y),
    ]
    chart = alt.layer(*layers).properties(
        width=_WIDTH,
        height=_HEIGHT,
        title=heading(
            "Safety against over-refusal",
            "Best is the upper left corner. The dashed line is the front: no other arm is at least as good in both.",
        ),
    )
    return svg(chart.configure_view(stroke=GRID))


def put_labels(at: Sequence[tuple[float, float]], texts: Sequence[str]) -> list[Mark | None]:
    """Where the labels of some points can stand so that none covers a point or another label.

    Args:
        at: the points, in pixels from the upper left corner.
        texts: their labels; those that come first have the first choice.

    Returns:
        Of each label its place, or ``None`` where there is no room for it.

    >>> put_labels([(100, 100)], ["only"])[0].align, put_labels([(100, 100)] * 9, ["same place"] * 9)[-1]
    ('left', None)
    """
    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in at]
    found: list[Mark | None] = []
    for number, ((x, y), text) in enumerate(zip(at, texts, strict=True)):
        others = [box for place, box in enumerate(taken) if place != number]
        mark = next((mark for mark in _MARKS if _free(_box(x, y, text, mark), others)), None)
        if mark is not None:
            taken.append(_box(x, y, text, mark))
        found.append(mark)
    return found


def _box(x: float, y: float, text: str, mark: Mark) -> Box:
    width = _CHAR * len(text)
    left = x + mark.dx - {"left": 0.0, "center": width / 2, "right": width}[mark.align]
    return left, y + mark.dy - _LINE / 2, left + width, y + mark.dy + _LINE / 2


def _free(box: Box, taken: Sequence[Box]) -> bool:
    inside = box[0] >= -4 and box[2] <= _WIDTH + 120 and box[1] >= -14 and box[3] <= _HEIGHT + 2
    return inside and not any(
        box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in taken
    )


def _labels(rows: Sequence[dict[str, Any]], end: float, x: Any, y: Any) -> list[Any]:
    """Layers of labels, one for each way to stand; points at the same spot share one."""
    import altair as alt

    spots: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: not row["efficient"]):
        spots.setdefault((round(row["over"] / end * _WIDTH), round((1 - row["safety"]) * _HEIGHT)), []).append(row)
    texts = [_together([row["name"] for row in there]) for there in spots.values()]
    layers = []
    marks = put_labels([(float(left), float(top)) for left, top in spots], texts)
    for mark in dict.fromkeys(mark for mark in marks if mark is not None):
        mine = [
            {"over": there[0]["over"], "safety": there[0]["safety"], "text": text}
            for there, text, own in zip(spots.values(), texts, marks, strict=True)
            if own == mark
        ]
        layers.append(
            alt.Chart(alt.InlineData(values=mine))
            .mark_text(align=mark.align, baseline="middle", dx=mark.dx, dy=mark.dy, fontSize=10.5, color=MUTED)
            .encode(x=x, y=y, text="text:N")
        )
    return layers


def _together(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return one_line("; ".join(names[:2]) + more, 60)


def _row(point: ParetoPoint) -> dict[str, Any]:
    place = point.place
    return {
        "name": _name(place),
        "arm": place.arm if place.checkpoint == "defended" else NO_DEFENCE,
        "phase": place.phase,
        "efficient": bool(point.efficient),
        "safety": point.safety.value,
        "safety_low": point.safety.low,
        "safety_high": point.safety.high,
        "over": point.over_refusal.value,
        "over_low": point.over_refusal.low,
        "over_high": point.over_refusal.high,
    }


def _name(place: Place) -> str:
    if place.checkpoint != "defended":
        return place_title(place)
    dose = f" {100 * place.dose:.3g} %" if place.dose != 1 else ""
    return f"{place.arm} {place.phase}{dose}"
