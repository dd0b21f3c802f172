"""What a recipe is made of: steps, which see a table, and barriers, which see everything.

A *step* maps an Arrow table to an Arrow table and says what it dropped and why. A *barrier* is a
decision that needs all rows: it sketches each table into a few numbers per row, plans on the
driver, and returns a verdict per row. No engine has to move rows for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.errors import SchemaError
from webfaq_domains.ground.schema import require

Verdicts = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Outcome:
    """What a step did: the rows it kept, and the rows it dropped by reason.

    `met` is what a step was asked to look for and found; it is told to the user and published nowhere.
    """

    kept: pa.Table
    dropped: dict[str, pa.Table]
    met: tuple[str, ...] = ()

    @classmethod
    def keep_all(cls, pairs: pa.Table) -> Outcome:
        return cls(pairs, {})

    @classmethod
    def drop_if(cls, pairs: pa.Table, **reasons: pa.Array | pa.ChunkedArray) -> Outcome:
        """Drop the rows that a mask marks; a row with several reasons counts under the first.

        Masks are boolean columns as long as `pairs`; null counts as false.
        """
        code = np.zeros(len(pairs), np.uint8)
        for number, mask in enumerate(reasons.values(), start=1):
            marked = pc.fill_null(mask, False).to_numpy(zero_copy_only=False)
            code[(code == 0) & marked] = number
        return cls.by_verdict(pairs, code, tuple(reasons))

    @classmethod
    def by_verdict(cls, pairs: pa.Table, verdict: Verdicts, reasons: Sequence[str]) -> Outcome:
        """Drop by code: 0 keeps a row, n drops it for the n-th reason."""
        if not verdict.any():
            return cls(pairs, {})
        dropped = {
            reason: pairs.filter(pa.array(verdict == number))
            for number, reason in enumerate(reasons, start=1)
            if (verdict == number).any()
        }
        return cls(pairs.filter(pa.array(verdict == 0)), dropped)


class Step(Protocol):
    """One verb over a table. A frozen dataclass whose fields are its parameters.

    `requires` and `adds` name columns; models load at the first call in each worker.
    """

    @property
    def requires(self) -> tuple[str, ...]: ...

    @property
    def adds(self) -> tuple[str, ...]: ...

    def __call__(self, pairs: pa.Table) -> Outcome: ...


@runtime_checkable
class Barrier(Protocol):
    """A decision over all rows: map to sketches, plan on the driver, drop by verdict."""

    @property
    def requires(self) -> tuple[str, ...]: ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons that verdict codes 1, 2, … stand for."""

    def sketch(self, pairs: pa.Table) -> dict[str, np.ndarray]:
        """Return a few numbers per row, as arrays whose first axis is the row."""

    def plan(self, sketches: Sketches) -> list[Verdicts]:
        """Return one verdict array per shard, from the sketches alone."""


@dataclass(frozen=True)
class Sketches:
    """The sketches of all shards, on disk: one `.npy` per shard and field."""

    folders: tuple[Path, ...]

    def load(self, shard: int, field: str) -> np.ndarray:
        """Map one field of one shard into memory, read-only."""
        array: np.ndarray = np.load(self.folders[shard] / f"{field}.npy", mmap_mode="r")
        return array

    def all(self, field: str) -> np.ndarray:
        """Return one field of all shards, in shard order."""
        parts = [self.load(shard, field) for shard in range(len(self.folders))]
        return np.concatenate(parts) if parts else np.zeros(0, np.uint64)

    def rows(self, field: str) -> list[int]:
        """Return the number of rows of each shard."""
        return [len(self.load(shard, field)) for shard in range(len(self.folders))]

    def repeated(self, field: str) -> npt.NDArray[np.int64]:
        """Return the rows whose key may stand in another row too, by their number over all shards.

        Keys are 64-bit hashes, met shard by shard and marked in a table of 8 slots a row: no row
        with a repeated key is left out, and one in eight others comes along. Takes 16 bytes a row.
        """
        lengths = self.rows(field)
        shift = np.uint64(64 - (8 * sum(lengths) + 1).bit_length())
        once = np.zeros(1 << (64 - int(shift)), bool)
        again = np.zeros_like(once)
        for shard in range(len(lengths)):
            slots, counts = np.unique(self.load(shard, field) >> shift, return_counts=True)
            again[slots[(counts > 1) | once[slots]]] = True
            once[slots] = True
        found, first = [np.zeros(0, np.int64)], 0
        for shard, length in enumerate(lengths):
            found.append(np.flatnonzero(again[self.load(shard, field) >> shift]) + first)
            first += length
        return np.concatenate(found)

    def take(self, field: str, rows: npt.NDArray[np.int64]) -> np.ndarray:
        """Return one field of some rows, given by their sorted numbers over all shards."""
        parts, first = [self.load(0, field)[:0]], 0
        for shard, length in enumerate(self.rows(field)):
            low, high = np.searchsorted(rows, (first, first + length))
            parts.append(self.load(shard, field)[rows[low:high] - first])
            first += length
        return np.concatenate(parts)

    def split(self, verdict: Verdicts, field: str) -> list[Verdicts]:
        """Cut an array over all rows back into one per shard."""
        lengths = self.rows(field)
        return np.split(verdict, np.cumsum(lengths)[:-1]) if lengths else []


def check_chain(columns: Sequence[str], chain: Sequence[Step | Barrier]) -> None:
    """Refuse a chain in which a step asks for a column that nothing before it gives.

    :raises SchemaError: naming the step and the column.
    """
    known = list(columns)
    for link in chain:
        require(known, link.requires, type(link).__name__)
        for name in getattr(link, "adds", ()):
            if name in known:
                raise SchemaError(f"{type(link).__name__} adds {name!r}, which is already there")
            known.append(name)
