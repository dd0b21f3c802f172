"""Files of rows: JSON Lines, TSV, CSV and Parquet, also packed with gzip, and plain lines.

Every reader of training files goes through here. Text is UTF-8 without half surrogate pairs, which JSON
can write and no encoder can read; an error names the file, and the line where there is one.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from webfaq_eval.errors import TaskDataError
from webfaq_eval.rows import BrokenRow, Row

#: How the name of a file that can be read ends. `.txt` is the tab-separated text of MultiNLI.
SUFFIXES = (".jsonl", ".ndjson", ".tsv", ".txt", ".csv", ".parquet")
#: How files begin that are something else than their name says.
_OTHER_KINDS = (
    (b"version https://git-lfs", "is a pointer of Git LFS and holds no data: run `git lfs pull`"),
    (b"<!doctype html", "is a web page, perhaps an error of the server: download it again"),
    (b"<html", "is a web page, perhaps an error of the server: download it again"),
)
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def kind_of(path: Path) -> str:
    """Return the ending that says how a file is read: `.jsonl` of `a.jsonl` and of `a.jsonl.gz`."""
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file by the ending of its name.

    :raises TaskDataError: if the file cannot be read as what its name says; names the line.
    """
    readers = {
        ".jsonl": _read_json_lines, ".ndjson": _read_json_lines, ".tsv": _read_tabs, ".txt": _read_tabs,
        ".csv": _read_csv, ".parquet": _read_parquet,
    }  # fmt: skip
    if kind_of(path) not in readers:
        raise TaskDataError(f"{path}: cannot be read; expected one of {', '.join(SUFFIXES)}")
    return readers[kind_of(path)](path)


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each line, with its line end; blank lines too.

    :raises TaskDataError: if the file cannot be opened, is not UTF-8, or holds no lines; names it.
    """
    with _opened(path) as file:
        for number, raw in enumerate(file, 1):
            place = f"{path}:{number}"
            if number == 1:
                _check_first_line(path, raw)
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                yield place, raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise TaskDataError(
                    f"{place}: is not UTF-8 text ({error.reason}); convert the file"
                ) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            yield file
    except (OSError, EOFError) as error:
        raise TaskDataError(f"{path}: cannot be read: {error}") from error


def _check_kind(path: Path, start: bytes) -> None:
    """Refuse a file that begins as something else than its name says."""
    lower = start[:100].lstrip(b"\xef\xbb\xbf \t").lower()
    for mark, reason in _OTHER_KINDS:
        if lower.startswith(mark):
            raise TaskDataError(f"{path}: {reason}")


def _check_first_line(path: Path, line: bytes) -> None:
    _check_kind(path, line)
    if b"\r" in line.rstrip(b"\r\n"):
        raise TaskDataError(
            f"{path}: has lines that end in a carriage return alone; convert its line ends to \\n"
        )


def parse_json(text: str, place: str) -> Any:
    """Return what a text in JSON holds.

    :raises BrokenRow: if it is not JSON, or has half a surrogate pair.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenRow(f"{place}: is not JSON: {error}") from error
    # Only an escape can bring half a pair in: the text itself is decoded UTF-8.
    if "\\ud" in text or "\\uD" in text:
        refuse_half_pairs(value, place)
    return value


def refuse_half_pairs(value: Any, place: str) -> None:
    """Refuse a JSON value with half a surrogate pair in one of its texts.

    :raises BrokenRow: if there is one.
    """
    met = _HALF_PAIR.search(json.dumps(value, ensure_ascii=False))
    if met:
        raise BrokenRow(
            f"{place}: has the half surrogate pair {met[0]!r}, as of a cut emoji, which is no text; "
            "mend or remove it"
        )


def _read_json_lines(path: Path) -> Iterator[Row]:
    for place, line in read_lines(path):
        if not line.strip():
            continue
        values = parse_json(line, place)
        if not isinstance(values, dict):
            raise BrokenRow(f"{place}: is {type(values).__name__}; expected a JSON object")
        yield Row(place, values)


def _read_tabs(path: Path) -> Iterator[Row]:
    """Read tab-separated lines as GLUE writes them: a header, no quoting."""
    rows = (
        (place, line.rstrip("\r\n").split("\t")) for place, line in read_lines(path) if line.strip()
    )
    return _read_table(rows)


def _read_csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader((line for _, line in read_lines(path)), strict=True)

    def rows() -> Iterator[tuple[str, list[str]]]:
        try:
            for cells in reader:
                if cells:
                    yield f"{path}:{reader.line_num}", cells
        except csv.Error as error:
            raise BrokenRow(f"{path}:{reader.line_num}: is not CSV: {error}") from error

    return _read_table(rows())


def _read_table(rows: Iterator[tuple[str, list[str]]]) -> Iterator[Row]:
    """Yield the rows below a header."""
    _, header = next(rows, ("", []))
    doubled = _twice(header)
    for place, cells in rows:
        yield replace(table_row(place, header, cells), doubled=doubled)


def table_row(place: str, header: Sequence[str], cells: Sequence[str]) -> Row:
    """Return the row that these cells are under a header; the last of them may be missing."""
    return Row(place, dict(zip(header, cells, strict=False)), tuple(cells[len(header) :]))


def _twice(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name, count in Counter(names).items() if count > 1)


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _opened(path) as start:
        _check_kind(path, start.read(100))
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            classes, doubled, number = _class_names(path, schema), _twice(schema.names), 0
            once = [place for place, name in enumerate(schema.names) if name not in doubled]
            for batch in file.iter_batches(batch_size=1000):
                for values in batch.select(once).to_pylist():
                    number += 1
                    yield Row(f"{path}: row {number}", values, (), doubled, classes)
    except (OSError, pa.ArrowException) as error:
        raise TaskDataError(f"{path}: cannot be read as Parquet: {error}") from error


def _class_names(path: Path, schema: Any) -> dict[str, tuple[str, ...]]:
    """Return the names of classes that `datasets` keeps in a Parquet file's metadata, by column."""
    noted = (schema.metadata or {}).get(b"huggingface")
    if noted is None:
        return {}
    try:
        features = (json.loads(noted).get("info") or {}).get("features") or {}
        return {
            column: tuple(str(name) for name in feature["names"])
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TaskDataError(
            f"{path}: its metadata `huggingface` cannot be read ({error!r}), so the names of its classes "
            "are not known; write the file again without them"
        ) from error
