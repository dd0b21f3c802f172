"""Paired randomisation test: is a difference larger than relabelling the two systems makes it?

If the systems do not differ, exchanging their scores on any item changes nothing but the sign of
that item's difference (Fisher 1935; Noreen 1989; for retrieval Smucker, Allan and Carterette 2007).
All queries of an item are exchanged together. Only items that differ can change the outcome.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from webfaq_eval.statistics.clusters import Floats, Names, gather

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
