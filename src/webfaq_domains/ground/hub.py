"""The Hub as a reader meets it: what an address names, and a repository at one commit.

`locate` answers "folder or org/name@revision" for every command and both packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import StagedError, WebFAQError
from webfaq_domains.ground.hub_errors import explained

#: The types of repositories, in the order in which a bare `org/name` is looked for.
REPO_TYPES = ("dataset", "model", "space")

_SPOKEN = {"dataset": "dataset", "model": "model", "space": "Space"}
_ADDRESS = re.compile(
    r"(?:(?P<type>dataset|model|space)s/)?(?P<repo>[\w-][\w.-]*(?:/[\w-][\w.-]*)?)"
    r"(?:@(?P<revision>[\w./-]+))?"
)
_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class RepositoryFile:
    """A file in a commit: its bytes, git's hash, and the sha256 of its content where it is LFS."""

    size: int
    git_sha1: str
    sha256: str | None = None


@dataclass(frozen=True)
class Repository:
    """A repository at one commit. `revision` is the name that it was asked by, `sha` 40 hex digits.

    What its methods raise, a file that is missing included, is of the class `error`.
    """

    repo_type: str
    name: str
    revision: str
    sha: str
    error: type[WebFAQError] = StagedError

    def __str__(self) -> str:
        return f"{self.repo_type}s/{self.name}@{self.sha[:12]}"

    def files(self) -> dict[str, RepositoryFile]:
        """Return every file of the commit, by its path."""
        from huggingface_hub import HfApi

        with self._explained():
            entries = HfApi().list_repo_tree(
                self.name, recursive=True, revision=self.sha, repo_type=self.repo_type
            )
            return files_of_tree(entries)

    def tags(self) -> dict[str, str]:
        """Return the commit that each tag of the repository names."""
        from huggingface_hub import HfApi

        with self._explained():
            refs = HfApi().list_repo_refs(self.name, repo_type=self.repo_type)
        return {ref.name: ref.target_commit for ref in refs.tags}

    def dates(self, shas: Iterable[str]) -> dict[str, str]:
        """Return the date of commits, in ISO 8601; one that `main` does not hold is asked for by itself."""
        from huggingface_hub import HfApi

        api = HfApi()
        with self._explained():
            history = api.list_repo_commits(self.name, repo_type=self.repo_type)
            dates = {commit.commit_id: commit.created_at.isoformat() for commit in history}
            for sha in set(shas) - dates.keys():
                asked = api.list_repo_commits(self.name, repo_type=self.repo_type, revision=sha)
                dates[sha] = asked[0].created_at.isoformat()
        return dates

    def download(self, path: str, folder: Path | None = None) -> Path:
        """Return where a file lies here, fetched into the client's cache, or into `folder`."""
        from huggingface_hub import hf_hub_download

        with self._explained():
            return Path(
                hf_hub_download(
                    self.name, path, repo_type=self.repo_type, revision=self.sha, local_dir=folder
                )
            )

    def download_all(self, wanted: Sequence[str] | None = None) -> Path:
        """Return a folder with the files of the commit; `wanted` are patterns as `*.json`."""
        from huggingface_hub import snapshot_download

        patterns = None if wanted is None else list(wanted)
        with self._explained():
            return Path(
                snapshot_download(
                    self.name, repo_type=self.repo_type, revision=self.sha, allow_patterns=patterns
                )
            )

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        """Open a file for reading in parts, by range requests."""
        from huggingface_hub import HfFileSystem

        prefix = "" if self.repo_type == "model" else f"{self.repo_type}s/"
        place = f"{prefix}{self.name}@{self.sha}/{path}"
        with (
            self._explained(),
            # Without fsspec's read-ahead, which would fetch 5 MiB more than is asked for.
            HfFileSystem().open(place, "rb", cache_type="none") as stream,
        ):
            yield stream

    def _explained(self) -> explained:
        return explained(self.name, self.revision, self.error, _SPOKEN[self.repo_type])


@dataclass(frozen=True)
class Address:
    """A repository as people write it: `org/name`, `org/name@revision`, `models/org/name@revision`."""

    name: str
    repo_type: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> Address | None:
        """Read an address, or return None where a text is none, such as a path."""
        match = _ADDRESS.fullmatch(text)
        return match and cls(match["repo"], match["type"], match["revision"])

    def resolve(
        self,
        error: type[WebFAQError] = StagedError,
        types: Sequence[str] = REPO_TYPES,
        default: str = "main",
    ) -> Repository:
        """Ask the Hub, once, which commit is meant. A full sha of one type needs no question.

        :param types: the types of repositories to look for, in this order.
        :param default: the revision where none is written.
        :raises WebFAQError: of the class `error`, if there is none, or it cannot be read.
        """
        revision = self.revision or default
        types = self._types(error, types)
        if len(types) == 1 and _SHA.fullmatch(revision):
            return Repository(types[0], self.name, revision, revision, error)
        with explained(self.name, revision, error, _either(types)):
            return self._found(types, revision, error)

    def _types(self, error: type[WebFAQError], types: Sequence[str]) -> Sequence[str]:
        if self.repo_type is None:
            return types
        if self.repo_type not in types:
            raise error(
                f"{self.repo_type}s/{self.name} is a {_SPOKEN[self.repo_type]}; expected a "
                f"{_either(types)}"
            )
        return (self.repo_type,)

    def _found(self, types: Sequence[str], revision: str, error: type[WebFAQError]) -> Repository:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

        for repo_type in types:
            try:
                info = HfApi().repo_info(self.name, repo_type=repo_type, revision=revision)
            except GatedRepoError:
                raise
            except RepositoryNotFoundError:
                if repo_type == types[-1]:
                    raise
            else:
                return Repository(repo_type, self.name, revision, str(info.sha), error)
        raise AssertionError("the last type returns or raises")


def locate(
    place: str | Path,
    error: type[WebFAQError] = StagedError,
    types: Sequence[str] = REPO_TYPES,
    revision_needed: bool = False,
) -> Path | Repository:
    """Return the folder that is named, or the repository on the Hub at the one commit that is meant.

    A folder that is there comes first, as with `load_dataset`. A name without `org/` is taken for a
    model's, where only models are looked for.

    :param revision_needed: refuse `org/name` without `@revision`, which may be another one tomorrow.
    :raises WebFAQError: of the class `error`, if it is neither.
    """
    if Path(place).is_dir():
        return Path(place)
    address = Address.parse(str(place))
    bare = tuple(types) == ("model",)
    if address is None or ("/" not in address.name and not bare):
        raise error(
            f"{place}: there is no such folder, and it is not a repository; expected a folder or "
            "org/name@revision"
        )
    if revision_needed and address.revision is None:
        raise error(
            f"{place}: there is no such folder; of a repository on the Hub, name the revision too: "
            f"{place}@REVISION, a tag or a commit"
        )
    return address.resolve(error, types)


def _either(types: Sequence[str]) -> str:
    """Return `dataset`, or `dataset, model or Space`."""
    *first, last = (_SPOKEN[repo_type] for repo_type in types)
    return f"{', '.join(first)} or {last}" if first else last


def files_of_tree(entries: Iterable[Any]) -> dict[str, RepositoryFile]:
    """Return the files that the client's `list_repo_tree` yields, by path."""
    from huggingface_hub import RepoFile

    return {
        entry.path: RepositoryFile(
            entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None
        )
        for entry in entries
        if isinstance(entry, RepoFile)
    }


_REPO = re.compile(r"(dataset|model|space)s--.+")
_BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def links_to_blob(folder: Path, link: Path) -> bool:
    """Tell whether a link in a snapshot folder leads to a file of the same repository's cache.

    Only then it is what `snapshot_download` makes: a link that leaves the cache of its repository, or
    leads to anything but a plain blob, is none.
    """
    snapshot = folder.resolve()
    cache = snapshot.parents[1]
    if snapshot.parent.name != "snapshots" or not _REPO.fullmatch(cache.name):
        return False
    target = link.resolve()
    return (
        target.parent == cache / "blobs"
        and _BLOB.fullmatch(target.name) is not None
        and target.is_file()
    )
