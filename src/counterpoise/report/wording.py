"""Numbers and names in words: one way to print a score, a rate, a difference, a step, on page, chart and terminal."""

from collections.abc import Callable, Sequence

from counterpoise.counterfactual.results.attribution import CHAINED, READING, Attribution
from counterpoise.statistics import Estimate

__all__ = [
    "attribution_titles",
    "cost",
    "difference",
    "direction",
    "gold_given",
    "interval",
    "p_value",
    "percent",
    "points",
    "score",
    "shift",
    "signed",
    "step_title",
]


def score(value: float | None) -> str:
    """A value in [0, 1] with two decimals, or a dash.

    >>> score(0.314), score(None)
    ('0.31', '–')
    """
    return "–" if value is None else f"{value:.2f}"


def interval(estimate: Estimate) -> str:
    """The bounds of a score; empty when it has none.

    Bounds that coincide come from resampling items that all score the same, or of a single cluster. Printed as an
    interval they would claim a certainty that is not there.

    >>> interval(Estimate(0.5, 0.25, 0.75, 8, 8)), interval(Estimate(0.0, 0.0, 0.0, 2, 2))
    ('[0.25, 0.75]', '(no spread)')
    """
    if estimate.low is None or estimate.high is None:
        return ""
    return "(no spread)" if estimate.low == estimate.high else f"[{estimate.low:.2f}, {estimate.high:.2f}]"


def percent(estimate: Estimate) -> str:
    """A rate as a percentage with its bounds, which are left out as in :func:`interval`.

    >>> percent(Estimate(0.5, 0.25, 0.755, 8, 8)), percent(Estimate(None, None, None, 0, 0))
    ('50 % [25, 76]', '–')
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    if estimate.low == estimate.high:
        return f"{100 * estimate.value:.0f} % (no spread)"
    return f"{100 * estimate.value:.0f} % [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def points(estimate: Estimate) -> str:
    """A difference of rates in percentage points with its bounds, signs shown.

    >>> points(Estimate(0.25, -0.02, 0.5, 8, 8))
    '+25 points [−2, +50]'
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    value, low, high = (signed(100 * bound, 0) for bound in (estimate.value, estimate.low, estimate.high))
    return f"{value} points [{low}, {high}]"


def difference(estimate: Estimate) -> str:
    """A difference with one decimal and its bounds, signs shown.

    >>> difference(Estimate(1.25, -0.5, 3.0, 8, 8))
    '+1.2 [−0.5, +3.0]'
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    return f"{signed(estimate.value, 1)} [{signed(estimate.low, 1)}, {signed(estimate.high, 1)}]"


def cost(estimate: Estimate) -> str:
    """A cost in [-1, 1] with its bounds, which are left out as in :func:`interval`; negative ones with a real minus.

    >>> cost(Estimate(0.25, -0.1, 0.5, 8, 8)), cost(Estimate(None, None, None, 0, 0))
    ('0.25 [−0.10, 0.50]', '–')
    """
    return _bounded(estimate, lambda value: signed(value, 2).lstrip("+"))


def shift(estimate: Estimate) -> str:
    """A difference of scores with two decimals and its bounds, signs shown.

    >>> shift(Estimate(0.25, -0.1, 0.5, 8, 8))
    '+0.25 [−0.10, +0.50]'
    """
    return _bounded(estimate, lambda value: signed(value, 2))


def direction(estimate: Estimate) -> int:
    """1 where a difference is clearly above 0, -1 where it is clearly below, else 0.

    An interval without width is no evidence, wherever it lies.

    >>> [direction(Estimate(0.2, low, high, 8, 8)) for low, high in ((0.1, 0.3), (-0.1, 0.3), (0.2, 0.2))]
    [1, 0, 0]
    """
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return 0
    return int(estimate.low > 0) - int(estimate.high < 0)


def p_value(p: float | None) -> str:
    """A p-value with three decimals, or that it is smaller.

    >>> p_value(0.04), p_value(1e-6), p_value(None)
    ('0.040', '< 0.001', '–')
    """
    return "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def step_title(stage: str) -> str:
    """How a step of the attribution is named to a reader.

    >>> step_title("graph"), step_title(READING)
    ('graph', 'reading it off')
    """
    return "reading it off" if stage == READING else stage


def gold_given(upto: str) -> str:
    """What a rung of the attribution was given.

    >>> gold_given("graph"), gold_given(CHAINED)
    ('gold up to graph', 'no gold (chained)')
    """
    return "no gold (chained)" if upto == CHAINED else f"gold up to {upto}"


def attribution_titles(attributions: Sequence[Attribution]) -> list[str]:
    """What each attribution is about: a dataset, some cases of it, or all datasets pooled."""
    split = {one.dataset for one in attributions if one.abduction} & {
        one.dataset for one in attributions if not one.abduction
    }
    return [
        f"{len(one.datasets)} datasets pooled"
        if not one.dataset and len(one.datasets) > 1
        else f"{one.datasets[0]}, all cases"
        if not one.dataset
        else f"{one.dataset}, {'with' if one.abduction else 'without'} unseen causes"
        if one.dataset in split
        else one.dataset
        for one in attributions
    ]


def _bounded(estimate: Estimate, said: Callable[[float], str]) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    if estimate.low == estimate.high:
        return f"{said(estimate.value)} (no spread)"
    return f"{said(estimate.value)} [{said(estimate.low)}, {said(estimate.high)}]"


def signed(value: float, digits: int) -> str:
    """A number with its sign, a real minus among them; a rounded zero has none.

    >>> signed(0.25, 2), signed(-0.25, 1), signed(-0.001, 1)
    ('+0.25', '−0.2', '0.0')
    """
    text = f"{value:+.{digits}f}"
    # A rounded zero has no sign; a real minus sign lines up with the plus.
    return text[1:] if float(text) == 0 else text.replace("-", "−")
