"""The charts of what goes wrong: which roles are confused, and which kinds of edges are wrong."""

from collections.abc import Sequence
from typing import Any

from counterpoise.report.charts.drawing import (
    INK,
    MUTED,
    PAPER,
    SHADES,
    heading,
    in_order,
    labels,
    panel_heading,
    panels,
)
from counterpoise.report.lines import StageLine

__all__ = ["role_matrices", "wrong_edges"]

_ROLES = ("exposure", "covariate", "mediator", "outcome")
_KINDS = ("missing", "reversed", "shortcut", "backwards", "confounded", "unrelated", "invented", "self")


def role_matrices(lines: Sequence[StageLine]) -> str:
    """Gold roles × predicted roles with counts, one panel a dataset; empty without counts.

    Args:
        lines: of the variables stage, one a dataset.
    """
    shown = [line for line in lines if line.confusion]
    names = labels((line.dataset for line in shown), limit=30)
    title = heading(
        "Which roles are confused",
        "Number of variables. Row none: not in the gold. Column missing: not in the answer; none: without a role. "
        "Shade: share of the row. Outlined: right.",
    )
    return panels([_matrix(line, names[line.dataset]) for line in shown], title, columns=2)


def _matrix(line: StageLine, label: str) -> Any:
    import altair as alt

    counts = {(gold, predicted): n for gold, predicted, n in line.confusion}
    rows = labels(in_order((*_ROLES, *(gold for gold, _ in counts)), (*_ROLES, "none")), limit=18)
    columns = labels(
        in_order((*_ROLES, *(predicted for _, predicted in counts)), (*_ROLES, "none", "missing")), limit=18
    )
    cells = []
    for gold, row in rows.items():
        total = sum(n for (one, _), n in counts.items() if one == gold)
        for predicted, column in columns.items():
            if (gold, predicted) == ("none", "missing"):
                continue
            n = counts.get((gold, predicted), 0)
            cells.append(
                {"gold": row, "predicted": column, "n": n, "share": n / total if total else 0.0}
                | {"right": gold == predicted and gold in _ROLES, "text": str(n) if n else "·"}
            )
    base = alt.Chart(alt.InlineData(values=cells)).encode(
        x=alt.X(
            "predicted:N",
            title="role in the answer",
            sort=list(columns.values()),
            axis=alt.Axis(orient="top", labelAngle=0, labelFontSize=11),
        ),
        y=alt.Y("gold:N", title="role in the gold", sort=list(rows.values()), axis=alt.Axis(labelFontSize=11)),
    )
    ink = alt.condition("datum.share > 0.5", alt.value("#ffffff"), alt.value(INK))
    return alt.layer(
        base.mark_rect(stroke=PAPER, strokeWidth=2, cornerRadius=4).encode(
            color=alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=list(SHADES)), legend=None)
        ),
        base.transform_filter("datum.right").mark_rect(
            stroke=INK, strokeWidth=1.6, filled=False, cornerRadius=4, strokeOpacity=0.75
        ),
        base.mark_text(fontSize=13, fontWeight=600).encode(text="text:N", color=ink),
    ).properties(width=alt.Step(62), height=alt.Step(36), title=panel_heading(f"{label} · n={line.estimate.n} cases"))


def wrong_edges(lines: Sequence[StageLine]) -> str:
    """Wrong and absent edges by kind, per case, one panel a dataset; empty where no line has scored cases.

    Args:
        lines: of the graph stage, one a dataset.
    """
    shown = [line for line in lines if line.estimate.n]
    if not any(line.errors for line in shown):
        return ""
    kinds = labels(in_order((*_KINDS, *(kind for line in shown for kind, _ in line.errors)), _KINDS), limit=18)
    most = max(count / line.estimate.n for line in shown for _, count in line.errors)
    names = labels((line.dataset for line in shown), limit=30)
    title = heading(
        "Which edges are wrong",
        "Edges per case by kind of mistake, all panels on one axis; the number of edges at each bar.",
    )
    return panels([_edges(line, names[line.dataset], kinds, most) for line in shown], title, columns=3)


def _edges(line: StageLine, label: str, kinds: dict[str, str], most: float) -> Any:
    import altair as alt

    counts = dict(line.errors)
    rows = [
        {"kind": shown, "rate": counts.get(kind, 0) / line.estimate.n, "text": str(counts.get(kind, 0))}
        for kind, shown in kinds.items()
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "rate:Q",
            title="edges per case",
            scale=alt.Scale(domain=[0, 1.15 * most], nice=False),
            axis=alt.Axis(tickCount=4, labelFontSize=10.5, labelFlush=False),
        ),
        y=alt.Y("kind:N", title=None, sort=list(kinds.values()), axis=alt.Axis(labelFontSize=11)),
    )
    return alt.layer(
        base.mark_bar(color="#0072B2", height=11),
        base.mark_text(align="left", dx=5, fontSize=10.5, color=MUTED).encode(text="text:N"),
    ).properties(width=190, height=alt.Step(19), title=panel_heading(f"{label} · n={line.estimate.n} cases"))
