"""Repositories as commits of path -> blob, with branches, tags and pull request refs."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hubserver.saved import Contents, load_state, save_state

KINDS = ("model", "dataset", "space")
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Blob:
    """A file's content by its hashes; `lfs` files are pointers in git, as on the Hub."""

    sha256: str
    sha1: str
    size: int
    lfs: bool = False

    @property
    def pointer(self) -> bytes:
        text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\n"
        return f"{text}size {self.size}\n".encode()

    @property
    def oid(self) -> str:
        """The git object id: of the pointer where the file is LFS."""
        return git_sha1(self.pointer) if self.lfs else self.sha1

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.sha1


@dataclass(frozen=True)
class Commit:
    """A whole tree, its parent ("" for the first) and its message."""

    id: str
    parent: str
    title: str
    message: str
    author: str
    date: str
    files: dict[str, Blob]


@dataclass
class Discussion:
    """A pull request, or a plain discussion where `base` is empty."""

    num: int
    title: str
    description: str
    author: str
    date: str
    base: str = ""
    status: str = "open"
    merged: str = ""


@dataclass
class Repo:
    """One repository; `refs` are full names (`refs/heads/main`, `refs/tags/v1`, `refs/pr/1`)."""

    kind: str
    id: str
    date: str
    private: bool = False
    gated: str = ""
    sdk: str = ""
    refs: dict[str, str] = field(default_factory=dict)
    tag_messages: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    lfs: list[str] = field(default_factory=list)
    discussions: list[Discussion] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Return its path on the site: `datasets/org/name`, `org/name` for a model."""
        return self.id if self.kind == "model" else f"{self.kind}s/{self.id}"

    def ref(self, revision: str) -> str | None:
        """Return the full name of a branch, tag or ref, or None."""
        names = (f"refs/heads/{revision}", f"refs/tags/{revision}", revision)
        return next((name for name in names if name in self.refs), None)

    def find(self, revision: str) -> Commit | None:
        """Return the commit that a branch, tag, ref or (short) sha names, or None."""
        ref = self.ref(revision)
        if ref is not None:
            return self.commits[self.refs[ref]]
        if len(revision) >= 7:
            met = [commit for sha, commit in self.commits.items() if sha.startswith(revision)]
            return met[0] if len(met) == 1 else None
        return None

    def history(self, commit: Commit) -> list[Commit]:
        """Return a commit and its ancestors, newest first."""
        line = [commit]
        while line[-1].parent:
            line.append(self.commits[line[-1].parent])
        return line


class Store:
    """All repositories and contents; with a `root` folder they survive the process."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        self.lock = threading.RLock()
        self.contents = Contents(root)
        self.repos: dict[str, Repo] = {}
        self.ticks = 0
        self.load()

    def load(self) -> None:
        """Forget what is in memory and read the saved state, as a restarted process does."""
        if self.root is not None:
            self.repos, self.ticks = load_state(self.root)

    def save(self) -> None:
        """Write the state before an answer is sent, so that what was answered is never lost."""
        if self.root is not None:
            save_state(self.root, self.repos, self.ticks)

    def now(self) -> str:
        """Return a time that moves on by a second at each call: runs can be repeated exactly."""
        self.ticks += 1
        return (_EPOCH + timedelta(seconds=self.ticks)).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def repo(self, kind: str, repo_id: str) -> Repo | None:
        return self.repos.get(f"{kind}s/{repo_id}")

    def create(self, kind: str, repo_id: str, author: str = "tester") -> Repo:
        """Make a repository with the first commit that the Hub makes, `.gitattributes` in it."""
        repo = self.repos[f"{kind}s/{repo_id}"] = Repo(kind, repo_id, self.now())
        blob = self.blob("".join(f"*{end} {_FILTER}\n" for end in LFS_SUFFIXES).encode())
        commit = self.commit(repo, "", {".gitattributes": blob}, ("initial commit", author))
        repo.refs["refs/heads/main"] = commit.id
        return repo

    def blob(self, content: bytes, lfs: bool = False) -> Blob:
        """Keep a content and return what names it."""
        return Blob(self.contents.put(content), git_sha1(content), len(content), lfs)

    def commit(
        self,
        repo: Repo,
        parent: str,
        files: dict[str, Blob],
        words: tuple[str, str],
        body: str = "",
    ) -> Commit:
        """Add a commit without moving a ref; `words` are its title and author."""
        title, author = words
        date = self.now()
        tree = "".join(f"{path}\0{blob.oid}\n" for path, blob in sorted(files.items()))
        seed = "\n".join((repo.path, parent, title, body, author, date, tree))
        sha = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
        commit = Commit(sha, parent, title, body, author, date, dict(sorted(files.items())))
        repo.commits[sha] = commit
        return commit


LFS_SUFFIXES = (".parquet", ".arrow", ".bin", ".gz", ".onnx", ".pkl", ".safetensors", ".zip")
LFS_SIZE = 10 << 20
_FILTER = "filter=lfs diff=lfs merge=lfs -text"


def is_lfs(path: str, size: int) -> bool:
    """Whether the Hub would store a file as LFS: by `.gitattributes` or from 10 MiB on."""
    return size > 0 and (path.lower().endswith(LFS_SUFFIXES) or size >= LFS_SIZE)


def git_sha1(content: bytes) -> str:
    """Return git's object id of a blob."""
    digest = hashlib.sha1(f"blob {len(content)}\0".encode(), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()
