"""Intervals and paired tests for rates and ratios.

Everything here works on sums of per-item columns, because each metric of Counterpoise is a function of such sums: an
accuracy is ``correct / items``; precision, recall and F1 follow from ``tp, fp, fn``. Items that belong together
(questions about one premise, rows of one generated story) form a cluster, and clusters are what is resampled.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from counterpoise.rng import seed_for

__all__ = [
    "Estimate",
    "Statistic",
    "cluster_bootstrap",
    "f1",
    "mcnemar",
    "mean",
    "paired_bootstrap",
    "precision",
    "proportion",
    "recall",
    "wilson",
]

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Column sums of shape ``[..., columns]`` to values of shape ``[...]``; NaN where undefined."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its confidence interval and denominator.

    Attributes:
        value: the point estimate; ``None`` when nothing was measured.
        low: lower bound; ``None`` when there is no value.
        high: upper bound; ``None`` when there is no value.
        n: how many items the estimate rests on.
        clusters: how many independent groups they form.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    clusters: int

    def __str__(self) -> str:
        if self.value is None or self.low is None or self.high is None:
            return "n/a (n=0)"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n})"


FEW = 6
"""Clusters below which resampling alone is not trusted: a two-sided sign test of five cannot reach 0.05."""


def wilson(successes: int, n: int, *, confidence: float = 0.95) -> Estimate:
    """Wilson score interval of a proportion of independent items.

    Bounds are in [0, 1] and have positive width even at 0 or 1. With ``n = 0`` there is no value.
    Source: Wilson (1927); Newcombe (1998), method 3.

    >>> print(wilson(8, 10))
    0.800 [0.490, 0.943] (n=10)
    >>> wilson(0, 0).value is None
    True
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be in [0, n]; got {successes} of {n}")
    if n == 0:
        return Estimate(None, None, None, 0, 0)
    interval = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Estimate(successes / n, float(interval.low), float(interval.high), n, n)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


def mean(sums: Floats) -> Floats:
    """Mean from the columns ``(total, items)``."""
    return _ratio(sums[..., 0], sums[..., 1])


def precision(sums: Floats) -> Floats:
    """Precision from the columns ``(tp, fp, fn)``; NaN when nothing was predicted."""
    return _ratio(sums[..., 0], sums[..., 0] + sums[..., 1])


def recall(sums: Floats) -> Floats:
    """Recall from the columns ``(tp, fp, fn)``; NaN when there is no gold."""
    return _ratio(sums[..., 0], sums[..., 0] + sums[..., 2])


def f1(sums: Floats) -> Floats:
    """Micro-averaged F1 from the columns ``(tp, fp, fn)``; 0 when gold exists and nothing was predicted."""
    return _ratio(2 * sums[..., 0], 2 * sums[..., 0] + sums[..., 1] + sums[..., 2])


def cluster_bootstrap(
    columns: Sequence[Sequence[float]],
    clusters: Sequence[Hashable],
    statistic: Statistic,
    *,
    seed: int = 0,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Estimate:
    """Percentile bootstrap of a statistic in [0, 1] of column sums, resampling whole clusters.

    Resampling few clusters that differ from 0 (or from 1) shows too little spread, and none when no cluster does. So
    where fewer than :data:`FEW` clusters score above 0, the upper bound is at least Wilson's for that many of all
    clusters; where fewer than that score below 1, likewise the lower bound.

    Args:
        columns: one row of numbers per item, shape ``[items, columns]``.
        clusters: the cluster of each item.
        statistic: from column sums to the metric, for instance :func:`f1`.
        seed: equal seeds give equal intervals on every machine.
        resamples: number of bootstrap samples.
        confidence: coverage of the interval.

    Returns:
        The estimate; without items, or where the statistic is undefined, without a value. With a single cluster
        between 0 and 1 the interval has no width and means nothing: look at ``clusters``.
    """
    n, sums = _cluster_sums(columns, clusters)
    if n == 0:
        return Estimate(None, None, None, 0, 0)
    value = float(statistic(sums.sum(axis=0)))
    if np.isnan(value):
        return Estimate(None, None, None, n, len(sums))
    draws = statistic(_resample_weights(len(sums), resamples, seed) @ sums)
    low, high = _percentiles(draws, confidence)
    each = statistic(sums)
    defined = int(np.sum(~np.isnan(each)))
    above_zero, below_one = int(np.nansum(each > 0)), int(np.nansum(each < 1))
    if above_zero < FEW:
        high = max(high, wilson(above_zero, defined, confidence=confidence).high or 0.0)
    if below_one < FEW:
        low = min(low, wilson(defined - below_one, defined, confidence=confidence).low or 0.0)
    return Estimate(value, low, high, n, len(sums))


def proportion(hits: Sequence[bool], clusters: Sequence[Hashable], *, seed: int = 0, resamples: int = 2000) -> Estimate:
    """Share of items that hit: Wilson's interval where every item is its own cluster, the cluster bootstrap elsewhere.

    >>> print(proportion([True, True, False], ["a", "b", "c"]))
    0.667 [0.208, 0.939] (n=3)
    """
    if len(set(clusters)) == len(hits):
        return wilson(sum(hits), len(hits))
    return cluster_bootstrap([(float(hit), 1.0) for hit in hits], clusters, mean, seed=seed, resamples=resamples)


def paired_bootstrap(
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    clusters: Sequence[Hashable],
    statistic: Statistic,
    *,
    seed: int = 0,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Estimate:
    """Bootstrap of ``statistic(second) - statistic(first)`` for two measurements of the same items.

    Both sides are resampled with the same clusters, so what they share cancels. Arguments and degenerate cases as in
    :func:`cluster_bootstrap`; both sequences are aligned with ``clusters``.

    Fewer than :data:`FEW` differing clusters are no evidence of a direction (all of them on one side still gives a sign
    test a p-value above 0.05), so the interval is widened to contain 0; without any it is Wilson's for 0 of all
    clusters on either side. Where one side scores 1 and the other 0 in every cluster, the bound towards 0 is Wilson's.
    """
    n, sums_first = _cluster_sums(first, clusters)
    _, sums_second = _cluster_sums(second, clusters)
    if n == 0:
        return Estimate(None, None, None, 0, 0)
    value = float(statistic(sums_second.sum(axis=0)) - statistic(sums_first.sum(axis=0)))
    if np.isnan(value):
        return Estimate(None, None, None, n, len(sums_first))
    weights = _resample_weights(len(sums_first), resamples, seed)
    draws = statistic(weights @ sums_second) - statistic(weights @ sums_first)
    low, high = _percentiles(draws, confidence)
    differing = int(np.sum(~np.isclose(statistic(sums_first), statistic(sums_second), equal_nan=True)))
    if abs(value) == 1.0:
        nearest = wilson(len(sums_first), len(sums_first), confidence=confidence).low or 0.0
        low, high = min(low, value * nearest), max(high, value * nearest)
    if differing == 0:
        width = wilson(0, len(sums_first), confidence=confidence).high or 0.0
        low, high = min(low, -width), max(high, width)
    elif differing < FEW:
        low, high = min(low, 0.0), max(high, 0.0)
    return Estimate(value, low, high, n, len(sums_first))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Exact two-sided McNemar p-value for paired binary outcomes; 1.0 when no pair disagrees.

    >>> mcnemar([True] * 10, [False] * 10) < 0.01
    True
    """
    if len(first) != len(second):
        raise ValueError(f"paired outcomes must be equally many; got {len(first)} and {len(second)}")
    lost = sum(a and not b for a, b in zip(first, second, strict=True))
    gained = sum(b and not a for a, b in zip(first, second, strict=True))
    if lost + gained == 0:
        return 1.0
    return float(stats.binomtest(lost, lost + gained, 0.5).pvalue)


def _cluster_sums(columns: Sequence[Sequence[float]], clusters: Sequence[Hashable]) -> tuple[int, Floats]:
    if len(columns) != len(clusters):
        raise ValueError(f"every item needs a cluster; got {len(columns)} items and {len(clusters)} clusters")
    if not columns:
        return 0, np.zeros((0, 0))
    index: dict[Hashable, int] = {}
    positions = [index.setdefault(cluster, len(index)) for cluster in clusters]
    values = np.asarray(columns, dtype=np.float64)
    sums = np.zeros((len(index), values.shape[1]))
    np.add.at(sums, positions, values)
    return len(columns), sums


@lru_cache(maxsize=8)
def _resample_weights(clusters: int, resamples: int, seed: int) -> Floats:
    """How often each cluster is drawn in each resample; drawing them is most of the time that a bootstrap takes."""
    generator = np.random.default_rng(seed_for(seed, "bootstrap", clusters))
    weights = generator.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples).astype(np.float64)
    weights.flags.writeable = False
    return weights


def _percentiles(draws: Floats, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return float(low), float(high)
