"""Bound the size of each cell of language and domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from webfaq_domains.errors import RecipeError
from webfaq_domains.steps.base import Sketches, Verdicts
from webfaq_domains.text import joined, unit_hash


@dataclass(frozen=True)
class TakeQuota:
    """Keep at most `rows` pairs of each (language, domain, split): those with the lowest hashes.

    The same pairs are kept whatever their order, and a larger quota keeps all of a smaller one.
    """

    rows: int
    salt: str = "quota-1"
    requires = ("id", "language", "domain", "split")
    reasons = ("over_quota",)

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise RecipeError(f"rows = {self.rows}: a quota keeps at least 1 pair of each cell")

    def sketch(self, pairs: pa.Table) -> dict[str, np.ndarray]:
        cell = joined(pairs["language"], pairs["domain"], pairs["split"])
        return {"cell": unit_hash(cell), "chance": unit_hash(pairs["id"], self.salt)}

    def plan(self, sketches: Sketches) -> list[Verdicts]:
        cell, chance = sketches.all("cell"), sketches.all("chance")
        order = np.lexsort((chance, cell))
        starts = np.flatnonzero(np.append(True, cell[order][1:] != cell[order][:-1]))
        place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
        verdict = np.zeros(len(cell), np.uint8)
        verdict[order[place >= self.rows]] = 1
        return sketches.split(verdict, "cell")
