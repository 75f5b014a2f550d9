"""Intervals that cover the training as well as the prompts: both seeds and prompts are a sample of what there could be.

With one seed an interval can only say how much another choice of prompts would move a rate. With several, seeds are
resampled too: Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1(2), which resamples the two
factors of a crossed table independently and is conservative for its mean.
"""

from collections.abc import Hashable, Sequence

import numpy as np

from counterpoise.rng import seed_for

__all__ = ["ENOUGH_SEEDS", "crossed_interval"]

ENOUGH_SEEDS = 3
"""Seeds from which on they are resampled; two say next to nothing about their spread."""


def crossed_interval(
    values: Sequence[float],
    seeds: Sequence[Hashable],
    clusters: Sequence[Hashable],
    *,
    seed: int = 0,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> tuple[float, float] | None:
    """The interval of the mean of values that are crossed by training seed and cluster of prompts.

    Args:
        values: one per prompt and seed, in any order; a seed may lack some prompts.
        seeds: the training seed of each.
        clusters: the cluster of each; prompts of one cluster are not independent.
        seed: of the resampling.
        resamples: number of bootstrap samples.
        confidence: coverage.

    Returns:
        The bounds; ``None`` with fewer than :data:`ENOUGH_SEEDS` seeds. Values that are all alike give an interval of
        no width: join it with one that knows how few they are.
    """
    rows: dict[Hashable, int] = {}
    columns: dict[Hashable, int] = {}
    places = [
        (rows.setdefault(one, len(rows)), columns.setdefault(cluster, len(columns)))
        for one, cluster in zip(seeds, clusters, strict=True)
    ]
    if len(rows) < ENOUGH_SEEDS:
        return None
    sums = np.zeros((len(rows), len(columns)))
    counts = np.zeros_like(sums)
    for place, value in zip(places, values, strict=True):
        sums[place] += value
        counts[place] += 1
    generator = np.random.default_rng(seed_for(seed, "crossed", len(rows), len(columns)))
    by_seed = generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=resamples)
    by_cluster = generator.multinomial(len(columns), np.full(len(columns), 1 / len(columns)), size=resamples)
    totals = ((by_seed @ sums) * by_cluster).sum(axis=1)
    weights = ((by_seed @ counts) * by_cluster).sum(axis=1)
    draws = totals[weights > 0] / weights[weights > 0]
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
