"""Queries that belong together: parallel items in several languages are one cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from webfaq_eval.errors import ResultError

Floats: TypeAlias = npt.NDArray[np.float64]
#: The cluster of each value, as names or numbers; shape (n,).
Names: TypeAlias = Sequence[object] | npt.NDArray[np.generic]


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
