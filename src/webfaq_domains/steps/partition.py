"""Give each pair its identity and its split, and bound the size of each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.addresses import sites_of
from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.ground.schema import SPLITS
from webfaq_domains.ground.text import content_id, joined, unit_hash, unit_threshold
from webfaq_domains.steps.base import Outcome, Sketches, Verdicts


@dataclass(frozen=True)
class AssignId:
    """Add `id`, the hash of language, question and answer."""

    requires = ("language", "question", "answer")
    adds = ("id",)

    def __call__(self, pairs: pa.Table) -> Outcome:
        ids = content_id(pairs["language"], pairs["question"], pairs["answer"])
        return Outcome.keep_all(pairs.append_column("id", ids))


@dataclass(frozen=True)
class AssignSplit:
    """Add `split` by a hash of the origin, so that no web site is in two splits.

    A pair without origin and url goes with its page, which the `source_id` of a page's pairs names
    (`page.html#3`); without one it is a site of its own.
    """

    validation: float = 0.05
    test: float = 0.05
    salt: str = "split-1"
    requires = ("id", "origin", "url", "source_id")
    adds = ("split",)

    def __post_init__(self) -> None:
        if not (self.validation >= 0 <= self.test and self.validation + self.test < 1):
            raise RecipeError(
                f"split shares must be at least 0 and leave something for train; met validation "
                f"{self.validation}, test {self.test}"
            )

    def __call__(self, pairs: pa.Table) -> Outcome:
        page = pc.extract_regex(pairs["source_id"], r"^(?P<page>.+)#\d+(?:\.\d+)?$")
        site = pc.coalesce(sites_of(pairs), pc.struct_field(page, "page"), pairs["id"])
        number = unit_hash(site, self.salt)
        test = unit_threshold(self.test)
        validation = unit_threshold(self.test + self.validation)
        code = np.where(number < test, 2, np.where(number < validation, 1, 0))
        split = pa.array(np.array(SPLITS, object)[code], pa.string())
        return Outcome.keep_all(pairs.append_column("split", split))


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
