"""What a release holds: which files of a folder may go out, and their hashes; and where it goes."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from webfaq_domains.ground.errors import PublishError
from webfaq_domains.ground.front_matter import CARD
from webfaq_domains.ground.hub import REPO_TYPES, RepositoryFile
from webfaq_domains.ground.kinds import description_file
from webfaq_domains.ground.model_folders import code_files
from webfaq_domains.release.artifact import Artifact
from webfaq_domains.release.semver import Version

_BLOCK = 1 << 20
_NAME = re.compile(r"[\w-](?:[\w.-]{0,94}[\w-])?", re.ASCII)


@dataclass(frozen=True)
class Target:
    """The repository to publish to: `org/name` and whether it is a dataset, a model or a space."""

    repo_id: str
    repo_type: str

    def __post_init__(self) -> None:
        parts = self.repo_id.split("/")
        fine = len(parts) == 2 and all(_NAME.fullmatch(part) for part in parts)
        if not fine or "--" in self.repo_id or ".." in self.repo_id:
            raise PublishError(
                f"{self.repo_id!r} is no name for a repository; expected ORG/NAME of letters, "
                "digits, '-', '_' and '.'"
            )
        if self.repo_type not in REPO_TYPES:
            raise PublishError(
                f"{self.repo_type!r} is no type of repository: {', '.join(REPO_TYPES)}"
            )

    def __str__(self) -> str:
        return f"the {self.repo_type} {self.repo_id}"


class Message(NamedTuple):
    """What a commit says of itself."""

    title: str
    body: str


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
            raise changed_meanwhile(self.path) from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise changed_meanwhile(self.path)
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

    def message(self, title: str = "") -> Message:
        """Return what commit and tag say: a line for the tag, and one for the hash that pins it."""
        return Message(title or f"Release {self.tag}", f"{self.tag}\n{self.pinned_by}")

    @property
    def pinned_by(self) -> str:
        """Return the file whose hash says which release it is: the description, else the card."""
        hashes = {file.path: file.sha256 for file in self.files}
        name = description_file(hashes) or CARD
        if name not in hashes:
            raise PublishError(f"{self.folder} has no description and no {CARD}: nothing pins it")
        return f"{name} sha256:{hashes[name]}"

    def check_unchanged(self) -> None:
        """Refuse a folder that is not what it was when it was read.

        :raises PublishError: naming the first file that differs.
        """
        there = list_files(self.folder).keys()
        known = {file.path: file for file in self.files}
        for path in sorted(there | known.keys()):
            if path not in there or path not in known or not known[path].unchanged():
                raise changed_meanwhile(path)


def read_release(
    artifact: Artifact, target: Target, version: str, load: bool = True, quiet: bool = False
) -> Release:
    """Check a folder and hash every file of the release that it makes under a version.

    The folder is not touched: description and card get their version in the release only.

    :param load: load it as its users do, as part of the check.
    :raises PublishError: if the version is none, or the folder must not or cannot be published.
    """
    number, folder = str(Version.parse(version)), artifact.snapshot.folder()
    paths = list_files(folder)
    checked = artifact.check(load, quiet)
    if not checked.fine:
        raise PublishError(f"{checked.text()}\nThe folder is not published: mend it first")
    versioned = artifact.versioned_files(number)
    files = {path: hashed_bytes(path, content) for path, content in versioned.items()}
    left = {path: local for path, local in paths.items() if path not in versioned}
    for path, local in tqdm(left.items(), "hash", unit="file", disable=quiet):
        files[path] = hashed_file(path, local)
    for path, sha256 in artifact.pinned_files.items():
        if path not in files or files[path].sha256 != sha256:
            raise changed_meanwhile(path)  # since the check, which compared them too
    return Release(folder, target, number, tuple(files[path] for path in sorted(files)))


def changed_meanwhile(path: str) -> PublishError:
    """Return the error for a file that is not the one that was planned."""
    return PublishError(
        f"{path} changed while the folder was being published, so that was stopped; main is untouched. "
        "Let whatever writes there end, then publish again"
    )


def hashed_bytes(path: str, content: bytes) -> ReleaseFile:
    """Return a file whose content publishing wrote itself."""
    sha256 = hashlib.sha256(content).hexdigest()
    return ReleaseFile(path, len(content), sha256, _git_sha1(content), content)


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
        raise changed_meanwhile(path)
    return ReleaseFile(path, stamp[0], sha256.hexdigest(), git.hexdigest(), local, stamp)


def is_content(content: bytes, file: RepositoryFile) -> bool:
    """Whether these are the bytes of a file on the Hub, by the hash that the Hub keeps of it."""
    if file.sha256:
        return hashlib.sha256(content).hexdigest() == file.sha256
    return _git_sha1(content) == file.git_sha1


def _git_sha1(content: bytes) -> str:
    return hashlib.sha1(_git_head(len(content)) + content, usedforsecurity=False).hexdigest()


def _git_head(size: int) -> bytes:
    return f"blob {size}\0".encode()


def _stamp(local: Path) -> tuple[int, int, int]:
    """Return size, time of change and inode; a link that took a file's place has another inode."""
    met = local.lstat()
    return met.st_size, met.st_mtime_ns, met.st_ino


#: The one hidden file that belongs in a repository.
_ATTRIBUTES = ".gitattributes"
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def list_files(folder: Path) -> dict[str, Path]:
    """Return every file below a folder by its path in the repository, sorted by that path.

    :raises PublishError: for a symbolic link, a device, a hidden file, code or a pickle, or a
        name with characters that cannot be seen.
    """
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder, followlinks=False):
        for name in (*folders, *names):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            _check_name(relative, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                _refuse(relative, "is a symbolic link", "replace it by what it points to")
            elif stat.S_ISREG(mode):
                found[relative] = path
            elif not stat.S_ISDIR(mode):
                _refuse(relative, "is neither a file nor a folder", "remove it")
    for relative, what in code_files(folder):
        _refuse(relative, what, "remove it")
    return dict(sorted(found.items()))


def _check_name(relative: str, name: str) -> None:
    if any(unicodedata.category(char) in _UNSEEN for char in name) or "\\" in name:
        _refuse(ascii(relative), "has a character that cannot be seen, or a backslash", "rename it")
    if name != name.strip():
        _refuse(ascii(relative), "starts or ends with a space", "rename it")
    if name.startswith(".") and name != _ATTRIBUTES:
        _refuse(relative, "is hidden", "remove it; it is no part of a release")


def _refuse(place: str, what: str, mend: str) -> None:
    raise PublishError(f"{place} {what}: {mend}")
