"""Which rows came, went or changed their label, found with 8 bytes a row and bounded memory.

Rows are known by a 64-bit key: the first half of a pair's id, or a hash of what identifies a row of
another kind. Among 200 million rows the expected number of false matches is 0.001.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from webfaq_domains.text import UInt64s


class Label(NamedTuple):
    """What a row is counted under; `part` is "" where a data set has one kind of rows."""

    part: str
    language: str
    domain: str
    split: str


@dataclass(frozen=True)
class Keys:
    """Rows as numbers: the key, the index of the label, and a hash of the values beside it or 0."""

    key: UInt64s
    label: npt.NDArray[np.int32]
    value: UInt64s

    @classmethod
    def concatenated(cls, parts: list[Keys]) -> Keys:
        return cls(
            np.concatenate([part.key for part in parts]),
            np.concatenate([part.label for part in parts]),
            np.concatenate([part.value for part in parts]),
        )

    def sorted(self) -> Keys:
        order = np.argsort(self.key, kind="stable")
        return Keys(self.key[order], self.label[order], self.value[order])


def no_keys() -> Keys:
    return Keys(np.zeros(0, np.uint64), np.zeros(0, np.int32), np.zeros(0, np.uint64))


@dataclass
class RowChanges:
    """Rows counted by label. `relabelled` is by (label before, domain after); `moved` went to another
    split; `changed` have the same key and label and other values."""

    added: Counter[Label] = field(default_factory=Counter)
    removed: Counter[Label] = field(default_factory=Counter)
    relabelled: Counter[tuple[Label, str]] = field(default_factory=Counter)
    moved: Counter[tuple[Label, str]] = field(default_factory=Counter)
    changed: Counter[Label] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.relabelled, self.moved, self.changed))

    def compare(self, one: Keys, other: Keys, labels: list[Label]) -> None:
        """Count what differs between two sets of rows; keys are unique within each."""
        one, other = one.sorted(), other.sorted()
        place = np.searchsorted(one.key, other.key)
        place = np.minimum(place, max(len(one.key) - 1, 0))
        same = one.key[place] == other.key if len(one.key) else np.zeros(len(other.key), bool)
        stayed = np.zeros(len(one.key), bool)
        stayed[place[same]] = True
        _count(self.added, other.label[~same], labels)
        _count(self.removed, one.label[~stayed], labels)
        before, after = one.label[place[same]], other.label[same]
        altered = (one.value[place[same]] != other.value[same]) & (before == after)
        _count(self.changed, before[altered], labels)
        self._count_moves(before[before != after], after[before != after], labels)

    def _count_moves(
        self, before: npt.NDArray[np.int32], after: npt.NDArray[np.int32], labels: list[Label]
    ) -> None:
        pairs, counts = np.unique(np.stack([before, after]), axis=1, return_counts=True)
        for (old, new), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            if labels[old].domain != labels[new].domain:
                self.relabelled[labels[old], labels[new].domain] += count
            elif labels[old].split != labels[new].split:
                self.moved[labels[old], labels[new].split] += count
            else:
                self.changed[labels[old]] += count


def _count(counter: Counter[Label], found: npt.NDArray[np.int32], labels: list[Label]) -> None:
    for index, count in enumerate(np.bincount(found, minlength=len(labels)).tolist()):
        if count:
            counter[labels[index]] += count
