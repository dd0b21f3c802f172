"""What a source is: a list of shards that can be counted beforehand, and a reader for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.schema import RAW


@dataclass(frozen=True)
class SourceFile:
    """One input file, pinned by its content.

    `name` is relative to the source's address and is what the manifest and every `Rejected`
    row quote; `path` is where it can be read on this machine (empty where it is fetched first);
    `sha256` is `git-sha1:…` for small files on the Hub, which has no other hash of them.
    """

    name: str
    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Rejected:
    """An input row that cannot be a pair: it goes to the quarantine file, not away.

    `place` is `file:line`, `file:row` or `file#element`; `row` an excerpt of at most 500 characters.
    """

    place: str
    reason: str
    row: str


@dataclass(frozen=True)
class Batch:
    """Some rows of a source: `pairs` has the schema `RAW`. Rows in = len(pairs) + len(rejected)."""

    pairs: pa.Table
    rejected: list[Rejected] = field(default_factory=list)


class Source(Protocol):
    """Where pairs come from. Opening one checks all that can be checked before work starts."""

    @property
    def name(self) -> str:
        """The value of the column `source`: short, stable, without a path of this machine."""

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """The input files, in a stable order."""

    def read(self, file: SourceFile) -> Iterator[Batch]:
        """Yield the rows of one file in order, in batches of bounded size."""


def pinned(source: Source) -> dict[str, Any]:
    """Return what pins a source in a recipe: name, revision or content hash, and its files.

    Of more than 1,000 files only the number is listed; the pin covers their names and contents.
    """
    files = [(file.name, file.bytes, file.sha256) for file in source.files]
    return {
        "name": source.name,
        "kind": type(source).__name__.removesuffix("Source").lower(),
        "pin": getattr(source, "sha", None) or f"sha256:{value_sha256(files)}",
        "file_count": len(files),
        "bytes": sum(size for _, size, _ in files),
        "files": [{"name": name, "bytes": size, "sha256": digest} for name, size, digest in files]
        if len(files) <= 1_000
        else [],
    }


class RawRows:
    """Collects rows into a `Batch` of at most `limit` rows; missing columns become null."""

    def __init__(self, limit: int = 20_000) -> None:
        self.limit = limit
        self._rows: list[dict[str, Any]] = []
        self._rejected: list[Rejected] = []

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)

    def reject(self, place: str, reason: str, row: str) -> None:
        self._rejected.append(Rejected(place, reason, row[:500]))

    def full(self) -> bool:
        return len(self._rows) + len(self._rejected) >= self.limit

    def take(self) -> Batch:
        """Return what was collected and start anew."""
        batch = Batch(pa.Table.from_pylist(self._rows, schema=RAW), self._rejected)
        self._rows, self._rejected = [], []
        return batch


def batches(rows: RawRows, events: Iterable[None]) -> Iterator[Batch]:
    """Drain `events` (which add to `rows` as they go), yielding a batch whenever one is full."""
    for _ in events:
        if rows.full():
            yield rows.take()
    last = rows.take()
    if len(last.pairs) or last.rejected:
        yield last
