"""Exact deduplication: one pair per text, one answer per question on a site.

Fingerprints of 64 bits: among 200 M pairs the expected number of false matches is
(2e8)^2 / 2^65 = 0.001. The plan takes 24 bytes a row on the driver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.steps.base import Outcome, Sketches, Verdicts
from webfaq_domains.text import UInt64s, both, joined, match_hash, unit_hash


@dataclass(frozen=True)
class RankRows:
    """Add `rank`, a number that says which of several equal rows stays: the lowest.

    It hashes all that tells two rows apart (source, id, url, origin, texts), so the choice does
    not depend on the order in which rows are met.
    """

    requires = ("source", "source_id", "url", "origin", "question", "answer")
    adds = ("rank",)

    def __call__(self, pairs: pa.Table) -> Outcome:
        rank = unit_hash(joined(*(pairs[name] for name in self.requires)))
        return Outcome.keep_all(pairs.append_column("rank", pa.array(rank)))


def later_in_group(group: UInt64s, rank: UInt64s) -> np.ndarray:
    """Mark the rows that are not the lowest-ranked of their group (position breaks ties)."""
    order = np.lexsort((rank, group))
    repeated = np.zeros(len(group), bool)
    repeated[order[1:]] = group[order[1:]] == group[order[:-1]]
    return repeated


@dataclass(frozen=True)
class DropDuplicates:
    """Drop pairs whose text was met, and further answers to one question on one origin."""

    requires = ("question", "answer", "origin", "rank")
    reasons = ("duplicate_pair", "duplicate_question_on_origin")

    def sketch(self, pairs: pa.Table) -> dict[str, np.ndarray]:
        question = match_hash(pairs["question"])
        return {
            "pair": both(question, match_hash(pairs["answer"])),
            "asked": both(question, unit_hash(pairs["origin"])),
            "has_origin": pc.is_valid(pairs["origin"]).to_numpy(zero_copy_only=False),
            "rank": pairs["rank"].to_numpy(),
        }

    def plan(self, sketches: Sketches) -> list[Verdicts]:
        rank = sketches.all("rank")
        verdict = later_in_group(sketches.all("pair"), rank).astype(np.uint8)
        rows = np.flatnonzero((verdict == 0) & sketches.all("has_origin"))
        again = later_in_group(sketches.all("asked")[rows], rank[rows])
        verdict[rows[again]] = 2
        return sketches.split(verdict, "rank")
