"""WebFAQ's published hard negatives as ir_datasets has them: ids with a teacher's scores, texts apart.

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
from itertools import groupby
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import overload

import numpy as np

from webfaq_eval.errors import TaskDataError
from webfaq_eval.training.groups import Group

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
