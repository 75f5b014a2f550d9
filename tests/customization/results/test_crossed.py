from itertools import product

import numpy as np
import pytest

from counterpoise.customization.results.crossed import crossed_interval


def table(values):
    """Values of shape seeds by clusters, as the three columns."""
    places = list(product(range(len(values)), range(len(values[0]))))
    return [values[s][c] for s, c in places], [s for s, _ in places], [f"c{c}" for _, c in places]


def width(interval):
    return interval[1] - interval[0]


def test_fewer_than_three_seeds_have_none():
    assert crossed_interval(*table([[0, 1, 1], [1, 1, 0]])) is None
    assert crossed_interval([], [], []) is None


def test_the_mean_lies_within():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, size=(4, 30)).tolist()
    low, high = crossed_interval(*table(values))
    assert low <= np.mean(values) <= high


def test_seeds_that_differ_widen_it():
    rng = np.random.default_rng(1)
    alike = rng.random((5, 40)).tolist()
    apart = [[value + shift for value in row] for row, shift in zip(alike, (-2, -1, 0, 1, 2), strict=True)]
    assert width(crossed_interval(*table(apart))) > 4 * width(crossed_interval(*table(alike)))


def test_prompts_that_differ_widen_it():
    alike = [[0.5] * 20] * 3
    apart = [[0.0] * 10 + [1.0] * 10] * 3
    assert width(crossed_interval(*table(alike))) == 0
    assert width(crossed_interval(*table(apart))) > 0.3


def test_it_covers_what_it_says():
    """Of many experiments with both effects, about 95 % of the intervals hold the true mean; never far fewer."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(120):
        seeds, prompts = rng.normal(0, 1, (8, 1)), rng.normal(0, 1, (1, 25))
        values = (seeds + prompts + rng.normal(0, 0.5, (8, 25))).tolist()
        low, high = crossed_interval(*table(values), resamples=400)
        held += low <= 0 <= high
    assert held / 120 > 0.85


def test_missing_items_and_order_do_not_matter():
    values, seeds, clusters = table([[0, 1, 1], [1, 1, 0], [0, 0, 1]])
    whole = crossed_interval(values, seeds, clusters)
    turned = crossed_interval(values[::-1], seeds[::-1], clusters[::-1])
    assert turned == pytest.approx(whole, abs=0.1)
    low, high = crossed_interval(values[:-1], seeds[:-1], clusters[:-1])
    assert 0 <= low <= high <= 1
