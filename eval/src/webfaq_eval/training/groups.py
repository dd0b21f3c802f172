"""Read questions with their right answer and hard negatives: one row a question, in a file.

JSON lines or Parquet with `query`, `positive`, `negatives`, best first, and where a teacher scored them
`positive_score` and `negative_scores`; `mine` writes this. The names that other tools give these fields
are read, too (`FIELDS`), negatives as objects `{"text": …, "score": …}`, lists with one positive, and
one list of scores that begins with the positive's.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
