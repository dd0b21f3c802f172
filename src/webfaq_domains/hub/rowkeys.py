"""The rows of two snapshots as numbers to be compared, a bounded part at a time.

Pairs are met in slices of the id space: the files of a cell are sorted by id, so one pass over the
`id` column of every file that differs is enough, and a slice holds about `SLICE_ROWS` rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from webfaq_domains.hub.layout import ROW_GROUP_ROWS, Cell
from webfaq_domains.hub.manifest import FileEntry
from webfaq_domains.hub.rowdiff import Keys, Label, no_keys
from webfaq_domains.hub.snapshot import Snapshot, opened_parquet
from webfaq_domains.text import UInt64s, joined, unit_hash

SLICE_ROWS = 4_000_000

#: What identifies a row in each part of a retrieval data set.
_IDENTITY = {"qrels": ("query-id", "corpus-id")}

Side = tuple[Snapshot, list[FileEntry]]
Slice = tuple[Keys, Keys, list[Label]]


def id_key(ids: pa.Array) -> UInt64s:
    """Return the first 64 bits of ids of 32 hex digits.

    :raises ValueError: if an id is something else.
    """
    width = 32 * len(ids)
    content = b"".join(ids.cast(pa.binary()).to_pylist())
    if len(content) != width:
        raise ValueError("an id is not 32 hex digits")
    halves = np.frombuffer(bytes.fromhex(content.decode("ascii")), ">u8")
    return halves[::2].astype(np.uint64)


class _Cursor:
    """The sorted keys of a cell, read on as they are asked for; holds one batch at a time."""

    def __init__(self, snapshot: Snapshot, files: Sequence[FileEntry]) -> None:
        self.snapshot = snapshot
        self._batches = self._read(sorted(files, key=lambda file: file.path))
        self._held = np.zeros(0, np.uint64)
        self._done = False

    def _read(self, files: Sequence[FileEntry]) -> Iterator[UInt64s]:
        last = -1
        for file in files:
            with opened_parquet(self.snapshot, file.path) as parquet:
                for batch in parquet.iter_batches(ROW_GROUP_ROWS, columns=["id"]):
                    keys = id_key(batch["id"])
                    if len(keys) and (int(keys[0]) < last or (keys[1:] < keys[:-1]).any()):
                        raise ValueError("rows are not sorted by id")
                    last = int(keys[-1]) if len(keys) else last
                    yield keys

    def below(self, bound: int) -> UInt64s:
        """Return the next keys up to a bound, which is left out."""
        taken = []
        while True:
            if bound >= 1 << 64:
                cut = len(self._held)
            else:
                cut = int(np.searchsorted(self._held, np.uint64(bound)))
            taken.append(self._held[:cut])
            self._held = self._held[cut:]
            if len(self._held) or self._done:
                return np.concatenate(taken)
            following = next(self._batches, None)
            self._done = following is None
            self._held = self._held if following is None else following


def pair_slices(one: Side, other: Side) -> Iterator[Slice]:
    """Yield the rows of both sides by language and slice of the id space.

    A language is part of what an id hashes, so no row moves between two.
    """
    languages = sorted(
        {Cell.of_path(file.path).language for _, files in (one, other) for file in files}
    )
    for language in languages:
        mine = [_cells(side, language) for side in (one, other)]
        rows = sum(file.rows for cells in mine for files in cells.values() for file in files)
        count = -(-rows // SLICE_ROWS) or 1
        cells = sorted({cell for found in mine for cell in found})
        labels = [Label("", cell.language, cell.domain, cell.split) for cell in cells]
        cursors = [
            [_Cursor(side[0], found.get(cell, [])) for cell in cells]
            for side, found in zip((one, other), mine, strict=True)
        ]
        for number in range(1, count + 1):
            bound = (number << 64) // count
            before, after = (_gather([cursor.below(bound) for cursor in row]) for row in cursors)
            yield before, after, labels


def _cells(side: Side, language: str) -> dict[Cell, list[FileEntry]]:
    found: dict[Cell, list[FileEntry]] = defaultdict(list)
    for file in side[1]:
        cell = Cell.of_path(file.path)
        if cell.language == language:
            found[cell].append(file)
    return found


def _gather(parts: list[UInt64s]) -> Keys:
    label = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    key = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
    return Keys(key, label, np.broadcast_to(np.uint64(0), len(key)))


def retrieval_slices(one: Side, other: Side) -> Iterator[Slice]:
    """Yield the rows of both sides by task, part and pool, whose files share a prefix.

    Here ids are not hashes of the content, so the other columns are hashed as well.
    """
    groups = sorted({_pool(file.path) for _, files in (one, other) for file in files})
    for group in groups:
        labels: dict[Label, int] = {}
        before, after = (_hashed(side, group, labels) for side in (one, other))
        yield before, after, list(labels)


def _pool(path: str) -> tuple[str, str, str]:
    """Return task/part, pool and split of `data/<task>/<part>/<pool>-<split>-N-of-N.parquet`."""
    parts = PurePosixPath(path).parts
    pool, split = parts[-1].split("-")[:2]
    return "/".join(parts[1:-1]), pool, split


def _hashed(side: Side, group: tuple[str, str, str], labels: dict[Label, int]) -> Keys:
    part, pool, split = group
    identity = _IDENTITY.get(part.rpartition("/")[2], ("id",))
    found = [no_keys()]
    for file in side[1]:
        if _pool(file.path) != group:
            continue
        with opened_parquet(side[0], file.path) as parquet:
            rows = parquet.read()
        domains = rows["domain"].combine_chunks().dictionary_encode()
        known = [
            labels.setdefault(Label(part, pool, str(domain), split), len(labels))
            for domain in domains.dictionary.to_pylist()
        ]
        rest = [rows[name] for name in rows.column_names if name not in (*identity, "domain")]
        found.append(
            Keys(
                unit_hash(joined(*(rows[name] for name in identity))),
                np.array(known, np.int32)[domains.indices.to_numpy()],
                unit_hash(joined(*rest)),
            )
        )
    return Keys.concatenated(found)
