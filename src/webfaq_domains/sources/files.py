"""Local files of question/answer rows: `PATH` is a file or a folder, plain or gzipped."""

from __future__ import annotations

import gzip
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from webfaq_domains.ground.errors import SchemaError, SourceError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.sources.base import Batch, SourceFile
from webfaq_domains.sources.paths import PathClaim, path_claims, told
from webfaq_domains.sources.rows import check_columns, read_rows, suffix

_log = logging.getLogger(__name__)


def list_files(path: Path, wanted: Callable[[str], bool], what: str) -> tuple[SourceFile, ...]:
    """Return the wanted files of a path, or the path itself, sorted by name and pinned by sha256.

    Hidden files are passed over; the others that are not read are said, with their number.

    :raises SourceError: if there is no such path, nothing wanted in it, or a file cannot be read.
    """
    if not path.exists():
        raise SourceError(f"{path} does not exist")
    if path.is_file():
        found = [(path.name, path)]
    else:
        there = sorted(
            (file.relative_to(path).as_posix(), file)
            for file in path.rglob("*")
            if (file.is_file() or file.is_symlink())
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        )
        found = [(name, file) for name, file in there if wanted(file.name)]
        say_unread((name for name, file in there if not wanted(file.name)), str(path))
    if not found:
        raise SourceError(f"{path} holds no {what}")
    try:
        return tuple(
            SourceFile(name, str(file), file.stat().st_size, file_sha256(file))
            for name, file in found
        )
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}") from error


def say_unread(names: Iterable[str], where: str) -> None:
    """Say how many files of a source are not read, by the ending of their names."""
    endings = Counter(PurePosixPath(name).suffix.lower() or "no ending" for name in names)
    if endings:
        counts = ", ".join(f"{count} with {end}" for end, count in sorted(endings.items()))
        _log.warning("%s: %d files are not read: %s", where, endings.total(), counts)


@dataclass(frozen=True)
class FilesSource:
    """Parquet, JSON Lines, CSV or TSV files with the columns by name (`columns.NAMES`)."""

    name: str
    files: tuple[SourceFile, ...]
    claims: dict[str, PathClaim] = field(default_factory=dict)

    @classmethod
    def open(cls, address: str) -> FilesSource:
        """Find and pin the files, and look at the columns of each.

        :raises SourceError: if something is missing or cannot be read.
        :raises SchemaError: if a file has no question and answer.
        """
        path = Path(address)
        kinds = ".parquet, .jsonl, .ndjson, .json, .csv or .tsv (also with .gz, .bz2 or .zst)"
        if path.is_file() and suffix(path.name) is None:
            raise SourceError(f"{path}: expected a file that ends in {kinds}")
        files = list_files(
            path, lambda name: suffix(name) is not None, f"file that ends in {kinds}"
        )
        files = tuple(file for file in files if _holds_rows(file, alone=path.is_file()))
        if not files:
            raise SourceError(f"{path} holds no {kinds} with rows")
        claims = path_claims(file.name for file in files)
        for line in told(claims):
            _log.warning("%s: %s", path, line)
        # A link is named as it is called here, not as what it points to.
        named = path if path.name.strip(".") else path.resolve()
        return cls(named.name.lstrip(".").split(".")[0] or "files", files, claims)

    def read(self, file: SourceFile) -> Iterator[Batch]:
        with Path(file.path).open("rb") as stream:
            yield from read_rows(file.name, stream, self.claims.get(file.name))


def _holds_rows(file: SourceFile, alone: bool) -> bool:
    """Check the columns of a file, and tell whether it is read.

    A `.json` file among others may be about the data: what is no JSON Lines there is said and left out.
    """
    try:
        with Path(file.path).open("rb") as stream:
            check_columns(file.name, stream)
    except (SourceError, SchemaError) as error:
        if alone or not may_be_about_data(file.name):
            raise
        _log.warning("not read: %s", error)
        return False
    return True


def may_be_about_data(name: str) -> bool:
    """Tell whether a file's ending says too little: `.json` may hold rows, or settings, or a card."""
    return name.lower().endswith(".json")


_GZIP = b"\x1f\x8b"


@contextmanager
def open_bytes(file: SourceFile) -> Iterator[BinaryIO]:
    """Open a source file, unpacked if it is gzip.

    :raises SourceError: if it cannot be opened, or turns out to be broken while it is read.
    """
    try:
        with Path(file.path).open("rb") as raw:
            if raw.peek(2)[:2] != _GZIP:
                yield raw
                return
            with gzip.open(raw) as unpacked:
                yield cast(BinaryIO, unpacked)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(
            f"{file.name}: the gzip data are cut off or damaged ({error}); fetch the file again"
        ) from error
    except OSError as error:
        raise SourceError(f"{file.name}: cannot be read: {error.strerror or error}") from error
