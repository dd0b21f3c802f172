"""What a number of items can show: the smallest difference that a test would probably find."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from webfaq_eval.statistics.bootstrap import far_ends
from webfaq_eval.statistics.clusters import Names, gather


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
