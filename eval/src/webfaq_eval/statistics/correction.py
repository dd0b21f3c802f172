"""Correction for many comparisons: what is called a difference must survive all that was tried."""

from __future__ import annotations

from collections.abc import Sequence

from webfaq_eval.errors import ResultError


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
