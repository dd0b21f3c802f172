"""Read the files of a release strictly: every complaint names file and line."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from webfaq_domains.ground.errors import SourceError


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, `.gz`, or the only file of a `.tar.gz` or `.tar.bz2`.

    :raises SourceError: if it cannot be read or ends early.
    """
    try:
        if path.name.endswith((".tar.gz", ".tgz", ".tar.bz2")):
            with tarfile.open(path, "r|*") as archive:
                member = next((m for m in archive if m.isfile()), None)
                if member is None:
                    raise SourceError(f"{path} holds no file")
                inner = archive.extractfile(member)
                assert inner is not None
                yield inner
        elif path.suffix == ".gz":
            with gzip.open(path, "rb") as plain:
                yield cast(IO[bytes], plain)
        else:
            with path.open("rb") as file:
                yield file
    except (OSError, EOFError, tarfile.TarError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line) of a UTF-8 file, without line ends.

    :raises SourceError: naming the line that is not UTF-8.
    """
    with opened(path) as file:
        for number, raw in enumerate(file, 1):
            try:
                yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise SourceError(f"{path}:{number}: not UTF-8 text: {error.reason}") from error


def sentences(path: Path) -> list[str]:
    """Return the lines of a file with one sentence a line, stripped.

    :raises SourceError: naming a line that is empty, or if there is none.
    """
    found = []
    for number, line in text_lines(path):
        if not line.strip():
            raise SourceError(f"{path}:{number}: the line is empty; expected one sentence a line")
        found.append(line.strip())
    if not found:
        raise SourceError(f"{path} is empty; expected one sentence a line")
    return found


def columns(path: Path, count: int) -> Iterator[tuple[int, list[str]]]:
    """Yield (number, fields) of a file with `count` tab-separated fields a line.

    :raises SourceError: naming a line with another number of fields, or an empty one.
    """
    for number, line in text_lines(path):
        fields = [field.strip() for field in line.split("\t", count - 1)]
        if len(fields) != count or not all(fields):
            raise SourceError(
                f"{path}:{number}: expected {count} tab-separated fields; met {line[:60]!r}"
            )
        yield number, fields


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (`file:line`, object) of a JSON Lines file.

    :raises SourceError: naming a line that is not a JSON object.
    """
    for number, line in text_lines(path):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise SourceError(f"{path}:{number}: not JSON: {error}") from error
        if not isinstance(value, dict):
            raise SourceError(f"{path}:{number}: expected a JSON object; met {line[:60]!r}")
        yield f"{path}:{number}", value


def json_file(path: Path) -> Any:
    """Return the value of a JSON file.

    :raises SourceError: naming the line where it ends being JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SourceError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error


def field(value: Any, key: str, kind: type, where: str) -> Any:
    """Return an entry of a JSON object.

    :raises SourceError: naming `where`, if it is missing or of another type.
    """
    if not isinstance(value, dict) or type(value.get(key)) is not kind:
        met = value.get(key, "nothing") if isinstance(value, dict) else value
        raise SourceError(f"{where}: {key!r} must be {kind.__name__}; met {str(met)[:60]!r}")
    return value[key]
