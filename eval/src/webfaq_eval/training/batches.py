"""What a step trains on: which pairs meet, their hard negatives, and which answers are right.

In a batch every other answer is a negative, so two pairs with the same question or the same answer
never meet in one. A pair that would do so waits for a later batch of the epoch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from webfaq_eval.errors import TrainingError
from webfaq_eval.pairs.conditions import id_hash
from webfaq_eval.pairs.negatives import HardNegatives
from webfaq_eval.pairs.pairs import Rows
from webfaq_eval.pairs.texts import Keys, PairTexts
from webfaq_eval.training.losses import Marks
from webfaq_eval.training.settings import LEAST, BatchSettings

#: Batches planned together; bounds memory and how long a pair waits for a batch without its like.
_WINDOW = 256


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
                raise self._no_batch()
        return self._batches[step - self._first]

    def steps(self, epochs: int) -> int:
        """Return how many batches some epochs have.

        :raises TrainingError: if no two pairs may meet.
        """
        plans = (plan_epoch(self.pairs, self.settings, epoch) for epoch in range(epochs))
        steps = sum(len(batches) for batches, _ in plans)
        if not steps:
            raise self._no_batch()
        return steps

    def _no_batch(self) -> TrainingError:
        return TrainingError(
            f"{len(self.pairs):,} pairs make no batch: fewer than {LEAST} of them differ in "
            "question and answer" + (" in one language" * self.settings.monolingual)
        )

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
            if len(batch) == size or (last and len(batch) >= LEAST):
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


@dataclass(frozen=True)
class Batch:
    """A whole batch, the same in every process: pairs, hard negatives, and what is right for whom."""

    rows: Rows
    passages: Rows
    owner: Rows
    marks: Marks

    def negatives_of(self, mine: slice) -> Rows:
        """Return the hard negatives of a slice of the pairs."""
        mine_too = (self.owner >= mine.start) & (self.owner < mine.stop)
        return np.asarray(self.passages[mine_too])


@dataclass
class TrainingData:
    """Pairs in batches, with prefixes and hard negatives.

    `cached` maps questions, answers and extra texts to the items of an embedder; without it an item is
    the text with its prefix.
    """

    pairs: PairTexts
    batches: Batches
    prefixes: tuple[str, str]
    negatives: HardNegatives | None = None
    cached: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None = None
    _keys: Keys = field(init=False)
    _right: _RightAnswers = field(init=False)

    def __post_init__(self) -> None:
        extra = self.negatives.extra_key if self.negatives else np.zeros(0, np.uint64)
        self._keys = np.concatenate([self.pairs.answer_key, extra])
        self._right = _RightAnswers(self.pairs)

    def batch_at(self, step: int) -> Mapping[str, Any]:
        """Return a step's batch for `loop.run_loop`."""
        return {"batch": self.batch(self.batches.at(step)), "step": step}

    def batch(self, rows: Rows) -> Batch:
        """Return a batch of some pairs with their hard negatives."""
        passages, owner, margin = self._negatives(rows)
        candidates = np.concatenate([self._keys[rows], self._keys[passages]])
        right = self._right.among(rows, candidates)
        marks = Marks(torch.from_numpy(right), torch.from_numpy(owner), torch.from_numpy(margin))
        return Batch(rows, passages, owner, marks)

    def _negatives(self, rows: Rows) -> tuple[Rows, Rows, npt.NDArray[np.float32]]:
        none = np.zeros(0, np.int64)
        if self.negatives is None:
            return none, none, np.zeros(0, np.float32)
        start = self.negatives.start
        places = [np.arange(start[row], start[row + 1]) for row in rows]
        owner = np.repeat(np.arange(len(rows)), [len(place) for place in places])
        flat = np.concatenate([*places, none])
        return self.negatives.passage[flat], owner, self.negatives.margin[flat]

    def items(self, rows: Rows, passages: Rows) -> list[Any]:
        """Return questions, answers, then hard negatives, as the embedder takes them."""
        if self.cached is not None:
            questions, answers = self.cached
            cached = np.concatenate([questions[rows], answers[rows], answers[passages]])
            return list(cached.tolist())
        query, passage = self.prefixes
        found = [query + text for text in self.pairs.questions(rows)]
        found += [passage + text for text in self.pairs.answers(rows)]
        return found + [passage + text for text in self._passages(passages)]

    def _passages(self, passages: Rows) -> list[str]:
        own = len(self.pairs)
        return [
            self.pairs.answers([p])[0]
            if p < own or self.negatives is None
            else self.negatives.extra[p - own]
            for p in passages.tolist()
        ]

    def all_items(self, rows: int = 10_000) -> tuple[list[str], list[str]]:
        """Return the texts of all questions and of all passages, with prefixes, to be cached."""
        query, passage = self.prefixes
        questions, answers = [], []
        for start in range(0, len(self.pairs), rows):
            part = range(start, min(start + rows, len(self.pairs)))
            questions += [query + text for text in self.pairs.questions(part)]
            answers += [passage + text for text in self.pairs.answers(part)]
        extra = self.negatives.extra if self.negatives else []
        return questions, answers + [passage + text for text in extra]


class _RightAnswers:
    """Which answers the list has for a question: its own, and those of pairs that ask the same."""

    def __init__(self, pairs: PairTexts) -> None:
        self.pairs = pairs
        order = np.lexsort((pairs.answer_key, pairs.question_key))
        self.question, self.answer = pairs.question_key[order], pairs.answer_key[order]

    def among(self, rows: Rows, candidates: Keys) -> npt.NDArray[np.bool_]:
        """Return [rows, candidates]: does the candidate's text answer the row's question?"""
        right = self.pairs.answer_key[rows][:, None] == candidates[None, :]
        asked = self.pairs.question_key[rows]
        first = np.searchsorted(self.question, asked)
        last = np.searchsorted(self.question, asked, side="right")
        for place in np.flatnonzero(last - first > 1):
            right[place] |= np.isin(candidates, self.answer[first[place] : last[place]])
        return np.asarray(right)
