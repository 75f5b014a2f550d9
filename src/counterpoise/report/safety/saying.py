"""The numbers of a lab run and of a verification in words."""

from counterpoise.report.safety.lines import ChangeLine, GateLine, Judged
from counterpoise.report.safety.titles import SHARES, gate_title
from counterpoise.report.wording import difference, percent, points, shift
from counterpoise.statistics import Estimate

__all__ = ["change_text", "clear", "gate_text", "reading", "value_parts", "value_text"]


def value_text(what: Judged, estimate: Estimate) -> str:
    """A metric with its bounds: shares as percent, scores as they are, log-perplexities with two decimals.

    >>> value_text(Judged("safety", "s", "safety_rate", "j"), Estimate(0.5, 0.25, 0.75, 8, 8))
    '50 % [25, 75]'
    """
    if what.metric in SHARES:
        return percent(estimate)
    if what.metric == "log_perplexity_gap":
        return shift(estimate)
    return difference(estimate).replace("+", "") if what.metric.endswith("_score") else shift(estimate).replace("+", "")


def value_parts(what: Judged, estimate: Estimate) -> tuple[str, str]:
    """The same in two: the value, and its bounds or why there are none.

    >>> value_parts(Judged("safety", "s", "safety_rate", "j"), Estimate(0.5, 0.5, 0.5, 8, 8))
    ('50 %', '(no spread)')
    """
    text = value_text(what, estimate)
    at = next((text.index(sign) for sign in ("[", "(") if sign in text), len(text))
    return text[:at].strip(), text[at:]


def change_text(what: Judged, estimate: Estimate) -> str:
    """A change of a metric with its bounds, signs shown: shares in percentage points."""
    return points(estimate) if what.metric in SHARES else shift(estimate)


def clear(change: ChangeLine) -> int:
    """1 where a metric clearly rose, -1 where it clearly fell, else 0.

    Both must say so: the interval, and the exact test, which where all items change alike still knows how few they are.
    """
    low, high = change.estimate.low, change.estimate.high
    if low is None or high is None or change.p_value > 0.05:
        return 0
    return int(low > 0) - int(high < 0)


def reading(change: ChangeLine) -> str:
    """What a change shows."""
    return "–" if change.estimate.value is None else ("no clear change", "higher", "lower")[clear(change)]


def gate_text(gate: GateLine) -> str:
    """A gate and its verdict.

    >>> from counterpoise.report.safety.lines import MODEL, MODEL_BEFORE
    >>> gate_text(GateLine(comparison="before", before=MODEL_BEFORE, after=MODEL, gate="utility", measure="utility",
    ...     prompt_set="all", judge="j", estimate=Estimate(0.0, -0.01, 0.01, 9, 9), limit=-0.02, verdict="kept"))
    'utility kept (0 points [−1, +1])'
    """
    return f"{gate_title(gate.gate)} {gate.verdict} ({points(gate.estimate)})"
