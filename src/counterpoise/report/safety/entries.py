"""From the entries of a room's summary, which are mappings, to lines."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from counterpoise.report.safety.lines import (
    ChangeLine,
    Curve,
    CurvePoint,
    GapLine,
    GateLine,
    Judged,
    ParetoPoint,
    Place,
    RateLine,
    ReasoningChange,
    ReasoningLine,
)
from counterpoise.statistics import Estimate

__all__ = [
    "change_line",
    "curve",
    "estimate_of",
    "gap_lines",
    "gate_lines",
    "pareto_point",
    "place_of",
    "rate_line",
    "reasoning_change",
    "reasoning_line",
]

Entry = Mapping[str, Any]

_GAPS = {"log_perplexity_gap": "gap", "log_perplexity_safe": "safe", "log_perplexity_harmful": "harmful"}
_GATED = {"utility": "accuracy", "over_refusal": "over_refusal_rate"}


def place_of(entry: Entry) -> Place:
    """The place whose columns an entry has."""
    return Place(**{name: entry[name] for name in ("checkpoint", "phase", "arm", "attack", "ratio", "dose")})


def rate_line(entry: Entry, place: Place) -> RateLine:
    """An entry of ``rates``."""
    return RateLine(
        place=place,
        what=_what(entry),
        estimate=estimate_of(entry),
        unreadable=entry["unreadable"],
        unscored=entry["unscored"],
        kappa=entry["judge_kappa"],
        macro_f1=entry["judge_macro_f1"],
        interval=entry.get("interval", "prompts"),
        seeds=entry.get("seeds", 1),
        per_seed=tuple(entry.get("per_seed", {}).items()),
    )


def change_line(entry: Entry, comparison: str, before: Place, after: Place) -> ChangeLine:
    """An entry of ``changes``."""
    return ChangeLine(
        comparison=comparison,
        before=before,
        after=after,
        what=_what(entry),
        estimate=estimate_of(entry),
        gained=entry["gained"],
        lost=entry["lost"],
        p_value=entry["p_value"],
        dropped=entry["dropped"],
        interval=entry.get("interval", "prompts"),
        seeds=entry.get("seeds", 1),
    )


def gate_lines(entries: Iterable[tuple[Entry, str, Place, Place]], changes: Sequence[ChangeLine]) -> list[GateLine]:
    """Entries of ``gates``, each with its comparison and places; what each measures is known from its change."""
    lines = []
    for entry, comparison, before, after in entries:
        found = estimate_of(entry)
        of = (comparison, before, after, entry["prompt_set"], entry["judge"], _GATED.get(entry["gate"]))
        lines.append(
            GateLine(
                comparison=comparison,
                before=before,
                after=after,
                gate=entry["gate"],
                measure=next(
                    (c.what.measure for c in changes if _gated(c) == of and c.estimate.value == found.value), ""
                ),
                prompt_set=entry["prompt_set"],
                judge=entry["judge"],
                estimate=found,
                limit=entry["limit"],
                verdict=entry["verdict"],
            )
        )
    return lines


def curve(entry: Entry, axis: str) -> Curve:
    """An entry of ``dose_response`` or ``ratio_sweep``; ``axis`` names the column along which it runs."""
    return Curve(
        attack=entry["attack"],
        ratio=entry.get("ratio"),
        phase=entry["phase"],
        arm=entry["arm"],
        what=_what(entry),
        points=tuple(CurvePoint(point[axis], estimate_of(point), point["seeds"]) for point in entry["points"]),
    )


def pareto_point(entry: Entry) -> ParetoPoint:
    """An entry of ``pareto``."""
    safety, refusal = entry["safety"], entry["over_refusal"]
    return ParetoPoint(
        place=place_of(entry),
        judge=entry["judge"],
        safety_set=safety["prompt_set"],
        safety=estimate_of(safety),
        refusal_set=refusal["prompt_set"],
        over_refusal=estimate_of(refusal),
        efficient=entry["efficient"],
    )


def gap_lines(rates: Iterable[RateLine]) -> list[GapLine]:
    """The log-perplexities among the rates, those of a place and set together."""
    found: dict[tuple[Place, str], dict[str, Estimate]] = {}
    for line in rates:
        if name := _GAPS.get(line.what.metric):
            found.setdefault((line.place, line.what.prompt_set), {})[name] = line.estimate
    return [GapLine(place=place, prompt_set=name, **parts) for (place, name), parts in found.items()]


def reasoning_line(entry: Entry, place: Place) -> ReasoningLine:
    """An entry of reasoning rates, as the lab or a verification gives them."""
    failed = (entry.get("parse_failed", 0), entry.get("model_failed", 0), entry.get("unreadable", 0))
    return ReasoningLine(
        place=place,
        dataset=entry["dataset"],
        stage=entry["stage"],
        metric=entry.get("metric", "mean score"),
        estimate=estimate_of(entry),
        unreadable=sum(failed),
        unscored=entry["unscored"],
    )


def reasoning_change(entry: Entry, comparison: str, before: Place, after: Place) -> ReasoningChange:
    """An entry of reasoning changes."""
    return ReasoningChange(
        comparison=comparison,
        before=before,
        after=after,
        dataset=entry["dataset"],
        stage=entry["stage"],
        estimate=estimate_of(entry),
        dropped=entry["dropped"],
    )


def estimate_of(entry: Entry) -> Estimate:
    """Value and interval of an entry; none of them where one is no finite number."""
    numbers = [entry["value"], entry["low"], entry["high"]]
    if not all(number is not None and math.isfinite(number) for number in numbers):
        numbers = [None, None, None]
    value, low, high = numbers
    # A curve's points and a gate have no clusters of their own to show.
    return Estimate(value, low, high, entry["n"], entry.get("clusters", entry["n"]))


def _what(entry: Entry) -> Judged:
    return Judged(entry["measure"], entry["prompt_set"], entry["metric"], entry["judge"])


def _gated(change: ChangeLine) -> tuple[Any, ...]:
    what = change.what
    return change.comparison, change.before, change.after, what.prompt_set, what.judge, what.metric
