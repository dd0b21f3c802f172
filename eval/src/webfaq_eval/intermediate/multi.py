"""Several tasks over shared weights: which task the next batch is of, and which rows it holds.

Tasks are drawn in proportion to their sizes, as the paper's multi-task runs do; masked-language
batches may take a fixed share. Both are decided before training, by the seed alone, so a batch is a
function of its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

#: Batches whose rows are sorted by length together: transformers' Trainer takes 50, too.
TOGETHER = 50


@dataclass(frozen=True)
class Schedule:
    """What batch `number` is: task `names[task[number]]`, and its `turn[number]`-th batch."""

    names: tuple[str, ...]
    task: npt.NDArray[np.int16]
    turn: npt.NDArray[np.int64]

    def at(self, number: int) -> tuple[str, int]:
        return self.names[self.task[number]], int(self.turn[number])

    def counts(self) -> dict[str, int]:
        return {name: int((self.task == row).sum()) for row, name in enumerate(self.names)}


def shares(sizes: Mapping[str, int], fixed: Mapping[str, float]) -> dict[str, float]:
    """Return each task's share of the batches: `fixed` ones as given, the rest by size."""
    rest = 1.0 - sum(fixed.values())
    total = sum(size for name, size in sizes.items() if name not in fixed)
    return {
        name: fixed[name] if name in fixed else rest * size / total for name, size in sizes.items()
    }


def plan(share: Mapping[str, float], batches: int, seed: int) -> Schedule:
    """Draw the task of every batch."""
    names = tuple(share)
    chance = np.random.default_rng([seed, 1])
    task = chance.choice(len(names), size=batches, p=list(share.values())).astype(np.int16)
    turn = np.zeros(batches, np.int64)
    for row in range(len(names)):
        mine = task == row
        turn[mine] = np.arange(mine.sum())
    return Schedule(names, task, turn)


@dataclass(frozen=True, eq=False)
class Rows:
    """The order in which a task's `count` rows are taken: shuffled anew for every pass.

    With `lengths`, one for each row, a batch has rows of like length, so that little of it is padding:
    a pass is shuffled, sorted inside of parts of `TOGETHER` batches, and its batches are shuffled, as
    `group_by_length` of transformers' Trainer does it.
    """

    count: int
    size: int
    seed: int
    lengths: npt.NDArray[np.int64] | None = None

    def at(self, turn: int) -> list[int]:
        """Return the rows of the `turn`-th batch; a batch may begin in one pass and end in the next."""
        places = range(turn * self.size, (turn + 1) * self.size)
        return [int(_order(self, place // self.count)[place % self.count]) for place in places]


@lru_cache(maxsize=64)
def _order(rows: Rows, turn: int) -> npt.NDArray[np.int64]:
    chance = np.random.default_rng([rows.seed, 2, turn])
    order = chance.permutation(rows.count)
    if rows.lengths is None:
        return order
    part = TOGETHER * rows.size
    for start in range(0, rows.count, part):
        found = order[start : start + part]
        order[start : start + part] = found[np.argsort(-rows.lengths[found], kind="stable")]
    # A last batch that is not full stays last: the next pass completes it.
    whole = rows.count // rows.size * rows.size
    batches = chance.permutation(order[:whole].reshape(-1, rows.size))
    return np.concatenate([batches.ravel(), order[whole:]])
