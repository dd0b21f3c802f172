"""The texts of the chosen pairs, copied once into a memory-mapped Arrow file and read row by row."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from webfaq_domains.ground.files import replacing
from webfaq_eval.errors import TaskDataError
from webfaq_eval.pairs.pairs import COLUMNS, ID, Ids, PairFolder, Rows, id_order, parse_ids

Keys = npt.NDArray[np.uint64]
_SCHEMA = pa.schema(
    [
        ("id", pa.string()), ("language", pa.string()), ("domain", pa.string()),
        ("origin", pa.string()), ("question", pa.string()), ("answer", pa.string()),
        ("question_key", pa.uint64()), ("answer_key", pa.uint64()),
    ]
)  # fmt: skip
_BATCH_ROWS = 20_000


def text_key(text: str) -> int:
    """Return a 64-bit number that is equal for texts which differ in spaces, case or width only."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return int.from_bytes(hashlib.blake2b(plain.encode(), digest_size=8).digest(), "little")


def text_keys(texts: Iterable[str]) -> Keys:
    """Return `text_key` of each text."""
    return np.fromiter((text_key(text) for text in texts), np.uint64)


@dataclass(frozen=True)
class PairTexts:
    """Pairs with their texts, in the order of their ids; the texts stay on disk.

    Row r of every array is the pair with the r-th smallest id. `question_key` and `answer_key` are
    equal where the texts are.
    """

    ids: Ids
    language: npt.NDArray[np.int16]
    languages: tuple[str, ...]
    domain: npt.NDArray[np.int16]
    domains: tuple[str, ...]
    question_key: Keys
    answer_key: Keys
    _table: pa.Table
    _places: Rows

    def __len__(self) -> int:
        return len(self.ids)

    def questions(self, rows: Iterable[int] | Rows) -> list[str]:
        return self._read("question", rows)

    def answers(self, rows: Iterable[int] | Rows) -> list[str]:
        return self._read("answer", rows)

    def origins(self, rows: Iterable[int] | Rows) -> list[str]:
        return self._read("origin", rows)

    def _read(self, column: str, rows: Iterable[int] | Rows) -> list[str]:
        # Chunk by chunk: `take` on a chunked column would copy all of it into memory.
        chunks = self._table[column].chunks
        return [
            chunks[place // _BATCH_ROWS][place % _BATCH_ROWS].as_py() or ""
            for place in (int(self._places[row]) for row in rows)
        ]


def gather_texts(pairs: PairFolder, split: str, ids: Ids, path: Path) -> PairTexts:
    """Copy the pairs with these sorted ids into `path` (unless it is there), and open it.

    :raises TaskDataError: if an id is not in the split, or is there twice.
    """
    if not path.exists():
        with replacing(path) as temporary:
            _copy(pairs, split, ids, temporary)
    return open_texts(path, ids)


def _copy(pairs: PairFolder, split: str, ids: Ids, path: Path) -> None:
    waiting: list[pa.RecordBatch] = []
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        for table in pairs.tables(split, COLUMNS):
            kept = table.filter(pa.array(_among(parse_ids(table["id"]), ids)))
            if len(kept):
                waiting += _with_keys(kept).to_batches()
            while sum(batch.num_rows for batch in waiting) >= _BATCH_ROWS:
                waiting = _write(writer, waiting)
        if waiting:
            _write(writer, waiting)


def _write(writer: pa.RecordBatchWriter, waiting: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Write one batch of exactly `_BATCH_ROWS` rows (or the last, shorter one); return the rest."""
    table = pa.Table.from_batches(waiting).combine_chunks()
    writer.write_batch(table.slice(0, _BATCH_ROWS).combine_chunks().to_batches()[0])
    return list(table.slice(_BATCH_ROWS).to_batches())


def _with_keys(table: pa.Table) -> pa.Table:
    for name in ("question", "answer"):
        keys = pa.array(text_keys(table[name].to_pylist()))
        table = table.append_column(f"{name}_key", keys)
    return table.select(_SCHEMA.names).cast(_SCHEMA)


def _among(ids: Ids, wanted: Ids) -> npt.NDArray[np.bool_]:
    """Return which ids are in a sorted list."""
    if not len(wanted):
        return np.zeros(len(ids), bool)
    places = np.searchsorted(wanted["high"], ids["high"])
    places = np.minimum(places, len(wanted) - 1)
    found: npt.NDArray[np.bool_] = wanted[places] == ids
    # Two ids that share 64 bits are as good as impossible; they are looked up one by one.
    for row in np.flatnonzero(~found & (wanted["high"][places] == ids["high"])):
        found[row] = bool((wanted == ids[row]).any())
    return found


def open_texts(path: Path, ids: Ids | None = None) -> PairTexts:
    """Open a file of `gather_texts`; with `ids` check that it holds exactly these.

    :raises TaskDataError: if it holds others.
    """
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    found = np.concatenate([np.zeros(0, ID), *map(parse_ids, table["id"].chunks)])
    places = id_order(found)
    if ids is not None and not np.array_equal(found[places], ids):
        raise TaskDataError(
            f"{path} has the texts of {len(found):,} pairs, wanted are {len(ids):,} others: pairs of the "
            "list are missing from the data, or are there twice. Remove the folder and start again"
        )
    language, languages = _coded(table["language"], places)
    domain, domains = _coded(table["domain"], places)
    question_key, answer_key = (
        table[name].to_numpy()[places] for name in ("question_key", "answer_key")
    )
    return PairTexts(
        found[places], language, languages, domain, domains, question_key, answer_key, table, places
    )  # fmt: skip


def _coded(column: pa.ChunkedArray, places: Rows) -> tuple[npt.NDArray[np.int16], tuple[str, ...]]:
    """Return a column of names as numbers into its sorted names, without a string per row."""
    coded = column.combine_chunks().dictionary_encode()
    met: list[str] = coded.dictionary.to_pylist()
    names = tuple(sorted(met))
    number = np.array([names.index(name) for name in met], np.int16)
    return number[coded.indices.to_numpy(zero_copy_only=False)][places], names
