"""Which rows came, went or changed between two snapshots, with 8 bytes a row and bounded memory.

Rows are known by a 64-bit key: the first half of a pair's id, or a hash of what identifies a row of
another kind. Among 200 million rows the expected number of false matches is 0.001.

Pairs are met in slices of the id space: the files of a cell are sorted by id, so one pass over the
`id` column of every file that differs is enough, and a slice holds about `SLICE_ROWS` rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from webfaq_domains.dataset.layout import ROW_GROUP_ROWS, Cell
from webfaq_domains.ground.manifest import FileEntry
from webfaq_domains.ground.text import UInt64s, joined, unit_hash
from webfaq_domains.release.snapshot import Snapshot, opened_parquet
from webfaq_domains.retrieval.layout import Place


class Label(NamedTuple):
    """What a row is counted under; `part` is "" where a data set has one kind of rows."""

    part: str
    language: str
    domain: str
    split: str


@dataclass(frozen=True)
class Keys:
    """Rows as numbers: the key, the index of the label, and a hash of the values beside it or 0."""

    key: UInt64s
    label: npt.NDArray[np.int32]
    value: UInt64s

    @classmethod
    def concatenated(cls, parts: list[Keys]) -> Keys:
        return cls(
            np.concatenate([part.key for part in parts]),
            np.concatenate([part.label for part in parts]),
            np.concatenate([part.value for part in parts]),
        )

    def sorted(self) -> Keys:
        order = np.argsort(self.key, kind="stable")
        return Keys(self.key[order], self.label[order], self.value[order])


def no_keys() -> Keys:
    return Keys(np.zeros(0, np.uint64), np.zeros(0, np.int32), np.zeros(0, np.uint64))


@dataclass
class RowChanges:
    """Rows counted by label. `relabelled` is by (label before, domain after); `moved` went to another
    split; `changed` have the same key and label and other values."""

    added: Counter[Label] = field(default_factory=Counter)
    removed: Counter[Label] = field(default_factory=Counter)
    relabelled: Counter[tuple[Label, str]] = field(default_factory=Counter)
    moved: Counter[tuple[Label, str]] = field(default_factory=Counter)
    changed: Counter[Label] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.relabelled, self.moved, self.changed))

    def compare(self, one: Keys, other: Keys, labels: list[Label]) -> None:
        """Count what differs between two sets of rows; keys are unique within each."""
        one, other = one.sorted(), other.sorted()
        place = np.searchsorted(one.key, other.key)
        place = np.minimum(place, max(len(one.key) - 1, 0))
        same = one.key[place] == other.key if len(one.key) else np.zeros(len(other.key), bool)
        stayed = np.zeros(len(one.key), bool)
        stayed[place[same]] = True
        _count(self.added, other.label[~same], labels)
        _count(self.removed, one.label[~stayed], labels)
        before, after = one.label[place[same]], other.label[same]
        altered = (one.value[place[same]] != other.value[same]) & (before == after)
        _count(self.changed, before[altered], labels)
        self._count_moves(before[before != after], after[before != after], labels)

    def _count_moves(
        self, before: npt.NDArray[np.int32], after: npt.NDArray[np.int32], labels: list[Label]
    ) -> None:
        pairs, counts = np.unique(np.stack([before, after]), axis=1, return_counts=True)
        for (old, new), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            if labels[old].domain != labels[new].domain:
                self.relabelled[labels[old], labels[new].domain] += count
            elif labels[old].split != labels[new].split:
                self.moved[labels[old], labels[new].split] += count
            else:
                self.changed[labels[old]] += count


def _count(counter: Counter[Label], found: npt.NDArray[np.int32], labels: list[Label]) -> None:
    for index, count in enumerate(np.bincount(found, minlength=len(labels)).tolist()):
        if count:
            counter[labels[index]] += count


#: What happened to rows, in the order of the columns.
_KINDS = ("added", "removed", "relabelled to", "relabelled away", "other split", "changed")


def counts_by_label(counter: Counter[Label]) -> list[dict[str, Any]]:
    """Return counted rows for JSON, a mapping per label."""
    return [{**_named(label), "rows": rows} for label, rows in sorted(counter.items())]


def moves_by_label(counter: Counter[tuple[Label, str]]) -> list[dict[str, Any]]:
    """Return rows that changed domain or split for JSON; `to` is the new one."""
    return [
        {**_named(label), "to": to, "rows": rows} for (label, to), rows in sorted(counter.items())
    ]


def _named(label: Label) -> dict[str, str]:
    return {key: value for key, value in label._asdict().items() if value}


def table_of_rows(rows: RowChanges) -> list[str]:
    """Return a table: a line per language and domain with what came, went and changed."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}

    def count(label: Label, domain: str, what: str, number: int) -> None:
        counts.setdefault((label.part, label.language, domain), Counter())[what] += number

    for what in ("added", "removed", "changed"):
        for label, number in getattr(rows, what).items():
            count(label, label.domain, what, number)
    for (label, to), number in rows.relabelled.items():
        count(label, label.domain, "relabelled away", number)
        count(label, to, "relabelled to", number)
    for (label, _), number in rows.moved.items():
        count(label, label.domain, "other split", number)
    kinds = [kind for kind in _KINDS if any(counter[kind] for counter in counts.values())]
    if not kinds:
        return []
    totals: Counter[str] = sum(counts.values(), Counter())
    lines = [f"{'rows':<34}" + "".join(f"{kind:>17}" for kind in kinds)]
    for (part, language, domain), counter in [*sorted(counts.items()), (("", "", "all"), totals)]:
        name = " ".join(filter(None, (part, language, domain)))
        lines.append(f"{name:<34}" + "".join(f"{counter[kind]:>17,}" for kind in kinds))
    return lines


SLICE_ROWS = 4_000_000

#: What identifies a row in each part of a retrieval data set.
_IDENTITY = {"qrels": ("query-id", "corpus-id")}

Side = tuple[Snapshot, Sequence[FileEntry]]
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
    place = Place.of_path(path)
    return f"{place.task}/{place.part}", place.name, place.split


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
