"""The interval of a mean difference over items and training seeds together.

Items and seeds are both samples: other items would give another difference, and so would another
training run. Both are resampled, each on its own, as in Owen's pigeonhole bootstrap (2007).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from webfaq_eval.errors import ResultError
from webfaq_eval.statistics.bootstrap import Interval, difference_draws
from webfaq_eval.statistics.clusters import Floats, Names


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
