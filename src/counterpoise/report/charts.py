"""Charts as inline SVG: no script, no identifiers that could clash in one page, an explicit light background.

Colours are from the palette of Okabe and Ito (2008), which stays distinguishable in the common colour vision
deficiencies; colour never carries anything that position or text does not say too.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from counterpoise.report.lines import CHECKPOINTS, ORACLE, STAGES, CurationLine, RateLine, StageLine, arm_title
from counterpoise.report.visible import one_line, visible
from counterpoise.rng import rng_for

__all__ = ["heat_map", "perplexity_slopes", "rate_dots", "stage_intervals"]

_FONT = "Helvetica Neue, Helvetica, Arial, sans-serif"
_INK, _MUTED, _GRID, _PAPER = "#1d2329", "#5b6570", "#e3e6e8", "#ffffff"
_SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_CHECKPOINT_COLOURS = ("#6d757d", "#0072B2", "#D55E00", "#009E73")
_SHADES = ("#f4f1e8", "#b9d3dd", "#6fa5bd", "#2b7199", "#0b3c5d")
_BASELINE_SHAPES = ("triangle-up", "diamond", "square", "cross", "triangle-down")
_STANDING = {"above": "", "unknown": "", "level": " · at baseline", "below": " · below baseline"}
_LABEL = 34
_MOST_SLOPES = 250


def heat_map(lines: Sequence[StageLine]) -> str:
    """Datasets × stages of one model: the score in each cell, its n, and whether it lies above the baselines.

    Args:
        lines: of one run and model, one mode and one elicitation: each dataset and stage once.
    """
    import altair as alt

    datasets = _labels(line.dataset for line in lines)
    stages = _labels(_in_order((line.stage for line in lines), STAGES))
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
    ink = alt.condition("datum.value > 0.5", alt.value("#ffffff"), alt.value(_INK))
    chart = alt.layer(
        base.mark_rect(stroke=_PAPER, strokeWidth=3, cornerRadius=5).encode(
            color=alt.condition(
                "isValid(datum.value)",
                alt.Color("value:Q", scale=alt.Scale(domain=[0, 1], range=list(_SHADES)), legend=None),
                alt.value("#eceff1"),
            )
        ),
        base.mark_text(fontSize=18, fontWeight=600, dy=-8).encode(text="score:N", color=ink),
        base.mark_text(fontSize=11, dy=13).encode(text="note:N", color=ink),
    ).properties(
        width=alt.Step(136),
        height=alt.Step(62),
        title=_title(
            "Score by stage and dataset",
            "From 0 (pale) to 1 (dark). A cell is marked unless it is clearly better than the best baseline.",
        ),
    )
    return _svg(chart)


def stage_intervals(lines: Sequence[StageLine]) -> str:
    """Each stage's score with its 95 % interval, the baselines of the same cases beside it; one panel a dataset."""
    import altair as alt

    key = _distinguishing(lines)
    series = _labels((_series(line, key) for line in lines), limit=60)
    names = _labels(_in_order((b.name for line in lines for b in line.baselines if b.name != ORACLE), ()))
    stages = _labels(_in_order((line.stage for line in lines), STAGES))
    datasets = _labels(line.dataset for line in lines)
    own, floors = [], []
    for line in lines:
        place = {"dataset": datasets[line.dataset], "stage": stages[line.stage], "series": series[_series(line, key)]}
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
    panels = []
    for index, label in enumerate(datasets.values()):
        mine = [row for row in own if row["dataset"] == label]
        theirs = [row for row in floors if row["dataset"] == label]
        present = [stage for stage in stages.values() if any(row["stage"] == stage for row in (*mine, *theirs))]
        last = index == len(datasets) - 1
        y = alt.Y("stage:N", title=None, sort=present)
        x = alt.X(
            "value:Q",
            title="Score (0 to 1), with 95 % interval" if last else None,
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f", labels=last, labelFlush=False),
        )
        colour = alt.Color(
            "series:N",
            title=_sentence(" · ".join(key)),
            scale=alt.Scale(domain=list(series.values()), range=_cycle(_SERIES, len(series))),
        )
        offset = alt.YOffset("series:N", scale=alt.Scale(domain=list(series.values())))
        place_by = {"y": y, "yOffset": offset} if len(series) > 1 else {"y": y}
        models = alt.Chart(alt.InlineData(values=mine)).encode(**place_by)
        panels.append(
            alt.layer(
                alt.Chart(alt.InlineData(values=theirs))
                .mark_point(size=70, filled=False, color="#66707a", opacity=1, strokeWidth=1.5)
                .encode(
                    **place_by,
                    x=x,
                    shape=alt.Shape(
                        "baseline:N",
                        title="Baseline without a model",
                        scale=alt.Scale(domain=list(names.values()), range=_cycle(_BASELINE_SHAPES, len(names))),
                    ),
                ),
                models.mark_rule(strokeWidth=2.4).encode(
                    x=alt.X("low:Q", scale=alt.Scale(domain=[0, 1])), x2="high:Q", color=colour
                ),
                models.mark_point(size=85, filled=True, opacity=1, stroke=_PAPER, strokeWidth=1).encode(
                    x=x, color=colour
                ),
                models.mark_text(align="left", dx=8, fontSize=10.5, color=_MUTED).encode(text="n:N", x=alt.value(560)),
            ).properties(
                width=560,
                height=alt.Step(30) if len(series) == 1 else alt.Step(22, **{"for": "offset"}),
                title=alt.TitleParams(label, fontSize=13, fontWeight=600, anchor="start", offset=6),
            )
        )
    chart = alt.vconcat(*panels, spacing=14).properties(
        title=_title(
            "Scores against baselines",
            "Every mark of a row rests on the same cases. Intervals resample clusters of cases.",
        )
    )
    return _svg(chart)


def perplexity_slopes(line: CurationLine) -> str:
    """Perplexity of each text before and after curation, on a log scale, with the medians in bold.

    With more than 250 texts, a seeded sample of 250 is drawn; the medians are always over all of them. The empty string
    when no text has both values.
    """
    import altair as alt

    pairs = [pair for pair in line.pairs if all(math.isfinite(p) and p > 0 for p in pair)]
    if not pairs:
        return ""
    drawn = pairs if len(pairs) <= _MOST_SLOPES else rng_for(0, "slopes").sample(pairs, _MOST_SLOPES)
    moments = ("original", "revised")
    rows = [
        {"text": index, "when": when, "value": value}
        for index, pair in enumerate(drawn)
        for when, value in zip(moments, pair, strict=True)
    ]
    middle = [
        {"when": when, "value": value, "label": f"median {value:.1f}"}
        for when, value in zip(moments, (median(p[0] for p in pairs), median(p[1] for p in pairs)), strict=True)
    ]
    x = alt.X(
        "when:N",
        title=None,
        sort=list(moments),
        axis=alt.Axis(labelAngle=0, labelFontSize=13),
        scale=alt.Scale(padding=0.35),
    )
    y = alt.Y("value:Q", title="Perplexity of the answer (log scale)", scale=alt.Scale(type="log", nice=True))
    slopes = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y)
    medians = alt.Chart(alt.InlineData(values=middle)).encode(x=x, y=y)
    faint = max(0.16, min(0.5, 14 / len(drawn)))
    note = f"{len(drawn)} of {len(pairs)} texts drawn" if len(drawn) < len(pairs) else f"n={len(pairs)} texts"
    chart = alt.layer(
        slopes.mark_line(strokeWidth=1, color="#56718a", opacity=faint).encode(detail="text:N"),
        slopes.mark_circle(size=20, color="#56718a", opacity=min(1.0, 1.6 * faint)),
        medians.mark_line(strokeWidth=3.2, color=_SERIES[1]),
        medians.mark_point(size=110, filled=True, opacity=1, color=_SERIES[1], stroke=_PAPER, strokeWidth=1.2),
        medians.transform_filter("datum.when == 'original'")
        .mark_text(align="right", dx=-12, fontSize=12, fontWeight=600, color="#9c4500")
        .encode(text="label:N"),
        medians.transform_filter("datum.when == 'revised'")
        .mark_text(align="left", dx=12, fontSize=12, fontWeight=600, color="#9c4500")
        .encode(text="label:N"),
    ).properties(
        width=430,
        height=320,
        title=_title(
            "Perplexity before and after curation",
            f"One line a text that was revised; {note}; objective: {one_line(line.objective, 20)}",
        ),
    )
    return _svg(chart)


def rate_dots(lines: Sequence[RateLine]) -> str:
    """Rates of one metric and prompt set with intervals: a panel for each arm, a row for each checkpoint."""
    import altair as alt

    arms = _labels(_arm(line) for line in lines)
    checkpoints = _labels(_in_order((line.checkpoint for line in lines), CHECKPOINTS))
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
        scale=alt.Scale(domain=list(checkpoints.values()), range=_cycle(_CHECKPOINT_COLOURS, len(checkpoints))),
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("checkpoint:N", title=None, sort=list(checkpoints.values())), color=colour
    )
    width = 250
    title = f"{_sentence(metric)}, with 95 % interval"
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], labelFlush=False)
    chart = (
        alt.layer(
            base.mark_rule(strokeWidth=2.4).encode(x=alt.X("low:Q", scale=scale, axis=axis, title=title), x2="high:Q"),
            base.mark_point(size=95, filled=True, opacity=1, stroke=_PAPER, strokeWidth=1).encode(
                x=alt.X("value:Q", scale=scale, axis=axis, title=title)
            ),
            base.mark_text(align="left", dx=8, fontSize=10.5).encode(
                text="n:N", x=alt.value(width), color=alt.value(_MUTED)
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
            title=_title(f"{_sentence(metric)} by arm and checkpoint", f"{good}; prompts: {one_line(prompts, 40)}"),
        )
        .resolve_scale(y="independent")
    )
    return _svg(chart)


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


def _arm(line: RateLine) -> str:
    return arm_title(line.phase, line.arm)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _in_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Distinct names: those of ``order`` first and in its order, then the others as they appear."""
    found = dict.fromkeys(names)
    return [name for name in order if name in found] + [name for name in found if name not in order]


def _labels(names: Iterable[str], *, limit: int = _LABEL) -> dict[str, str]:
    """A label for each distinct name, short and fit to be drawn; two names never share one."""
    labels: dict[str, str] = {}
    for name in dict.fromkeys(names):
        label = one_line(name, limit) or "(no name)"
        labels[name] = label if label not in labels.values() else f"{label} ({len(labels) + 1})"
    return labels


def _cycle(values: Sequence[str], n: int) -> list[str]:
    return [values[index % len(values)] for index in range(n)]


def _title(text: str, subtitle: str) -> Any:
    import altair as alt

    return alt.TitleParams(text, subtitle=subtitle, anchor="start")


_CONFIG: Mapping[str, Any] = {
    "background": _PAPER,
    "padding": 14,
    "font": _FONT,
    "view": {"stroke": None},
    "title": {
        "fontSize": 15,
        "fontWeight": 600,
        "color": _INK,
        "subtitleFontSize": 11.5,
        "subtitleColor": _MUTED,
        "subtitlePadding": 5,
        "offset": 14,
        "frame": "bounds",
    },
    "axis": {
        "labelFontSize": 12,
        "labelColor": _INK,
        "labelLimit": 260,
        "titleFontSize": 11.5,
        "titleFontWeight": 400,
        "titleColor": _MUTED,
        "titlePadding": 8,
        "gridColor": _GRID,
        "domain": False,
        "ticks": False,
        "labelPadding": 11,
    },
    "axisBand": {"grid": False},
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "titleFontSize": 11,
        "titleFontWeight": 400,
        "titleColor": _MUTED,
        "labelFontSize": 11.5,
        "labelColor": _INK,
        "labelLimit": 420,
        "symbolSize": 80,
        "columns": 0,
    },
    "header": {"labelColor": _INK, "labelLimit": 220},
}


def _svg(chart: Any) -> str:
    """Render without any request: data are inline, and no address is allowed."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(_shown(chart.to_dict()), config=dict(_CONFIG), allowed_base_urls=[])
    # Inside an HTML page the namespace declarations are implied.
    return str(drawn).replace(' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"', "", 1)


def _shown(spec: Any) -> Any:
    """The specification with every string visible: a control character in one would abort the whole process."""
    if isinstance(spec, str):
        return visible(spec)
    if isinstance(spec, dict):
        return {visible(key): _shown(value) for key, value in spec.items()}
    return [_shown(value) for value in spec] if isinstance(spec, list) else spec
