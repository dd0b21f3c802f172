"""Hard negatives: wrong answers that look right, read from files and given to the pairs of a condition.

Read are grouped rows (`groups.py`), as `mine` writes them, and archives of ir_datasets (`runs.py`). A
group finds its pair by the texts of question and right answer, so ids need not agree.

WebFAQ's published ones are both: IrvinTopi/WebFAQHardNegatives @ a67f76c (arXiv 2602.17327) has, for
20 languages, grouped JSON lines of up to 200 answers that BM25 found, scored by BGE-M3, and
PaDaS-Lab/webfaq-ir-datasets the same with ids. The layout of the second is the one its card states. The
card of the first could not be read to its end: if its fields are none of `groups.FIELDS`, reading stops
with the names it met.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from webfaq_eval.errors import TaskDataError
from webfaq_eval.pairs.held_out import HeldOut
from webfaq_eval.pairs.negative_files import Group, read_file, read_run
from webfaq_eval.pairs.pairs import Rows
from webfaq_eval.pairs.texts import Keys, PairTexts, text_key

log = logging.getLogger(__name__)
_KINDS = ("*.jsonl", "*.jsonl.gz", "*.parquet")


def read_groups(where: Path) -> Iterator[Group]:
    """Read a file, or all files of a folder, by name; runs of a teacher (`.res`) come last.

    :raises TaskDataError: if there is no such file, or a line is not in the format; says which.
    """
    runs = sorted(where.rglob("*.res")) if where.is_dir() else []
    # A run lies in <language>/training and its texts in <language>: those files are no groups.
    beside = {run.parent.parent for run in runs}
    files = sorted(f for kind in _KINDS for f in where.rglob(kind)) if where.is_dir() else [where]
    files = [file for file in files if not beside & set(file.parents)]
    if not runs and not (files and files[0].is_file()):
        raise TaskDataError(
            f"{where} holds no hard negatives (.jsonl, .jsonl.gz, .parquet or .res)"
        )
    for file in files:
        yield from read_run(file) if file.suffix == ".res" else read_file(file)
    for run in runs:
        yield from read_run(run)


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
    unscored = sum(math.isnan(margin) for _, margin in flat)
    if unscored:
        attaching.counted["negatives used, without a teacher's score"] = unscored
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
