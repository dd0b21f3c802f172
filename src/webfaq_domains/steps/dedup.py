"""Exact deduplication: one pair per text, one answer per question on a site.

Fingerprints of 64 bits: among 200 M pairs the expected number of false matches is
(2e8)^2 / 2^65 = 0.001. The plan takes 24 bytes a row on the driver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.steps.base import Sketches, Verdicts
from webfaq_domains.text import UInt64s, joined, matching_key, unit_hash


def rank_rows(pairs: pa.Table) -> UInt64s:
    """Return a number per row that says which of several equals stays: the lowest.

    It hashes all that tells two rows apart (source, id, url, origin, texts), so the choice does
    not depend on the order in which rows are met.
    """
    names = ("source", "source_id", "url", "origin", "question", "answer")
    return unit_hash(joined(*(pairs[name] for name in names)))


def later_in_group(group: UInt64s, rank: UInt64s) -> np.ndarray:
    """Mark the rows that are not the lowest-ranked of their group (position breaks ties)."""
    order = np.lexsort((rank, group))
    repeated = np.zeros(len(group), bool)
    repeated[order[1:]] = group[order[1:]] == group[order[:-1]]
    return repeated


@dataclass(frozen=True)
class DropDuplicates:
    """Drop pairs whose text was met, and further answers to one question on one origin."""

    requires = ("question", "answer", "origin", "source", "source_id", "url")
    reasons = ("duplicate_pair", "duplicate_question_on_origin")

    def sketch(self, pairs: pa.Table) -> dict[str, np.ndarray]:
        question = matching_key(pairs["question"])
        return {
            "pair": unit_hash(joined(question, matching_key(pairs["answer"]))),
            "asked": unit_hash(joined(pairs["origin"], question)),
            "has_origin": pc.is_valid(pairs["origin"]).to_numpy(zero_copy_only=False),
            "rank": rank_rows(pairs),
        }

    def plan(self, sketches: Sketches) -> list[Verdicts]:
        rank = sketches.all("rank")
        verdict = later_in_group(sketches.all("pair"), rank).astype(np.uint8)
        rows = np.flatnonzero((verdict == 0) & sketches.all("has_origin"))
        again = later_in_group(sketches.all("asked")[rows], rank[rows])
        verdict[rows[again]] = 2
        return sketches.split(verdict, "rank")
