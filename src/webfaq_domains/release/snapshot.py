"""An artifact to look at: a folder here or a repository at one commit, and what it says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import file_sha256, local_notes
from webfaq_domains.ground.hub import explained
from webfaq_domains.ground.manifest import EVAL_YAML, LABELER_FILE, MANIFEST, Manifest
from webfaq_domains.ground.records import to_json
from webfaq_domains.release.artifact import UNPUBLISHED
from webfaq_domains.release.versions import Version

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


CARD = "README.md"

#: Read by people only: when nothing else differs, a change of these is a patch.
_FOR_READERS = (CARD, "CITATION.cff", "LICENSE", "measured.json", EVAL_YAML, "eval/", "plots/")


@dataclass(frozen=True)
class About:
    """A snapshot and its description. `kind` is pairs, retrieval, labeler or files."""

    snapshot: Snapshot
    kind: str
    manifest: Manifest | None = None
    entries: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> About:
        """Read the description of a snapshot.

        :raises StagedError: if it cannot be read.
        """
        paths = set(snapshot.paths())
        if LABELER_FILE in paths:
            return cls(snapshot, "labeler", None, _json(snapshot, LABELER_FILE))
        if MANIFEST in paths:
            entries = _json(snapshot, MANIFEST)
            if "content_digest" in entries:
                manifest = Manifest.read(snapshot.local(MANIFEST).parent)
                kind = "retrieval" if manifest.is_retrieval else "pairs"
                return cls(snapshot, kind, manifest, entries)
            return cls(snapshot, "files", None, entries)
        return cls(snapshot, "files")

    @property
    def version(self) -> Version | None:
        """Return the version: a tag's, else the one that the description holds."""
        names = (*self.snapshot.tags, self.entries.get("version"))
        return next((version for name in names if (version := Version.find(name))), None)

    @property
    def taxonomy(self) -> dict[str, Any]:
        """Return version, sha256 and slugs of the taxonomy, as far as they are said."""
        if self.manifest is not None:
            return dict(to_json(self.manifest.taxonomy))
        found = {
            "version": self.entries.get("taxonomy_version"),
            "slugs": self.entries.get("domains"),
        }
        return {key: value for key, value in found.items() if value is not None}

    @cached_property
    def described(self) -> dict[str, Any]:
        """Return the description without its version, which publishing writes into it."""
        return {key: value for key, value in self.entries.items() if key != "version"}

    def card(self) -> str:
        """Return the card as it is in a folder that was not published, or "" if there is none."""
        if CARD not in self.snapshot.paths():
            return ""
        text = self.snapshot.local(CARD).read_text("utf-8", errors="replace")
        stands = f"**Version:** {self.entries.get('version')}"
        return text.replace(stands, f"**Version:** {UNPUBLISHED}")

    def data_paths(self) -> set[str]:
        return {file.path for file in self.manifest.files} if self.manifest else set()

    def other_paths(self) -> set[str]:
        """Return the files that are neither data nor description nor card."""
        return set(self.snapshot.paths()) - self.data_paths() - {MANIFEST, LABELER_FILE, CARD}


def for_readers(path: str) -> bool:
    """Tell whether a file is read by people only."""
    return any(
        path == name or (name.endswith("/") and path.startswith(name)) for name in _FOR_READERS
    )


def _json(snapshot: Snapshot, path: str) -> dict[str, Any]:
    try:
        value = json.loads(snapshot.local(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StagedError(f"{snapshot.name}: {path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise StagedError(f"{snapshot.name}: {path} is not a JSON object")
    return value
