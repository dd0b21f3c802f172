"""Files of questions with right answers and hard negatives: one row a question, or published runs.

JSON lines or Parquet with `query`, `positive`, `negatives`, best first, and where a teacher scored them
`positive_score` and `negative_scores`; `mine` writes this. The names that other tools give these fields
are read, too (`FIELDS`), negatives as objects `{"text": …, "score": …}`, one negative a line, several
right answers, and one list of scores that begins with those of the right answers.

An archive of PaDaS-Lab/webfaq-ir-datasets (its card on the Hub says so) holds per language

    <language>/documents.jsonl           {"doc_id", "text"}: the answers
    <language>/training/queries.jsonl    {"query_id", "text"}
    <language>/training/qrels            query 0 document relevance: the right answers
    <language>/training/BGE-M3.res       query Q0 document rank score name: right answers and negatives

built from IrvinTopi/WebFAQHardNegatives. English has 5 million answers; texts stay on disk here and are
found by their id, at 16 bytes of memory for a line.
"""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, overload

import numpy as np

from webfaq_eval.errors import TaskDataError
from webfaq_eval.row_files import read_lines, read_rows
from webfaq_eval.rows import BrokenRow, Row, SkippedRow

#: What a field is called here -> what it is called elsewhere (FlagEmbedding, sentence-transformers).
FIELDS = {
    "query": ("query", "question", "anchor"),
    "positive": ("positive", "pos", "answer", "positives"),
    "negatives": ("negatives", "negative", "neg", "negs", "hard_negatives"),
    "positive_score": ("positive_score", "pos_score", "pos_scores", "positive_scores"),
    "negative_scores": (
        "negative_scores", "negative_score", "neg_scores", "neg_score", "negs_score", "scores",
    ),
}  # fmt: skip
_TEXT = ("text", "answer", "passage", "document", "content")
_SCORE = ("score", "cross_encoder_score", "teacher_score")


@dataclass(frozen=True)
class ScoredNegatives:
    """One question with its right answers and hard negatives, best first; scores are NaN if unknown.

    The texts may lie on disk: they are read as they are asked for.
    """

    query: str
    positives: Sequence[str]
    negatives: Sequence[str]
    positive_scores: list[float]
    negative_scores: list[float]


def read_file(file: Path) -> Iterator[ScoredNegatives | str]:
    """Read a file of questions with negatives; for a row that has none, yield the reason.

    :raises TaskDataError: if it cannot be read, or a row is not in the format; says which.
    """
    for row in read_rows(file):
        try:
            yield _negatives(row)
        except SkippedRow as skip:
            yield str(skip)


def _negatives(row: Row) -> ScoredNegatives:
    missing = [name for name, known in FIELDS.items() if not set(known) & row.columns]
    if {"query", "positive", "negatives"} & set(missing):
        raise BrokenRow(
            f"{row.place}: expected query, positive and negatives, met {', '.join(sorted(row.columns))}"
        )
    query = row.text(*FIELDS["query"])
    positives, negatives = (_listed(row, name) for name in ("positive", "negatives"))
    first, scores = _scores(row, positives, negatives)
    right, wrong = ([_text(one, row.place) for one in part] for part in (positives, negatives))
    if not any(text.strip() for text in right):
        raise SkippedRow("no right answer")
    return ScoredNegatives(query, right, wrong, first, scores)


def _listed(row: Row, name: str) -> list[Any]:
    value = row.get(*FIELDS[name])
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any, place: str) -> str:
    if isinstance(value, dict):
        value = next((value[name] for name in _TEXT if name in value), None)
    if not isinstance(value, str):
        raise BrokenRow(f"{place}: met {type(value).__name__} where a text is expected")
    return value


def _scores(
    row: Row, positives: list[Any], negatives: list[Any]
) -> tuple[list[float], list[float]]:
    """Return the scores of the right answers and of the negatives, NaN where the row has none.

    :raises BrokenRow: if a list of scores is not as long as what it scores.
    """
    first, scores = _listed(row, "positive_score"), _listed(row, "negative_scores")
    if not first and len(scores) == len(positives) + len(negatives):
        first, scores = scores[: len(positives)], scores[len(positives) :]
    first = first or [_own_score(one) for one in positives]
    scores = scores or [_own_score(one) for one in negatives]
    for what, texts, found in (("positives", positives, first), ("negatives", negatives, scores)):
        if len(texts) != len(found):
            raise BrokenRow(f"{row.place}: {len(texts)} {what} have {len(found)} scores")
    right, wrong = ([_number(one, row.place) for one in part] for part in (first, scores))
    return right, wrong


def _own_score(value: Any) -> Any:
    if not isinstance(value, dict):
        return None
    return next((value[name] for name in _SCORE if value.get(name) is not None), None)


def _number(value: Any, place: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BrokenRow(f"{place}: met the score {value!r:.80}, expected a number")
    return float(value)


_RUN = "query Q0 document rank score name"


def read_run(run: Path) -> Iterator[ScoredNegatives | str]:
    """Read a teacher's run and what lies beside it: all that it has for each question.

    :raises TaskDataError: if a file is missing or broken, an id has no text, or the lines of a
        question do not stand together.
    """
    folder = run.parent.parent
    documents = _Lines(folder / "documents.jsonl", lambda line: str(json.loads(line)["doc_id"]))
    queries = _Lines(run.parent / "queries.jsonl", lambda line: str(json.loads(line)["query_id"]))
    qrels = _Lines(run.parent / "qrels", lambda line: line.split()[0].decode())
    seen: set[str] = set()
    for query, lines in groupby(_scored(run), key=lambda scored: scored[0]):
        if query in seen:
            raise TaskDataError(f"{run}: the lines of {query} do not stand together; sort the file")
        seen.add(query)
        scores = {document: score for _, document, score in lines}
        judged = [line.split() for line in qrels.of(query)]
        right = [line[2].decode() for line in judged if float(line[3]) > 0]
        wrong = sorted(scores.keys() - set(right), key=lambda one: (-scores[one], one))
        if not right:
            yield "no right answer"
            continue
        yield ScoredNegatives(
            queries.text(query),
            _Texts(documents, right),
            _Texts(documents, wrong),
            [scores.get(document, math.nan) for document in right],
            [scores[document] for document in wrong],
        )


def _scored(run: Path) -> Iterator[tuple[str, str, float]]:
    """Yield question, document and score of each line of a run."""
    for place, line in read_lines(run):
        if not line.strip():
            continue
        fields = line.split()
        try:
            yield fields[0], fields[2], float(fields[4])
        except (IndexError, ValueError) as error:
            raise BrokenRow(f"{place}: met {line.strip()!r}, expected {_RUN}") from error


class _Lines:
    """The lines of a file by their id. The file is mapped: a line is read when it is asked for."""

    def __init__(self, path: Path, name: Callable[[bytes], str]) -> None:
        self.path, self.name = path, name
        keys, self.starts = array("Q"), array("Q", [0])
        try:
            with path.open("rb") as file:
                for line in file:
                    keys.append(_key(name(line)) if line.strip() else 0)
                    self.starts.append(self.starts[-1] + len(line))
                self.mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
        except OSError as error:
            raise TaskDataError(f"{path} belongs to the run beside it: {error}") from error
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise BrokenRow(f"{path}:{len(keys) + 1}: it has no id: {error!r}") from error
        found = np.array(keys, np.uint64)
        self.order = np.argsort(found, kind="stable")
        self.keys = found[self.order]

    def of(self, name: str) -> list[bytes]:
        """Return the lines of an id, in the order of the file.

        :raises TaskDataError: if there is none.
        """
        key = np.uint64(_key(name))
        first, last = (np.searchsorted(self.keys, key, side=side) for side in ("left", "right"))
        places = self.order[first:last].tolist()
        found = [self.mapped[self.starts[place] : self.starts[place + 1]] for place in places]
        found = [line for line in found if self.name(line) == name]
        if not found:
            raise TaskDataError(f"{self.path} has no {name}, which the run beside it names")
        return found

    def text(self, name: str) -> str:
        return str(json.loads(self.of(name)[0])["text"])


class _Texts(Sequence[str]):
    """The texts of some documents, each read when it is asked for: most of them never are."""

    def __init__(self, documents: _Lines, names: list[str]) -> None:
        self.documents, self.names = documents, names

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, place: int, /) -> str: ...
    @overload
    def __getitem__(self, place: slice, /) -> list[str]: ...
    def __getitem__(self, place: int | slice, /) -> str | list[str]:
        if isinstance(place, slice):
            return [self.documents.text(name) for name in self.names[place]]
        return self.documents.text(self.names[place])


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
