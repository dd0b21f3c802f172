"""Pairs for contrastive tuning: a capped, balanced sample instead of every combination.

SetFit (Tunstall et al. 2022) tunes an encoder on pairs of texts, alike when they share a class.
All pairs of 4,000 texts are 8 million; what matters is that every domain and language meets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from webfaq_domains.labeler.annotations import Annotation


@dataclass(frozen=True)
class TextPair:
    """Rows of two texts, and 1.0 if they are of one domain, 0.0 if they share none."""

    left: int
    right: int
    alike: float


def sample_pairs(
    rows: Sequence[Annotation], count: int, generator: np.random.Generator
) -> list[TextPair]:
    """Draw `count` pairs, every second one alike; domains take turns, languages mix by chance.

    The left text of pair i is of domain i modulo the domains met, so no domain is drowned. Two
    texts that share only a second domain are neither alike nor unlike and are not drawn.
    """
    by_domain: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        by_domain[row.domains[0]].append(number)
    slugs = sorted(by_domain)
    if len(slugs) < 2:
        return []
    pairs: list[TextPair] = []
    for number in range(count):
        slug = slugs[(number // 2) % len(slugs)]
        left = int(generator.choice(by_domain[slug]))
        if number % 2 == 0:
            pairs.append(TextPair(left, int(generator.choice(by_domain[slug])), 1.0))
            continue
        right = left
        while set(rows[left].domains) & set(rows[right].domains):
            right = int(generator.integers(len(rows)))
        pairs.append(TextPair(left, right, 0.0))
    return pairs
