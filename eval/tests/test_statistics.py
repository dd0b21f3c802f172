"""Intervals, tests, corrections and power: worked cases, edges and errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from webfaq_eval.errors import ResultError
from webfaq_eval.statistics.intervals import (
    cluster_bootstrap,
    difference_bootstrap,
    gather,
    ratio_bootstrap,
)
from webfaq_eval.statistics.tests import (
    holm,
    paired_effect,
    paired_randomisation,
    smallest_difference,
)

RNG = np.random.default_rng(0)
SCORES = RNG.random(60)
ITEMS = np.repeat(np.arange(20), 3)


def test_jeffreys_interval_of_a_proportion():
    # Beta(27.5, 3.5) has these quantiles; 1 % is the error of 20,000 samples.
    low, high = cluster_bootstrap(np.arange(30) < 27, np.arange(30), samples=20_000)
    assert low == pytest.approx(0.7566, abs=0.01)
    assert high == pytest.approx(0.9710, abs=0.01)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    one = cluster_bootstrap(SCORES, ITEMS, seed=3)
    assert one == cluster_bootstrap(SCORES, ITEMS, seed=3)
    assert one != cluster_bootstrap(SCORES, ITEMS, seed=4)


def test_blocks_of_samples_do_not_change_what_is_measured(monkeypatch):
    whole = cluster_bootstrap(SCORES, ITEMS, samples=4000)
    monkeypatch.setattr("webfaq_eval.statistics.intervals._BLOCK", 100)
    cut = cluster_bootstrap(SCORES, ITEMS, samples=4000)
    assert cut == pytest.approx(whole, abs=0.01)


def test_names_and_order_of_clusters_do_not_matter():
    order = RNG.permutation(60)
    names = [f"item {number:02}" for number in ITEMS]
    shuffled = cluster_bootstrap(SCORES[order], [names[at] for at in order])
    assert shuffled == pytest.approx(cluster_bootstrap(SCORES, ITEMS))


def test_parallel_queries_do_not_make_the_interval_narrower():
    values = RNG.random(40)
    alone = cluster_bootstrap(values, np.arange(40))
    eleven = cluster_bootstrap(np.repeat(values, 11), np.repeat(np.arange(40), 11))
    assert eleven == pytest.approx(alone)
    naive = cluster_bootstrap(np.repeat(values, 11), np.arange(440))
    assert naive.high - naive.low < 0.5 * (alone.high - alone.low)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_one_cluster_says_little(value):
    low, high = cluster_bootstrap([value], ["only"])
    assert 0 <= low <= value <= high <= 1
    assert high - low > 0.5


def test_all_right_ends_at_one_and_leaves_doubt():
    low, high = cluster_bootstrap(np.ones(30), np.arange(30))
    assert high == 1
    assert 0.90 < low < 0.94
    assert cluster_bootstrap(np.zeros(30), np.arange(30)).low == 0


def test_f1_as_a_ratio():
    # Two hits, three predictions, four gold pairs: F1 = 4 / 7.
    parts, wholes = [2, 2, 0, 0, 0], [2, 2, 1, 1, 1]
    low, high = ratio_bootstrap(parts, wholes, range(5))
    assert low < 4 / 7 < high
    assert gather(parts, range(5), wholes).mean == pytest.approx(4 / 7)


def test_no_difference_is_not_certainty():
    low, high = difference_bootstrap(np.zeros(100), np.arange(100))
    assert -0.04 < low < 0 < high < 0.04


@pytest.mark.parametrize(
    ("values", "clusters", "match"),
    [
        ([], [], "nothing can be said of zero queries"),
        ([0.5, np.nan], [1, 2], "1 of 2 values are NaN"),
        ([0.5], [1, 2], "one name for each value"),
        ([1.5], [1], "metrics in 0..1"),
        ([-0.1, 0.2], [1, 2], "metrics in 0..1"),
    ],
)
def test_what_is_no_measurement_is_refused(values, clusters, match):
    with pytest.raises(ResultError, match=match):
        cluster_bootstrap(values, clusters)


def test_differences_beyond_one_are_refused():
    with pytest.raises(ResultError, match="at most 1"):
        difference_bootstrap([2.0], [1])


def test_exact_randomisation_by_hand():
    # Of the 16 ways to sign (3, 1, 1, 1) only ++++ and ---- reach a sum of 6.
    differences = [0.3, 0.1, 0.1, 0.1]
    counted = sum(
        abs(sum(s * d for s, d in zip(signs, (3, 1, 1, 1), strict=True))) >= 6
        for signs in itertools.product((1, -1), repeat=4)
    )
    assert counted == 2
    assert paired_randomisation(differences, range(4)) == counted / 16


def test_sampled_randomisation_agrees_with_exact(monkeypatch):
    differences = RNG.normal(0.3, 1, 12).clip(-1, 1)
    exact = paired_randomisation(differences, range(12))
    monkeypatch.setattr("webfaq_eval.statistics.tests.EXACT_UP_TO", 0)
    sampled = paired_randomisation(differences, range(12), samples=40_000)
    assert sampled == pytest.approx(exact, abs=0.01)


def test_a_p_value_is_never_zero_and_one_without_difference():
    assert paired_randomisation(np.ones(200), range(200), samples=99) == 1 / 100
    assert paired_randomisation(np.zeros(5), range(5)) == 1


def test_the_queries_of_an_item_are_exchanged_together():
    # Eleven languages that all gain on 5 items are 5 observations: 2 / 2**5.
    differences = np.full(55, 0.2)
    assert paired_randomisation(differences, np.repeat(range(5), 11)) == 2 / 32


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
    with pytest.raises(ResultError, match="outside"):
        holm([float("nan")])


def test_effect_sizes():
    effect = paired_effect([0.1, 0.3, 0.2, 0.2], [1, 1, 2, 2])
    assert effect.difference == pytest.approx(0.2)
    assert effect.standardised is None
    effect = paired_effect([0.0, 0.2], [1, 2])
    assert effect.standardised == pytest.approx(0.1 / (0.2 / np.sqrt(2)))
    assert paired_effect([0.5], [1]).standardised is None


def test_more_items_show_smaller_differences():
    few = smallest_difference(RNG.normal(0, 0.2, 100).clip(-1, 1), range(100))
    many = smallest_difference(RNG.normal(0, 0.2, 10_000).clip(-1, 1), range(10_000))
    assert few / many == pytest.approx(10, rel=0.3)
    assert smallest_difference([0.0], [1]) == 1
