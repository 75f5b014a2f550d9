"""The chart of a curation run."""

import math
from statistics import median

from counterpoise.report.charts.drawing import PAPER, SERIES, heading, svg
from counterpoise.report.lines import CurationLine
from counterpoise.report.visible import one_line
from counterpoise.rng import rng_for

__all__ = ["perplexity_slopes"]

_MOST_SLOPES = 250


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
        medians.mark_line(strokeWidth=3.2, color=SERIES[1]),
        medians.mark_point(size=110, filled=True, opacity=1, color=SERIES[1], stroke=PAPER, strokeWidth=1.2),
        medians.transform_filter("datum.when == 'original'")
        .mark_text(align="right", dx=-12, fontSize=12, fontWeight=600, color="#9c4500")
        .encode(text="label:N"),
        medians.transform_filter("datum.when == 'revised'")
        .mark_text(align="left", dx=12, fontSize=12, fontWeight=600, color="#9c4500")
        .encode(text="label:N"),
    ).properties(
        width=430,
        height=320,
        title=heading(
            "Perplexity before and after curation",
            f"One line a text that was revised; {note}; objective: {one_line(line.objective, 20)}",
        ),
    )
    return svg(chart)
