"""Confidence intervals of means: over whole clusters of queries, and over training seeds as well.

The bootstrap is Rubin's (1981): each cluster is drawn with a continuous weight, an exponential
variate, and not a number of times. To the clusters we add half a cluster at each end of the
metric's range. For clusters of one right-or-wrong query the interval is then exactly Jeffreys's
interval of a proportion (Brown, Cai and DasGupta 2001), which stays honest where the percentile
bootstrap fails: 30 queries of accuracy 0.97 are all right in 40 % of samples, and resampling those
gives the interval [1, 1].

Items and seeds are both samples: other items would give another difference, and so would another
training run. Both are resampled, each on its own, as in Owen's pigeonhole bootstrap (2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from webfaq_eval.errors import ResultError

Floats: TypeAlias = npt.NDArray[np.float64]
#: The cluster of each value, as names or numbers; shape (n,).
Names: TypeAlias = Sequence[object] | npt.NDArray[np.generic]
#: Random weights held at once, 32 MB: memory does not grow with samples times clusters.
_BLOCK = 4_000_000
#: How far doubt reaches beyond the farthest difference seen: with 1 the interval of 10 items covers 90 %.
_REACH = 1.5


@dataclass(frozen=True)
class Clusters:
    """Sum of the values of each cluster and how many there are; two arrays of shape (clusters,)."""

    sums: Floats
    counts: Floats

    def __len__(self) -> int:
        return len(self.sums)

    @property
    def mean(self) -> float:
        """The mean over queries, in which a cluster counts as often as it has queries."""
        return float(self.sums.sum() / self.counts.sum())

    @property
    def means(self) -> Floats:
        """The mean within each cluster; 0 for a cluster that counts nothing."""
        return np.divide(
            self.sums, self.counts, out=np.zeros_like(self.sums), where=self.counts > 0
        )


def gather(
    values: npt.ArrayLike, clusters: Names, weights: npt.ArrayLike | None = None
) -> Clusters:
    """Sum the values of each cluster, and the weights, which are 1 unless given.

    Raises ResultError for no value, values that are not finite, or lengths that differ: an interval
    of nothing or of NaN would look like a measurement.
    """
    array = np.asarray(values, dtype=np.float64)
    whole = np.ones(array.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    names = np.asarray(clusters)
    if array.ndim != 1 or array.shape != names.shape or array.shape != whole.shape:
        raise ResultError(
            f"{array.shape} values for {names.shape} cluster names: give one name for each value"
        )
    if not whole.sum() > 0:
        raise ResultError("no values: nothing can be said of zero queries")
    bad = int((~np.isfinite(array) | ~np.isfinite(whole)).sum())
    if bad:
        raise ResultError(f"{bad} of {len(array)} values are NaN or infinite; score the run again")
    _, place = np.unique(names, return_inverse=True)
    return Clusters(_sum(place, array), _sum(place, whole))


def _sum(place: npt.NDArray[np.intp], values: Floats) -> Floats:
    return np.bincount(place, values).astype(np.float64)


class Interval(NamedTuple):
    """The ends of a confidence interval; both are finite and the estimate lies between them."""

    low: float
    high: float


def cluster_bootstrap(
    values: npt.ArrayLike,
    clusters: Names,
    *,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the interval of the mean of a metric in 0..1, such as accuracy or recall.

    `values` has one number a query, shape (n,); `clusters` names the item of each query, shape (n,).
    Items are resampled whole. The interval never has width 0: one cluster, or queries that are all
    right, still leave doubt, and with one cluster it is nearly the whole range 0..1. Where all values
    are 1 (or 0) the interval ends at 1 (or 0). The same arguments give the same interval.

    Raises ResultError for no values, NaN, or a cluster whose mean is outside 0..1.
    """
    array = np.asarray(values, dtype=np.float64)
    return ratio_bootstrap(
        array, np.ones(array.shape), clusters, samples=samples, level=level, seed=seed
    )


def ratio_bootstrap(
    parts: npt.ArrayLike,
    wholes: npt.ArrayLike,
    clusters: Names,
    *,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the interval of `sum(parts) / sum(wholes)`, a ratio in 0..1 such as F1.

    F1 is such a ratio: a sentence has the part `2 * hits` and the whole `predicted + gold`. All three
    arguments have shape (n,); the rest is as in `cluster_bootstrap`.

    Raises ResultError for no values, NaN, or a part outside 0..whole.
    """
    together = gather(parts, clusters, wholes)
    if (together.sums < 0).any() or (together.sums > together.counts * (1 + 1e-9)).any():
        raise ResultError(
            f"values whose cluster means reach from {together.means.min():g} to "
            f"{together.means.max():g}; this interval is for metrics in 0..1"
        )
    low, high = _quantiles(together, (0.0, 1.0), samples, level, seed)
    mean = min(1.0, together.mean)
    return Interval(0.0 if mean == 0 else min(low, mean), 1.0 if mean == 1 else max(high, mean))


def difference_bootstrap(
    differences: npt.ArrayLike,
    clusters: Names,
    *,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    most: float = 1.0,
) -> Interval:
    """Return the interval of the mean of paired differences, each from -most to most.

    The half clusters stand half as far again from the mean as the farthest cluster, but within `most`,
    since differences of graded metrics are far smaller; where all clusters differ by the same, they
    stand at -most and most: that nothing was seen in n items bounds the difference by about 2 / n, and
    not by 0. Arguments as in `cluster_bootstrap`.

    Raises ResultError for no values, NaN, or a cluster whose mean is beyond `most`.
    """
    drawn = difference_draws(differences, clusters, samples=samples, seed=seed, most=most)
    mean = gather(differences, clusters).mean
    low, high = _ends(drawn, level)
    return Interval(min(low, mean), max(high, mean))


def difference_draws(
    differences: npt.ArrayLike,
    clusters: Names,
    *,
    samples: int = 1000,
    seed: int = 0,
    most: float = 1.0,
) -> Floats:
    """Return the resampled means of paired differences, shape (samples,); as `difference_bootstrap`."""
    together = gather(differences, clusters)
    largest = float(np.abs(together.means).max())
    if largest > most:
        raise ResultError(
            f"a difference of {largest:g}; metrics in 0..1 differ by at most {most:g}"
        )
    return _draws(together, far_ends(together, most), samples, seed)


def far_ends(differences: Clusters, most: float = 1.0) -> tuple[float, float]:
    """Return where half a cluster of doubt stands on either side of the mean difference."""
    mean = differences.mean
    reach = _REACH * float(np.abs(differences.means - mean).max())
    return (max(-most, mean - reach), min(most, mean + reach)) if reach > 1e-12 else (-most, most)


def _quantiles(
    clusters: Clusters, ends: tuple[float, float], samples: int, level: float, seed: int
) -> tuple[float, float]:
    """Return the two quantiles of the resampled mean, with half a cluster added at each end."""
    return _ends(_draws(clusters, ends, samples, seed), level)


def _ends(drawn: Floats, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _draws(clusters: Clusters, ends: tuple[float, float], samples: int, seed: int) -> Floats:
    """Return resampled means, with half a cluster added at each end; shape (samples,)."""
    rng = np.random.default_rng(seed)
    size = clusters.counts.mean()
    drawn = []
    for weights, extra in _weights(rng, samples, len(clusters)):
        total = weights @ clusters.sums + size * (extra @ np.asarray(ends))
        drawn.append(total / (weights @ clusters.counts + size * extra.sum(axis=1)))
    return np.concatenate(drawn)


def _weights(
    rng: np.random.Generator, samples: int, clusters: int
) -> Iterator[tuple[Floats, Floats]]:
    """Yield weights of the clusters (rows, clusters) and of the two ends (rows, 2), in blocks."""
    rows = max(1, _BLOCK // clusters)
    for start in range(0, samples, rows):
        block = min(rows, samples - start)
        yield rng.standard_exponential((block, clusters)), rng.standard_gamma(0.5, (block, 2))


def two_way_bootstrap(
    differences: npt.ArrayLike,
    clusters: Names,
    *,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    most: float = 1.0,
) -> Interval:
    """Return the interval of the mean of `differences`, shape (seeds, n), each from -most to most.

    `clusters` names the item of each query, shape (n,). Seeds are drawn with Rubin's continuous
    weights, spread so that their variance is that of a mean of so many seeds; with two or three seeds
    their part is still a rough one. With one seed the interval is over items alone.

    Raises ResultError for another shape, no values, NaN, or values beyond `most`.
    """
    array = np.asarray(differences, dtype=np.float64)
    if array.ndim != 2:
        raise ResultError(f"differences of shape {array.shape}: expected (seeds, queries)")
    mean = float(array.mean())
    drawn = difference_draws(array.mean(axis=0), clusters, samples=samples, seed=seed, most=most)
    drawn = drawn + _seed_noise(array.mean(axis=1), samples, seed)
    tail = (1 - level) / 2
    low, high = np.clip(np.quantile(drawn, [tail, 1 - tail]), -most, most)
    return Interval(min(float(low), mean), max(float(high), mean))


def _seed_noise(means: Floats, samples: int, seed: int) -> Floats:
    """Return draws of what the choice of seeds adds to the mean, shape (samples,).

    Dirichlet weights give a mean of S values the variance s2 / (S + 1) where s2 divides by S; the
    factor makes it that of a mean of S independent runs, s2 / (S - 1).
    """
    count = len(means)
    if count < 2:
        return np.zeros(samples)
    weights = np.random.default_rng([seed, count]).standard_exponential((samples, count))
    weights /= weights.sum(axis=1, keepdims=True)
    spread = np.sqrt((count + 1) / (count - 1))
    return np.asarray(weights @ (means - means.mean()) * spread)
