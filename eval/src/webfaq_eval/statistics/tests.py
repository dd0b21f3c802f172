"""Paired tests of two systems: randomisation, correction for many, effect size, power.

If the systems do not differ, exchanging their scores on any item changes nothing but the sign of
that item's difference (Fisher 1935; Noreen 1989; for retrieval Smucker, Allan and Carterette 2007).
All queries of an item are exchanged together. Only items that differ can change the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from webfaq_eval.errors import ResultError
from webfaq_eval.statistics.intervals import Floats, Names, far_ends, gather

#: Up to this many items that differ, all 2**n exchanges are tried.
EXACT_UP_TO = 13
_BLOCK = 4_000_000
#: Sums that differ by less than this share are ties: the order of adding must not decide.
_TIE = 1e-9


def paired_randomisation(
    differences: npt.ArrayLike, clusters: Names, *, samples: int = 10_000, seed: int = 0
) -> float:
    """Return the two-sided p value of a mean paired difference of 0, never 0 itself.

    `differences` and `clusters` have shape (n,). With at most `EXACT_UP_TO` items that differ the
    value is exact, else it is `(exchanges at least as extreme + 1) / (samples + 1)`. It is 1 where
    nothing differs. For right-or-wrong metrics with few items that differ the test rejects less often
    than its level: there are only a few values that p can have.
    """
    sums = gather(differences, clusters).sums
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    seen = abs(float(sums.sum())) * (1 - _TIE)
    if len(sums) <= EXACT_UP_TO:
        return float((np.abs(_all_signs(len(sums)) @ sums) >= seen).mean())
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // len(sums))
    extreme = 0
    for start in range(0, samples, rows):
        signs = _random_signs(rng, min(rows, samples - start), len(sums))
        extreme += int((np.abs(signs @ sums) >= seen).sum())
    return (extreme + 1) / (samples + 1)


def _all_signs(items: int) -> Floats:
    """Return every way to give `items` signs, shape (2**items, items)."""
    bits = np.arange(2**items)[:, None] >> np.arange(items)[None, :]
    return np.where(bits & 1, -1.0, 1.0)


def _random_signs(rng: np.random.Generator, rows: int, items: int) -> Floats:
    """Return random signs, shape (rows, items)."""
    signs = rng.integers(0, 2, (rows, items), dtype=np.int8).astype(np.float64)
    signs *= 2
    signs -= 1
    return signs


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's (1979) adjusted p values of one family, in the order given, each at most 1.

    Rejecting every adjusted value up to 0.05 makes any false claim in the family at most 5 % likely,
    whatever the dependence between the tests. Raises ResultError for a value outside 0..1.
    """
    bad = [p for p in p_values if not 0 <= p <= 1]
    if bad:
        raise ResultError(f"{len(bad)} p values are outside 0..1, the first is {bad[0]!r}")
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


@dataclass(frozen=True)
class Effect:
    """A mean paired difference, in points of the metric, and in standard deviations over items.

    `standardised` is Cohen's d of paired data (0.2 is called small, 0.8 large); it is None where it
    is not defined: one item, or items that all differ by the same.
    """

    difference: float
    standardised: float | None


def paired_effect(differences: npt.ArrayLike, clusters: Names) -> Effect:
    """Return the size of a paired difference; both arguments have shape (n,)."""
    together = gather(differences, clusters)
    means = together.means
    spread = float(np.std(means, ddof=1)) if len(means) > 1 else 0.0
    if spread <= 1e-12:
        return Effect(together.mean, None)
    return Effect(together.mean, float(means.mean()) / spread)


def smallest_difference(
    differences: npt.ArrayLike,
    clusters: Names,
    *,
    power: float = 0.8,
    level: float = 0.05,
    most: float = 1.0,
) -> float:
    """Return the true difference that a paired test at `level` finds with probability `power`.

    It follows from the number of items and from how much their differences scatter, not from their
    mean: `(z(1 - level/2) + z(power)) * standard error`. The scatter is that of the clusters and of
    half a cluster on either side, as in `difference_bootstrap`, so that few items without a difference
    are not taken for proof of equality. At most 1, the largest difference there is.
    """
    together = gather(differences, clusters)
    residuals = together.sums - together.mean * together.counts
    ends = np.asarray(far_ends(together, most)) - together.mean
    doubt = float(np.square(ends).mean() * together.counts.mean() ** 2)
    squares = float(np.square(residuals).sum()) + doubt
    error = np.sqrt(squares) / together.counts.sum()
    normal = NormalDist()
    return min(1.0, float((normal.inv_cdf(1 - level / 2) + normal.inv_cdf(power)) * error))
