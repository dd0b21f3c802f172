"""What a step trains on: the rows of its batch, their hard negatives, and which answers are right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from webfaq_eval.training.batches import Batches
from webfaq_eval.training.losses import Marks
from webfaq_eval.training.negatives import HardNegatives
from webfaq_eval.training.pairs import Rows
from webfaq_eval.training.texts import Keys, PairTexts


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
