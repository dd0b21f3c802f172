"""Intervals cover 93 to 97 % and tests reject 5 % +- 1, on data shaped like the benchmarks.

The fast cases have fixed seeds and small samples; the slow ones the whole table. A simulated share of
R runs has a standard error of 0.22 / sqrt(R): the bounds are the promised ones plus that noise.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from simulation import (
    Changed,
    Hits,
    Items,
    Shifted,
    coverage,
    proportion_coverage,
    share_at_most,
)
from webfaq_eval.statistics.intervals import cluster_bootstrap, difference_bootstrap
from webfaq_eval.statistics.tests import paired_randomisation, smallest_difference

#: Accuracies of Tatoeba's languages lie between these.
SHARES = np.linspace(0.5, 0.97, 48)
TEST = partial(paired_randomisation, samples=400)


def noise(runs: int) -> float:
    """Two standard errors of a simulated share of 95 %."""
    return float(2 * np.sqrt(0.95 * 0.05 / runs))


@pytest.mark.parametrize("n", [30, 100])
def test_accuracy_is_covered_on_average_over_languages(n):
    # Right or wrong has few outcomes, so that coverage jumps with the true share; its mean does not.
    held = proportion_coverage(n, SHARES)
    assert 0.93 <= held.mean() <= 0.97
    assert held.min() > 0.88


@pytest.mark.parametrize("draw", [Items(30, 11, 0.0), Items(100, 11, 1.5), Hits(30, 2.5)])
def test_scores_of_parallel_items_are_covered(draw):
    runs = 300
    held = coverage(draw, partial(cluster_bootstrap, samples=400), runs)
    assert 0.93 - noise(runs) <= held <= 0.97 + noise(runs)


def test_ignoring_clusters_would_not_cover():
    held = coverage(
        Items(30, 11, 0.0), lambda v, c: cluster_bootstrap(v, range(len(v)), samples=200), 200
    )
    assert held < 0.85


@pytest.mark.parametrize("draw", [Changed(100, 0.1, 0.05), Shifted(30, 11, 0.3)])
def test_differences_are_covered(draw):
    runs = 300
    held = coverage(draw, partial(difference_bootstrap, samples=400), runs)
    assert 0.93 - noise(runs) <= held <= 0.97 + noise(runs)


def test_false_positives_of_graded_scores():
    runs = 1000
    share = share_at_most(TEST, Shifted(30, 11, 0.0), runs)
    assert 0.04 - noise(runs) <= share <= 0.06 + noise(runs)


def test_false_positives_of_few_changes_are_never_more_than_promised():
    # An exact test of right or wrong cannot reject at just 5 %: it rejects less.
    assert share_at_most(TEST, Changed(30, 0.1, 0.1), 1000) <= 0.05


def test_the_smallest_difference_is_found_four_times_in_five():
    draw = Changed(200, 0.13, 0.05)
    rng = np.random.default_rng(0)
    promised = np.mean([smallest_difference(*draw(rng)) for _ in range(100)])
    assert promised == pytest.approx(0.08, abs=0.01)
    assert 0.7 < share_at_most(TEST, draw, 300) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 50, 100, 300, 1000])
def test_accuracy_of_every_size(n):
    held = proportion_coverage(n, SHARES)
    assert 0.93 <= held.mean() <= 0.97
    assert held.min() > 0.88


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw",
    [
        *(Items(n, 11, centre) for n in (30, 100, 300) for centre in (-1.0, 0.0, 1.5, 3.0)),
        *(Hits(n, centre) for n in (30, 100, 300) for centre in (0.0, 2.5)),
    ],
)
def test_parallel_items_of_every_size(draw):
    held = coverage(draw, cluster_bootstrap, 1500)
    assert 0.93 - noise(1500) <= held <= 0.97 + noise(1500)


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw",
    [
        Changed(30, 0.1, 0.05), Changed(30, 0.2, 0.1), Changed(30, 0.8, 0.05), Changed(100, 0.1, 0.05),
        Changed(100, 0.03, 0.01), Changed(300, 0.1, 0.05), Changed(1000, 0.03, 0.02),
        Shifted(20, 1, 2.0), Shifted(30, 1, 0.3), Shifted(30, 11, 0.3), Shifted(100, 11, 0.3),
        Shifted(300, 11, 0.1),
    ],
)  # fmt: skip
def test_differences_of_every_size(draw):
    held = coverage(draw, difference_bootstrap, 1500)
    assert 0.93 - noise(1500) <= held <= 0.97 + noise(1500)


@pytest.mark.slow
@pytest.mark.parametrize("items", [30, 100, 300])
@pytest.mark.parametrize("languages", [1, 11])
def test_false_positives_of_every_size(items, languages):
    share = share_at_most(partial(TEST, samples=1000), Shifted(items, languages, 0.0), 4000)
    assert 0.04 - noise(4000) <= share <= 0.06 + noise(4000)
