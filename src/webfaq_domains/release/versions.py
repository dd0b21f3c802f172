"""Version numbers, the rule that asks for the next one, and the versions of a repository on the Hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from webfaq_domains.ground.errors import RecipeError, StagedError
from webfaq_domains.ground.hub import explained
from webfaq_domains.release.diff import labeler_changes, taxonomy_changes
from webfaq_domains.release.snapshot import About, at_commit, find_repo, parse_repo, tags_of

#: The kinds of change, smallest first: `none` needs no version.
LEVELS = ("none", "patch", "minor", "major")

_FORM = re.compile(r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)


@dataclass(frozen=True, order=True)
class Version:
    """A version MAJOR.MINOR.PATCH; its tag is `vMAJOR.MINOR.PATCH`."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `1.2.3` or `v1.2.3`.

        :raises RecipeError: if it is something else.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise RecipeError(f"{text!r} is not a version; expected MAJOR.MINOR.PATCH, like 1.2.0")
        return cls(*map(int, match.groups()))

    @classmethod
    def find(cls, text: str | None) -> Version | None:
        """Read a version, or return None where a text is none, as the name of a branch."""
        match = _FORM.fullmatch(text or "")
        return cls(*map(int, match.groups())) if match else None

    def next(self, level: str) -> Version:
        """Return the version after a change of this level; `none` keeps it."""
        if level == "major":
            return Version(self.major + 1, 0, 0)
        if level == "minor":
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + (level == "patch"))

    @property
    def tag(self) -> str:
        return f"v{self}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def highest(levels: list[str]) -> str:
    """Return the largest of some levels; `none` of nothing."""
    return max(levels, key=LEVELS.index, default="none")


@dataclass(frozen=True)
class Release:
    """One tag: the commit, its date (ISO 8601), rows where it is a data set, and its changes."""

    tag: str
    sha: str
    date: str
    rows: int | None
    changes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "changes": list(self.changes)}


@dataclass(frozen=True)
class Releases:
    """All tags of a repository, the newest first."""

    kind: str
    repo: str
    releases: list[Release] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        listed = [release.to_json() for release in self.releases]
        return {"kind": self.kind, "repo": self.repo, "versions": listed}

    def text(self) -> str:
        if not self.releases:
            return f"the {self.kind} {self.repo} has no version yet"
        lines = [f"{self.kind} {self.repo}"]
        for release in self.releases:
            rows = "" if release.rows is None else f"{release.rows:>15,} rows"
            lines.append(f"{release.tag:<10}{release.sha[:12]}  {release.date[:10]}{rows}")
            lines += [f"{'':<10}{change}" for change in release.changes]
        return "\n".join(lines)


def list_versions(address: str) -> Releases:
    """List the tags of `org/name` (or `models/org/name`), from the manifests of their commits.

    Versions are ordered by number, other tags follow by name. Each version is compared with the one
    before it as far as manifests and file hashes tell; `diff` reads the rows as well.

    :raises StagedError: if the repository cannot be read.
    """
    asked, repo = parse_repo(address)
    kind, _ = find_repo(asked, repo, "main")
    tags = tags_of(kind, repo)
    with explained(repo, "main", StagedError, kind):
        dates = _dates(kind, repo, list(tags.values()))
    numbered = sorted((tag for tag in tags if Version.find(tag)), key=Version.parse)
    found: list[Release] = []
    before: _Seen | None = None
    for tag in (*sorted(tags.keys() - set(numbered)), *numbered):
        snapshot = at_commit(kind, repo, tags[tag], (tag,))
        seen = _Seen(snapshot.listed, About.of(snapshot))
        changes = _glance(before, seen) if before else []
        rows = seen.about.manifest.rows if seen.about.manifest else None
        found.append(Release(tag, tags[tag], dates[tags[tag]], rows, tuple(changes)))
        before = seen if tag in numbered else None
    return Releases(kind, repo, found[::-1])


class _Seen(NamedTuple):
    """A commit: its files with their hashes, and what it says of itself."""

    listed: dict[str, str]
    about: About


def _dates(kind: str, repo: str, shas: Sequence[str]) -> dict[str, str]:
    """Return the date of each commit; a commit that `main` does not hold is asked for by itself."""
    from huggingface_hub import HfApi

    api = HfApi()
    history = api.list_repo_commits(repo, repo_type=kind)
    dates = {commit.commit_id: commit.created_at.isoformat() for commit in history}
    for sha in shas:
        if sha not in dates:
            commit = api.list_repo_commits(repo, repo_type=kind, revision=sha)[0]
            dates[sha] = commit.created_at.isoformat()
    return dates


def _glance(before: _Seen, after: _Seen) -> list[str]:
    """Return what differs as far as it can be told without opening a data file."""
    one, other = before.about, after.about
    lines = [f"taxonomy {line}" for line in taxonomy_changes(one, other)]
    if one.manifest and other.manifest:
        if one.manifest.schema_version != other.manifest.schema_version:
            lines.append(f"schema {one.manifest.schema_version} -> {other.manifest.schema_version}")
        lines += [f"labeler {line}" for line in labeler_changes(one, other)]
        rows = other.manifest.rows - one.manifest.rows
        if one.manifest.content_digest == other.manifest.content_digest:
            lines.append("the same rows")
        else:
            lines.append(f"rows {rows:+,}" if rows else "as many rows, others or with other values")
    both = before.listed.keys() & after.listed.keys()
    came, gone = after.listed.keys() - both, before.listed.keys() - both
    changed = {path for path in both if before.listed[path] != after.listed[path]}
    return [*lines, *_file_lines({"+": came, "-": gone, "changed:": changed})]


def _file_lines(found: dict[str, set[str]]) -> list[str]:
    """Return one line per kind of change; of many files only the number."""
    lines = []
    for what, paths in found.items():
        if len(paths) > 3:
            lines.append(f"{what} {len(paths)} files")
        elif paths:
            lines.append(f"{what} {', '.join(sorted(paths))}")
    return lines
