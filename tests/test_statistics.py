import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoise.statistics import (
    cluster_bootstrap,
    f1,
    mcnemar,
    mean,
    paired_bootstrap,
    precision,
    recall,
    wilson,
)


def test_wilson_matches_published_values():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    for successes, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
    ]:
        estimate = wilson(successes, n)
        assert estimate.low == pytest.approx(low, abs=5e-5)
        assert estimate.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_contains_its_estimate_and_never_has_zero_width(pair):
    estimate = wilson(*pair)
    assert 0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1
    assert estimate.high > estimate.low


def test_nothing_measured_has_no_value():
    for estimate in (wilson(0, 0), cluster_bootstrap([], [], mean), paired_bootstrap([], [], [], mean)):
        assert estimate.value is None
        assert estimate.n == 0
        assert str(estimate) == "n/a (n=0)"


def test_impossible_count_is_refused():
    with pytest.raises(ValueError, match=r"successes must be in \[0, n\]; got 3 of 2"):
        wilson(3, 2)


def test_ratios_by_hand():
    sums = np.array([6.0, 2.0, 4.0])
    assert precision(sums) == pytest.approx(6 / 8)
    assert recall(sums) == pytest.approx(6 / 10)
    assert f1(sums) == pytest.approx(12 / 18)
    assert np.isnan(precision(np.array([0.0, 0.0, 3.0])))
    assert f1(np.array([0.0, 0.0, 3.0])) == 0.0


def test_bootstrap_is_seeded_and_covers():
    generator = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        clusters = np.repeat(np.arange(40), 5)
        p = np.clip(0.6 + 0.2 * generator.standard_normal(40), 0, 1)
        hits = generator.random(200) < p[clusters]
        estimate = cluster_bootstrap(
            [(float(h), 1.0) for h in hits], clusters.tolist(), mean, seed=trial, resamples=400
        )
        covered += estimate.low <= 0.6 <= estimate.high
    assert covered >= 180
    again = cluster_bootstrap([(float(h), 1.0) for h in hits], clusters.tolist(), mean, seed=199, resamples=400)
    assert again == estimate


def test_clusters_widen_the_interval():
    columns = [(1.0, 1.0)] * 50 + [(0.0, 1.0)] * 50
    independent = cluster_bootstrap(columns, range(100), mean)
    clustered = cluster_bootstrap(columns, [i // 10 for i in range(100)], mean)
    assert clustered.clusters == 10
    assert clustered.high - clustered.low > 2 * (independent.high - independent.low)


def test_paired_difference_cancels_what_is_shared():
    generator = np.random.default_rng(0)
    base = generator.random(200)
    first = [(b, 1.0) for b in base]
    second = [(b + 0.1, 1.0) for b in base]
    estimate = paired_bootstrap(first, second, range(200), mean)
    assert estimate.value == pytest.approx(0.1)
    assert estimate.high - estimate.low < 1e-9


def test_no_spread_at_the_edges_still_has_width():
    for hits, low, high in ((0.0, 0.0, 0.2775), (1.0, 0.7225, 1.0)):
        estimate = cluster_bootstrap([(hits, 1.0)] * 10, range(10), mean)
        assert (estimate.low, estimate.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    none = paired_bootstrap([(1.0, 1.0), (0.0, 1.0)] * 5, [(1.0, 1.0), (0.0, 1.0)] * 5, range(10), mean)
    assert (none.value, none.low, none.high) == (0.0, pytest.approx(-0.2775, abs=1e-4), pytest.approx(0.2775, abs=1e-4))
    gain = paired_bootstrap([(0.0, 1.0)] * 10, [(1.0, 1.0)] * 10, range(10), mean)
    assert (gain.value, gain.low, gain.high) == (1.0, pytest.approx(0.7225, abs=1e-4), 1.0)
    loss = paired_bootstrap([(1.0, 1.0)] * 10, [(0.0, 1.0)] * 10, range(10), mean)
    assert (loss.value, loss.low, loss.high) == (-1.0, -1.0, pytest.approx(-0.7225, abs=1e-4))


def test_one_right_answer_does_not_narrow_the_interval():
    nothing = cluster_bootstrap([(0.0, 4.0)] * 10, range(10), mean)
    something = cluster_bootstrap([(0.0, 4.0)] * 9 + [(1.0, 4.0)], range(10), mean)
    assert something.high >= nothing.high
    everything = cluster_bootstrap([(4.0, 4.0)] * 10, range(10), mean)
    almost = cluster_bootstrap([(4.0, 4.0)] * 9 + [(3.0, 4.0)], range(10), mean)
    assert almost.low <= everything.low


@pytest.mark.parametrize("clusters", [2, 3, 5])
def test_few_clusters_on_one_side_are_no_evidence(clusters):
    better = [(2.0 + i, 4.0 + i) for i in range(clusters)]
    gain = paired_bootstrap([(1.0, 4.0 + i) for i in range(clusters)], better, range(clusters), mean)
    assert gain.value > 0
    assert gain.low <= 0 < gain.high


def test_equal_scores_from_different_counts_have_width():
    first = [(0.0, 2.0 + i % 4, 4.0) for i in range(10)]
    gain = paired_bootstrap(first, [(0.0, 3.0, 4.0)] * 10, range(10), f1)
    assert (gain.value, gain.high) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert gain.low == -gain.high


def test_mcnemar_by_hand():
    # Five discordant pairs, all in one direction: 2 * 0.5 ** 5.
    assert mcnemar([True] * 8, [True] * 3 + [False] * 5) == pytest.approx(0.0625)
    assert mcnemar([True, False], [True, False]) == 1.0
    with pytest.raises(ValueError, match="equally many"):
        mcnemar([True], [])


def test_every_item_needs_a_cluster():
    with pytest.raises(ValueError, match="got 2 items and 1 clusters"):
        cluster_bootstrap([(1.0, 1.0), (0.0, 1.0)], ["a"], mean)
