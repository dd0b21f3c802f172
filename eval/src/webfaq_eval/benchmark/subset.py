"""What a subset holds once it is read: the two sides, and which candidate is right for which query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.duplicates import same_keys


@dataclass(frozen=True)
class Texts:
    """One side of a subset: parallel lists, sorted by id; titles are empty where there are none."""

    ids: list[str]
    titles: list[str]
    texts: list[str]
    languages: list[str]
    domains: list[str]
    memberships: list[str]
    items: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def inputs(self) -> list[str]:
        """What a model reads: title and text joined by a space, as mteb joins them."""
        pairs = zip(self.titles, self.texts, strict=True)
        return [f"{title} {text}".strip() if title else text for title, text in pairs]

    def take(self, rows: Sequence[int] | npt.NDArray[Any]) -> Texts:
        """Return some rows, in the order given."""
        columns = (getattr(self, one.name) for one in fields(self))
        return Texts(*([column[row] for row in rows] for column in columns))


@dataclass(frozen=True)
class Qrels:
    """Which candidate is right for which query: three parallel arrays.

    `query` and `corpus` are row numbers in the subset's `queries` and `corpus`, `grade` is positive.
    """

    query: npt.NDArray[np.int64]
    corpus: npt.NDArray[np.int64]
    grade: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.query)

    def where(self, kept: npt.NDArray[np.bool_]) -> Qrels:
        return Qrels(self.query[kept], self.corpus[kept], self.grade[kept])


@dataclass(frozen=True)
class SubsetData:
    """What is searched, for what, and what is right.

    `duplicate` are the official judgements and those of candidates whose text equals a right one;
    `unpaired` are BUCC's source sentences without a partner, which mining reads and retrieval does
    not.
    """

    corpus: Texts
    queries: Texts
    official: Qrels
    duplicate: Qrels
    unpaired: Texts | None = None

    @property
    def has_duplicates(self) -> bool:
        return len(self.duplicate) > len(self.official)


def with_equal_texts(official: Qrels, corpus: Texts) -> Qrels:
    """Add every candidate that says the same as a right one; the official rows come first."""
    same: dict[bytes, list[int]] = {}
    keys = same_keys(corpus.inputs)
    for row, key in enumerate(keys):
        same.setdefault(key, []).append(row)
    judged = {
        (int(query), int(found)): int(grade)
        for query, found, grade in zip(official.query, official.corpus, official.grade, strict=True)
    }
    for (query, found), grade in list(judged.items()):
        for twin in same[keys[found]]:
            judged.setdefault((query, twin), grade)
    pairs = np.asarray(list(judged), np.int64).reshape(-1, 2)
    return Qrels(pairs[:, 0], pairs[:, 1], np.fromiter(judged.values(), np.int64, len(judged)))
