"""Read question/answer rows from one open file: Parquet, JSON Lines, CSV or TSV.

Text files may be packed with gzip, bzip2 or Zstandard.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.ground.errors import SourceError
from webfaq_domains.ground.schema import RAW
from webfaq_domains.sources.base import Batch, Rejected
from webfaq_domains.sources.columns import NAMES, SCORE, check_types, map_columns, raw_batch
from webfaq_domains.sources.paths import PathClaim
from webfaq_domains.sources.records import (
    PACKED,
    Record,
    csv_records,
    is_utf8,
    json_records,
    open_lines,
    refuse_other_files,
    sound,
    text_of,
)

BATCH_ROWS = 20_000
SUFFIXES = (
    ".parquet",
    *(
        f".{kind}{packed}"
        for kind in ("jsonl", "ndjson", "json", "csv", "tsv")
        for packed in ("", *PACKED)
    ),
)
_HEAD_ROWS = 100
_NOTHING = (None, "")
_KNOWN = frozenset(name for names in NAMES.values() for name in names)


def suffix(name: str) -> str | None:
    """Return the known suffix of a file's name, or None."""
    return next((end for end in SUFFIXES if name.lower().endswith(end)), None)


def check_columns(name: str, file: IO[bytes]) -> None:
    """Look at the head of a file: it must hold records whose columns make pairs.

    :raises SourceError: if it cannot be read as what its name says.
    :raises SchemaError: if the columns question and answer are not there, or one has a type that
        cannot be read.
    """
    with _explained(name):
        if suffix(name) == ".parquet":
            parquet = _parquet(name, file)
            schema = parquet.schema_arrow
            mapped = map_columns(schema.names, name)
            if parquet.metadata.num_rows:  # a shard without rows has types of no meaning
                check_types(schema, mapped, name)
            return
        lines = open_lines(name, file)
        refuse_other_files(name, lines.peek(1024))
        if _separator(name):
            header = next(csv.reader(text_of(lines), delimiter=_separator(name) or ","), [])
            if not is_utf8(header):
                raise SourceError(f"{name} is not UTF-8 text; save it as UTF-8")
            map_columns(header, name)
        elif met := _json_columns(name, lines):
            map_columns(met, name)


def _parquet(name: str, file: IO[bytes]) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except pa.ArrowInvalid:
        file.seek(0)
        refuse_other_files(name, file.read(1024))
        raise


def _json_columns(name: str, lines: io.BufferedReader) -> dict[str, None]:
    """Return the columns that the first records have together: one may leave out what is null.

    :raises SourceError: if none of the first lines is a record.
    """
    met: dict[str, None] = {}
    first: tuple[str, str] | None = None
    records = 0
    try:
        for _, row in islice(json_records(lines), _HEAD_ROWS):
            if isinstance(row, tuple):
                first = first or row
                continue
            records += 1
            met |= dict.fromkeys(row)
            if "question" in met and "answer" in met:
                break
    except EOFError:  # the head of a longer gzip file; its first rows still say what is there
        if not records:
            raise
    if first and not records:
        raise SourceError(
            f"{name}: none of its first lines is a JSON object ({first[0]}); the first is "
            f"{first[1][:60]!r}; expected JSON Lines, one object a line"
        )
    return met


class _explained:
    """Turns the errors of readers into a `SourceError` that names the file."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EOFError | gzip.BadGzipFile | zlib.error):
            raise SourceError(f"{self.name}: truncated or damaged gzip file: {error}") from error
        if isinstance(error, pa.ArrowException | csv.Error | OSError):
            raise SourceError(f"{self.name} cannot be read: {error}") from error


def read_rows(name: str, file: IO[bytes], claim: PathClaim | None = None) -> Iterator[Batch]:
    """Yield the rows of an open file in order, at most `BATCH_ROWS` at a time.

    `claim` is the language that the path says, for the rows that say none.

    :raises SourceError: if the file breaks off or is damaged.
    """
    with _explained(name):
        if suffix(name) == ".parquet":
            yield from _read_parquet(name, file, claim)
            return
        lines = open_lines(name, file)
        separator = _separator(name)
        rows = csv_records(lines, separator) if separator else json_records(lines)
        yield from _read_records(name, rows, claim)


def _read_parquet(name: str, file: IO[bytes], claim: PathClaim | None) -> Iterator[Batch]:
    parquet = pq.ParquetFile(file)
    mapped = map_columns(parquet.schema_arrow.names, name)
    first = 1
    used = [column for columns in mapped.values() for column in columns]
    for batch in parquet.iter_batches(BATCH_ROWS, columns=used):
        batch.validate(full=True)  # texts that are not UTF-8 would fail much later
        table = pa.Table.from_batches([batch])
        yield raw_batch(table, mapped, name, list(range(first, first + len(batch))), claim)
        first += len(batch)


def _separator(name: str) -> str | None:
    """Return what separates the cells of a CSV or TSV file; None for other files."""
    kind = suffix(name) or ""
    return "," if kind.startswith(".csv") else "\t" if kind.startswith(".tsv") else None


def _read_records(
    name: str, rows: Iterator[tuple[int, Record]], claim: PathClaim | None
) -> Iterator[Batch]:
    """Gather records into batches; a record that is no pair is rejected with its line."""
    pairs: list[dict[str, Any]] = []
    numbers: list[int] = []
    rejected: list[Rejected] = []
    for number, row in rows:
        record = row if isinstance(row, tuple) else _usable(row)
        if isinstance(record, tuple):
            rejected.append(Rejected(f"{name}:{number}", record[0], record[1][:500]))
        else:
            pairs.append(record)
            numbers.append(number)
        if len(pairs) + len(rejected) >= BATCH_ROWS:
            yield _batch(pairs, numbers, rejected, name, claim)
            pairs, numbers, rejected = [], [], []
    if pairs or rejected:
        yield _batch(pairs, numbers, rejected, name, claim)


def _usable(row: dict[str, Any]) -> Record:
    """Return a record's known columns as their types, or why it is no pair."""
    for key in ("question", "answer"):
        text = row.get(key)
        if text is None:
            return f"{key}_missing", repr(row)
        if not isinstance(text, str):
            return f"{key}_not_text", repr(row)
        try:
            text.encode()
        except UnicodeEncodeError:
            return f"{key}_has_lone_surrogate", repr(row)
    found: dict[str, Any] = {}
    for key in _KNOWN & row.keys():
        value = row[key]
        if key == SCORE:
            found[key] = _number(value)
        elif value is None or isinstance(value, str):
            found[key] = value if key in ("question", "answer") or value is None else sound(value)
        elif isinstance(value, int) and not isinstance(value, bool) and key in NAMES["source_id"]:
            found[key] = str(value)
        else:
            return f"{key}_not_text", repr(row)
    return found


def _batch(
    pairs: list[dict[str, Any]],
    numbers: list[int],
    rejected: list[Rejected],
    name: str,
    claim: PathClaim | None,
) -> Batch:
    if not pairs:
        return Batch(RAW.empty_table(), rejected)
    met = [key for names in NAMES.values() for key in names if any(key in row for row in pairs)]
    table = pa.table(
        {
            key: pa.array(
                [row.get(key) for row in pairs], pa.float64() if key == SCORE else pa.string()
            )
            for key in met
        }
    )
    batch = raw_batch(table, map_columns(met, name), name, numbers, claim)
    return Batch(batch.pairs, rejected + batch.rejected)


def _number(value: Any) -> float | None:
    """Return a score; what is no number there is null."""
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
