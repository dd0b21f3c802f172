"""Exact deduplication: one pair per text, one answer per question on a site.

Fingerprints of 64 bits: among 200 M pairs the expected number of false matches is
(2e8)^2 / 2^65 = 0.001. The plan takes 17 bytes a row on the driver, and more only for rows that
repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.addresses import sites_of
from webfaq_domains.ground.schema import PUBLISHED, RAW
from webfaq_domains.ground.text import UInt64s, both, joined, match_hash, unit_hash
from webfaq_domains.steps.base import Outcome, Sketches, Verdicts


@dataclass(frozen=True)
class RankRows:
    """Add `rank`, a number that says which of several equal rows stays: the lowest.

    It hashes the whole row as its source gave it, so the choice does not depend on the order in
    which rows are met.
    """

    requires = ("source", *(name for name in RAW.names if name in PUBLISHED.names))
    adds = ("rank",)

    def __call__(self, pairs: pa.Table) -> Outcome:
        rank = unit_hash(joined(*(pairs[name] for name in self.requires)))
        return Outcome.keep_all(pairs.append_column("rank", pa.array(rank)))


def first_come(groups: Sequence[UInt64s], rank: UInt64s) -> Verdicts:
    """Keep each row, lowest rank first, unless one of its groups has a row already.

    `groups` holds one key per row and rule. Returns 0 for a row that stays and n for one that goes
    because the n-th of its groups is taken, so every row that goes meets one that stays. Each
    round settles all rows that come first in all of their groups, instead of one row at a time.
    """
    numbers = [np.unique(keys, return_inverse=True)[1] for keys in groups]
    place = np.empty(len(rank), np.int64)
    place[np.argsort(rank, kind="stable")] = np.arange(len(rank))
    taken = [np.zeros(len(rank), bool) for _ in groups]
    verdict = np.zeros(len(rank), np.uint8)
    undecided = np.arange(len(rank))
    while len(undecided):
        first = np.ones(len(undecided), bool)
        for number in numbers:
            lowest = np.full(len(rank), len(rank))
            np.minimum.at(lowest, number[undecided], place[undecided])
            first &= lowest[number[undecided]] == place[undecided]
        rest = undecided[~first]
        for code, (number, busy) in enumerate(zip(numbers, taken, strict=True), start=1):
            busy[number[undecided[first]]] = True
            rest_verdict = np.where(busy[number[rest]] & (verdict[rest] == 0), code, verdict[rest])
            verdict[rest] = rest_verdict
        undecided = rest[verdict[rest] == 0]
    return verdict


@dataclass(frozen=True)
class DropDuplicates:
    """Keep one pair per text, and one answer per question on a web site.

    Every pair that goes meets one that stays: of its text, or of its question on its site.
    """

    requires = ("question", "answer", "origin", "url", "rank")
    reasons = ("duplicate_pair", "duplicate_question_on_origin")

    def sketch(self, pairs: pa.Table) -> dict[str, np.ndarray]:
        question, site, rank = match_hash(pairs["question"]), sites_of(pairs), pairs["rank"]
        asked = both(question, unit_hash(site))
        # A pair of no site is alone on it.
        known = pc.is_valid(site).to_numpy(zero_copy_only=False)
        return {
            "pair": both(question, match_hash(pairs["answer"])),
            "asked": np.where(known, asked, both(asked, rank.to_numpy())),
            "rank": rank.to_numpy(),
        }

    def plan(self, sketches: Sketches) -> list[Verdicts]:
        verdict = np.zeros(sum(sketches.rows("rank")), np.uint8)
        rows = np.union1d(sketches.repeated("pair"), sketches.repeated("asked"))
        if len(rows):
            pair, asked, rank = (sketches.take(name, rows) for name in ("pair", "asked", "rank"))
            verdict[rows] = first_come((pair, asked), rank)
        return sketches.split(verdict, "rank")
