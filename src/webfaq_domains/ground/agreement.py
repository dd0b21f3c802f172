"""How far two labels of the same things agree, chance taken off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def cohen_kappa(one: Sequence[str], other: Sequence[str]) -> float:
    """Return Cohen's kappa (1960) of two labels of each thing: 1 for all alike, 0 for chance.

    >>> round(cohen_kappa(["a", "a", "b", "b"], ["a", "b", "b", "b"]), 3)
    0.5
    >>> cohen_kappa(["a", "a"], ["a", "a"]), cohen_kappa([], [])
    (1.0, 0.0)
    """
    if not one:
        return 0.0
    share = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    left, right = Counter(one), Counter(other)
    chance = sum(left[label] * right[label] for label in left) / len(one) ** 2
    return 1.0 if chance == 1 else (share - chance) / (1 - chance)
