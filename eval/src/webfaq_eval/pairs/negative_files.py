"""Files of questions with a right answer and hard negatives: one row a question, or published runs.

JSON lines or Parquet with `query`, `positive`, `negatives`, best first, and where a teacher scored them
`positive_score` and `negative_scores`; `mine` writes this. The names that other tools give these fields
are read, too (`FIELDS`), negatives as objects `{"text": …, "score": …}`, lists with one positive, and
one list of scores that begins with the positive's.

An archive of PaDaS-Lab/webfaq-ir-datasets (its card on the Hub says so) holds per language

    <language>/documents.jsonl           {"doc_id", "text"}: the answers
    <language>/training/queries.jsonl    {"query_id", "text"}
    <language>/training/qrels            query 0 document relevance: the right answers
    <language>/training/BGE-M3.res       query Q0 document rank score name: right answers and negatives

built from IrvinTopi/WebFAQHardNegatives. English has 5 million answers; texts stay on disk here and are
found by their id, at 16 bytes of memory for a line.
"""

from __future__ import annotations

import gzip
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
import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_eval.errors import TaskDataError

#: What a field is called here -> what it is called elsewhere (FlagEmbedding, sentence-transformers).
FIELDS = {
    "query": ("query", "question", "anchor"),
    "positive": ("positive", "pos", "answer", "positives"),
    "negatives": ("negatives", "negative", "neg", "negs", "hard_negatives"),
    "positive_score": ("positive_score", "pos_score", "pos_scores", "positive_scores"),
    "negative_scores": ("negative_scores", "neg_scores", "negs_score", "scores"),
}
_TEXT = ("text", "answer", "passage", "document", "content")
_SCORE = ("score", "cross_encoder_score", "teacher_score")


@dataclass(frozen=True)
class Group:
    """One question with its right answer and hard negatives, best first; scores are NaN if unknown.

    The negatives may lie on disk: they are read as they are asked for.
    """

    query: str
    positive: str
    negatives: Sequence[str]
    positive_score: float
    negative_scores: list[float]


def read_file(file: Path) -> Iterator[Group]:
    """Read a file of groups.

    :raises TaskDataError: if it cannot be read, or a line is not in the format; says which.
    """
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
    if math.isnan(first) and isinstance(positive, dict):
        first = _score(positive)
    return Group(str(query), _text(positive), texts, first, scores)


def _field(row: dict[str, Any], name: str) -> Any:
    return next((row[n] for n in FIELDS[name] if row.get(n) is not None), None)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = next((value[name] for name in _TEXT if name in value), None)
    if not isinstance(value, str):
        raise TypeError(f"met {type(value).__name__} where a text is expected")
    return value


def _score(value: dict[str, Any]) -> float:
    return float(next((value[n] for n in _SCORE if value.get(n) is not None), math.nan))


def _scores(row: dict[str, Any], negatives: list[Any]) -> tuple[float, list[float]]:
    first, scores = _field(row, "positive_score"), _field(row, "negative_scores")
    if isinstance(first, list):
        first = first[0] if first else None
    if scores is None and negatives and isinstance(negatives[0], dict):
        scores = [_score(negative) for negative in negatives]
    if scores is None:
        scores = [math.nan] * len(negatives)
    if first is None and len(scores) == len(negatives) + 1:
        first, scores = scores[0], scores[1:]
    return float(math.nan if first is None else first), [float(score) for score in scores]


_RUN = "query Q0 document rank score name"


def read_run(run: Path) -> Iterator[Group]:
    """Read a teacher's run and what lies beside it: a group for each question and right answer.

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
        right = [line.split() for line in qrels.of(query)]
        positives = [line[2].decode() for line in right if float(line[3]) > 0]
        wrong = sorted(scores.keys() - set(positives), key=lambda one: (-scores[one], one))
        for positive in positives:
            yield Group(
                queries.text(query),
                documents.text(positive),
                _Texts(documents, wrong),
                scores.get(positive, math.nan),
                [scores[document] for document in wrong],
            )


def _scored(run: Path) -> Iterator[tuple[str, str, float]]:
    """Yield question, document and score of each line of a run."""
    with run.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            fields = line.split()
            try:
                yield fields[0], fields[2], float(fields[4])
            except (IndexError, ValueError) as error:
                raise TaskDataError(
                    f"{run}, line {number}: met {line.strip()!r}, expected {_RUN}"
                ) from error


class _Lines:
    """The lines of a file by their id. The file is mapped: a line is read when it is asked for."""

    def __init__(self, path: Path, name: Callable[[bytes], str]) -> None:
        self.path, self.name = path, name
        keys, self.starts = array("Q"), array("Q", [0])
        try:
            with path.open("rb") as file:
                for line in file:
                    keys.append(_key(name(line)))
                    self.starts.append(self.starts[-1] + len(line))
                self.mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
        except OSError as error:
            raise TaskDataError(f"{path} belongs to the run beside it: {error}") from error
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise TaskDataError(f"{path}, line {len(keys) + 1}: it has no id: {error!r}") from error
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
