"""The files of an artifact, wherever they are: a folder here, or a repository at one commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import file_sha256, local_notes
from webfaq_domains.ground.hub import Repository, RepositoryFile, locate


class Snapshot(Protocol):
    """Paths with hashes, small files whole, Parquet files by column."""

    @property
    def name(self) -> str: ...

    @property
    def tags(self) -> tuple[str, ...]:
        """The names it was asked by or is tagged with; among them may be its version."""

    def paths(self) -> list[str]: ...

    def sha256(self, path: str) -> str: ...

    def local(self, path: str) -> Path:
        """Return where a file lies here, fetched into the Hub's cache if need be."""

    def folder(self) -> Path:
        """Return where all files lie here, fetched into the Hub's cache if need be."""

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        """Open a file for reading in parts."""
        ...


@dataclass(frozen=True)
class FolderSnapshot:
    """A staged folder, or one that `snapshot_download` made."""

    root: Path
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.root)

    def paths(self) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        names = sorted(path.relative_to(self.root).as_posix() for path in files)
        return [name for name in names if not local_notes(name)]

    def sha256(self, path: str) -> str:
        return file_sha256(self.root / path)

    def local(self, path: str) -> Path:
        return self.root / path

    def folder(self) -> Path:
        return self.root

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        with (self.root / path).open("rb") as file:
            yield file


@dataclass(frozen=True)
class HubSnapshot:
    """A repository at a commit. `tags` are the name that it was asked by and those of the commit."""

    repository: Repository
    tags: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.repository)

    @cached_property
    def files(self) -> dict[str, RepositoryFile]:
        return self.repository.files()

    def paths(self) -> list[str]:
        return sorted(path for path in self.files if not local_notes(path))

    def sha256(self, path: str) -> str:
        return self.files[path].sha256 or file_sha256(self.local(path))

    def local(self, path: str) -> Path:
        return self.repository.download(path)

    def folder(self) -> Path:
        return self.repository.download_all()

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        with self.repository.open(path) as file:
            yield file


def open_snapshot(address: str) -> Snapshot:
    """Open a folder, or `org/name[@revision]`, resolved once to a commit.

    A bare `org/name` is looked for among data sets, models and Spaces; `models/org/name` says which.

    :raises StagedError: if it is neither a folder nor a repository that can be read.
    """
    place = locate(address, StagedError)
    if isinstance(place, Path):
        return FolderSnapshot(place)
    tags = (tag for tag, commit in place.tags().items() if commit == place.sha)
    return HubSnapshot(place, (place.revision, *tags))


@contextmanager
def opened_parquet(snapshot: Snapshot, path: str) -> Iterator[Any]:
    """Open a data file to read columns of it.

    :raises StagedError: if it is missing, or what the block meets in it is not of the layout.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with snapshot.open(path) as stream:
            yield pq.ParquetFile(stream)
    except (TypeError, ValueError, KeyError, OSError, pa.ArrowException) as error:
        raise StagedError(
            f"{snapshot.name}: {path} is not a data file of the layout: {error}; `webfaq-domains "
            "check` lists every problem of a folder"
        ) from error
