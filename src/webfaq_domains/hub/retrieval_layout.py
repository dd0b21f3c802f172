"""Where the tables of a retrieval repository lie and how their Parquet files are written.

`data/<task>/<part>/<pool or language>-<split>-NNNNN-of-NNNNN.parquet`, rows sorted by id; see
`docs/retrieval.md`. Files are small (a thousand sentences), so what costs bytes in each is left out:
`datasets` needs neither its own metadata for columns of plain strings nor a page index for one page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webfaq_domains.files import replacing
from webfaq_domains.hashing import file_sha256
from webfaq_domains.hub.layout import FILE_TEXT_BYTES, ROW_GROUP_ROWS
from webfaq_domains.hub.manifest import FileEntry
from webfaq_domains.text import joined

_REPEATING = ("language", "domain", "domain_score", "membership", "kind", "score")
_ORDERED = ("id", "item", "query-id", "corpus-id")
_TEXTS = ("title", "text")
_DICTIONARY_BYTES = 16 << 20
_MODULUS = 1 << 128


@dataclass(frozen=True, order=True)
class Place:
    """One table: task, part of the layout, pool or language, split."""

    task: str
    part: str
    name: str
    split: str

    @property
    def glob(self) -> str:
        return f"data/{self.task}/{self.part}/{self.name}-{self.split}-*.parquet"

    def path(self, number: int, count: int) -> str:
        """Return the path of file `number` of `count`, relative to the repository."""
        return self.glob.replace("*", f"{number:05}-of-{count:05}")

    @classmethod
    def of_path(cls, path: str) -> Place:
        """Return the table that a data file's path names.

        :raises ValueError: if the path is not of the layout.
        """
        _, task, part, name = path.split("/")
        language, split, *_ = name.split("-")
        return cls(task, part, language, split)


@dataclass(frozen=True)
class Written:
    """The files of one table, the digest of its rows, and the bytes of its bare text as Parquet."""

    place: Place
    files: list[FileEntry]
    digest: int
    raw_bytes: int

    @property
    def paths(self) -> list[str]:
        return [file.path for file in self.files]


def write_table(root: Path, place: Place, rows: pa.Table) -> Written:
    """Write one table under `root`, in files of at most 64 MB of text."""
    count = max(1, -(-rows.nbytes // FILE_TEXT_BYTES))
    size = -(-len(rows) // count) or 1
    files = []
    for number in range(count):
        path = root / place.path(number, count)
        some = rows.slice(number * size, size)
        write_file(path, some)
        entry = FileEntry(
            place.path(number, count), len(some), path.stat().st_size, file_sha256(path)
        )
        files.append(entry)
    return Written(place, files, table_digest(place, rows), raw_bytes(rows))


def write_file(path: Path, rows: pa.Table) -> None:
    """Write one Parquet file whole, or not at all."""
    present = rows.column_names
    with replacing(path) as temporary:
        pq.write_table(
            rows,
            temporary,
            compression="zstd",
            compression_level=9,
            row_group_size=ROW_GROUP_ROWS,
            # A dictionary keeps what repeats once: a paragraph that many sentences come from.
            use_dictionary=[name for name in present if _repeats(name, rows)],
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
            column_encoding={name: "DELTA_BYTE_ARRAY" for name in present if name in _ORDERED},
            write_statistics=[name for name in present if name in _REPEATING],
            store_schema=False,
        )


def _repeats(name: str, rows: pa.Table) -> bool:
    return name in _REPEATING or (
        name in _TEXTS and 2 * pc.count_distinct(rows[name]).as_py() < len(rows)
    )


def raw_bytes(rows: pa.Table) -> int:
    """Return the bytes of a table's distinct texts, each once, as pyarrow's own zstd Parquet."""
    total = 0
    for name in _TEXTS:
        if name in rows.column_names and pc.any(pc.not_equal(rows[name], "")).as_py():
            sink = pa.BufferOutputStream()
            pq.write_table(pa.table({name: pc.unique(rows[name])}), sink, compression="zstd")
            total += sink.getvalue().size
    return total


def table_digest(place: Place, rows: pa.Table) -> int:
    """Return the sum, modulo 2**128, of a hash per row over its place and all its columns."""
    where = f"{place.task}/{place.part}/{place.name}/{place.split}\x1f"
    total = 0
    for row in joined(*rows.columns).to_pylist():
        digest = hashlib.blake2b((where + row).encode(), digest_size=16).digest()
        total += int.from_bytes(digest, "little")
    return total % _MODULUS


def write_tables(
    root: Path, task: str, tables: Iterable[tuple[str, str, str, pa.Table]]
) -> Iterator[Written]:
    """Write every table (part, name, split, rows) of a task."""
    for part, name, split, rows in tables:
        yield write_table(root, Place(task, part, name, split), rows)
