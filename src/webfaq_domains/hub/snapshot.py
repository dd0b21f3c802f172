"""An artifact to look at: a folder here, or a repository on the Hub at one commit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from webfaq_domains.errors import StagedError
from webfaq_domains.files import local_notes
from webfaq_domains.hashing import file_sha256
from webfaq_domains.hub_errors import explained

#: The kinds of repositories in the order in which a bare `org/name` is looked for.
KINDS = ("dataset", "model", "space")

_ADDRESS = re.compile(
    r"(?:(?P<kind>dataset|model|space)s/)?(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?"
)


class Snapshot(Protocol):
    """What is compared: paths with hashes, small files whole, Parquet files by column."""

    @property
    def name(self) -> str: ...

    @property
    def tags(self) -> tuple[str, ...]:
        """The names it was asked by or is tagged with; among them may be its version."""

    def paths(self) -> list[str]: ...

    def sha256(self, path: str) -> str: ...

    def local(self, path: str) -> Path:
        """Return where a file lies here, fetched into the Hub's cache if need be."""

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        """Open a file for reading in parts."""
        ...


@dataclass(frozen=True)
class FolderSnapshot:
    """A staged folder, or one that `snapshot_download` made."""

    folder: Path
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.folder)

    def paths(self) -> list[str]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        names = sorted(path.relative_to(self.folder).as_posix() for path in files)
        return [name for name in names if not local_notes(name)]

    def sha256(self, path: str) -> str:
        return file_sha256(self.folder / path)

    def local(self, path: str) -> Path:
        return self.folder / path

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        with (self.folder / path).open("rb") as file:
            yield file


@dataclass(frozen=True)
class HubSnapshot:
    """A repository at a commit. `listed` has for each path the sha256 of an LFS file, else git's id."""

    kind: str
    repo: str
    sha: str
    tags: tuple[str, ...]
    listed: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.kind}s/{self.repo}@{self.sha[:12]}"

    def paths(self) -> list[str]:
        return sorted(path for path in self.listed if not local_notes(path))

    def sha256(self, path: str) -> str:
        known = self.listed[path]
        return known if len(known) == 64 else file_sha256(self.local(path))

    def local(self, path: str) -> Path:
        from huggingface_hub import hf_hub_download

        with explained(self.repo, self.sha, StagedError, self.kind):
            return Path(hf_hub_download(self.repo, path, repo_type=self.kind, revision=self.sha))

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        from huggingface_hub import HfFileSystem

        prefix = "" if self.kind == "model" else f"{self.kind}s/"
        place = f"{prefix}{self.repo}@{self.sha}/{path}"
        with (
            explained(self.repo, self.sha, StagedError, self.kind),
            # Without fsspec's read-ahead, which would fetch columns that nobody asked for.
            HfFileSystem().open(place, "rb", cache_type="none") as file,
        ):
            yield file


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


def open_snapshot(address: str) -> Snapshot:
    """Open a folder, or `org/name[@revision]`, resolved once to a commit.

    A bare `org/name` is looked for among data sets, models and Spaces; `models/org/name` says which.

    :raises StagedError: if it is neither a folder nor a repository that can be read.
    """
    if Path(address).is_dir():
        return FolderSnapshot(Path(address))
    match = _ADDRESS.fullmatch(address)
    if match is None or address.startswith((".", "/")):
        raise StagedError(
            f"{address}: there is no such folder, and it is not a repository; expected a staged "
            "folder or org/name@revision"
        )
    asked, repo = match["revision"] or "main", match["repo"]
    kind, sha = find_repo(match["kind"], repo, asked)
    tags = tuple(tag for tag, commit in tags_of(kind, repo).items() if commit == sha)
    return at_commit(kind, repo, sha, (asked, *tags))


def parse_repo(address: str) -> tuple[str | None, str]:
    """Return the kind, if it is said, and the id of `[models/]org/name`.

    :raises StagedError: for anything else, a revision included.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or match["revision"]:
        raise StagedError(f"{address}: expected a repository org/name, or models/org/name")
    return match["kind"], match["repo"]


def find_repo(kind: str | None, repo: str, revision: str) -> tuple[str, str]:
    """Return the kind of a repository and the commit that a revision names.

    :raises StagedError: if there is none, or it cannot be read.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    for tried in (kind,) if kind else KINDS:
        with explained(repo, revision, StagedError, kind or "data set, model or Space"):
            try:
                info = HfApi().repo_info(repo, repo_type=tried, revision=revision)
            except GatedRepoError:
                raise
            except RepositoryNotFoundError:
                if tried == (kind or KINDS[-1]):
                    raise
                continue
            return tried, str(info.sha)
    raise AssertionError("the last kind returns or raises")


def at_commit(kind: str, repo: str, sha: str, tags: tuple[str, ...]) -> HubSnapshot:
    """Return a repository at a commit, with the listing of its files."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    with explained(repo, sha, StagedError, kind):
        tree = HfApi().list_repo_tree(repo, recursive=True, revision=sha, repo_type=kind)
        listed = {
            entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id
            for entry in tree
            if isinstance(entry, RepoFile)
        }
    return HubSnapshot(kind, repo, sha, tags, listed)


def tags_of(kind: str, repo: str) -> dict[str, str]:
    """Return the commit that each tag of a repository names."""
    from huggingface_hub import HfApi

    with explained(repo, "main", StagedError, kind):
        refs = HfApi().list_repo_refs(repo, repo_type=kind)
    return {ref.name: ref.target_commit for ref in refs.tags}
