"""The files of TREC tools: qrels (`query 0 document relevance`) and runs (`query Q0 document rank score tag`).

Source: the formats of `trec_eval`, https://github.com/usnistgov/trec_eval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import replacing

#: Query id -> document ids, best first.
Run = dict[str, list[str]]


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write a text file, whole or not at all; returns its path."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def checked_id(name: str) -> str:
    """Return an id as it is, if a line can hold it.

    :raises StagedError: if it is empty or has white space, which separates the columns.
    """
    if not name or any(letter.isspace() for letter in name):
        raise StagedError(
            f"the id {name!r} is empty or has white space, which separates the columns of TREC "
            "files; name the rows otherwise"
        )
    return name


def qrels_lines(judgements: Iterable[tuple[str, str, int]]) -> Iterator[str]:
    """Yield a line per judgement: query id, document id, relevance.

    :raises StagedError: for an id that a line cannot hold.
    """
    for query, document, relevance in judgements:
        yield f"{checked_id(query)} 0 {checked_id(document)} {relevance}"


def run_lines(
    ranked: Iterable[tuple[str, Sequence[str], Sequence[float]]], tag: str
) -> Iterator[str]:
    """Yield the lines of a run: query id, its documents, best first, and their scores.

    :raises StagedError: for an id that a line cannot hold.
    """
    for query, documents, scores in ranked:
        pairs = zip(documents, falling(scores), strict=True)
        for rank, (document, score) in enumerate(pairs, start=1):
            yield f"{checked_id(query)} Q0 {checked_id(document)} {rank} {score!s} {tag}"


def falling(scores: Sequence[float]) -> list[np.float32]:
    """Return the scores, each at least one float32 step below the one before.

    `trec_eval` orders by score, and equal scores by the larger id, where we take the smaller.
    Lowering a score by the smallest step keeps our order; it changes the seventh digit of ties alone.
    """
    lowered: list[np.float32] = []
    for score in np.asarray(scores, dtype=np.float32):
        if lowered and score >= lowered[-1]:
            score = np.nextafter(lowered[-1], np.float32(-np.inf))
        lowered.append(score)
    return lowered


def read_run(path: Path) -> Run:
    """Read a run: the documents of each query, by score, then by rank.

    :raises StagedError: naming the first line that is none, or the file if it is no text.
    """
    found: dict[str, list[tuple[float, int, str]]] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                query, row = _run_line(line, f"{path}:{number}")
                found.setdefault(query, []).append(row)
    except (OSError, UnicodeDecodeError) as error:
        raise StagedError(f"{path} cannot be read as a run: {error}") from error
    return {query: [document for *_, document in sorted(rows)] for query, rows in found.items()}


def _run_line(line: str, where: str) -> tuple[str, tuple[float, int, str]]:
    try:
        query, _, document, rank, score, _ = line.split()
        value = float(score)
        if not np.isfinite(value):
            raise ValueError(score)
        return query, (-value, int(rank), document)
    except ValueError as error:
        raise StagedError(
            f"{where}: expected `query Q0 document rank score tag`; met {line.strip()[:60]!r}"
        ) from error


def best(run: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the first document of each query."""
    return {query: documents[0] for query, documents in run.items() if documents}
