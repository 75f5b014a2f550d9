"""The charts of the attribution: where the end result is lost, and what errors that are passed on cost each stage."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from counterpoise.counterfactual.results.attribution import Attribution
from counterpoise.counterfactual.results.propagation import Propagation
from counterpoise.report.charts.drawing import (
    INK,
    MUTED,
    PAPER,
    SERIES,
    heading,
    in_order,
    labels,
    panel_heading,
    panels,
    score_axis,
)
from counterpoise.report.lines import STAGES, Baseline
from counterpoise.report.visible import one_line
from counterpoise.report.wording import attribution_titles, interval, score, shift, step_title
from counterpoise.report.wording import cost as in_words

__all__ = ["dumbbells", "waterfalls"]

_WIDTH = 300
_RESULT = "chained result"
_AT_ONCE = "asked at once"
_KINDS = ("loss", "not clear", "gain", "end result")
_COLOURS = (SERIES[1], "#efc7a5", SERIES[2], "#9aa5ae")
_MODES = ("given gold", "given own answers")


def waterfalls(
    attributions: Sequence[Attribution],
    at_once: Sequence[Propagation] = (),
    floors: Mapping[str, Baseline] | None = None,
) -> str:
    """From 1 down to the chained result, a bar a step, one panel a dataset; empty where nothing could be attributed.

    Args:
        attributions: of one run, model and elicitation, in the order to be drawn; those without costs are left out.
        at_once: the answer stage of the same: what asking the question at once gives, drawn as the last bar.
        floors: by dataset, the best baseline of the chained answer, drawn as a line.
    """
    shown = [one for one in attributions if one.costs]
    titles = [title for one, title in zip(attributions, attribution_titles(attributions), strict=True) if one.costs]
    names = labels(titles, limit=44)
    beside = {one.dataset: one for one in at_once if one.stage == "answer" and one.isolated.value is not None}
    drawn = [
        _waterfall(one, names[name], beside.get(one.dataset), (floors or {}).get(one.dataset))
        for one, name in zip(shown, titles, strict=True)
    ]
    title = heading(
        "Where the end result is lost",
        "Accuracy of the answer, from 1 (every stage right and read right) down to the model's own chain. "
        "Whiskers: 95 % interval of the step.",
    )
    return panels(drawn, title, columns=2)


def _waterfall(one: Attribution, name: str, at_once: Propagation | None, floor: Baseline | None) -> Any:
    import altair as alt

    bars, level = [], 1.0
    for cost in reversed(one.costs):
        estimate = cost.estimate
        if estimate.value is None or estimate.low is None or estimate.high is None:
            continue
        after = level - estimate.value
        kind = "not clear" if not cost.clear else "loss" if estimate.value > 0 else "gain"
        bars.append(
            {"step": step_title(cost.stage), "from": level, "to": after, "kind": kind}
            | {"low": _inside(level - estimate.high), "high": _inside(level - estimate.low)}
            | {"text": in_words(estimate)}
        )
        level = after
    ends = [(_RESULT, one.chained)] + ([(_AT_ONCE, at_once.isolated)] if at_once else [])
    for label, estimate in ends:
        bars.append(
            {"step": label, "from": 0.0, "to": estimate.value, "kind": "end result"}
            | {"low": estimate.low, "high": estimate.high, "text": f"{score(estimate.value)} {interval(estimate)}"}
        )
    steps = [bar["step"] for bar in bars]
    links = [
        {"step": bar["step"], "next": later["step"], "at": bar["to"]}
        for bar, later in pairwise(bars)
        if later["step"] != _AT_ONCE
    ]
    y = alt.Y("step:N", title=None, sort=steps, scale=alt.Scale(domain=steps, padding=0.28))
    scale = alt.Scale(domain=[0, 1])
    colour = alt.Color(
        "kind:N", title="Step", scale=alt.Scale(domain=list(_KINDS), range=list(_COLOURS)), legend=alt.Legend()
    )
    base = alt.Chart(alt.InlineData(values=bars)).encode(y=y)
    layers = [
        alt.Chart(alt.InlineData(values=links))
        .mark_rule(color="#aab2b9", strokeWidth=1)
        .encode(x=alt.X("at:Q", scale=scale), y=y, y2="next:N"),
        base.mark_bar(stroke="#00000033", strokeWidth=0.5).encode(
            x=alt.X("from:Q", title=None, scale=scale, axis=score_axis()), x2="to:Q", color=colour
        ),
        base.mark_rule(strokeWidth=1.6, color=INK).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_tick(thickness=1.6, size=7, color=INK).encode(x=alt.X("low:Q", scale=scale)),
        base.mark_tick(thickness=1.6, size=7, color=INK).encode(x=alt.X("high:Q", scale=scale)),
        base.mark_text(align="left", dx=12, fontSize=10.5, color=MUTED).encode(text="text:N", x=alt.value(_WIDTH)),
    ]
    said = ""
    if floor is not None and floor.estimate.value is not None:
        said = f"dashed: best baseline, {one_line(floor.name, 30)}, {score(floor.estimate.value)}"
        level_line = alt.Chart(alt.InlineData(values=[{"at": floor.estimate.value}]))
        layers.insert(0, level_line.mark_rule(color=SERIES[0], strokeDash=[4, 3]).encode(x=alt.X("at:Q", scale=scale)))
    title = panel_heading(f"{name} · n={one.n}", said)
    return alt.layer(*layers).properties(width=_WIDTH, height=alt.Step(27), title=title)


def dumbbells(lines: Sequence[Propagation]) -> str:
    """Each stage given gold and given the model's own earlier answers, one panel a dataset; empty without a pair.

    Args:
        lines: of one run, model and elicitation.
    """
    drawn = []
    for dataset, label in labels(line.dataset for line in lines).items():
        mine = [line for line in lines if line.dataset == dataset and line.difference.value is not None]
        if mine:
            drawn.append(_dumbbell(mine, label))
    title = heading(
        "Own earlier answers against gold",
        "Each stage's score when it is given the gold of the stages before it, and when it is given the model's own "
        "answers. At the right: the paired difference.",
    )
    return panels(drawn, title, columns=2)


def _dumbbell(lines: Sequence[Propagation], label: str) -> Any:
    import altair as alt

    stages = in_order((line.stage for line in lines), STAGES)
    points, notes = [], []
    for line in lines:
        for mode, estimate in zip(_MODES, (line.isolated, line.chained), strict=True):
            points.append(
                {"stage": line.stage, "mode": mode, "value": estimate.value}
                | {"low": estimate.low, "high": estimate.high}
            )
        notes.append({"stage": line.stage, "text": shift(line.difference)})
    y = alt.Y("stage:N", title=None, sort=stages, scale=alt.Scale(domain=stages))
    offset = alt.YOffset("mode:N", scale=alt.Scale(domain=list(_MODES)))
    scale = alt.Scale(domain=[0, 1])
    colour = alt.Color("mode:N", title="Earlier stages", scale=alt.Scale(domain=list(_MODES), range=list(SERIES[:2])))
    shape = alt.Shape(
        "mode:N", title="Earlier stages", scale=alt.Scale(domain=list(_MODES), range=["circle", "diamond"])
    )
    base = alt.Chart(alt.InlineData(values=points)).encode(y=y, yOffset=offset)
    return alt.layer(
        base.mark_rule(strokeWidth=2.2).encode(
            x=alt.X("low:Q", title=None, scale=scale, axis=score_axis()), x2="high:Q", color=colour
        ),
        base.mark_point(size=80, filled=True, opacity=1, stroke=PAPER, strokeWidth=1).encode(
            x=alt.X("value:Q", title=None, scale=scale), color=colour, shape=shape
        ),
        alt.Chart(alt.InlineData(values=notes))
        .mark_text(align="left", dx=12, fontSize=10.5, color=MUTED)
        .encode(y=y, text="text:N", x=alt.value(_WIDTH)),
    ).properties(
        width=_WIDTH, height=alt.Step(15, **{"for": "offset"}), title=panel_heading(f"{label} · n={_n(lines)}")
    )


def _n(lines: Sequence[Propagation]) -> str:
    """How many pairs the rows rest on: one number, or the range."""
    counts = [line.difference.n for line in lines]
    return str(counts[0]) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def _inside(value: float) -> float:
    """Kept on the axis; the number beside the bar has the whole interval."""
    return min(1.0, max(0.0, value))
