"""Rows of task files with their places: JSON lines, TSV, CSV and Parquet."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.tasks.examples import BrokenRow, Skip

#: How the name of a file that can be read ends. `.txt` is the tab-separated text of MultiNLI.
SUFFIXES = (".jsonl", ".tsv", ".txt", ".csv", ".parquet")


@dataclass(frozen=True)
class Row:
    """One row: where it is (file and line) and its values by column."""

    place: str
    values: Mapping[str, Any]

    def value(self, *names: str) -> Any:
        """Return the value of the first of these columns that the row has.

        :raises BrokenRow: if it has none of them.
        """
        for name in names:
            if self.values.get(name) is not None:
                return self.values[name]
        raise BrokenRow(
            f"{self.place}: there is no {' or '.join(names)}; the row has {', '.join(map(str, self.values))}"
        )

    def text(self, *names: str) -> str:
        """Return a text of the row.

        :raises Skip: if it is empty.
        """
        value = self.value(*names)
        if not isinstance(value, str):
            raise BrokenRow(f"{self.place}: {names[0]} is {value!r}; expected a text")
        if not value.strip():
            raise Skip("empty text")
        return value


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file by the ending of its name.

    :raises TaskDataError: if the file cannot be read as what its name says; names the line.
    """
    readers = {
        ".jsonl": _read_json_lines,
        ".tsv": _read_tabs,
        ".txt": _read_tabs,
        ".csv": _read_csv,
        ".parquet": _read_parquet,
    }
    if path.suffix not in readers:
        raise TaskDataError(f"{path}: cannot be read; expected one of {', '.join(SUFFIXES)}")
    try:
        yield from readers[path.suffix](path)
    except UnicodeDecodeError as error:
        raise TaskDataError(f"{path}: is not UTF-8 text ({error.reason}); convert it") from error


def _read_json_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                values = json.loads(line)
            except ValueError as error:
                raise BrokenRow(f"{place}: is not JSON: {error}") from error
            if not isinstance(values, dict):
                raise BrokenRow(f"{place}: is {type(values).__name__}; expected a JSON object")
            yield Row(place, values)


def _read_tabs(path: Path) -> Iterator[Row]:
    """Read tab-separated lines as GLUE writes them: a header, no quoting."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        header = next(lines, "").lstrip("\ufeff").rstrip("\r\n").split("\t")
        for number, line in enumerate(lines, 2):
            if line.strip():
                cells = line.rstrip("\r\n").split("\t")
                yield Row(f"{path}:{number}", dict(zip(header, cells, strict=False)))


def _read_csv(path: Path) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            for values in reader:
                place = f"{path}:{reader.line_num}"
                if None in values:
                    raise BrokenRow(f"{place}: has more cells than the header's {len(values) - 1}")
                yield Row(place, values)
        except csv.Error as error:
            raise BrokenRow(f"{path}:{reader.line_num}: is not CSV: {error}") from error


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=1000):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{path}: row {number}", values)
    except (OSError, pa.ArrowException) as error:
        raise TaskDataError(f"{path}: cannot be read as Parquet: {error}") from error
