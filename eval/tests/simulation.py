"""Data shaped like the benchmarks, whose true mean is known, and how often an interval holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from webfaq_eval.statistics.intervals import Interval, cluster_bootstrap

Values = npt.NDArray[np.float64]
#: A drawn sample: values (n,) and cluster numbers (n,).
Sample = tuple[Values, npt.NDArray[np.int64]]
Draw = Callable[[np.random.Generator], Sample]


@dataclass(frozen=True)
class Items:
    """Graded scores of queries in several languages, such as LAReQA's average precision.

    An item's difficulty is normal on the log-odds scale around `centre`; the query's score is Beta
    about it, with many values near 0 and 1.
    """

    items: int
    languages: int = 11
    centre: float = 0.0

    def __call__(self, rng: np.random.Generator) -> Sample:
        share = 1 / (1 + np.exp(-self.centre - 1.2 * rng.standard_normal((self.items, 1))))
        shape = (self.items, self.languages)
        values = rng.beta(1.5 * share + 0.05, 1.5 * (1 - share) + 0.05, size=shape)
        return values.ravel(), np.repeat(np.arange(self.items), self.languages)


@dataclass(frozen=True)
class Hits:
    """Right-or-wrong queries of items that only some of 36 languages have, as Tatoeba pooled."""

    items: int
    centre: float = 0.0

    def __call__(self, rng: np.random.Generator) -> Sample:
        share = 1 / (1 + np.exp(-self.centre - rng.standard_normal((self.items, 1))))
        there = rng.random((self.items, 36)) < np.linspace(0.1, 0.6, 36)
        there[:, 0] = True
        hits = (rng.random((self.items, 36)) < share)[there]
        return hits.astype(np.float64), np.nonzero(there)[0]


@dataclass(frozen=True)
class Changed:
    """Paired differences of right-or-wrong queries: `won` and `lost` are the shares that changed."""

    items: int
    won: float
    lost: float

    def __call__(self, rng: np.random.Generator) -> Sample:
        chance = rng.random(self.items)
        values = (chance < self.won).astype(np.float64) - (chance > 1 - self.lost)
        return values, np.arange(self.items)


@dataclass(frozen=True)
class Shifted:
    """Paired differences of graded scores: one system is better by `shift` on the log-odds scale."""

    items: int
    languages: int
    shift: float

    def __call__(self, rng: np.random.Generator) -> Sample:
        shape = (self.items, self.languages)
        base = 1 + 1.2 * rng.standard_normal((self.items, 1))
        scores = []
        for centre in (base + self.shift, base):
            share = 1 / (1 + np.exp(-centre - 0.3 * rng.standard_normal((self.items, 1))))
            scores.append(rng.beta(3 * share + 0.05, 3 * (1 - share) + 0.05, size=shape))
        clusters = np.repeat(np.arange(self.items), self.languages)
        return (scores[0] - scores[1]).ravel(), clusters


@cache
def true_mean(draw: Draw, queries: int = 500_000) -> float:
    """Return the mean over so many drawn queries that its error does not matter."""
    rng = np.random.default_rng(99)
    total = count = 0.0
    while count < queries:
        values, _ = draw(rng)
        total += float(values.sum())
        count += len(values)
    return total / count


def coverage(
    draw: Draw, interval: Callable[[Values, npt.NDArray[np.int64]], Interval], runs: int
) -> float:
    """Return the share of drawn samples whose interval holds the true mean."""
    truth = true_mean(draw)
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(runs):
        low, high = interval(*draw(rng))
        held += low <= truth <= high
    return held / runs


def proportion_coverage(n: int, shares: Values) -> Values:
    """Return the coverage of `cluster_bootstrap` for n right-or-wrong items at each true share.

    Without chance: the interval depends on the number of right ones alone, and how probable each
    number is is known.
    """
    log = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    right = np.arange(n + 1)
    ways = log[n] - log - log[::-1]
    mass = np.exp(ways + np.log(shares)[:, None] * right + np.log1p(-shares)[:, None] * (n - right))
    held = np.zeros_like(mass)
    for number in np.flatnonzero(mass.max(axis=0) > 1e-5):
        low, high = cluster_bootstrap(np.arange(n) < number, np.arange(n))
        held[:, number] = (low <= shares) & (shares <= high)
    return np.asarray((mass * held).sum(axis=1))


def share_at_most(
    test: Callable[[Values, npt.NDArray[np.int64]], float],
    draw: Draw,
    runs: int,
    level: float = 0.05,
) -> float:
    """Return the share of drawn samples whose p value is at most `level`."""
    rng = np.random.default_rng(6)
    return sum(test(*draw(rng)) <= level for _ in range(runs)) / runs
