"""What a release would change on the Hub: files to add, to replace and to delete."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from webfaq_domains.ground.hub import RepositoryFile
from webfaq_domains.release.contents import Release, ReleaseFile

#: Made by the Hub with the repository: kept where the folder has none of its own.
KEPT = ".gitattributes"

#: So many changes are shown one by one; of more, those of a folder share a line.
_SHOWN = 20
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
            "kind": release.target.repo_type,
            "version": release.version,
            "tag": release.tag,
            "tagged": self.tagged,
            "parent": self.parent,
            "changes": [vars(change) for change in self.changes],
            "unchanged": [
                {"path": file.path, "size": file.size, "hash": file.sha256}
                for file in self.unchanged
            ],
            "bytes": _bytes(self.sent),
            "notes": self.notes,
        }

    def text(self) -> str:
        """Return the totals, and the changes: one by one, or by folder where they are many."""
        release = self.release
        head = f"{release.target}, tag {release.tag}, on top of {self.parent or 'nothing yet'}"
        return "\n".join([head, *_lines(self.changes), self.summary(), *self.notes])

    def summary(self) -> str:
        """Return the plan in one line."""
        if self.tagged:
            return f"{self.release.tag} is published already, as {self.tagged}: nothing to do"
        counts = [f"{sum(change.act == act for change in self.changes)} to {act}" for act in _SIGNS]
        kept = f"{len(self.unchanged)} unchanged ({_bytes(self.unchanged):,} bytes)"
        return f"{', '.join(counts)} ({_bytes(self.sent):,} bytes to send at most), {kept}"


def make_plan(release: Release, parent: str | None, tree: dict[str, RepositoryFile]) -> Plan:
    """Compare a release with the tree of `parent`; deletions come first, as they do in the commit."""
    names = {file.path for file in release.files} | {KEPT}
    changes = [
        Change("delete", path, there.size, there.sha256 or there.git_sha1)
        for path, there in sorted(tree.items())
        if path not in names
    ]
    unchanged = []
    for file in release.files:
        there = tree.get(file.path)
        if there is not None and _same(file, there):
            unchanged.append(file)
        else:
            act = "add" if there is None else "replace"
            changes.append(Change(act, file.path, file.size, file.sha256))
    return Plan(release, parent, tuple(changes), tuple(unchanged))


def _same(file: ReleaseFile, there: RepositoryFile) -> bool:
    """Whether a file on the Hub is the release's: size, and the hash that the Hub keeps of it."""
    if file.size != there.size:
        return False
    return file.sha256 == there.sha256 if there.sha256 else file.git_sha1 == there.git_sha1


def _bytes(files: Iterable[ReleaseFile]) -> int:
    return sum(file.size for file in files)


def _lines(changes: Sequence[Change]) -> list[str]:
    """Return a line for each change, or for each folder down to the depth that makes few lines."""
    if len(changes) <= _SHOWN:
        return [
            f"  {_SIGNS[change.act]} {change.path}  {change.size:,} bytes  {change.hash[:12]}"
            for change in changes
        ]
    grouped = (_by_folder(changes, depth) for depth in (3, 2, 1))
    groups = next((found for found in grouped if len(found) <= _SHOWN), _by_folder(changes, 0))
    return [_line(act, place, found) for (act, place), found in groups.items()]


def _line(act: str, place: str, changes: Sequence[Change]) -> str:
    size = sum(change.size for change in changes)
    if len(changes) == 1:
        place = changes[0].path
    else:
        place = f"{len(changes)} files in {place or 'all folders'}"
    return f"  {_SIGNS[act]} {place}  {size:,} bytes"


def _by_folder(changes: Sequence[Change], depth: int) -> dict[tuple[str, str], list[Change]]:
    """Return the changes by what is done and the first `depth` folders of their paths."""
    groups: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        folders = PurePosixPath(change.path).parts[:-1][:depth]
        place = "".join(f"{name}/" for name in folders)
        groups[change.act, place if folders or not depth else change.path].append(change)
    return groups
