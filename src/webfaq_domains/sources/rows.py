"""Read question/answer rows from one open file: Parquet, JSON Lines or CSV, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.ground.errors import SourceError
from webfaq_domains.ground.schema import RAW
from webfaq_domains.sources.base import Batch, Rejected
from webfaq_domains.sources.columns import NAMES, check_types, map_columns, raw_batch

BATCH_ROWS = 20_000
SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz", ".csv", ".csv.gz")
_LINE_LIMIT = 16 << 20
_HEAD_ROWS = 100
_NOTHING = (None, "")

#: A record, or why a line is none: (reason, excerpt).
_Record: TypeAlias = "dict[str, Any] | tuple[str, str]"


def suffix(name: str) -> str | None:
    """Return the known suffix of a file's name, or None."""
    return next((end for end in SUFFIXES if name.lower().endswith(end)), None)


def check_columns(name: str, file: IO[bytes]) -> None:
    """Look at the head of a file: its columns must make pairs.

    :raises SourceError: if it cannot be read as what its name says.
    :raises SchemaError: if the columns question and answer are not there, or one has a type that
        cannot be read.
    """
    with _explained(name):
        if suffix(name) == ".parquet":
            schema = pq.read_schema(file)
            check_types(schema, map_columns(schema.names, name), name)
        elif _is_csv(name):
            header = next(csv.reader(_text(name, file)), [])
            if not _is_utf8(header):
                raise SourceError(f"{name} is not UTF-8 text; save it as UTF-8")
            map_columns(header, name)
        elif met := _json_columns(name, file):
            map_columns(met, name)


def _json_columns(name: str, file: IO[bytes]) -> dict[str, None]:
    """Return the columns that the first records have together: one may leave out what is null."""
    met: dict[str, None] = {}
    try:
        for _, row in islice(_json_rows(name, file), _HEAD_ROWS):
            if isinstance(row, dict):
                met |= dict.fromkeys(row)
                if "question" in met and "answer" in met:
                    break
    except EOFError:  # the head of a longer gzip file; its first rows still say what is there
        if not met:
            raise
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


def read_rows(name: str, file: IO[bytes]) -> Iterator[Batch]:
    """Yield the rows of an open file in order, at most `BATCH_ROWS` at a time.

    :raises SourceError: if the file breaks off or is damaged.
    """
    with _explained(name):
        if suffix(name) == ".parquet":
            yield from _read_parquet(name, file)
        elif _is_csv(name):
            yield from _read_records(name, _csv_rows(name, file))
        else:
            yield from _read_records(name, _json_rows(name, file))


def _read_parquet(name: str, file: IO[bytes]) -> Iterator[Batch]:
    parquet = pq.ParquetFile(file)
    mapping = map_columns(parquet.schema_arrow.names, name)
    first = 0
    for batch in parquet.iter_batches(BATCH_ROWS, columns=list(mapping.values())):
        batch.validate(full=True)  # texts that are not UTF-8 would fail much later
        yield raw_batch(pa.Table.from_batches([batch]), mapping, name, first)
        first += len(batch)


def _is_csv(name: str) -> bool:
    return suffix(name) in (".csv", ".csv.gz")


def _lines(name: str, file: IO[bytes]) -> IO[bytes]:
    packed = name.lower().endswith(".gz")
    return io.BufferedReader(gzip.GzipFile(fileobj=file)) if packed else file


def _text(name: str, file: IO[bytes]) -> io.TextIOWrapper:
    """Open a file as UTF-8; bytes that are none become lone surrogates (see `_is_utf8`)."""
    lines = _lines(name, file)
    return io.TextIOWrapper(lines, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _is_utf8(cells: list[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def _json_rows(name: str, file: IO[bytes]) -> Iterator[tuple[int, _Record]]:
    """Yield (line number, object), or (line number, (reason, excerpt)) for a line that is none."""
    lines = _lines(name, file)
    for number, line in enumerate(iter(lambda: lines.readline(_LINE_LIMIT), b""), start=1):
        if not line.strip():
            continue
        if len(line) == _LINE_LIMIT and not line.endswith(b"\n"):
            while (rest := lines.readline(_LINE_LIMIT)) and not rest.endswith(b"\n"):
                pass
            yield number, ("line_too_long", _excerpt(line))
            continue
        try:
            row = json.loads(line)
        except UnicodeDecodeError:
            yield number, ("not_utf8", _excerpt(line))
        except (ValueError, RecursionError):  # brackets nested without end
            yield number, ("not_json", _excerpt(line))
        else:
            yield number, row if isinstance(row, dict) else ("not_an_object", _excerpt(line))


def _excerpt(line: bytes) -> str:
    return line[:2_000].decode("utf-8", "replace")


def _csv_rows(name: str, file: IO[bytes]) -> Iterator[tuple[int, _Record]]:
    csv.field_size_limit(_LINE_LIMIT)
    reader = csv.reader(_text(name, file), strict=True)
    header = next(reader, [])
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:  # the reader goes on at the next line
            yield reader.line_num, ("not_csv", str(error))
            continue
        if row is None:
            return
        if not _is_utf8(row):
            yield reader.line_num, ("not_utf8", str(row))
        elif len(row) == len(header):
            yield reader.line_num, dict(zip(header, row, strict=True))
        elif row:
            yield reader.line_num, (f"has_{len(row)}_of_{len(header)}_columns", str(row))


def _read_records(name: str, rows: Iterator[tuple[int, _Record]]) -> Iterator[Batch]:
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
                nameless = all(row.get(key) in _NOTHING for key in NAMES["source_id"])
                pairs.append({**row, "id": place} if nameless else row)
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
    if not pairs:
        return Batch(RAW.empty_table(), rejected)
    met = {key for row in pairs for key in row}
    columns = {
        ours: _values(ours, _first_given(pairs, here))
        for ours, names in NAMES.items()
        if (here := [name for name in names if name in met])
    }
    batch = raw_batch(pa.table(columns), {ours: ours for ours in columns}, name, 0)
    return Batch(batch.pairs, rejected + batch.rejected)


def _first_given(rows: list[dict[str, Any]], names: list[str]) -> list[Any]:
    """Return each row's value under the first of the names that it has."""
    values = [row.get(names[0]) for row in rows]
    for name in names[1:]:
        values = [
            row.get(name) if value is None else value
            for row, value in zip(rows, values, strict=True)
        ]
    return values


def _values(column: str, values: list[Any]) -> list[Any]:
    """Return JSON or CSV values as their column's type; what is no number there becomes null."""
    if column == "semantic_similarity_score":
        return [_number(value) for value in values]
    if column in ("question", "answer"):
        return values
    return [value if value is None else _text_of(value) for value in values]


def _text_of(value: Any) -> str:
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
