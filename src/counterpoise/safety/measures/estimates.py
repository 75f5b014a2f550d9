"""Numbers of items to estimates with intervals, and to paired changes.

A metric is a share (each item 0 or 1), a score on a scale with ends (1 to 5) or a real number (a difference of
log-perplexities). Items of one cluster are taken together: they are resampled together, or count by their sum.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from counterpoise.statistics import Estimate, cluster_bootstrap, mcnemar, mean, paired_bootstrap, proportion

__all__ = ["Change", "Observation", "Scale", "compare", "estimate"]

Scale = Literal["share", "score", "real"]
"""``share``: 0 or 1. ``score``: from 1 to 5. ``real``: any number."""

LOWEST, HIGHEST = 1.0, 5.0


@dataclass(frozen=True, slots=True)
class Observation:
    """One item's number.

    Attributes:
        id: identity of the item, over which two measurements are paired.
        cluster: items of one cluster are not independent.
        value: the number; ``None`` when the item is not scored, which leaves it out.
    """

    id: str
    cluster: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """How a mean differs between two measurements of the same items.

    Attributes:
        difference: second minus first, with a paired interval; ``n`` is the number of shared items.
        gained: items whose number rose.
        lost: items whose number fell.
        p_value: exact two-sided McNemar test, of scores and real numbers a sign test; takes items as independent, so
            read the interval where they are clustered.
        dropped: items measured or scored on one side only; they are left out.
    """

    difference: Estimate
    gained: int
    lost: int
    p_value: float
    dropped: int


def estimate(observations: Sequence[Observation], scale: Scale, *, seed: int = 0) -> Estimate:
    """Mean of the scored observations with its 95 % interval; without any, no value."""
    scored = [(one.value, one.cluster) for one in observations if one.value is not None]
    values, clusters = [value for value, _ in scored], [cluster for _, cluster in scored]
    if scale == "share":
        return proportion([value == 1.0 for value in values], clusters, seed=seed)
    if scale == "score":
        # The interval of a bounded mean knows its bounds only in [0, 1].
        return _stretched(cluster_bootstrap(_unit(values), clusters, mean, seed=seed))
    return _mean(values, clusters)


def compare(first: Sequence[Observation], second: Sequence[Observation], scale: Scale, *, seed: int = 0) -> Change:
    """Second minus first over the items that both have, with a paired 95 % interval.

    With no shared item the difference has no value and the p-value is 1.
    """
    before = {one.id: one for one in first if one.value is not None}
    after = {one.id: one.value for one in second if one.value is not None}
    everything = {one.id for one in (*first, *second)}
    shared = [one for one in before.values() if one.id in after]
    was = [one.value or 0.0 for one in shared]
    now = [after[one.id] or 0.0 for one in shared]
    clusters = [one.cluster for one in shared]
    if scale == "share":
        difference = paired_bootstrap(_columns(was), _columns(now), clusters, mean, seed=seed)
    elif scale == "score":
        difference = _stretched(paired_bootstrap(_unit(was), _unit(now), clusters, mean, seed=seed), shift=0.0)
    else:
        difference = _mean([b - a for a, b in zip(was, now, strict=True)], clusters)
    rose = [b > a for a, b in zip(was, now, strict=True)]
    fell = [b < a for a, b in zip(was, now, strict=True)]
    return Change(
        difference=difference,
        gained=sum(rose),
        lost=sum(fell),
        p_value=mcnemar(fell, rose),
        dropped=len(everything) - len(shared),
    )


def _mean(values: Sequence[float], clusters: Sequence[str], confidence: float = 0.95) -> Estimate:
    """Mean of real numbers with Student's interval from the variance between clusters (Liang and Zeger 1986).

    The bootstrap's bounds are made for shares. With a single cluster the interval has no width and means nothing.
    """
    if not values:
        return Estimate(None, None, None, 0, 0)
    value = sum(values) / len(values)
    sums: dict[str, float] = {}
    for one, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + one - value
    width, count = 0.0, len(sums)
    if count > 1:
        error = math.sqrt(count / (count - 1) * sum(total**2 for total in sums.values())) / len(values)
        width = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * error
    return Estimate(value, value - width, value + width, len(values), count)


def _columns(values: Sequence[float]) -> list[tuple[float, float]]:
    return [(value, 1.0) for value in values]


def _unit(values: Sequence[float]) -> list[tuple[float, float]]:
    return _columns([(value - LOWEST) / (HIGHEST - LOWEST) for value in values])


def _stretched(found: Estimate, *, shift: float = LOWEST) -> Estimate:
    ends = [None if end is None else shift + end * (HIGHEST - LOWEST) for end in (found.value, found.low, found.high)]
    value, low, high = ends
    return Estimate(value, low, high, found.n, found.clusters)
