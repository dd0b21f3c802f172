"""The answers of one language, searched for what ranks high for a question and is not right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.ground.files import replacing
from webfaq_eval.benchmark.search import search
from webfaq_eval.mining.settings import MineSettings
from webfaq_eval.pairs.pairs import Rows
from webfaq_eval.pairs.texts import Keys, PairTexts
from webfaq_eval.training.embedders import TextEmbedder, encode
from webfaq_eval.training.encoder import Opened

_BLOCK = 10_000
_TOGETHER = 32


def too_good(right: float, share: float) -> float:
    """Return the score from which on a negative is likely right: a share of the right answer's score.

    Below zero the distance to the right score is kept, not the share, which would turn around.
    """
    return right - abs(right) * (1 - share)


@dataclass(frozen=True)
class Candidates:
    """What a question may take as negatives: its pair's row, its right answer's score, and the rest.

    `negatives` are rows of pairs whose answers they are, with the retriever's scores, best first.
    """

    row: int
    score: float
    negatives: list[tuple[int, float]]


class Pool:
    """The different answers of one language with their vectors, which lie on disk block by block."""

    def __init__(self, texts: PairTexts, opened: Opened, rows: Rows, folder: Path) -> None:
        self.texts, self.opened, self.folder = texts, opened, folder
        _, first = np.unique(texts.answer_key[rows], return_index=True)
        self.rows = rows[np.sort(first)]
        self.keys = texts.answer_key[self.rows]
        starts = range(0, len(self.rows), _BLOCK)
        self.vectors = _Stacked([self._vectors(start) for start in starts])
        self.right = _RightKeys(texts, rows)

    def _vectors(self, start: int) -> Any:
        path = self.folder / f"{start:012}.npy"
        if not path.is_file():
            answers = self.texts.answers(self.rows[start : start + _BLOCK])
            prefixed = [self.opened.passage_prefix + text for text in answers]
            vectors = encode(TextEmbedder(self.opened.model), prefixed, _TOGETHER)
            with replacing(path) as temporary, temporary.open("wb") as sink:
                np.save(sink, vectors, allow_pickle=False)
        return np.load(path, mmap_mode="r", allow_pickle=False)

    def candidates(
        self, asked: Rows, settings: MineSettings, counted: Counter[str]
    ) -> Iterator[Candidates]:
        """Yield what each question may take, and count what it may not."""
        questions = [self.opened.query_prefix + text for text in self.texts.questions(asked)]
        vectors = encode(TextEmbedder(self.opened.model), questions, _TOGETHER)
        found = search(vectors, self.vectors, min(settings.depth, len(self.rows)))
        places = self._places(self.texts.answer_key[asked])
        for number, row in enumerate(asked.tolist()):
            own = float(vectors[number] @ self.vectors.row(int(places[number])))
            right = self.right.of(int(self.texts.question_key[row]))
            ranked = zip(found.rows[number].tolist(), found.scores[number].tolist(), strict=True)
            kept: list[tuple[int, float]] = []
            for place, score in ranked:
                if place < 0 or len(kept) == settings.most:
                    break
                if int(self.keys[place]) in right:
                    counted["candidates: they answer the question"] += 1
                elif score > too_good(own, settings.ratio):
                    counted["candidates: score above the right answer's x ratio"] += 1
                else:
                    kept.append((int(self.rows[place]), score))
            yield Candidates(row, own, kept)

    def _places(self, keys: Keys) -> Rows:
        """Return where answers are in the pool; each is there."""
        order = np.argsort(self.keys, kind="stable")
        return order[np.searchsorted(self.keys[order], keys)]


@dataclass
class Language:
    """The questions of one language in shards, and its answers, encoded when the first shard asks."""

    texts: PairTexts
    opened: Opened
    code: int
    work: Path

    @property
    def folder(self) -> Path:
        return self.work / self.texts.languages[self.code]

    @cached_property
    def rows(self) -> Rows:
        return np.flatnonzero(self.texts.language == self.code)

    @cached_property
    def pool(self) -> Pool:
        return Pool(self.texts, self.opened, self.rows, self.folder)

    def shards(self, size: int) -> Iterator[tuple[Rows, str]]:
        """Yield the rows and the file's name of each shard."""
        count = -(-len(self.rows) // size)
        for number in range(count):
            name = f"{self.folder.name}-{number:05}-of-{count:05}"
            yield self.rows[number * size : (number + 1) * size], name


class _Stacked:
    """Blocks of vectors on disk as one matrix that can be sliced."""

    def __init__(self, blocks: list[Any]) -> None:
        self.blocks = blocks
        self.starts = np.cumsum([0, *(len(block) for block in blocks)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, rows: slice, /) -> Any:
        start, stop, _ = rows.indices(len(self))
        parts = [
            block[max(0, start - first) : max(0, stop - first)]
            for block, first in zip(self.blocks, self.starts[:-1].tolist(), strict=True)
        ]
        return np.concatenate(parts)

    def row(self, place: int) -> Any:
        block = int(np.searchsorted(self.starts, place, side="right")) - 1
        return self.blocks[block][place - int(self.starts[block])]


class _RightKeys:
    """The keys of all answers that one language's pairs have for a question."""

    def __init__(self, texts: PairTexts, rows: Rows) -> None:
        self.order = rows[np.argsort(texts.question_key[rows], kind="stable")]
        self.questions = texts.question_key[self.order]
        self.answers = texts.answer_key[self.order]

    def of(self, question: int) -> set[int]:
        first = np.searchsorted(self.questions, np.uint64(question))
        last = np.searchsorted(self.questions, np.uint64(question), side="right")
        return set(self.answers[first:last].tolist())
