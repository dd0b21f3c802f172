"""Read question/answer rows from one open file: Parquet, JSON Lines or CSV, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.errors import SourceError
from webfaq_domains.schema import RAW
from webfaq_domains.sources.base import Batch, Rejected
from webfaq_domains.sources.columns import map_columns, raw_batch

BATCH_ROWS = 20_000
SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz", ".csv", ".csv.gz")
_LINE_LIMIT = 16 << 20


def suffix(name: str) -> str | None:
    """Return the known suffix of a file's name, or None."""
    return next((end for end in SUFFIXES if name.lower().endswith(end)), None)


def check_columns(name: str, file: IO[bytes]) -> None:
    """Look at the head of a file: its columns must make pairs.

    :raises SourceError: if it cannot be read as what its name says.
    :raises SchemaError: if the columns question and answer are not there.
    """
    with _explained(name):
        if suffix(name) == ".parquet":
            schema = pq.read_schema(file)
            mapping = map_columns(schema.names, name)
            for ours in ("question", "answer"):
                met = schema.field(mapping[ours]).type
                if not (pa.types.is_string(met) or pa.types.is_large_string(met)):
                    raise SourceError(f"{name}: the column {mapping[ours]!r} is {met}, not text")
        elif ".csv" in name.lower():
            map_columns(next(csv.reader(_text(name, file)), []), name)
        else:
            for _, row in zip(range(1), _json_rows(name, file), strict=False):
                if isinstance(row[1], dict):
                    map_columns(row[1], name)


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


def read_rows(name: str, file: IO[bytes]) -> Iterator[Batch]:
    """Yield the rows of an open file in order, at most `BATCH_ROWS` at a time.

    :raises SourceError: if the file breaks off or is damaged.
    """
    with _explained(name):
        if suffix(name) == ".parquet":
            yield from _read_parquet(name, file)
        elif ".csv" in name.lower():
            yield from _read_records(name, _csv_rows(name, file))
        else:
            yield from _read_records(name, _json_rows(name, file))


def _read_parquet(name: str, file: IO[bytes]) -> Iterator[Batch]:
    parquet = pq.ParquetFile(file)
    mapping = map_columns(parquet.schema_arrow.names, name)
    first = 0
    for batch in parquet.iter_batches(BATCH_ROWS, columns=list(mapping.values())):
        yield raw_batch(pa.Table.from_batches([batch]), mapping, name, first)
        first += len(batch)


def _lines(name: str, file: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(gzip.GzipFile(fileobj=file)) if name.endswith(".gz") else file


def _text(name: str, file: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(_lines(name, file), encoding="utf-8-sig", newline="")


def _json_rows(
    name: str, file: IO[bytes]
) -> Iterator[tuple[int, dict[str, Any] | tuple[str, str]]]:
    """Yield (line number, object), or (line number, (reason, excerpt)) for a line that is none."""
    lines = _lines(name, file)
    for number, line in enumerate(iter(lambda: lines.readline(_LINE_LIMIT), b""), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except UnicodeDecodeError:
            yield number, ("not_utf8", line.decode("utf-8", "replace"))
        except ValueError:
            yield number, ("not_json", line.decode("utf-8", "replace"))
        else:
            yield number, row if isinstance(row, dict) else ("not_an_object", line.decode()[:500])


def _csv_rows(name: str, file: IO[bytes]) -> Iterator[tuple[int, dict[str, Any] | tuple[str, str]]]:
    csv.field_size_limit(_LINE_LIMIT)
    reader = csv.reader(_text(name, file), strict=True)
    header = next(reader, [])
    for row in reader:
        if len(row) == len(header):
            yield reader.line_num, dict(zip(header, row, strict=True))
        elif row:
            reason = f"has_{len(row)}_of_{len(header)}_columns"
            yield reader.line_num, (reason, str(row))


def _read_records(
    name: str, rows: Iterator[tuple[int, dict[str, Any] | tuple[str, str]]]
) -> Iterator[Batch]:
    """Gather records into batches; a record that is no pair is rejected with its line."""
    pairs: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    for number, row in rows:
        place = f"{name}:{number}"
        if isinstance(row, tuple):
            rejected.append(Rejected(place, row[0], row[1][:500]))
        else:
            reason = _unusable(row)
            if reason:
                rejected.append(Rejected(place, reason, repr(row)[:500]))
            else:
                pairs.append(row if "id" in row else {**row, "id": row.get("_id") or place})
        if len(pairs) + len(rejected) >= BATCH_ROWS:
            yield _batch(pairs, rejected, name)
            pairs, rejected = [], []
    if pairs or rejected:
        yield _batch(pairs, rejected, name)


def _unusable(row: dict[str, Any]) -> str | None:
    """Return why a record is no pair, or None."""
    for key in ("question", "answer"):
        text = row.get(key)
        if text is None:
            return f"{key}_missing"
        if not isinstance(text, str):
            return f"{key}_not_text"
        try:
            text.encode()
        except UnicodeEncodeError:
            return f"{key}_has_lone_surrogate"
    return None


def _batch(pairs: list[dict[str, Any]], rejected: list[Rejected], name: str) -> Batch:
    met = dict.fromkeys(key for row in pairs for key in row)
    mapping = map_columns(met, name) if pairs else {}
    columns = {
        mapping[ours]: [_value(ours, row.get(mapping[ours])) for row in pairs]
        for ours in RAW.names
        if ours in mapping
    }
    if not pairs:
        return Batch(RAW.empty_table(), rejected)
    batch = raw_batch(pa.table(columns), mapping, name, 0)
    return Batch(batch.pairs, rejected + batch.rejected)


def _value(column: str, value: Any) -> str | float | None:
    """Return a JSON or CSV value as its column's type; what is no number there becomes null."""
    if value is None:
        return None
    if column != "semantic_similarity_score":
        return str(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
