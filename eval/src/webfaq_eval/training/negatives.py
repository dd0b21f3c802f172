"""Hard negatives: the grouped format of WebFAQ's public ones, read and written.

One JSON line (or Parquet row) per question: `query`, `positive`, `negatives`, best first, and where a
teacher scored them `positive_score` and `negative_scores`. The reader also takes the names that other
tools give these fields (`FIELDS`), negatives as objects `{"text": …, "score": …}`, and lists with one
positive. Lines find their pair by the texts of question and positive, so ids need not agree.
"""

from __future__ import annotations

import gzip
import json
import logging
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_eval.errors import TaskDataError
from webfaq_eval.training.langid import HeldOut
from webfaq_eval.training.pairs import Rows
from webfaq_eval.training.texts import Keys, PairTexts, text_key

log = logging.getLogger(__name__)

#: What a field is called here -> what it is called elsewhere (FlagEmbedding, sentence-transformers).
FIELDS = {
    "query": ("query", "question", "anchor"),
    "positive": ("positive", "pos", "answer", "positives"),
    "negatives": ("negatives", "negative", "neg", "negs", "hard_negatives"),
    "positive_score": ("positive_score", "pos_score", "pos_scores", "positive_scores"),
    "negative_scores": ("negative_scores", "neg_scores", "negs_score", "scores"),
}
_TEXT = ("text", "answer", "passage", "document", "content")


@dataclass(frozen=True)
class Group:
    """One question with its right answer and hard negatives, best first; scores are NaN if unknown."""

    query: str
    positive: str
    negatives: list[str]
    positive_score: float
    negative_scores: list[float]


def read_groups(where: Path) -> Iterator[Group]:
    """Read a file, or all `.jsonl`, `.jsonl.gz` and `.parquet` files of a folder, by name.

    :raises TaskDataError: if there is no such file, or a line is not in the format; says which.
    """
    kinds = ("*.jsonl", "*.jsonl.gz", "*.parquet")
    files = sorted(f for k in kinds for f in where.rglob(k)) if where.is_dir() else [where]
    if not files or not files[0].is_file():
        raise TaskDataError(f"{where} holds no hard negatives (.jsonl, .jsonl.gz or .parquet)")
    for file in files:
        for number, row in enumerate(_rows(file), 1):
            try:
                yield _group(row)
            except (KeyError, TypeError, ValueError) as error:
                raise TaskDataError(f"{file}, line {number}: {error}") from error


def _rows(file: Path) -> Iterator[Any]:
    try:
        if file.suffix == ".parquet":
            for batch in pq.ParquetFile(file).iter_batches(1000):
                yield from batch.to_pylist()
            return
        with (
            gzip.open(file, "rt", encoding="utf-8")
            if file.suffix == ".gz"
            else file.open(encoding="utf-8") as lines
        ):
            for line in lines:
                yield json.loads(line)
    except (OSError, EOFError, ValueError, pa.ArrowException) as error:
        raise TaskDataError(f"{file} cannot be read as hard negatives: {error}") from error


def _group(row: Any) -> Group:
    if not isinstance(row, dict):
        raise TypeError(f"met {type(row).__name__}, expected an object")
    query, positive, negatives = (_field(row, n) for n in ("query", "positive", "negatives"))
    if query is None or positive is None or negatives is None:
        raise KeyError(f"expected query, positive and negatives, met {', '.join(sorted(row))}")
    if isinstance(positive, list):
        positive = positive[0]
    if isinstance(negatives, str):
        negatives = [negatives]
    texts = [_text(negative) for negative in negatives]
    first, scores = _scores(row, negatives)
    if len(scores) != len(texts):
        raise ValueError(f"{len(texts)} negatives have {len(scores)} scores")
    return Group(str(query), _text(positive), texts, first, scores)


def _field(row: dict[str, Any], name: str) -> Any:
    return next((row[n] for n in FIELDS[name] if row.get(n) is not None), None)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = next((value[name] for name in _TEXT if name in value), None)
    if not isinstance(value, str):
        raise TypeError(f"met {type(value).__name__} where a text is expected")
    return value


def _scores(row: dict[str, Any], negatives: list[Any]) -> tuple[float, list[float]]:
    first, scores = _field(row, "positive_score"), _field(row, "negative_scores")
    if isinstance(first, list):
        first = first[0] if first else None
    if scores is None and negatives and isinstance(negatives[0], dict):
        scores = [negative.get("score", math.nan) for negative in negatives]
    if scores is None:
        scores = [math.nan] * len(negatives)
    if first is None and len(scores) == len(negatives) + 1:
        first, scores = scores[0], scores[1:]
    return float(math.nan if first is None else first), [float(score) for score in scores]


@dataclass
class HardNegatives:
    """Hard negatives of the pairs of a list, as rows: pair r has those from start[r] to start[r + 1].

    A passage below len(pairs) is that pair's answer, the others are `extra` texts. `margin` is the
    teacher's score of the right answer minus the negative's, NaN where unknown. `counted` says what
    became of the lines and texts of the files.
    """

    start: Rows
    passage: Rows
    margin: npt.NDArray[np.float32]
    extra: list[str]
    extra_key: Keys
    counted: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class NegativeSettings:
    """Which hard negatives a pair takes: at most `most`, the file's first.

    Without `outside` only answers of the condition's own pairs serve, so that a condition stays what
    it says; with it any text does, but none in a held-out language.
    """

    where: Path
    most: int = 4
    outside: bool = False


class _Attaching:
    """Finds the pairs of groups, and the passages of their negatives."""

    def __init__(self, pairs: PairTexts, settings: NegativeSettings, held_out: HeldOut) -> None:
        self.pairs, self.settings, self.held_out = pairs, settings, held_out
        self.by_answer = np.argsort(pairs.answer_key, kind="stable")
        self.answers = pairs.answer_key[self.by_answer]
        self.by_question = np.argsort(pairs.question_key, kind="stable")
        self.questions = pairs.question_key[self.by_question]
        self.extra: dict[int, int] = {}
        self.texts: list[str] = []
        self.counted: Counter[str] = Counter()

    def rows_of(self, group: Group) -> list[int]:
        """Return the pairs with the group's question and positive."""
        asked = self._same(self.questions, self.by_question, text_key(group.query))
        answer = text_key(group.positive)
        return [row for row in asked if self.pairs.answer_key[row] == answer]

    def right(self, group: Group) -> set[int]:
        """Return the keys of all answers that the list has for the question."""
        asked = self._same(self.questions, self.by_question, text_key(group.query))
        return {int(self.pairs.answer_key[row]) for row in asked}

    def passages(self, group: Group) -> list[tuple[int, float]]:
        right = self.right(group)
        found: dict[int, float] = {}
        for text, score in zip(group.negatives, group.negative_scores, strict=True):
            if len(found) == self.settings.most:
                break
            key = text_key(text)
            if key in right:
                self.counted["negatives: they answer the question"] += 1
                continue
            passage = self._passage(key, text)
            if passage is not None:
                found.setdefault(passage, group.positive_score - score)
        return list(found.items())

    def _passage(self, key: int, text: str) -> int | None:
        rows = self._same(self.answers, self.by_answer, key)
        if len(rows):
            return int(rows[0])
        if not self.settings.outside:
            self.counted["negatives: not an answer of the condition's pairs"] += 1
            return None
        if self.held_out.languages and self.held_out.speaks("", text):
            self.counted["negatives: in a held-out language"] += 1
            return None
        if key not in self.extra:
            self.extra[key] = len(self.pairs) + len(self.texts)
            self.texts.append(text)
        return self.extra[key]

    @staticmethod
    def _same(keys: Keys, order: Rows, key: int) -> Rows:
        wanted = np.uint64(key)
        return order[np.searchsorted(keys, wanted) : np.searchsorted(keys, wanted, side="right")]


def attach(pairs: PairTexts, settings: NegativeSettings, held_out: HeldOut) -> HardNegatives:
    """Read hard negatives and give each pair of the list its own.

    :raises TaskDataError: if no line belongs to a pair of the list.
    """
    attaching = _Attaching(pairs, settings, held_out)
    found: dict[int, list[tuple[int, float]]] = {}
    for group in read_groups(settings.where):
        rows = attaching.rows_of(group)
        attaching.counted["lines" if rows else "lines: no pair of the condition"] += 1
        for row in rows:
            found[row] = attaching.passages(group)
    counts = np.zeros(len(pairs) + 1, np.int64)
    for row, passages in found.items():
        counts[row + 1] = len(passages)
    flat = [passage for row in sorted(found) for passage in found[row]]
    attaching.counted["negatives used"] = len(flat)
    if not flat:
        raise TaskDataError(
            f"{settings.where} gives no hard negative to the {len(pairs):,} pairs of the condition: "
            + ", ".join(f"{count:,} {why}" for why, count in attaching.counted.items())
            + ". Mine with the same pairs, or allow texts from outside (--outside-negatives)"
        )
    for why, count in sorted(attaching.counted.items()):
        log.info("hard negatives, %s: %s", why, f"{count:,}")
    return HardNegatives(
        np.cumsum(counts),
        np.array([passage for passage, _ in flat], np.int64),
        np.array([margin for _, margin in flat], np.float32),
        attaching.texts,
        np.array(list(attaching.extra), np.uint64),
        attaching.counted,
    )
