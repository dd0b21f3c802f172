"""The versions of a repository on the Hub: its tags, their commits, and what each one changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.hub import Address
from webfaq_domains.release.artifact import Artifact
from webfaq_domains.release.data import DataSet
from webfaq_domains.release.diff import labeler_changes, taxonomy_changes
from webfaq_domains.release.kinds import artifact_of
from webfaq_domains.release.semver import Version
from webfaq_domains.release.snapshot import HubSnapshot


@dataclass(frozen=True)
class TaggedVersion:
    """One tag: the commit, its date (ISO 8601), rows where it is a data set, and its changes."""

    tag: str
    sha: str
    date: str
    rows: int | None
    changes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "changes": list(self.changes)}


@dataclass(frozen=True)
class Versions:
    """All tags of a repository, the newest first."""

    kind: str
    repo: str
    versions: list[TaggedVersion] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        listed = [version.to_json() for version in self.versions]
        return {"kind": self.kind, "repo": self.repo, "versions": listed}

    def text(self) -> str:
        if not self.versions:
            return f"the {self.kind} {self.repo} has no version yet"
        lines = [f"{self.kind} {self.repo}"]
        for version in self.versions:
            rows = "" if version.rows is None else f"{version.rows:>15,} rows"
            lines.append(f"{version.tag:<10}{version.sha[:12]}  {version.date[:10]}{rows}")
            lines += [f"{'':<10}{change}" for change in version.changes]
        return "\n".join(lines)


def list_versions(address: str) -> Versions:
    """List the tags of `org/name` (or `models/org/name`), from the descriptions of their commits.

    Versions are ordered by number, other tags follow by name. Each version is compared with the one
    before it as far as descriptions and file hashes tell; `diff` reads the rows as well.

    :raises StagedError: if the repository cannot be read.
    """
    asked = Address.parse(address)
    if asked is None or asked.revision or "/" not in asked.name:
        raise StagedError(f"{address}: expected a repository org/name, or models/org/name")
    main = asked.resolve(StagedError)
    tags = main.tags()
    dates = main.dates(tags.values())
    numbered = sorted((tag for tag in tags if Version.find(tag)), key=Version.parse)
    found: list[TaggedVersion] = []
    before: Artifact | None = None
    for tag in (*sorted(tags.keys() - set(numbered)), *numbered):
        artifact = artifact_of(HubSnapshot(replace(main, revision=tag, sha=tags[tag]), (tag,)))
        changes = _changes(before, artifact) if before else []
        sha = tags[tag]
        found.append(TaggedVersion(tag, sha, dates[sha], artifact.rows, tuple(changes)))
        before = artifact if tag in numbered else None
    return Versions(main.repo_type, main.name, found[::-1])


def _changes(before: Artifact, after: Artifact) -> list[str]:
    """Return what differs as far as it can be told without opening a data file."""
    lines = [f"taxonomy {line}" for line in taxonomy_changes(before, after)]
    if isinstance(before, DataSet) and isinstance(after, DataSet):
        lines += _data_changes(before, after)
    one, other = _hashes(before), _hashes(after)
    both = one.keys() & other.keys()
    changed = {path for path in both if one[path] != other[path]}
    kinds = {"+": other.keys() - both, "-": one.keys() - both, "changed:": changed}
    return [*lines, *_file_lines(kinds)]


def _data_changes(before: DataSet, after: DataSet) -> list[str]:
    one, other = before.manifest, after.manifest
    lines = []
    if one.schema_version != other.schema_version:
        lines.append(f"schema {one.schema_version} -> {other.schema_version}")
    lines += [f"labeler {line}" for line in labeler_changes(before, after)]
    rows = other.rows - one.rows
    if one.content_digest == other.content_digest:
        return [*lines, "the same rows"]
    return [*lines, f"rows {rows:+,}" if rows else "as many rows, others or with other values"]


def _hashes(artifact: Artifact) -> dict[str, str]:
    """Return git's hash of each file, which the Hub knows without a download."""
    assert isinstance(artifact.snapshot, HubSnapshot)
    return {path: file.git_sha1 for path, file in artifact.snapshot.files.items()}


def _file_lines(found: dict[str, set[str]]) -> list[str]:
    """Return one line per kind of change; of many files only the number."""
    lines = []
    for what, paths in found.items():
        if len(paths) > 3:
            lines.append(f"{what} {len(paths)} files")
        elif paths:
            lines.append(f"{what} {', '.join(sorted(paths))}")
    return lines
