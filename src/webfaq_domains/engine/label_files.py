"""Label files: the rows as they are, plus `domain`, `domain_score`, `domains` and `labeler`."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from webfaq_domains.ground.errors import SchemaError, SourceError
from webfaq_domains.ground.files import replacing
from webfaq_domains.ground.schema import require
from webfaq_domains.steps.label import LabelDomain

BATCH_ROWS = 10_000


@dataclass
class LabelledFile:
    """The result: rows by domain, and the input rows that could not be labelled, by reason."""

    out: Path
    rows: int = 0
    domains: Counter[str] = field(default_factory=Counter)
    unlabelled: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "rows": self.rows,
            "domains": dict(self.domains.most_common()),
            "unlabelled": dict(self.unlabelled),
        }

    def text(self) -> str:
        lines = [f"{domain:<16}{rows:>12,}" for domain, rows in self.domains.most_common()]
        lines += [f"unlabelled ({why}): {rows:,}" for why, rows in self.unlabelled.items()]
        return "\n".join([*lines, f"{self.rows:,} rows in {self.out}"])


def label_files(
    files: Sequence[Path],
    out: Path,
    labeler: str = "builtin",
    cascade: bool = False,
    quiet: bool = False,
) -> LabelledFile:
    """Label the rows of `files` in order into one file; every row stays, in its place.

    A row without a question or an answer gets nulls in the new columns and is counted; a column
    that some rows lack is null there.

    :raises SourceError: if a file is neither .parquet nor .jsonl(.gz), or cannot be read.
    :raises SchemaError: if question or answer is missing or no text, a new column is already there,
        or a column is of two types.
    """
    kind = ".parquet" if out.suffix == ".parquet" else ".jsonl"
    if kind == ".jsonl" and out.suffix != ".jsonl":
        raise SourceError(f"--out {out}: expected a name that ends in .parquet or .jsonl")
    step, result = LabelDomain(labeler, cascade), LabelledFile(out)
    schema = _schema_of(files, step.adds)
    with (
        replacing(out) as temporary,
        tqdm(desc="label", unit=" rows", unit_scale=True, disable=quiet) as bar,
    ):
        writer: Any = None
        try:
            for rows in _read_all(files):
                labelled = _label(_fill(rows, schema), step, result)
                writer = writer or _open(temporary, kind, labelled.schema)
                writer.write_table(labelled)
                bar.update(len(rows))
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise _nothing(files)
    return result


def _nothing(files: Sequence[Path]) -> SourceError:
    return SourceError(f"{', '.join(map(str, files))}: no rows")


def _schema_of(files: Sequence[Path], new: tuple[str, ...]) -> pa.Schema:
    """Return the columns of all files together, so that no row of the last file is a surprise."""
    schemas: dict[pa.Schema, None] = {}
    for path in files:
        with _explained(path):
            found = dict.fromkeys(_schemas(path))
        if found:
            names = dict.fromkeys(name for schema in found for name in schema.names)
            require(list(names), ("question", "answer"), str(path))
        schemas.update(found)
    if not schemas:
        raise _nothing(files)
    try:
        together = pa.unify_schemas(list(schemas), promote_options="permissive")
    except pa.ArrowException as error:
        raise SchemaError(f"a column is of two types: {error}") from error
    for name in ("question", "answer"):
        met = together.field(name).type
        if not (pa.types.is_string(met) or pa.types.is_large_string(met) or met == pa.null()):
            raise SchemaError(f"the column {name!r} is {met}, not text")
    present = [name for name in new if name in together.names]
    if present:
        raise SchemaError(
            f"the rows already have {', '.join(present)}; drop or rename these columns"
        )
    return together


def _fill(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Bring rows to the columns of all files."""
    columns = [
        rows[field.name].cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _label(rows: pa.Table, step: LabelDomain, result: LabelledFile) -> pa.Table:
    filled = rows
    for name in ("question", "answer"):
        text = rows[name].cast(pa.string())
        filled = filled.set_column(rows.column_names.index(name), name, text.fill_null(""))
    labelled = step(filled).kept
    missing = [
        not q or not a
        for q, a in zip(filled["question"].to_pylist(), filled["answer"].to_pylist(), strict=True)
    ]
    out = rows
    for name in step.adds:
        values = labelled[name].to_pylist()
        values = [None if gone else value for value, gone in zip(values, missing, strict=True)]
        out = out.append_column(name, pa.array(values, labelled.schema.field(name).type))
    result.rows += len(rows)
    result.unlabelled.update({"question or answer missing": sum(missing)} if any(missing) else {})
    result.domains.update(domain for domain in out["domain"].to_pylist() if domain is not None)
    return out


class _JsonLines:
    """Writes tables as JSON Lines, with the interface of `pq.ParquetWriter`."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self._file: IO[str] = path.open("w", encoding="utf-8")

    def write_table(self, rows: pa.Table) -> None:
        for row in rows.to_pylist():
            # Dates and the like, which Parquet has and JSON has not, become texts.
            self._file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")

    def close(self) -> None:
        self._file.close()


def _open(path: Path, kind: str, schema: pa.Schema) -> Any:
    if kind == ".parquet":
        return pq.ParquetWriter(path, schema, compression="zstd", write_page_index=True)
    return _JsonLines(path, schema)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what readers raise into a `SourceError` that names the file."""
    try:
        yield
    except (OSError, EOFError, ValueError, OverflowError, zlib.error, pa.ArrowException) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def _read_all(files: Sequence[Path]) -> Iterator[pa.Table]:
    for path in files:
        with _explained(path):
            yield from _read(path)


def _schemas(path: Path) -> Iterator[pa.Schema]:
    """Yield the columns of a file; of Parquet without its rows."""
    if path.suffix == ".parquet":
        yield pq.read_schema(path)
    else:
        yield from (rows.schema for rows in _read(path))


def _read(path: Path) -> Iterator[pa.Table]:
    if path.suffix == ".parquet":
        for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS):
            yield pa.Table.from_batches([batch])
        return
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise SourceError(f"{path}: expected a file that ends in .parquet, .jsonl or .jsonl.gz")
    with _opened(path) as file:
        rows: list[dict[str, Any]] = []
        for number, line in enumerate(file, start=1):
            if line.strip():
                rows.append(_object(line, f"{path}:{number}"))
            if len(rows) == BATCH_ROWS:
                yield _table(rows)
                rows = []
        if rows:
            yield _table(rows)


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise SourceError(f"{place}: not a JSON object: {error}") from error
    if not isinstance(row, dict):
        raise SourceError(f"{place}: not a JSON object: {line.strip()[:60]}")
    return row


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    """Make a table of every key that some row has; `Table.from_pylist` looks at the first only."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")
