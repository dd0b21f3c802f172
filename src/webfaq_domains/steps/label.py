"""Give each pair its domain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from webfaq_domains.ground.text import pair_text
from webfaq_domains.labelers.base import Labeler, assign
from webfaq_domains.labelers.load import open_labeler
from webfaq_domains.steps.base import Outcome


@cache
def _labeler(address: str, cascade: bool) -> Labeler:
    return open_labeler(address, cascade=cascade)


@dataclass(frozen=True)
class LabelDomain:
    """Add `domain`, `domain_score`, `domains` and `labeler`; the rule is `labeler.base.assign`.

    `labeler` is `builtin` or a labeler folder; `cascade` puts the folder's student first.
    """

    labeler: str = "builtin"
    cascade: bool = False
    fallback: str = "other"
    requires = ("question", "answer")
    adds = ("domain", "domain_score", "domains", "labeler")

    def __call__(self, pairs: pa.Table) -> Outcome:
        labeler = _labeler(self.labeler, self.cascade)
        texts = pair_text(pairs, labeler.characters)
        probabilities = labeler.probabilities(texts)
        thresholds = np.asarray(labeler.thresholds, np.float32)
        found = assign(probabilities, labeler.domains, thresholds, self.fallback)
        columns = {
            "domain": pa.array(found.domain, pa.string()),
            "domain_score": pa.array(found.score, pa.float32()),
            "domains": pa.array(found.domains, pa.list_(pa.string())),
            "labeler": pa.array(labeler.kinds(texts, probabilities), pa.string()),
        }
        for name, values in columns.items():
            pairs = pairs.append_column(name, values)
        return Outcome.keep_all(pairs)
