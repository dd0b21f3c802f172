"""The records of a text file, line by line: JSON Lines, CSV or TSV, plain or packed.

A record that is none is told by its line and its reason, and reading goes on.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections import deque
from collections.abc import Iterator
from typing import IO, Any, TypeAlias, cast

import pyarrow as pa

from webfaq_domains.ground.errors import SourceError

PACKED = (".gz", ".bz2", ".zst")
_LINE_LIMIT = 16 << 20

#: A record, or why a line is none: (reason, excerpt).
Record: TypeAlias = "dict[str, Any] | tuple[str, str]"


def open_lines(name: str, file: IO[bytes]) -> io.BufferedReader:
    """Open a text file, unpacked as its name says."""
    ending = name.lower().rpartition(".")[2]
    if ending == "gz":
        return io.BufferedReader(gzip.GzipFile(fileobj=file))
    if ending == "bz2":
        return io.BufferedReader(cast(io.RawIOBase, bz2.BZ2File(file)))
    if ending == "zst":
        return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd"))
    return (
        file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, file))
    )


def text_of(lines: io.BufferedReader) -> io.TextIOWrapper:
    """Read lines as UTF-8; bytes that are none become lone surrogates (see `is_utf8`)."""
    return io.TextIOWrapper(lines, encoding="utf-8-sig", errors="surrogateescape", newline="")


def refuse_other_files(name: str, head: bytes) -> None:
    """Refuse a file that holds no records whatever its name says, with the cause."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise SourceError(f"{name} is a Git LFS pointer, not the file: run `git lfs pull`")
    if start[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise SourceError(f"{name} is an HTML page, not data: download the file again")
    if start.startswith(b"[") and ".json" in name.lower():
        met = start.split(b"\n", 1)[0].rstrip()
        if not met.endswith(b"]") or met == start.rstrip():
            raise SourceError(
                f"{name} is one JSON array, not JSON Lines; write one object a line "
                "(`jq -c '.[]'` does it)"
            )


def json_records(lines: io.BufferedReader) -> Iterator[tuple[int, Record]]:
    """Yield (line number, object), or (line number, (reason, excerpt)) for a line that is none."""
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


class _TextLines:
    """The lines of a text; those of a record that went wrong can be read once more."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _TextLines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self._taken.append(line)
        return line

    def forget(self) -> None:
        """The lines so far are done with."""
        self._taken.clear()

    def go_back(self) -> str:
        """Return the first line of the record, and read those after it again."""
        first, *others = self._taken or [""]
        self._again.extendleft(reversed(others))
        self.number -= len(others)
        self._taken.clear()
        return first


def csv_records(lines: io.BufferedReader, separator: str) -> Iterator[tuple[int, Record]]:
    """Yield (line number, record), or (line number, (reason, excerpt)).

    A quotation mark that is never closed, or closed many rows later, would swallow those rows. So a
    record that goes wrong costs its first line, and reading goes on with the second one.
    """
    csv.field_size_limit(_LINE_LIMIT)
    text = _TextLines(text_of(lines))
    reader = csv.reader(text, delimiter=separator, strict=True)
    header = next(reader, [])
    while True:
        text.forget()
        reason = ""
        try:
            row = next(reader, None)
        except csv.Error:
            row, reason = [], "not_csv"
        if row is None:
            return
        if not reason and row and len(row) != len(header):
            reason = f"has_{len(row)}_of_{len(header)}_columns"
        if reason:
            first = text.go_back()
            reader = csv.reader(text, delimiter=separator, strict=True)
            reason = reason if is_utf8([first]) else "not_utf8"
            yield text.number, (reason, sound(first.rstrip("\r\n")))
        elif row and not is_utf8(row):
            yield text.number, ("not_utf8", str(row))
        elif row:
            yield text.number, dict(zip(header, row, strict=True))


def is_utf8(cells: list[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def sound(text: str) -> str:
    """Return a text that can be written: half surrogates become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
