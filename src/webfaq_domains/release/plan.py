"""What a release would do: its files with their hashes, and which are added, replaced or deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from webfaq_domains.ground.errors import PublishError
from webfaq_domains.ground.manifest import LABELER_FILE, MANIFEST
from webfaq_domains.release.artifact import list_files, pinned_files, versioned_files
from webfaq_domains.release.calls import Target
from webfaq_domains.release.check import check_folder, is_space
from webfaq_domains.release.remote import RemoteFile
from webfaq_domains.release.versions import Version

_BLOCK = 1 << 20


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release: its path in the repository, bytes, and both hashes that the Hub uses.

    `source` is the local file, or the content where publishing writes it. `stamp` is what the file
    system said of the local file when it was hashed.
    """

    path: str
    size: int
    sha256: str
    git_sha1: str
    source: Path | bytes
    stamp: tuple[int, int, int] | None = None

    def unchanged(self) -> bool:
        """Whether the file system says that the local file is still the one that was hashed."""
        try:
            return isinstance(self.source, bytes) or _stamp(self.source) == self.stamp
        except OSError:
            return False

    def content(self) -> bytes:
        """Return the content, which is surely the one that was hashed.

        :raises PublishError: if the local file has changed since.
        """
        try:
            content = self.source if isinstance(self.source, bytes) else self.source.read_bytes()
        except OSError as error:
            raise changed(self.path) from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise changed(self.path)
        return content


@dataclass(frozen=True)
class Release:
    """All that one version of a repository holds."""

    folder: Path
    target: Target
    version: str
    files: tuple[ReleaseFile, ...]

    @property
    def tag(self) -> str:
        return f"v{self.version}"

    @property
    def title(self) -> str:
        """Return the title of the commit or pull request."""
        return f"Release {self.tag}"

    @property
    def words(self) -> str:
        """Return what commit and tag say of the release, a line for its tag and one for its hash."""
        return f"{self.tag}\n{self.pinned_by}"

    @property
    def pinned_by(self) -> str:
        """Return the hash that pins the release."""
        named = {file.path: file.sha256 for file in self.files}
        for name in (MANIFEST, LABELER_FILE, "README.md"):
            if name in named:
                return f"{name} sha256:{named[name]}"
        raise PublishError(f"{self.folder} has neither {MANIFEST} nor README.md: nothing pins it")

    def check_unchanged(self) -> None:
        """Refuse a folder that is not what it was when it was read.

        :raises PublishError: naming the first file that differs.
        """
        there = list_files(self.folder, self.target.repo_id).keys()
        known = {file.path: file for file in self.files}
        for path in sorted(there | known.keys()):
            if path not in there or path not in known or not known[path].unchanged():
                raise changed(path)


def changed(path: str) -> PublishError:
    """Return the error for a file that is not the one that was planned."""
    return PublishError(
        f"{path} changed while the folder was being published, so that was stopped; main is untouched. "
        "Let whatever writes there end, then publish again"
    )


def read_release(
    folder: Path, target: Target, version: str, load: bool = True, quiet: bool = False
) -> Release:
    """Check a folder and hash every file of the release that it makes under a version.

    The folder is not touched: manifest and card get their version in the release only.

    :param load: load every config with `datasets` as part of the check.
    :raises PublishError: if the version is none, or the folder must not or cannot be published.
    """
    number = str(Version.parse(version))
    paths = list_files(folder, target.repo_id)
    checked = check_folder(folder, load=load, quiet=quiet)
    if not checked.fine:
        raise PublishError(f"{checked.text()}\nThe folder is not published: mend it first")
    written = versioned_files(folder, number)
    files = {path: hashed_bytes(path, content) for path, content in written.items()}
    left = {path: local for path, local in paths.items() if path not in written}
    for path, local in tqdm(left.items(), "hash", unit="file", disable=quiet):
        files[path] = hashed_file(path, local)
    for path, sha256 in pinned_files(folder).items():
        if path not in files or files[path].sha256 != sha256:
            raise changed(path)  # since the check, which compared them too
    ordered = tuple(files[path] for path in sorted(files))
    return Release(folder, target, number, ordered)


def kind_of(folder: Path) -> str:
    """Return what kind of repository a folder makes: `labeler.json` a model, a card with an SDK a Space."""
    if (folder / LABELER_FILE).is_file():
        return "model"
    return "space" if is_space(folder) else "dataset"


def hashed_bytes(path: str, content: bytes) -> ReleaseFile:
    """Return a file whose content publishing wrote itself."""
    git = hashlib.sha1(_git_head(len(content)) + content, usedforsecurity=False)
    sha256 = hashlib.sha256(content).hexdigest()
    return ReleaseFile(path, len(content), sha256, git.hexdigest(), content)


def hashed_file(path: str, local: Path) -> ReleaseFile:
    """Hash a local file in one reading, both ways that the Hub does.

    :raises PublishError: if it changes meanwhile.
    """
    stamp = _stamp(local)
    sha256, git = hashlib.sha256(), hashlib.sha1(_git_head(stamp[0]), usedforsecurity=False)
    with local.open("rb") as stream:
        while block := stream.read(_BLOCK):
            sha256.update(block)
            git.update(block)
    if _stamp(local) != stamp:
        raise changed(path)
    return ReleaseFile(path, stamp[0], sha256.hexdigest(), git.hexdigest(), local, stamp)


def _git_head(size: int) -> bytes:
    return f"blob {size}\0".encode()


def _stamp(local: Path) -> tuple[int, int, int]:
    """Return size, time of change and inode; a link that took a file's place has another inode."""
    met = local.lstat()
    return met.st_size, met.st_mtime_ns, met.st_ino


#: Made by the Hub with the repository: kept where the folder has none of its own.
KEPT = ".gitattributes"

_SIGNS = {"add": "+", "replace": "~", "delete": "-"}


@dataclass(frozen=True)
class Change:
    """One file that differs. Of a file to delete, size and hash are those on the Hub."""

    act: str
    path: str
    size: int
    hash: str


@dataclass(frozen=True)
class Plan:
    """The exact difference between a release and a commit, `parent`.

    `parent` is None where there is no repository yet. `tagged` is the commit that the release's tag
    points to already, with the same content.
    """

    release: Release
    parent: str | None
    changes: tuple[Change, ...]
    unchanged: tuple[ReleaseFile, ...]
    tagged: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def sent(self) -> tuple[ReleaseFile, ...]:
        """Return the files to add or replace."""
        changed = {change.path for change in self.changes if change.act != "delete"}
        return tuple(file for file in self.release.files if file.path in changed)

    @property
    def deleted(self) -> tuple[str, ...]:
        return tuple(change.path for change in self.changes if change.act == "delete")

    def to_json(self) -> dict[str, Any]:
        release = self.release
        return {
            "repo": release.target.repo_id,
            "kind": release.target.kind,
            "version": release.version,
            "tag": release.tag,
            "tagged": self.tagged,
            "parent": self.parent,
            "changes": [vars(change) for change in self.changes],
            "unchanged": [
                {"path": file.path, "size": file.size, "hash": file.sha256}
                for file in self.unchanged
            ],
            "bytes": sum(file.size for file in self.sent),
            "notes": self.notes,
        }

    def text(self) -> str:
        release = self.release
        lines = [f"{release.target}, tag {release.tag}, on top of {self.parent or 'nothing yet'}"]
        lines += [
            f"  {_SIGNS[change.act]} {change.path}  {change.size:,} bytes  {change.hash[:12]}"
            for change in self.changes
        ]
        lines.append(self.summary())
        return "\n".join([*lines, *self.notes])

    def summary(self) -> str:
        """Return the plan in one line."""
        if self.tagged:
            return f"{self.release.tag} is published already, as {self.tagged}: nothing to do"
        counts = [f"{sum(change.act == act for change in self.changes)} to {act}" for act in _SIGNS]
        kept = f"{len(self.unchanged)} unchanged ({_bytes(self.unchanged):,} bytes)"
        return f"{', '.join(counts)} ({_bytes(self.sent):,} bytes to send at most), {kept}"


def _bytes(files: Iterable[ReleaseFile]) -> int:
    return sum(file.size for file in files)


def same(file: ReleaseFile, met: RemoteFile) -> bool:
    """Whether a file on the Hub is the release's: size, and the hash that the Hub keeps of it."""
    if file.size != met.size:
        return False
    return file.sha256 == met.sha256 if met.sha256 else file.git_sha1 == met.git_sha1


def make_plan(release: Release, parent: str | None, tree: dict[str, RemoteFile]) -> Plan:
    """Compare a release with the tree of `parent`; deletions come first, as they do in the commit."""
    names = {file.path for file in release.files} | {KEPT}
    changes = [
        Change("delete", path, met.size, met.sha256 or met.git_sha1)
        for path, met in sorted(tree.items())
        if path not in names
    ]
    unchanged = []
    for file in release.files:
        met = tree.get(file.path)
        if met is not None and same(file, met):
            unchanged.append(file)
        else:
            act = "add" if met is None else "replace"
            changes.append(Change(act, file.path, file.size, file.sha256))
    return Plan(release, parent, tuple(changes), tuple(unchanged))
