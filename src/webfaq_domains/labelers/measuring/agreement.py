"""How far two labellings of the same rows agree: Cohen's kappa, and agreement through a crosswalk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from webfaq_domains.ground.agreement import cohen_kappa
from webfaq_domains.ground.taxonomy import Taxonomy


@dataclass(frozen=True)
class CrosswalkAgreement:
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


def crosswalk_agreement(
    labels: Sequence[str], domains: Sequence[str], taxonomy: Taxonomy, scheme: str
) -> CrosswalkAgreement:
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
    theirs, ours = [one for one, _ in pairs], [other for _, other in pairs]
    share = sum(a == b for a, b in pairs) / len(pairs) if pairs else 0.0
    counted = {label: dict(counts) for label, counts in table.items()}
    return CrosswalkAgreement(scheme, len(pairs), share, cohen_kappa(theirs, ours), counted)
