"""Which pairs meet in which step: a pure function of the pair list and the seed.

In a batch every other answer is a negative, so two pairs with the same question or the same answer
never meet in one. A pair that would do so waits for a later batch of the epoch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from webfaq_eval.errors import TrainingError
from webfaq_eval.training.conditions import id_hash
from webfaq_eval.training.pairs import Rows
from webfaq_eval.training.texts import PairTexts

#: Batches planned together; bounds memory and how long a pair waits for a batch without its like.
_WINDOW = 256
#: A pair alone in a batch has no negative and teaches nothing.
_LEAST = 2


@dataclass(frozen=True)
class BatchSettings:
    """How pairs are put together: `monolingual` batches hold one language each."""

    size: int = 128
    seed: int = 0
    monolingual: bool = False

    def __post_init__(self) -> None:
        if self.size < _LEAST:
            raise TrainingError(f"a batch of {self.size} has no negatives; take at least {_LEAST}")


@dataclass
class Batches:
    """All batches of a run, by step; epochs are planned when they are reached.

    `left` counts, per epoch, the pairs that no batch could take.
    """

    pairs: PairTexts
    settings: BatchSettings
    left: dict[int, int] = field(default_factory=dict)
    _epoch: int = -1
    _batches: list[Rows] = field(default_factory=list)
    _first: int = 0

    def at(self, step: int) -> Rows:
        """Return the rows of a step's batch, counted from 0 through all epochs.

        :raises TrainingError: if no two pairs may meet.
        """
        if step < self._first:
            self._epoch, self._batches, self._first = -1, [], 0
        while step >= self._first + len(self._batches):
            self._first += len(self._batches)
            self._epoch += 1
            self._batches, self.left[self._epoch] = plan_epoch(
                self.pairs, self.settings, self._epoch
            )
            if not self._batches:
                raise TrainingError(
                    f"{len(self.pairs):,} pairs make no batch: fewer than {_LEAST} of them differ in "
                    "question and answer" + (" in one language" * self.settings.monolingual)
                )
        return self._batches[step - self._first]

    def steps(self, epochs: int) -> int:
        """Return how many batches some epochs have."""
        plans = (plan_epoch(self.pairs, self.settings, epoch) for epoch in range(epochs))
        return sum(len(batches) for batches, _ in plans)

    def sha256(self, steps: int) -> str:
        """Return the sha256 of the ids of the first batches, in order: what was trained on, when."""
        digest = hashlib.sha256()
        for step in range(steps):
            rows = self.at(step)
            digest.update(len(rows).to_bytes(4, "little") + self.pairs.ids[rows].tobytes())
        return digest.hexdigest()


def plan_epoch(pairs: PairTexts, settings: BatchSettings, epoch: int) -> tuple[list[Rows], int]:
    """Return the batches of one epoch, each an array of rows, and how many pairs are left over."""
    keys = id_hash(pairs.ids, f"batches/{settings.seed}/{epoch}")
    order = np.argsort(keys, kind="stable")
    if not settings.monolingual:
        batches = list(_fill(pairs, order, settings.size))
        return batches, len(pairs) - sum(map(len, batches))
    batches = []
    for code in np.unique(pairs.language):
        batches += _fill(pairs, order[pairs.language[order] == code], settings.size)
    # The hash of a batch's first pair is as good as chance, and no pair is first in two batches.
    batches.sort(key=lambda rows: int(keys[rows[0]]) * 0x9E3779B97F4A7C15 % 2**64)
    return batches, len(pairs) - sum(map(len, batches))


def _fill(pairs: PairTexts, order: Rows, size: int) -> Iterator[Rows]:
    """Yield batches from rows in a given order, window by window."""
    waiting: list[int] = []
    for start in range(0, len(order), size * _WINDOW):
        waiting += order[start : start + size * _WINDOW].tolist()
        last = start + size * _WINDOW >= len(order)
        batches, waiting = _place(
            pairs, waiting, size, len(waiting) if last else len(waiting) // size
        )
        for batch in batches:
            if len(batch) == size or (last and len(batch) >= _LEAST):
                yield np.array(batch, np.int64)
            elif not last:
                waiting += batch


def _place(
    pairs: PairTexts, rows: list[int], size: int, most: int
) -> tuple[list[list[int]], list[int]]:
    """Put each row into the first of at most `most` batches that holds neither text of it."""
    batches: list[list[int]] = []
    after_question: dict[int, int] = {}
    after_answer: dict[int, int] = {}
    waiting: list[int] = []
    full = 0
    for row in rows:
        question, answer = int(pairs.question_key[row]), int(pairs.answer_key[row])
        place = max(full, after_question.get(question, 0), after_answer.get(answer, 0))
        while place < len(batches) and len(batches[place]) >= size:
            place += 1
        if place >= most:
            waiting.append(row)
            continue
        while place >= len(batches):
            batches.append([])
        batches[place].append(row)
        after_question[question] = after_answer[answer] = place + 1
        while full < len(batches) and len(batches[full]) >= size:
            full += 1
    return batches, waiting
