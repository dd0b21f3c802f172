"""Give each pair its domain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from webfaq_domains.ground.text import pair_text
from webfaq_domains.labelers.base import Labeler
from webfaq_domains.labelers.load import load_labeler
from webfaq_domains.steps.base import Outcome


@cache
def _labeler(address: str, cascade: bool) -> Labeler:
    return load_labeler(address, cascade)


@dataclass(frozen=True)
class LabelDomain:
    """Add `domain`, `domain_score`, `domains` and `labeler`; the rule is `Labeler.assign`.

    `labeler` is `builtin` or a labeler folder; `cascade` puts the folder's student first.
    """

    labeler: str = "builtin"
    cascade: bool = False
    requires = ("question", "answer")
    adds = ("domain", "domain_score", "domains", "labeler")

    def __call__(self, pairs: pa.Table) -> Outcome:
        labeler = _labeler(self.labeler, self.cascade)
        labels = labeler.label(pair_text(pairs, labeler.characters))
        columns = {
            "domain": pa.array(labels.domain, pa.string()),
            "domain_score": pa.array(labels.score, pa.float32()),
            "domains": pa.array(labels.domains, pa.list_(pa.string())),
            "labeler": pa.array(labels.labeler, pa.string()),
        }
        for name, values in columns.items():
            pairs = pairs.append_column(name, values)
        return Outcome.keep_all(pairs)
