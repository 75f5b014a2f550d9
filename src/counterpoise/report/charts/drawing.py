"""What the charts share: colours, labels, and the way to inline SVG.

No script, no identifiers that could clash in one page, an explicit light background. Colours are from the palette of
Okabe and Ito (2008), which stays distinguishable in the common colour vision deficiencies; colour never carries
anything that position, shape or text does not say too.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from counterpoise.report.visible import one_line, visible

__all__ = [
    "GRID",
    "INK",
    "MUTED",
    "PAPER",
    "SERIES",
    "SHADES",
    "cycle",
    "heading",
    "in_order",
    "labels",
    "log_scale",
    "panel_heading",
    "panels",
    "score_axis",
    "sentence",
    "svg",
]

FONT = "Helvetica Neue, Helvetica, Arial, sans-serif"
INK, MUTED, GRID, PAPER = "#1d2329", "#5b6570", "#e3e6e8", "#ffffff"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SHADES = ("#f4f1e8", "#b9d3dd", "#6fa5bd", "#2b7199", "#0b3c5d")
_LABEL = 34


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def in_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Distinct names: those of ``order`` first and in its order, then the others as they appear."""
    found = dict.fromkeys(names)
    return [name for name in order if name in found] + [name for name in found if name not in order]


def labels(names: Iterable[str], *, limit: int = _LABEL) -> dict[str, str]:
    """A label for each distinct name, short and fit to be drawn; two names never share one."""
    made: dict[str, str] = {}
    for name in dict.fromkeys(names):
        label = one_line(name, limit) or "(no name)"
        made[name] = label if label not in made.values() else f"{label} ({len(made) + 1})"
    return made


def cycle(values: Sequence[str], n: int) -> list[str]:
    """The first ``n`` of the values repeated for ever."""
    return [values[index % len(values)] for index in range(n)]


def heading(text: str, subtitle: str) -> Any:
    """The title of a whole chart."""
    import altair as alt

    return alt.TitleParams(text, subtitle=subtitle, anchor="start")


def panel_heading(text: str, subtitle: str = "") -> Any:
    """The title of one panel of a chart."""
    import altair as alt

    more = {"subtitle": subtitle, "subtitleFontSize": 10.5, "subtitlePadding": 2} if subtitle else {}
    return alt.TitleParams(text, fontSize=13, fontWeight=600, anchor="start", frame="group", offset=6, **more)


def panels(drawn: Sequence[Any], title: Any, *, columns: int, row: int = 22, column: int = 30) -> str:
    """Panels side by side, ``columns`` in a row, as one picture; the empty string without panels.

    Args:
        drawn: the charts of the panels.
        title: of the whole.
        columns: panels in a row.
        row: pixels between rows.
        column: pixels between columns.
    """
    if not drawn:
        return ""
    # Joined as plain specifications: the library would copy and check every panel once more at each level.
    specs = [_spec(panel) for panel in drawn]
    top = {name: specs[0][name] for name in ("$schema", "config")}
    datasets: dict[str, Any] = {}
    for spec in specs:
        datasets |= spec.pop("datasets", {})
        for name in top:
            spec.pop(name)
    layout = {"columns": columns, "spacing": {"row": row, "column": column}, "title": title.to_dict()}
    return _render(top | layout | {"concat": specs, "datasets": datasets})


def score_axis(*, labelled: bool = True, steps: int = 5) -> Any:
    """The axis of a score: from 0 to 1, whatever the values."""
    import altair as alt

    values = [step / steps for step in range(steps + 1)]
    return alt.Axis(values=values, format=".1f", labels=labelled, labelFlush=False)


def log_scale(values: Iterable[float]) -> tuple[list[float], list[float]]:
    """Domain and ticks of a logarithmic axis for positive values.

    >>> log_scale([20.0, 400.0])
    ([12.5, 640.0], [20.0, 50.0, 100.0, 200.0, 500.0])
    >>> log_scale([3.0, 9000.0])[1]
    [10.0, 100.0, 1000.0, 10000.0]
    """
    known = list(values)
    low, high = min(known) / 1.6, max(known) * 1.6
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(step) * 10.0**power for power in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= 5:
            break
    return [low, high], ticks


_CONFIG: Mapping[str, Any] = {
    "background": PAPER,
    "padding": 14,
    "font": FONT,
    "view": {"stroke": None},
    "title": {
        "fontSize": 15,
        "fontWeight": 600,
        "color": INK,
        "subtitleFontSize": 11.5,
        "subtitleColor": MUTED,
        "subtitlePadding": 5,
        "offset": 14,
        "frame": "bounds",
    },
    "axis": {
        "labelFontSize": 12,
        "labelColor": INK,
        "labelLimit": 260,
        "titleFontSize": 11.5,
        "titleFontWeight": 400,
        "titleColor": MUTED,
        "titlePadding": 8,
        "gridColor": GRID,
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
        "titleColor": MUTED,
        "labelFontSize": 11.5,
        "labelColor": INK,
        "labelLimit": 420,
        "symbolSize": 80,
        "symbolOpacity": 1,
        "columns": 0,
    },
    "header": {"labelColor": INK, "labelLimit": 220},
}


def svg(chart: Any) -> str:
    """Draw one chart."""
    return _render(_spec(chart))


def _spec(chart: Any) -> dict[str, Any]:
    return dict(chart.to_dict(validate=False))


def _render(spec: Mapping[str, Any]) -> str:
    """Render without any request: data are inline, and no address is allowed."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(_shown(spec), config=dict(_CONFIG), allowed_base_urls=[])
    # Inside an HTML page the namespace declarations are implied.
    return str(drawn).replace(' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"', "", 1)


def _shown(spec: Any) -> Any:
    """The specification with every string visible: a control character in one would abort the whole process."""
    if isinstance(spec, str):
        return visible(spec)
    if isinstance(spec, dict):
        return {visible(key): _shown(value) for key, value in spec.items()}
    return [_shown(value) for value in spec] if isinstance(spec, list) else spec
