"""What a publish would do: which files it adds, replaces, deletes and leaves, on top of what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from webfaq_domains.hub.release import Release, ReleaseFile
from webfaq_domains.hub.remote import RemoteFile

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
