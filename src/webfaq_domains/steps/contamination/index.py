"""The texts of benchmarks, kept so that training data can be held against them.

An index stands beside its repository, `<folder>.index.parquet`, not in it: there it would say every
text twice. It has one row per text or address: `task`, `kind` (`text`, `page`, `site`) and `value`,
sorted. What is in it: every query, and title and text of every candidate that some
qrel names. A distractor that answers nothing is left out: of Mewsli-X's million entities, for
example, a few thousand are asked for.

`matching.py` says when a training text counts as one of these.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webfaq_domains.ground.addresses import pages
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import file_sha256, read_parquet, replacing, value_sha256

INDEX_ENDING = ".index.parquet"
INDEX_VERSION = "2"
_SCHEMA = pa.schema([(name, pa.string()) for name in ("task", "kind", "value")])
_ORDER = [(name, "ascending") for name in ("task", "kind", "value")]


@dataclass(frozen=True)
class BenchmarkIndex:
    """Benchmark texts and addresses by task; `withheld` tasks are staged without their texts."""

    entries: pa.Table
    withheld: tuple[str, ...] = ()

    @classmethod
    def of(cls, entries: pa.Table, withheld: Iterable[str] = ()) -> BenchmarkIndex:
        """Make an index of rows (`task`, `kind`, `value`) in any order, with repeats."""
        unique = entries.cast(_SCHEMA).group_by(_SCHEMA.names).aggregate([])
        listed = unique.filter(pc.not_equal(unique["value"], "")).sort_by(_ORDER)
        return cls(listed.select(_SCHEMA.names).combine_chunks(), tuple(sorted(withheld)))

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(sorted(pc.unique(self.entries["task"]).to_pylist()))

    @property
    def sha256(self) -> str:
        """Return the hash of what is in the index, which no Parquet writer can change."""
        digest = hashlib.sha256(json.dumps([INDEX_VERSION, *self.withheld]).encode())
        for batch in self.entries.to_batches(max_chunksize=50_000):
            digest.update(json.dumps(batch.to_pydict(), sort_keys=True).encode())
        return digest.hexdigest()

    def listed(self, *kinds: str) -> list[tuple[str, str]]:
        """Return (value, task) of the rows of some kinds."""
        rows = self.entries.filter(pc.is_in(self.entries["kind"], pa.array(kinds)))
        return list(zip(rows["value"].to_pylist(), rows["task"].to_pylist(), strict=True))

    def save(self, path: Path, made_of: str = "") -> None:
        """Write the index as one Parquet file; `made_of` names the files that it was read from."""
        about = {
            "version": INDEX_VERSION,
            "withheld": json.dumps(self.withheld),
            "made_of": made_of,
        }
        table = self.entries.replace_schema_metadata(about)
        with replacing(path) as temporary:
            pq.write_table(table, temporary, compression="zstd")

    @classmethod
    def load(cls, path: Path) -> BenchmarkIndex:
        """Read an index.

        :raises StagedError: if the file is not one, or of a version that this code does not read.
        """
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise StagedError(f"{path} cannot be read as a benchmark index: {error}") from error
        about = table.schema.metadata or {}
        version = about.get(b"version", b"none").decode()
        if version != INDEX_VERSION or table.schema.names != _SCHEMA.names:
            raise StagedError(
                f"{path}: index version {version}, columns {', '.join(table.schema.names)}; this "
                f"code reads version {INDEX_VERSION}: remove the file and it is made again"
            )
        return cls(table.replace_schema_metadata(None), tuple(json.loads(about[b"withheld"])))


def index_of(folder: Path, addresses: Mapping[str, Iterable[str]] | None = None) -> BenchmarkIndex:
    """Read the texts of a staged retrieval folder (docs/retrieval.md), without its manifest.

    :raises StagedError: if the folder has no `data/<task>/queries`.
    """
    tasks = sorted(path.parent for path in folder.glob("data/*/queries"))
    if not tasks:
        raise StagedError(
            f"{folder} has no data/<task>/queries: it is not a staged retrieval folder; build one "
            "with `webfaq-domains build xtreme-r` or `build retrieval`"
        )
    tables, withheld = [_SCHEMA.empty_table()], []
    for task in tasks:
        texts = pa.chunked_array(_texts(task), pa.string())
        if not pc.any(pc.not_equal(texts, "")).as_py():
            withheld.append(task.name)
        tables.append(_rows(task.name, "text", texts))
    for name, listed in (addresses or {}).items():
        keys = pages(pa.array(list(listed), pa.string()))
        page = pc.match_substring_regex(keys, "[/?]")
        tables += [_rows(name, "page", keys.filter(page))]
        tables += [_rows(name, "site", keys.filter(pc.invert(page)))]
    return BenchmarkIndex.of(pa.concat_tables(tables), withheld)


def _texts(task: Path) -> list[pa.Array]:
    """Return the texts of a task's queries, and of the candidates that its qrels name."""
    queries, qrels = _read(task / "queries", ["text"]), _read(task / "qrels", ["corpus-id"])
    corpus = _read(task / "corpus", ["id", "title", "text"])
    asked_for = corpus.filter(pc.is_in(corpus["id"], pc.unique(qrels["corpus-id"])))
    columns = (queries["text"], asked_for["title"], asked_for["text"])
    return [chunk for column in columns for chunk in column.chunks]


def _read(part: Path, columns: list[str]) -> pa.Table:
    paths = sorted(part.glob("*.parquet"))
    if not paths:
        raise StagedError(f"{part} has no Parquet file; build the folder again")
    return pa.concat_tables(read_parquet(path, columns) for path in paths)


def _rows(task: str, kind: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    same = [pa.repeat(pa.scalar(word), len(values)) for word in (task, kind)]
    return pa.Table.from_arrays([*same, pc.fill_null(values, "")], schema=_SCHEMA)


def write_index(
    folder: Path, addresses: Mapping[str, Iterable[str]] | None = None
) -> BenchmarkIndex:
    """Write the index of a staged retrieval folder beside it.

    Texts that may not go out are blank in the folder, so the index holds none of them. `addresses`
    are web pages by task that texts were taken from, or sites (a host alone), where a benchmark knows
    them.

    :raises StagedError: if the folder has no queries, corpus and qrels.
    """
    index = index_of(folder, addresses)
    index.save(index_path(folder), _made_of(folder))
    return index


def index_file(folder: Path, cache: Path | None = None) -> Path:
    """Return the index file of a staged folder; where it has none, make one in the user's cache.

    An index says what it was made of, so a stale one is never used. `cache` is by default
    `webfaq-domains` in `$XDG_CACHE_HOME`, else in `~/.cache`.
    """
    made_of = _made_of(folder)
    if _says(index_path(folder), made_of):
        return index_path(folder)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    base = cache or Path(home) / "webfaq-domains"
    cached = base / f"benchmarks-{made_of[:32]}.parquet"
    if not cached.is_file():
        index_of(folder).save(cached, made_of)
    return cached


def index_path(folder: Path) -> Path:
    """Return where the index of a staged folder stands."""
    return folder.resolve().with_name(folder.resolve().name + INDEX_ENDING)


def is_index(path: Path) -> bool:
    """Tell whether a file is an index of ours, of any version."""
    try:
        return b"made_of" in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowInvalid):
        return False


def _made_of(folder: Path) -> str:
    paths = sorted(folder.glob("data/*/*/*.parquet"))
    files = {path.relative_to(folder).as_posix(): file_sha256(path) for path in paths}
    return value_sha256([INDEX_VERSION, files])


def _says(path: Path, made_of: str) -> bool:
    try:
        about = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return False
    found: bytes = about.get(b"made_of", b"")
    return found.decode() == made_of
