"""How large a difference is, beside how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from webfaq_eval.statistics.clusters import Names, gather


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
