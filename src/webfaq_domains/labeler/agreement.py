"""How far a labeler agrees with labels of another scheme, through the taxonomy's crosswalk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webfaq_domains.taxonomy import Taxonomy


@dataclass(frozen=True)
class Agreement:
    """Rows compared, the share that agree, Cohen's kappa, and the table of label by domain.

    A row agrees when its domain is one that its foreign label overlaps. For kappa (Cohen 1960) a
    foreign label counts as the row's own domain where it overlaps it, else as its first overlap.
    """

    scheme: str
    rows: int
    share: float
    kappa: float
    table: dict[str, dict[str, int]]

    def text(self) -> str:
        return (
            f"agreement with {self.scheme} labels through the crosswalk: {self.share:.1%} of "
            f"{self.rows:,} rows, kappa {self.kappa:.3f}"
        )

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def agreement(
    labels: Sequence[str], domains: Sequence[str], taxonomy: Taxonomy, scheme: str
) -> Agreement:
    """Compare foreign labels with domains row by row; labels that overlap nothing are left out.

    A label of another scheme may overlap several domains, so agreement is the most it can be.
    """
    table: dict[str, Counter[str]] = {}
    pairs = []
    for label, domain in zip(labels, domains, strict=True):
        overlaps = taxonomy.from_foreign(scheme, label)
        if overlaps:
            table.setdefault(label, Counter())[domain] += 1
            pairs.append((domain if domain in overlaps else overlaps[0], domain))
    same = sum(theirs == ours for theirs, ours in pairs)
    share = same / len(pairs) if pairs else 0.0
    return Agreement(
        scheme,
        len(pairs),
        share,
        _kappa(pairs, share),
        {label: dict(n) for label, n in table.items()},
    )


def _kappa(pairs: list[tuple[str, str]], share: float) -> float:
    if not pairs:
        return 0.0
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(left[slug] * right[slug] for slug in left) / len(pairs) ** 2
    return 1.0 if chance == 1 else (share - chance) / (1 - chance)
