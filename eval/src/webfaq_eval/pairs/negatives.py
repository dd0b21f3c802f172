"""Hard negatives: wrong answers that look right, read from files and given to the pairs of a condition.

Read are rows of a question, as `mine` writes them, and archives of ir_datasets (`negative_files.py`). A
row finds its pairs by the texts of question and right answers, so ids need not agree. What several rows
or files have for one pair is put together.

WebFAQ's published ones are both: IrvinTopi/WebFAQHardNegatives @ a67f76c (arXiv 2602.17327) has, for
20 languages, JSON lines of up to 200 answers that BM25 found, scored by BGE-M3, and
PaDaS-Lab/webfaq-ir-datasets the same with ids. The layout of the second is the one its card states. The
card of the first could not be read to its end: if its fields are none of `negative_files.FIELDS`, reading
stops with the names it met.
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
from webfaq_eval.pairs.negative_files import ScoredNegatives, read_file, read_run
from webfaq_eval.pairs.pairs import Rows
from webfaq_eval.pairs.settings import NegativeSettings
from webfaq_eval.pairs.texts import Keys, PairTexts, text_key, text_keys

log = logging.getLogger(__name__)
_KINDS = ("*.jsonl", "*.jsonl.gz", "*.ndjson", "*.parquet")


def read_negatives(where: Path) -> Iterator[ScoredNegatives | str]:
    """Read a file, or all files of a folder, by name; runs of a teacher (`.res`) come last.

    A row that cannot be used is yielded as the reason why.

    :raises TaskDataError: if there is no such file, or a line is not in the format; says which.
    """
    runs = sorted(where.rglob("*.res")) if where.is_dir() else []
    # A run lies in <language>/training and its texts in <language>: those files have no negatives.
    beside = {run.parent.parent for run in runs}
    files = sorted(f for kind in _KINDS for f in where.rglob(kind)) if where.is_dir() else [where]
    files = [file for file in files if not beside & set(file.parents)]
    if not runs and not (files and files[0].is_file()):
        raise TaskDataError(
            f"{where} holds no hard negatives ({', '.join(kind[1:] for kind in _KINDS)} or .res)"
        )
    if where.is_dir():
        _list_left(where, {*files, *runs}, beside)
    for file in files:
        yield from read_run(file) if file.suffix == ".res" else read_file(file)
    for run in runs:
        yield from read_run(run)


def _list_left(where: Path, read: set[Path], beside: set[Path]) -> None:
    """Say which files of a folder are not read; what belongs to a run, and `mine`'s record, is known."""
    left = [
        path.relative_to(where).as_posix()
        for path in sorted(where.rglob("*"))
        if path.is_file()
        and path not in read
        and not beside & set(path.parents)
        and path.name != "mined.json"
    ]
    if left:
        log.warning("hard negatives: %d files are not read: %s", len(left), ", ".join(left[:5]))


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


class _Attaching:
    """Finds the pairs of rows of negatives, and the passages of these."""

    def __init__(self, pairs: PairTexts, settings: NegativeSettings, held_out: HeldOut) -> None:
        self.pairs, self.settings, self.held_out = pairs, settings, held_out
        self.by_answer = np.argsort(pairs.answer_key, kind="stable")
        self.answers = pairs.answer_key[self.by_answer]
        self.by_question = np.argsort(pairs.question_key, kind="stable")
        self.questions = pairs.question_key[self.by_question]
        self.extra: dict[int, int] = {}
        self.texts: list[str] = []
        self.counted: Counter[str] = Counter()
        #: Pair -> passage -> the teacher's margin, in the order of the files.
        self.found: dict[int, dict[int, float]] = {}
        #: Question -> right answers that only files know.
        self.right: dict[int, set[int]] = {}

    def add(self, negatives: ScoredNegatives) -> None:
        """Give the negatives of a row to every pair of its question with one of its right answers."""
        question = text_key(negatives.query)
        asked = self._same(self.questions, self.by_question, question)
        if not len(asked):
            self.counted["lines: no pair of the condition"] += 1
            return
        positives = text_keys(negatives.positives).tolist()
        scores = dict(zip(positives, negatives.positive_scores, strict=True))
        rows = [row for row in asked.tolist() if int(self.pairs.answer_key[row]) in scores]
        right = {int(self.pairs.answer_key[row]) for row in asked}
        if set(positives) - right:
            self.right.setdefault(question, set()).update(positives)
        self.counted["lines" if rows else "lines: no pair of the condition"] += 1
        self.counted["lines with several right answers"] += bool(rows) and len(scores) > 1
        if rows:
            passages = self._passages(negatives, right | self.right.get(question, set()), rows)
            for row in rows:
                own = scores[int(self.pairs.answer_key[row])]
                for passage, score in passages:
                    if len(self.found.setdefault(row, {})) < self.settings.most:
                        self.found[row].setdefault(passage, own - score)

    def _passages(
        self, negatives: ScoredNegatives, right: set[int], rows: list[int]
    ) -> list[tuple[int, float]]:
        """Return passages and scores of negatives, as many as the pair with the fewest can take."""
        wanted = self.settings.most - min(len(self.found.get(row, ())) for row in rows)
        found: dict[int, float] = {}
        for number, score in enumerate(negatives.negative_scores):
            if len(found) >= wanted:
                break
            text = negatives.negatives[number]
            key = text_key(text)
            if key in right:
                self.counted["negatives: they answer the question"] += 1
                continue
            passage = self._passage(key, text)
            if passage is not None:
                found.setdefault(passage, score)
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

    def drop_right_answers(self) -> None:
        """Take out negatives that a later row, or another file, calls right for the question."""
        keys = np.concatenate([self.pairs.answer_key, np.array(list(self.extra), np.uint64)])
        for row, passages in self.found.items() if self.right else ():
            right = self.right.get(int(self.pairs.question_key[row]), set())
            for passage in [one for one in passages if int(keys[one]) in right]:
                del passages[passage]
                self.counted["negatives: they answer the question"] += 1

    @staticmethod
    def _same(keys: Keys, order: Rows, key: int) -> Rows:
        wanted = np.uint64(key)
        return order[np.searchsorted(keys, wanted) : np.searchsorted(keys, wanted, side="right")]


def attach(pairs: PairTexts, settings: NegativeSettings, held_out: HeldOut) -> HardNegatives:
    """Read hard negatives and give each pair of the list its own.

    :raises TaskDataError: if no line belongs to a pair of the list.
    """
    attaching = _Attaching(pairs, settings, held_out)
    for negatives in read_negatives(settings.where):
        if isinstance(negatives, str):
            attaching.counted[f"lines: {negatives}"] += 1
        else:
            attaching.add(negatives)
    attaching.drop_right_answers()
    attaching.counted += Counter()  # without reasons that never held
    found = {row: list(passages.items()) for row, passages in attaching.found.items() if passages}
    counts = np.zeros(len(pairs) + 1, np.int64)
    for row, passages in found.items():
        counts[row + 1] = len(passages)
    flat = [passage for row in sorted(found) for passage in found[row]]
    attaching.counted |= {"pairs with negatives": len(found), "negatives used": len(flat)}
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
