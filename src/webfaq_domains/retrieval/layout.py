"""Where the tables of a retrieval repository lie, how they are written, and the configs that name them.

`data/<task>/<part>/<pool or language>-<split>-NNNNN-of-NNNNN.parquet`, rows sorted by id; see
`docs/retrieval.md`. Files are small (a thousand sentences), so what costs bytes in each is left out:
`datasets` needs neither its own metadata for columns of plain strings nor a page index for one page.

All configs of a language read the same files and differ in `filters`, a parameter of the Parquet
reader of `datasets`. Every `load_dataset` parses all of them, about a millisecond each, so `multi`
subsets are configs only where the recipe says so; the manifest has every subset.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webfaq_domains.dataset.layout import FILE_TEXT_BYTES, ROW_GROUP_ROWS
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import file_sha256, replacing
from webfaq_domains.ground.manifest import FileEntry, Manifest
from webfaq_domains.ground.subsets import Filter, SubsetEntry, subset_tables
from webfaq_domains.ground.text import joined

#: The parts of the layout.
PARTS = ("corpus", "queries", "unpaired", "qrels")
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

        :raises StagedError: if the path is not of the layout.
        """
        parts = path.split("/")
        name = parts[-1].split("-")
        if len(parts) != 4 or parts[0] != "data" or len(name) < 3 or parts[2] not in PARTS:
            raise StagedError(f"{path}: expected data/<task>/<part>/<name>-<split>-….parquet")
        return cls(parts[1], parts[2], name[0], name[1])


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


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./*+-]*|==")
#: The condition on judgements that leaves the official ones.
OFFICIAL = ("kind", "==", "official")


#: A condition on rows: column, operator, value.
Condition = tuple[str, str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Config:
    """One config: name, the glob of each split, the conditions on rows, the rows of each split."""

    name: str
    paths: dict[str, str]
    filters: list[Condition]
    rows: dict[str, int]

    def line(self) -> str:
        """Return the config as one line of YAML in flow style."""
        files = [{"split": split, "path": path} for split, path in self.paths.items()]
        entry: dict[str, Any] = {"config_name": self.name, "data_files": files}
        if self.filters:
            entry["filters"] = self.filters
        return f"- {flow(entry)}"


def flow(value: Any) -> str:
    """Return a value as YAML in flow style, quoted only where it has to be.

    >>> flow({"path": "data/*.parquet", "filters": [["domain", "==", "health"]]})
    '{path: data/*.parquet, filters: [[domain, ==, health]]}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    return value if _PLAIN.fullmatch(value) else json.dumps(value)


def plan_configs(subsets: Sequence[SubsetEntry], multi: bool) -> list[Config]:
    """Return the configs of the manifest's subsets, in their order; `multi` publishes those as well."""
    by_name: dict[str, list[SubsetEntry]] = {}
    for subset in subsets:
        if multi or subset.membership == "exclusive":
            by_name.setdefault(subset.name, []).append(subset)
    return [config for splits in by_name.values() for config in _configs(splits)]


def configs_of(manifest: Manifest) -> list[Config]:
    """Return the configs that a manifest's subsets and recipe give."""
    return plan_configs(manifest.retrieval.subsets, manifest.recipe.retrieval.configs.multi)


def _configs(splits: list[SubsetEntry]) -> Iterator[Config]:
    """Yield the configs of one subset, whose splits are given."""
    yield _config("corpus", splits, {s.split: s.corpus for s in splits}, [])
    yield _config("queries", splits, {s.split: s.queries for s in splits}, [])
    yield _config("qrels", splits, {s.split: s.qrels for s in splits}, [OFFICIAL])
    if any(subset.duplicates for subset in splits):
        every = {s.split: s.qrels + s.duplicates for s in splits}
        yield _config("qrels_dup", splits, every, [])
    some = [subset for subset in splits if subset.unpaired]  # `datasets` fails on empty files
    if some:
        yield _config("unpaired", some, {s.split: s.unpaired for s in some}, [])


def _config(
    part: str, splits: list[SubsetEntry], rows: dict[str, int], more: list[Condition]
) -> Config:
    read = {s.split: dict(subset_tables(s))[part.removesuffix("_dup")] for s in splits}
    paths = {split: Place.of_path(entry.files[0]).glob for split, entry in read.items()}
    filters = _merged([entry.filters for entry in read.values()])
    return Config(f"{splits[0].name}-{part}", paths, [*filters, *more], rows)


def _merged(of_splits: list[tuple[Filter, ...]]) -> list[Condition]:
    """Return the filters of all splits as one: they differ only in the memberships that were met."""
    merged: list[Condition] = []
    for conditions in zip(*of_splits, strict=True):
        column, operator, value = conditions[0]
        if operator == "in":
            value = tuple(sorted({met for _, _, listed in conditions for met in listed}))
        merged.append((column, operator, value))
    return merged
