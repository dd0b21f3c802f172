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


@dataclass(frozen=True)
class Rows:
    """The order in which a task's `count` rows are taken: shuffled anew for every pass."""

    count: int
    size: int
    seed: int

    def at(self, turn: int) -> list[int]:
        """Return the rows of the `turn`-th batch; a batch may begin in one pass and end in the next."""
        places = range(turn * self.size, (turn + 1) * self.size)
        return [
            int(_order(self.count, self.seed, place // self.count)[place % self.count])
            for place in places
        ]


@lru_cache(maxsize=64)
def _order(count: int, seed: int, turn: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, 2, turn]).permutation(count)
